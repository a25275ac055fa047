"""aiohttp on asyncio, a task for every document at once, gathered: what most articles show. The limit of
connections is what holds them back, and a task that waits for one is in its service time already."""

import asyncio

import aiohttp

import lane


async def fetch(session, url):
    with lane.Request(url) as request:
        async with session.get(url) as response:
            response.raise_for_status()
            return request.brought(await response.read())


async def fetch_and_aggregate(job):
    tally = lane.Tally(job)
    connector = aiohttp.TCPConnector(limit=job.in_flight)
    async with aiohttp.ClientSession(connector=connector) as session:
        urls = job.urls(asyncio.sleep)
        tasks = [asyncio.create_task(fetch(session, url)) async for url in urls]
        for fetched in await asyncio.gather(*tasks):
            tally.add(fetched)
    return tally


if __name__ == "__main__":
    lane.run_on_loop(fetch_and_aggregate)
