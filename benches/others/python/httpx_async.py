"""httpx on asyncio, or on uvloop. Its pool has the limits and the time-out that httpx gives it: of all
requests that may be in flight a hundred are, and one that waits five seconds for a connection fails."""

import asyncio

import httpx

import lane


async def fetch(client, url):
    with lane.Request(url) as request:
        response = await client.get(url)
        response.raise_for_status()
        return request.brought(response.content)


async def fetch_and_aggregate(job):
    tally, urls = lane.Tally(job), job.urls(asyncio.sleep)

    async def work(client):
        async for url in urls:
            tally.add(await fetch(client, url))

    async with httpx.AsyncClient() as client:
        await asyncio.gather(*(work(client) for _ in range(job.in_flight)))
    return tally


if __name__ == "__main__":
    lane.run_on_loop(fetch_and_aggregate)
