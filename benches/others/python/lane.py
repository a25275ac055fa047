"""What every Python lane shares: the job, the clock, the fold and the outcome.

    stdin ──► Job ──► urls() ──► fetch(url): Request ──► Tally.add ──► outcome ──► stdout
                                 the program's own

A program has `fetch`, which gets one document inside of a `Request`, and `fetch_and_aggregate`, which
gets all of them and adds each to a `Tally`. It hands the second to `run`. Nothing here knows how a
program waits, and nothing here needs more than the standard library of Python 3.9.
"""

import bisect
import json
import math
import os
import resource
import sys
import threading
import time

PROTOCOL = 1

now_ns = time.perf_counter_ns


def run(fetch_and_aggregate):
    """Does the job on standard input and writes what came of it. `fetch_and_aggregate` takes a `Job`
    and returns a `Tally`; whatever it raises is told in the outcome, and is no error of the program."""
    # A proxy of the user's is no part of the job, and some of the libraries would ask it.
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    job = Job(sys.stdin.read())
    ready_unix_us = time.time_ns() // 1_000
    usage = usage_now()
    job.start_ns = now_ns()
    try:
        tally = fetch_and_aggregate(job)
    except Exception as error:
        outcome = {"failed": failure(error)}
    else:
        wall_ns = now_ns() - job.start_ns
        used = {name: after - usage[name] for name, after in usage_now().items()}
        outcome = {"completed": {**tally.completed(), "wall_ns": wall_ns, "usage": used,
                                 "ready_unix_us": ready_unix_us}}
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
    """How many workers, or connections, a program takes: as many as it was told by a number, or by
    `default` what an executor of threads takes unless told, and else one for each request in flight."""
    told = [argument for argument in sys.argv[1:] if argument.isdigit() or argument == "default"]
    if not told:
        return job.in_flight
    # As in the documentation of concurrent.futures.
    most = min(32, os.cpu_count() + 4) if told[0] == "default" else int(told[0])
    return min(most, job.in_flight)


class Job:
    """What is to be fetched. `in_flight` is how many requests may be at once."""

    def __init__(self, text):
        job = json.loads(text)
        if job["protocol"] != PROTOCOL:
            sys.exit(f"protocol {job['protocol']}, but this program speaks protocol {PROTOCOL}")
        self.origin, self.path, self.ids = job["origin"], job["path"], job["ids"]
        self.documents, self.concurrency = job["documents"], job["concurrency"]
        self.client, self.top = job["client"], job["top"]
        self.arrivals, self.timeline = job.get("arrivals"), job.get("timeline", False)
        self.in_flight = max(1, min(self.concurrency, self.documents))
        self.start_ns = 0  # `run` sets it.

    def url(self, index):
        """The URL of document number `index`, counted from 0."""
        return self.origin + self.path.replace("{id}", str(self.ids[index % len(self.ids)]))

    def urls(self, sleep=None):
        """The URL of every document, each when it is due: at once, unless the job has arrivals. Until
        then `sleep` waits, a function for `for` and a coroutine function for `async for`. Several
        tasks of one thread may share what is returned: each URL goes to one of them."""
        # Looked up only now, since gevent and eventlet put their own in its place.
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
        """The next URL, and how many nanoseconds too early it is."""
        url = self.job.url(self.index)
        self.index += 1
        if not self.schedule:
            return url, 0
        url = DueUrl(url)
        url.due_ns = self.job.start_ns + next(self.schedule)
        return url, url.due_ns - now_ns()


class DueUrl(str):
    """A URL that knows when it is due: any library takes it for the string that it is."""

    due_ns = None


def schedule_ns(arrivals):
    """When each document is due, in nanoseconds from the start, without end."""
    rate, state, due_ns, index = arrivals["rate"], arrivals["seed"], 0.0, 0
    while True:
        if arrivals["process"] == "uniform":
            yield index * 1_000_000_000 // rate
            index += 1
            continue
        yield int(due_ns)
        state, random = split_mix_64(state)
        due_ns += -math.log(((random >> 11) + 1) / 2**53) * 1e9 / rate


def split_mix_64(state):
    """The state after this one, and its number."""
    state = (state + 0x9E3779B97F4A7C15) % 2**64
    z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
    return state, z ^ z >> 31


class Request:
    """One request while it lasts, and what it brought.

        with Request(url) as request:
            return request.brought(library.get(url))

    It takes the time from entering to the last byte, parses the body where the request was made, as
    every lane does, and says which URL is to blame for an exception.
    """

    __slots__ = ("url", "begun_ns", "last_byte_ns", "parsed_ns", "due_ns", "thread", "bytes", "document")

    def __init__(self, url):
        self.url, self.due_ns = url, getattr(url, "due_ns", None)

    def __enter__(self):
        self.begun_ns = now_ns()
        return self

    def brought(self, body):
        """The whole body is here: `bytes`, or what can be one of them."""
        self.last_byte_ns = now_ns()
        self.bytes = len(body)
        self.document = Document(body)
        self.parsed_ns = now_ns()
        # By the system's number: gevent and eventlet have numbers of their own for green threads.
        self.thread = threading.get_native_id()
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, Exception):
            raise FetchError(str(self.url), why(error)) from error


class FetchError(Exception):
    """A request failed, and the job with it. Its arguments make one from another process whole."""

    def __init__(self, url, why):
        super().__init__(url, why)
        self.url, self.why = url, why


def failure(error):
    """An exception as the outcome tells it."""
    # Nurseries and task groups raise groups of what their tasks raised: the first one will do.
    while getattr(error, "exceptions", None):
        error = error.exceptions[0]
    if isinstance(error, FetchError):
        return {"url": error.url, "why": error.why}
    return {"why": why(error)}


