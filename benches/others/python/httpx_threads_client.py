"""One httpx.Client, shared by the threads of a concurrent.futures executor. Its pool has the limits and
the time-out that httpx gives it."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx

import lane


def fetch(client, url):
    with lane.Request(url) as request:
        response = client.get(url)
        response.raise_for_status()
        return request.brought(response.content)


def fetch_and_aggregate(job):
    tally = lane.Tally(job)
    with httpx.Client() as client, ThreadPoolExecutor(lane.workers(job)) as executor:
        for fetched in executor.map(partial(fetch, client), job.urls()):
            tally.add(fetched)
    return tally


if __name__ == "__main__":
    lane.run(fetch_and_aggregate)
