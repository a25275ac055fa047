"""One httpx.Client for one document after the other: its connection is kept."""

import httpx

import lane


def fetch(client, url):
    with lane.Request(url) as request:
        response = client.get(url)
        response.raise_for_status()
        return request.brought(response.content)


def fetch_and_aggregate(job):
    tally = lane.Tally(job)
    with httpx.Client() as client:
        for url in job.urls():
            tally.add(fetch(client, url))
    return tally


if __name__ == "__main__":
    lane.run(fetch_and_aggregate)
