"""httpx.get on the threads of a concurrent.futures executor. Each call makes a client of its own, and a
TLS context with it, whatever the URL: so many milliseconds of CPU a document."""

from concurrent.futures import ThreadPoolExecutor

import httpx

import lane


def fetch(url):
    with lane.Request(url) as request:
        response = httpx.get(url)
        response.raise_for_status()
        return request.brought(response.content)


def fetch_and_aggregate(job):
    tally = lane.Tally(job)
    with ThreadPoolExecutor(lane.workers(job)) as executor:
        for fetched in executor.map(fetch, job.urls()):
            tally.add(fetched)
    return tally


if __name__ == "__main__":
    lane.run(fetch_and_aggregate)
