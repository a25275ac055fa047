"""Tornado, on asyncio's loop, which is its own by now."""

import asyncio
import sys

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

import server
from server import DOCUMENTS, BadQuery, Wanted, block, burn


class Document(RequestHandler):
    async def get(self, id):
        id = int(id)
        if id not in DOCUMENTS:
            return self.send_error(404)
        try:
            wanted = Wanted(id, self.request.query)
        except BadQuery as why:
            self.set_status(400)
            return self.finish(str(why))
        if wanted.delay_us:
            await asyncio.sleep(wanted.delay_s)
        block(wanted.block_us)
        burn(wanted.burn_us)
        self.set_header("Content-Type", "application/json")
        self.finish(DOCUMENTS[id])


async def main(arguments):
    listener = server.listen(arguments)
    listener.setblocking(False)
    server.expect(1, listener)
    # It would write a line for each request, which none of the others does.
    app = Application([(r"/api/v2/pokemon/(\d+)", Document)], log_function=lambda _: None)
    HTTPServer(app).add_socket(listener)
    server.ready()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