def why(error):
    """An exception in a line. Some have no message, and their name says it all."""
    return f"{type(error).__name__}: {error}".rstrip(": ")


class Document:
    """What the job needs of a document; the rest of it is let go."""

    __slots__ = ("id", "name", "weight", "height", "base_experience", "types", "stats", "moves")

    def __init__(self, body):
        whole = json.loads(body)
        try:
            self.id, self.name = whole["id"], whole["name"]
            self.weight, self.height = whole["weight"], whole["height"]
            self.base_experience = whole.get("base_experience") or 0
            self.types = [slot["type"]["name"] for slot in whole["types"]]
            self.stats = [slot["base_stat"] for slot in whole["stats"]]
            self.moves = [slot["move"]["name"] for slot in whole["moves"]]
        except KeyError as missing:
            raise ValueError(f"the document has no {missing}") from None
        for number in (self.id, self.weight, self.height, self.base_experience, *self.stats):
            if type(number) is not int:
                raise ValueError(f"the document has {number!r} where a whole number should be")


class Tally:
    """The answer as it grows, and the times. One thread or one process adds to it."""

    def __init__(self, job):
        self.job = job
        self.documents = self.bytes = self.moves = self.names = 0
        self.weights = self.heights = self.base_experiences = self.stats = 0
        self.types, self.heaviest = {}, []
        self.service_times_ns, self.latencies_ns, self.sent_ns = [], [], []
        self.requests = []
        self.peaks = []

    def add(self, request):
        """Folds in what `request` brought."""
        document = request.document
        self.documents += 1
        self.bytes += request.bytes
        self.weights += document.weight
        self.heights += document.height
        self.base_experiences += document.base_experience
        self.stats += sum(document.stats)
        self.moves += len(document.moves)
        for name in document.types:
            self.types[name] = self.types.get(name, 0) + 1
        self.keep_heavy((-document.weight, document.id, document.name))
        self.names += fnv1a(document.name.encode())
        self.service_times_ns.append(request.last_byte_ns - request.begun_ns)
        if request.due_ns is not None:
            self.latencies_ns.append(request.last_byte_ns - request.due_ns)
            self.sent_ns.append(request.begun_ns - self.job.start_ns)
        if self.job.timeline:
            request.document = None
            self.requests.append(request)

    def keep_heavy(self, entry):
        """Keeps a document if it belongs to the top, once however often it was fetched."""
        place = bisect.bisect_left(self.heaviest, entry)
        if place < self.job.top and self.heaviest[place:place + 1] != [entry]:
            self.heaviest.insert(place, entry)
            del self.heaviest[self.job.top:]

    def see_processes(self, pids):
        """Takes note of the memory of other processes that did part of the job, while they are there.
        The peaks of all are added up, so that pages they share count for each: it is what `ps` and its
        like would show, and the most that they can have held together."""
        self.peaks += [peaks(pid) for pid in pids]

    def answer(self):
        return {
            "documents": self.documents, "bytes": self.bytes,
            "weight_sum": str(self.weights), "height_sum": str(self.heights),
            "base_experience_sum": str(self.base_experiences), "stat_sum": str(self.stats),
            "moves": self.moves, "types": self.types, "top": self.job.top,
            "heaviest": [{"weight": -w, "id": i, "name": n} for w, i, n in self.heaviest],
            "names_checksum": f"{self.names % 2**64:016x}",
        }

    def completed(self):
        """The outcome, but for what `run` measures."""
        rss, address_space = zip(*self.peaks, peaks("self"))
        completed = {
            "answer": self.answer(),
            "service_times_ns": [[ns, 1] for ns in self.service_times_ns],
            "rss_bytes_peak": sum(rss), "address_space_bytes_peak": sum(address_space),
        }
        if self.job.arrivals:
            end_ns = [due for due, _ in zip(schedule_ns(self.job.arrivals), range(self.documents + 1))][-1]
            completed["latencies_ns"] = [[ns, 1] for ns in self.latencies_ns]
            completed["sent_in_time"] = sum(ns < end_ns for ns in self.sent_ns)
        if self.job.timeline:
            completed["requests"] = self.timeline()
        return completed

    def timeline(self):
        """When each request did what, in the order in which they began."""
        start_ns, threads = self.job.start_ns, {}
        self.requests.sort(key=lambda request: request.begun_ns)
        return [{"begun_ns": request.begun_ns - start_ns, "last_byte_ns": request.last_byte_ns - start_ns,
                 "parsed_ns": request.parsed_ns - start_ns,
                 "thread": threads.setdefault(request.thread, len(threads))} for request in self.requests]


def fnv1a(name):
    """The 64-bit FNV-1a hash of `name`."""
    hash = 0xCBF29CE484222325
    for byte in name:
        hash = (hash ^ byte) * 0x100000001B3 % 2**64
    return hash


def peaks(pid):
    """The most memory that a process had, and the most address space, in bytes."""
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return tuple(int(fields[name].split()[0]) * 1024 for name in ("VmHWM", "VmPeak"))


def usage_now():
    """What the kernel has charged this process so far, and those that it has started and awaited."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "user_us": sum(int(usage.ru_utime * 1e6) for usage in both),
        "system_us": sum(int(usage.ru_stime * 1e6) for usage in both),
        "voluntary_switches": sum(usage.ru_nvcsw for usage in both),
        "involuntary_switches": sum(usage.ru_nivcsw for usage in both),
        "minor_faults": sum(usage.ru_minflt for usage in both),
        "major_faults": sum(usage.ru_majflt for usage in both),
    }
