"""Tasks of a curio group: curio's sockets, and the bare exchange of exchange.py."""

import curio
from curio import socket

import exchange
import lane


async def fetch(idle, url):
    address, head = exchange.get(url)
    with lane.Request(url) as request:
        connection = idle.pop() if idle else await connect(address)
        await connection.sendall(head)
        response = exchange.Response()
        while not response.feed(await connection.recv(65_536)):
            pass
        request.brought(response.body)
    if response.keep_alive:
        idle.append(connection)
    else:
        await connection.close()
    return request


async def fetch_and_aggregate(job):
    tally, urls, idle = lane.Tally(job), job.urls(curio.sleep), []

    async def work():
        async for url in urls:
            tally.add(await fetch(idle, url))

    async with curio.TaskGroup() as group:
        for _ in range(job.in_flight):
            await group.spawn(work)
    # The group keeps what its tasks raised for whoever asks for their results.
    group.results
    return tally


async def connect(address):
    # curio.open_connection would look the address up in a thread, even where it is a number.
    connection = socket.socket()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    await connection.connect(address)
    return connection


if __name__ == "__main__":
    lane.run(lambda job: curio.run(fetch_and_aggregate, job))
