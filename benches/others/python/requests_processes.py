"""requests.get in the processes of a concurrent.futures executor.

    requests_processes.py 8         at most so many
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import requests

import lane
from process import end_with_parent


def fetch(url):
    with lane.Request(url) as request:
        response = requests.get(url)
        response.raise_for_status()
        return request.brought(response.content)


def fetch_and_aggregate(job):
    tally = lane.Tally(job)
    with ProcessPoolExecutor(lane.workers(job), initializer=end_with_parent) as executor:
        for fetched in executor.map(fetch, job.urls()):
            tally.add(fetched)
        tally.see_processes(child.pid for child in multiprocessing.active_children())
    return tally


if __name__ == "__main__":
    lane.run(fetch_and_aggregate)
