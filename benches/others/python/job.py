"""What is to be fetched, and when: the reading half of the lane protocol."""

import json
import math
import sys
import time

PROTOCOL = 1

# One clock for all processes of a lane.
now_ns = time.perf_counter_ns


class Job:
    """A job as PROTOCOL.md has it, and how many requests can be in flight."""

    def __init__(self, text):
        job = json.loads(text)
        if job["protocol"] != PROTOCOL:
            sys.exit(f"protocol {job['protocol']}, but this program speaks protocol {PROTOCOL}")
        self.origin, self.path, self.ids = job["origin"], job["path"], job["ids"]
        self.documents, self.concurrency = job["documents"], job["concurrency"]
        self.client, self.top = job["client"], job["top"]
        self.arrivals, self.timeline = job.get("arrivals"), job.get("timeline", False)
        self.in_flight = max(1, min(self.concurrency, self.documents))
        self.start_ns = 0  # When it starts, `run` says so.

    def url(self, index):
        """The URL of document number `index`, counted from 0."""
        return self.origin + self.path.replace("{id}", str(self.ids[index % len(self.ids)]))

    def urls(self, sleep=None):
        """The URL of every document in turn, for `for` and for `async for`. With arrivals each is given
        out when it is due, and `sleep` waits until then. Tasks of one thread may share what is returned:
        each URL goes to one of them."""
        # time.sleep is looked up only now, since gevent and eventlet put their own in its place.
        return Urls(self, sleep or time.sleep)


class Urls:
    """See `Job.urls`."""

    def __init__(self, job, sleep):
        self.job, self.sleep, self.index = job, sleep, 0
        self.schedule = job.arrivals and schedule_ns(job.arrivals)

    def __iter__(self):
        return self

    def __next__(self):
        if self.index == self.job.documents:
            raise StopIteration
        url, early_ns = self.take()
        if early_ns > 0:
            self.sleep(early_ns / 1e9)
        return url

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.index == self.job.documents:
            raise StopAsyncIteration
        url, early_ns = self.take()
        if early_ns > 0:
            await self.sleep(early_ns / 1e9)
        return url

    def take(self):
        """The next URL, and by how much it is too early."""
        url = self.job.url(self.index)
        self.index += 1
        if not self.schedule:
            return url, 0
        url = DueUrl(url)
        url.due_ns = self.job.start_ns + next(self.schedule)
        return url, url.due_ns - now_ns()


class DueUrl(str):
    """A URL that knows when it is due. To a library it is the string that it is."""

    due_ns = None


def schedule_ns(arrivals):
    """When each document is due, in nanoseconds from the start, without end."""
    gaps_ns = {"uniform": uniform_ns, "poisson": poisson_ns}[arrivals["process"]]
    return gaps_ns(arrivals["rate"], arrivals["seed"])


def uniform_ns(rate, _seed):
    index = 0
    while True:
        yield index * 1_000_000_000 // rate
        index += 1


def poisson_ns(rate, seed):
    due_ns = 0.0
    while True:
        yield int(due_ns)
        seed, random = split_mix_64(seed)
        due_ns += -math.log(((random >> 11) + 1) / 2**53) * 1e9 / rate


def split_mix_64(state):
    """The state after this one, and its number."""
    state = (state + 0x9E3779B97F4A7C15) % 2**64
    z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
    return state, z ^ z >> 31
