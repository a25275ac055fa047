"""requests.get in the greenlets of a gevent pool, with the standard library patched; or gevent's own
sockets and the bare exchange of exchange.py."""

from gevent import monkey

monkey.patch_all()

from functools import partial

import requests
from gevent import socket
from gevent.pool import Pool

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
    tally, pool = lane.Tally(job), Pool(job.in_flight)
    fetch_one = partial(fetch_raw, []) if job.client == "raw" else fetch
    for fetched in pool.imap_unordered(fetch_one, job.urls()):
        tally.add(fetched)
    return tally


def connect(address):
    # socket.create_connection would look the address up in a thread, even where it is a number.
    connection = socket.socket()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.connect(address)
    return connection


if __name__ == "__main__":
    lane.run(fetch_and_aggregate)
