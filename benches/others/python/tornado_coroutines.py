"""Tornado's coroutines: AsyncHTTPClient, which opens a connection for every request, or an IOStream and
the bare exchange of exchange.py."""

import asyncio
import socket

from tornado.httpclient import AsyncHTTPClient
from tornado.iostream import IOStream, StreamClosedError

import exchange
import lane


async def fetch(client, url):
    with lane.Request(url) as request:
        # Waiting for its turn would count to the time-outs, which are 20 s unless told.
        response = await client.fetch(url, connect_timeout=0, request_timeout=0)
        return request.brought(response.body)


async def fetch_raw(idle, url):
    address, head = exchange.get(url)
    with lane.Request(url) as request:
        stream = idle.pop() if idle else await connect(address)
        await stream.write(head)
        response = exchange.Response()
        while not response.feed(await stream.read_bytes(65_536, partial=True)):
            pass
        request.brought(response.body)
    if response.keep_alive:
        idle.append(stream)
    else:
        stream.close()
    return request


async def fetch_and_aggregate(job):
    tally, urls = lane.Tally(job), job.urls(asyncio.sleep)

    async def work(fetch, connections):
        async for url in urls:
            tally.add(await fetch(connections, url))

    if job.client == "raw":
        fetch_one, connections = fetch_raw, []
    else:
        # Ten unless told.
        fetch_one, connections = fetch, AsyncHTTPClient(max_clients=job.in_flight)
    await asyncio.gather(*(work(fetch_one, connections) for _ in range(job.in_flight)))
    return tally


async def connect(address):
    # tornado.tcpclient would look the address up in a thread, even where it is a number.
    stream = IOStream(socket.socket())
    stream.set_nodelay(True)
    try:
        return await stream.connect(address)
    except StreamClosedError as closed:
        raise closed.real_error from None


if __name__ == "__main__":
    lane.run_on_loop(fetch_and_aggregate)
