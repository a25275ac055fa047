"""requests.get on the threads of a concurrent.futures executor.

    requests_threads.py             a thread for each request that may be in flight
    requests_threads.py 100         at most so many
    requests_threads.py default     as many as the executor takes unless told
"""

from concurrent.futures import ThreadPoolExecutor

import requests

import lane


def fetch(url):
    with lane.Request(url) as request:
        response = requests.get(url)
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
