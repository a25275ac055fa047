"""aiohttp on asyncio, each fetch awaited where it is made: async code that waits for one document after
the other."""

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
    async with aiohttp.ClientSession() as session:
        async for url in job.urls(asyncio.sleep):
            tally.add(await fetch(session, url))
    return tally


if __name__ == "__main__":
    lane.run_on_loop(fetch_and_aggregate)
