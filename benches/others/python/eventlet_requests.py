"""requests.get in the green threads of an eventlet pool, with the standard library patched; or eventlet's
own sockets and the bare exchange of exchange.py. It is kept up, and its makers recommend against new
programs on it: what it says of that at every start is left out here."""

import warnings

warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")

import eventlet

eventlet.monkey_patch()

from functools import partial

import requests
from eventlet.green import socket

import exchange
import lane


def fetch(url):
    with lane.Request(url) as request:
        response = requests.get(url)
        response.raise_for_status()
        return request.brought(response.content)


def fetch_raw(idle, url):
    address, head = exchange.get(url)
    with lane.Request(url) as request:
        connection = idle.pop() if idle else connect(address)
        connection.sendall(head)
        response = exchange.Response()
        while not response.feed(connection.recv(65_536)):
            pass
        request.brought(response.body)
    if response.keep_alive:
        idle.append(connection)
    else:
        connection.close()
    return request


def fetch_and_aggregate(job):
    tally, pool = lane.Tally(job), eventlet.GreenPool(job.in_flight)
    fetch_one = partial(fetch_raw, []) if job.client == "raw" else fetch
    for fetched in pool.imap(fetch_one, job.urls()):
        tally.add(fetched)
    return tally


def connect(address):
    connection = socket.create_connection(address)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


if __name__ == "__main__":
    lane.run(fetch_and_aggregate)
