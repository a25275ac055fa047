"""One requests.Session, shared by the greenlets of a gevent pool, with the standard library patched."""

from gevent import monkey

monkey.patch_all()

from functools import partial

import requests
from gevent.pool import Pool
from requests.adapters import HTTPAdapter

import lane


def fetch(session, url):
    with lane.Request(url) as request:
        response = session.get(url)
        response.raise_for_status()
        return request.brought(response.content)


def fetch_and_aggregate(job):
    tally, pool = lane.Tally(job), Pool(job.in_flight)
    with requests.Session() as session:
        # It keeps ten connections unless told.
        session.mount("http://", HTTPAdapter(pool_maxsize=job.in_flight))
        for fetched in pool.imap_unordered(partial(fetch, session), job.urls()):
            tally.add(fetched)
    return tally


if __name__ == "__main__":
    lane.run(fetch_and_aggregate)
