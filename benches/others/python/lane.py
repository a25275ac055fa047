"""What every lane in Python shares. A program has `fetch`, which gets one document inside of a `Request`,
and `fetch_and_aggregate`, which gets all of them and adds each to a `Tally`. It hands the second to `run`.

    stdin ──► Job ──► job.urls() ──► fetch ──► Request ──► Tally.add ──► outcome ──► stdout

Nothing here knows how a program waits, or needs more than the standard library of Python 3.9. In
reading order: this file, job.py, tally.py, process.py; and exchange.py, for the raw clients.
"""

import json
import os
import sys
import threading
import time

from job import PROTOCOL, Job, now_ns
from process import usage
from tally import Document, Tally

__all__ = ["FetchError", "Job", "Request", "Tally", "run", "run_on_loop", "workers"]


def run(fetch_and_aggregate):
    """Does the job on standard input and writes what came of it. `fetch_and_aggregate` takes a `Job`
    and returns a `Tally`; what it raises is told in the outcome, and is no error of the program."""
    # A proxy of the user's is no part of the job, and some of the libraries would ask it.
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    job = Job(sys.stdin.read())
    ready_unix_us = time.time_ns() // 1_000
    before = usage()
    job.start_ns = now_ns()
    try:
        tally = fetch_and_aggregate(job)
    except Exception as error:
        outcome = {"failed": failure(error)}
    else:
        wall_ns = now_ns() - job.start_ns
        used = {name: after - before[name] for name, after in usage().items()}
        measured = {"ready_unix_us": ready_unix_us, "wall_ns": wall_ns, "usage": used}
        outcome = {"completed": {**tally.completed(), **measured}}
    json.dump({"protocol": PROTOCOL, **outcome}, sys.stdout)


def run_on_loop(fetch_and_aggregate):
    """The same for a coroutine function: on asyncio's event loop, or on uvloop's if the program was
    told `uvloop`. Starting the loop belongs to the job, as starting threads does."""
    if "uvloop" in sys.argv[1:]:
        from uvloop import run as run_until_complete
    else:
        from asyncio import run as run_until_complete
    run(lambda job: run_until_complete(fetch_and_aggregate(job)))


def workers(job):
    """How many workers, or connections, a program takes: as many as a number among its arguments says,
    or for `default` as many as an executor of threads takes unless told, but never more than requests
    may be in flight; and as many as those without either."""
    told = [argument for argument in sys.argv[1:] if argument.isdigit() or argument == "default"]
    if not told:
        return job.in_flight
    # The formula is in the documentation of concurrent.futures.
    most = min(32, (os.cpu_count() or 1) + 4) if told[0] == "default" else int(told[0])
    return min(most, job.in_flight)


class Request:
    """One request while it lasts, and then what it brought.

        with Request(url) as request:
            return request.brought(library.get(url))

    It takes the time from its beginning to the last byte, parses the body where the request was made, as
    every lane does, and says of an exception which URL is to blame.
    """

    __slots__ = ("url", "due_ns", "begun_ns", "last_byte_ns", "parsed_ns", "thread", "bytes", "document")

    def __init__(self, url):
        self.url, self.due_ns = url, getattr(url, "due_ns", None)

    def __enter__(self):
        self.begun_ns = now_ns()
        return self

    def brought(self, body):
        """The whole body is here."""
        self.last_byte_ns = now_ns()
        self.bytes, self.document = len(body), Document(body)
        self.parsed_ns = now_ns()
        # The system's number: gevent and eventlet number green threads where Python numbers threads.
        self.thread = threading.get_native_id()
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, Exception):
            raise FetchError(str(self.url), told(error)) from error


class FetchError(Exception):
    """A request failed, and the job with it."""

    def __init__(self, url, why):
        # Both are its arguments, so that it arrives whole from another process.
        super().__init__(url, why)
        self.url, self.why = url, why


def failure(error):
    """An exception, as the outcome tells it."""
    # Nurseries raise groups of what their tasks raised: the first one will do.
    while getattr(error, "exceptions", None):
        error = error.exceptions[0]
    if isinstance(error, FetchError):
        return {"url": error.url, "why": error.why}
    return {"why": told(error)}


def told(error):
    """An exception in a line. Some have no message, and their names say it all."""
    return f"{type(error).__name__}: {error}".partition("\n")[0].rstrip(": ")
