"""One requests.Session, shared by the threads of a concurrent.futures executor: connections are kept."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import requests
from requests.adapters import HTTPAdapter

import lane


def fetch(session, url):
    with lane.Request(url) as request:
        response = session.get(url)
        response.raise_for_status()
        return request.brought(response.content)


def fetch_and_aggregate(job):
    tally = lane.Tally(job)
    with requests.Session() as session, ThreadPoolExecutor(lane.workers(job)) as executor:
        # It would keep ten of the connections and throw the others away.
        session.mount("http://", HTTPAdapter(pool_maxsize=job.in_flight))
        for fetched in executor.map(partial(fetch, session), job.urls()):
            tally.add(fetched)
    return tally


if __name__ == "__main__":
    lane.run(fetch_and_aggregate)
