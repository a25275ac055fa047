"""Plain sockets on the threads of a concurrent.futures executor, and the bare exchange of exchange.py."""

import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import exchange
import lane


def fetch(idle, url):
    address, head = exchange.get(url)
    with lane.Request(url) as request:
        connection = take_or_open(idle, address)
        connection.sendall(head)
        response = exchange.Response()
        while not response.feed(connection.recv(65_536)):
            pass
        request.brought(response.body)
    give_back(idle, connection, response)
    return request


def fetch_and_aggregate(job):
    tally, idle = lane.Tally(job), []
    with ThreadPoolExecutor(lane.workers(job)) as executor:
        for fetched in executor.map(partial(fetch, idle), job.urls()):
            tally.add(fetched)
    return tally


def take_or_open(idle, address):
    # Looking whether there is one and taking it would be two steps, with other threads in between.
    try:
        return idle.pop()
    except IndexError:
        connection = socket.create_connection(address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def give_back(idle, connection, response):
    if response.keep_alive:
        idle.append(connection)
    else:
        connection.close()


if __name__ == "__main__":
    lane.run(fetch_and_aggregate)
