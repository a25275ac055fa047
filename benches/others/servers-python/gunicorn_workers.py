"""gunicorn around the Flask application.

    gunicorn_workers.py --listen 127.0.0.1:0 CLASS WORKERS [THREADS]

CLASS is sync, gthread, gevent, or a worker class by its full name. Everything else is as gunicorn has it.
"""

import sys

from gunicorn.app.base import BaseApplication

import server


class Application(BaseApplication):
    """What gunicorn's documentation calls a custom application: settings without a file."""

    def __init__(self, settings):
        self.settings = settings
        super().__init__()

    def load_config(self):
        for name, value in self.settings.items():
            self.cfg.set(name, value)

    def load(self):
        # Here in the worker, after gevent's has patched the standard library.
        from flask_app import app

        return app


def main(arguments):
    listener = server.listen(arguments)
    worker_class, workers, threads = arguments[0], int(arguments[1]), int((arguments[2:] or [1])[0])
    server.expect(workers, listener)
    Application({
        "bind": f"fd://{listener.fileno()}",
        "backlog": server.BACKLOG,
        "worker_class": worker_class,
        "workers": workers,
        "threads": threads,
        "post_worker_init": lambda worker: server.ready(),
        "loglevel": "warning",
        # It would open a second socket, in the user's folder, to be controlled by.
        "control_socket_disable": True,
    }).run()


if __name__ == "__main__":
    main(sys.argv[1:])
