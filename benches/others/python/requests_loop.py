"""requests.get for one document after the other."""

import requests

import lane


def fetch(url):
    with lane.Request(url) as request:
        response = requests.get(url)
        response.raise_for_status()
        return request.brought(response.content)


def fetch_and_aggregate(job):
    tally = lane.Tally(job)
    for url in job.urls():
        tally.add(fetch(url))
    return tally


if __name__ == "__main__":
    lane.run(fetch_and_aggregate)
