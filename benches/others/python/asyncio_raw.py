"""asyncio's own transports and protocols, or uvloop's, and the bare exchange of exchange.py. Streams
would be as little to write, and take longer: a reader, a writer and a buffer more for each connection."""

import asyncio

import exchange
import lane


async def fetch(idle, url):
    address, head = exchange.get(url)
    with lane.Request(url) as request:
        connection = await take_or_open(idle, address)
        response = await connection.ask(head)
        request.brought(response.body)
    give_back(idle, connection, response)
    return request


async def fetch_and_aggregate(job):
    tally, urls, idle = lane.Tally(job), job.urls(asyncio.sleep), []

    async def work():
        async for url in urls:
            tally.add(await fetch(idle, url))

    await asyncio.gather(*(work() for _ in range(job.in_flight)))
    return tally


async def take_or_open(idle, address):
    if idle:
        return idle.pop()
    _, connection = await asyncio.get_running_loop().create_connection(Connection, *address)
    return connection


def give_back(idle, connection, response):
    if response.keep_alive:
        idle.append(connection)
    else:
        connection.transport.close()


class Connection(asyncio.Protocol):
    """One connection. The loop calls it when something has happened; `ask` waits for that."""

    def connection_made(self, transport):
        self.transport = transport
        self.response, self.whole = None, None

    async def ask(self, head):
        if self.transport.is_closing():
            raise exchange.ExchangeError("the connection was closed between two requests")
        self.response, self.whole = exchange.Response(), asyncio.get_running_loop().create_future()
        self.transport.write(head)
        await self.whole
        return self.response

    def data_received(self, data):
        if not self.is_awaited():
            self.transport.abort()
            return
        try:
            if self.response.feed(data):
                self.whole.set_result(None)
        except exchange.ExchangeError as error:
            self.whole.set_exception(error)

    def connection_lost(self, error):
        if self.is_awaited():
            self.whole.set_exception(error or exchange.ExchangeError("the connection closed"))

    def is_awaited(self):
        return self.whole is not None and not self.whole.done()


if __name__ == "__main__":
    lane.run_on_loop(fetch_and_aggregate)
