"""aiohttp's server, on asyncio's loop."""

import asyncio
import sys

from aiohttp import web

import server
from server import DOCUMENTS, BadQuery, Wanted, block, burn

routes = web.RouteTableDef()


@routes.get(r"/api/v2/pokemon/{id:\d+}")
async def document(request):
    id = int(request.match_info["id"])
    if id not in DOCUMENTS:
        raise web.HTTPNotFound()
    try:
        wanted = Wanted(id, request.query_string)
    except BadQuery as why:
        raise web.HTTPBadRequest(text=str(why)) from why
    if wanted.delay_us:
        await asyncio.sleep(wanted.delay_s)
    block(wanted.block_us)
    burn(wanted.burn_us)
    return web.Response(body=DOCUMENTS[id], content_type="application/json")


def main(arguments):
    listener = server.listen(arguments)
    server.expect(1, listener)
    app = web.Application()
    app.add_routes(routes)
    # What it would print when it serves is said in our words.
    web.run_app(app, sock=listener, backlog=server.BACKLOG, access_log=None,
                print=lambda _: server.ready())


if __name__ == "__main__":
    main(sys.argv[1:])
