"""The application that gunicorn, gevent and meinheld serve. How it waits is theirs to say: `time.sleep` is
the kernel's under sync workers and threads, and a green thread's where the standard library is patched."""

import time

from flask import Flask, Response, abort, request

from server import DOCUMENTS, BadQuery, Wanted, block, burn

app = Flask(__name__)


@app.get("/api/v2/pokemon/<int:id>")
def document(id):
    if id not in DOCUMENTS:
        abort(404)
    try:
        wanted = Wanted(id, request.query_string.decode())
    except BadQuery as why:
        return Response(str(why), status=400, mimetype="text/plain")
    if wanted.delay_us:
        time.sleep(wanted.delay_s)
    block(wanted.block_us)
    burn(wanted.burn_us)
    return Response(DOCUMENTS[id], mimetype="application/json")
