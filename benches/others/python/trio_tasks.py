"""Tasks of a trio nursery: httpx, or trio's own streams and the bare exchange of exchange.py.

At each request httpx's pool asks every idle connection whether its peer has closed it, so that what it
takes a document grows with what may be in flight. That is so on asyncio, too."""

import httpx
import trio

import exchange
import lane


async def fetch(client, url):
    with lane.Request(url) as request:
        response = await client.get(url)
        response.raise_for_status()
        return request.brought(response.content)


async def fetch_raw(idle, url):
    address, head = exchange.get(url)
    with lane.Request(url) as request:
        # A stream of trio's sends without delay unless told.
        stream = idle.pop() if idle else await trio.open_tcp_stream(*address)
        await stream.send_all(head)
        response = exchange.Response()
        while not response.feed(await stream.receive_some()):
            pass
        request.brought(response.body)
    if response.keep_alive:
        idle.append(stream)
    else:
        await stream.aclose()
    return request


async def fetch_and_aggregate(job):
    tally, urls = lane.Tally(job), job.urls(trio.sleep)

    async def work(fetch, connections):
        async for url in urls:
            tally.add(await fetch(connections, url))

    async def work_all(fetch, connections):
        async with trio.open_nursery() as nursery:
            for _ in range(job.in_flight):
                nursery.start_soon(work, fetch, connections)

    if job.client == "raw":
        await work_all(fetch_raw, [])
    else:
        # As many connections as are asked for, and no time-out: a hundred and five seconds unless told.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        async with httpx.AsyncClient(limits=limits, timeout=None) as client:
            await work_all(fetch, client)
    return tally


if __name__ == "__main__":
    lane.run(lambda job: trio.run(fetch_and_aggregate, job))
