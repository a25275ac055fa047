"""What every server in Python shares: the documents, what a request asks for, the call that blocks, the CPU
that it burns, the socket, and the line that says that the server is ready (../SERVERS.md). A server is the
least that its framework's own documentation would have one write, and takes the rest from here.

Nothing here needs more than the standard library of Python 3.10.
"""

import ctypes
import os
import pathlib
import signal
import socket
import sys
import time
from urllib.parse import parse_qsl

# Asked for everywhere, since a connection that finds the queue full asks again a second later, and that
# second is no server's.
BACKLOG = 4_096

MICROSECONDS_MAX = 60_000_000

# Where a server that starts workers leaves word for them.
READY = "SERVER_READY"

PR_SET_PDEATHSIG = 1


def documents():
    """Every document by its id, as its bytes: line 1 of the file is number 1."""
    lines = (pathlib.Path(__file__).parent.parent / "documents.jsonl").read_bytes().splitlines()
    return dict(enumerate(lines, start=1))


DOCUMENTS = documents()


class Wanted:
    """What the query of a request asks for: to wait, then to block, and then to burn CPU."""

    __slots__ = ("delay_us", "block_us", "burn_us")

    def __init__(self, id, query):
        self.delay_us = self.block_us = self.burn_us = 0
        for key, value in parse_qsl(query, keep_blank_values=True):
            # A delay misspelt would be a delay not given.
            if key not in self.__slots__:
                raise BadQuery(f"{key!r} is not among the keys delay_us, block_us and burn_us")
            setattr(self, key, in_turn(key, value, id))

    @property
    def delay_s(self):
        """The wait, as Python's sleeps take it."""
        return self.delay_us / 1e6


class BadQuery(ValueError):
    """The query cannot be understood; the message says why, for an answer with status 400."""


def in_turn(key, value, id):
    """The one of several numbers, separated by commas, whose turn it is with this id: the first with 1."""
    numbers = value.split(",")
    for number in numbers:
        if not (number.isascii() and number.isdigit()) or int(number) > MICROSECONDS_MAX:
            raise BadQuery(f"{key}= takes microseconds from 0 to {MICROSECONDS_MAX}, not {number!r}")
    return int(numbers[(id - 1) % len(numbers)])


def block(microseconds):
    """Blocks this thread in the kernel, and with it whatever loop or hub it runs: as a handler does that
    calls something which does not know how its server waits."""
    if microseconds == 0:
        return
    # Where gevent has patched `time.sleep`, a C library that blocks would not notice either.
    monkey = sys.modules.get("gevent.monkey")
    sleep = monkey.get_original("time", "sleep") if monkey else time.sleep
    sleep(microseconds / 1e6)


def burn(microseconds):
    """Keeps this thread busy until it has used so much CPU: by the thread's own clock, so that time in
    which it does not run, or waits for the interpreter's lock, does not count."""
    if microseconds == 0:
        return
    end_ns = time.thread_time_ns() + microseconds * 1_000
    while time.thread_time_ns() < end_ns:
        # Reading the clock is a system call: without work in between, it would all be that.
        for _ in range(200):
            pass


def bind(arguments, options):
    """Binds what `--listen ADDRESS:PORT` names, which may be port 0, and takes it out of `arguments`."""
    at = arguments.index("--listen")
    _, address = arguments.pop(at), arguments.pop(at)
    host, _, port = address.rpartition(":")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    for option in options:
        listener.setsockopt(*option)
    listener.bind((host, int(port)))
    return listener


def listen(arguments):
    """Listens on what `arguments` name. Connections inherit all but the first of the options (tcp(7)),
    which are what the origin asks for, and for its reasons."""
    options = [
        # A port whose last connections are in TIME_WAIT is free to use.
        (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    ]
    listener = bind(arguments, options)
    try:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
    except OSError:
        pass  # Where it cannot be chosen, the machine's preference has to do.
    listener.listen(BACKLOG)
    return listener


def expect(workers, listener):
    """Called by the process that was started: the server is ready when `workers` have called `ready`."""
    # They may be forked or spawned, and a file that has no name in any folder is there for both.
    count = os.memfd_create("ready")
    url = "http://{}:{}".format(*listener.getsockname())
    os.environ[READY] = f"{os.getpid()} {count} {workers} {url}"


def ready():
    """Called in each worker, or in the only process, when it can answer. The last one says so."""
    starter, count, workers, url = os.environ[READY].split()
    if os.getpid() != int(starter):
        die_with(int(starter))
    with open(f"/proc/{starter}/fd/{count}", "ab", buffering=0) as count:
        count.write(b".")
        # What is appended is appended in turn, so this number is no other worker's.
        number = count.tell()
    if number == int(workers):
        print(f"listening on {url}", flush=True)


def die_with(parent):
    """Has the kernel kill this process when `parent` ends: most servers leave their workers behind when
    they are killed, and who starts a server may be killed too."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the server ended before its worker had begun")
