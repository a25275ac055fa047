"""Sanic, on uvloop, which it takes where it is installed."""

import asyncio
import sys

from sanic import Sanic
from sanic.exceptions import BadRequest, NotFound
from sanic.response import raw

import server
from server import DOCUMENTS, BadQuery, Wanted, block, burn

app = Sanic("documents", configure_logging=False)


@app.get("/api/v2/pokemon/<id:int>")
async def document(request, id):
    if id not in DOCUMENTS:
        raise NotFound("no document has that id")
    try:
        wanted = Wanted(id, request.query_string)
    except BadQuery as why:
        raise BadRequest(str(why)) from why
    if wanted.delay_us:
        await asyncio.sleep(wanted.delay_s)
    block(wanted.block_us)
    burn(wanted.burn_us)
    return raw(DOCUMENTS[id], content_type="application/json")


@app.after_server_start
async def started(_):
    server.ready()


def main(arguments):
    listener = server.listen(arguments)
    server.expect(1, listener)
    # Otherwise there would be a second process that does nothing but look after this one.
    app.run(sock=listener, backlog=server.BACKLOG, single_process=True, access_log=False, motd=False)


if __name__ == "__main__":
    main(sys.argv[1:])
