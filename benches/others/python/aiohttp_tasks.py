"""aiohttp on asyncio, or on uvloop.

    aiohttp_tasks.py            as many connections as requests may be in flight
    aiohttp_tasks.py 100        at most so many, which is aiohttp's limit unless told
    aiohttp_tasks.py uvloop     on uvloop
"""

import asyncio

import aiohttp

import lane


async def fetch(session, url):
    with lane.Request(url) as request:
        async with session.get(url) as response:
            response.raise_for_status()
            return request.brought(await response.read())


async def fetch_and_aggregate(job):
    tally, urls = lane.Tally(job), job.urls(asyncio.sleep)

    async def work(session):
        async for url in urls:
            tally.add(await fetch(session, url))

    connector = aiohttp.TCPConnector(limit=lane.workers(job))
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(work(session) for _ in range(job.in_flight)))
    return tally


if __name__ == "__main__":
    lane.run_on_loop(fetch_and_aggregate)
