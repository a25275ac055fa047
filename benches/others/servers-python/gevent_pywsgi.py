"""gevent's own server around the Flask application: a green thread for each connection."""

from gevent import monkey

monkey.patch_all()

import sys

from gevent.pywsgi import WSGIServer

import server
from flask_app import app


def main(arguments):
    listener = server.listen(arguments)
    server.expect(1, listener)
    # It would write a line for each request, which none of the others does.
    serving = WSGIServer(listener, app, log=None)
    serving.start()
    server.ready()
    serving.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
