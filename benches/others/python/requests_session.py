"""One requests.Session for one document after the other: its connection is kept."""

import requests

import lane


def fetch(session, url):
    with lane.Request(url) as request:
        response = session.get(url)
        response.raise_for_status()
        return request.brought(response.content)


def fetch_and_aggregate(job):
    tally = lane.Tally(job)
    with requests.Session() as session:
        for url in job.urls():
            tally.add(fetch(session, url))
    return tally


if __name__ == "__main__":
    lane.run(fetch_and_aggregate)
