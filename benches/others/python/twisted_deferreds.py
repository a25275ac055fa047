"""Twisted's reactor: treq, or a protocol of our own and the bare exchange of exchange.py."""

import treq
from twisted.internet import reactor
from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.web.client import HTTPConnectionPool

import exchange
import lane


async def fetch(pool, url):
    with lane.Request(url) as request:
        response = await treq.get(url, pool=pool)
        if response.code != 200:
            raise exchange.ExchangeError(f"status {response.code}")
        return request.brought(await response.content())


async def fetch_raw(idle, url):
    address, head = exchange.get(url)
    with lane.Request(url) as request:
        connection = idle.pop() if idle else await connect(address)
        response = await connection.exchange(head)
        request.brought(response.body)
    if response.keep_alive:
        idle.append(connection)
    else:
        connection.transport.loseConnection()
    return request


async def fetch_and_aggregate(job):
    tally, urls = lane.Tally(job), job.urls(lambda seconds: deferLater(reactor, seconds))

    async def work(fetch, connections):
        async for url in urls:
            tally.add(await fetch(connections, url))

    if job.client == "raw":
        fetch_one, connections = fetch_raw, []
    else:
        fetch_one, connections = fetch, HTTPConnectionPool(reactor)
        # Two unless told.
        connections.maxPersistentPerHost = job.in_flight
    workers = [Deferred.fromCoroutine(work(fetch_one, connections)) for _ in range(job.in_flight)]
    try:
        await gatherResults(workers, consumeErrors=True)
    except FirstError as first:
        raise first.subFailure.value from None
    return tally


def connect(address):
    return connectProtocol(TCP4ClientEndpoint(reactor, *address), Connection())


class Connection(Protocol):
    """One connection. The reactor calls it when something has happened; `exchange` returns what will."""

    response = whole = None

    def exchange(self, head):
        self.response, self.whole = exchange.Response(), Deferred()
        self.transport.write(head)
        return self.whole

    def connectionMade(self):
        self.transport.setTcpNoDelay(True)

    def dataReceived(self, data):
        try:
            if self.response.feed(data):
                self.end(self.response)
        except exchange.ExchangeError:
            self.end(Failure())

    def connectionLost(self, reason):
        self.end(reason)

    def end(self, result):
        """Ends the exchange that is waited for, if there is one."""
        whole, self.whole = self.whole, None
        if whole:
            whole.callback(result)


def run_until_complete(coroutine):
    """What `twisted.internet.task.react` does, which would end the process, too."""
    results = []

    def ended(result):
        results.append(result)
        reactor.stop()

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(coroutine).addBoth(ended))
    reactor.run()
    if isinstance(results[0], Failure):
        raise results[0].value
    return results[0]


if __name__ == "__main__":
    lane.run(lambda job: run_until_complete(fetch_and_aggregate(job)))
