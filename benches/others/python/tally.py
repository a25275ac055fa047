"""What documents add up to, and how long they took: the writing half of the lane protocol."""

import bisect
import json
from itertools import islice

from job import schedule_ns
from process import peaks


class Document:
    """What the job needs of a document. The rest of it is let go."""

    __slots__ = ("id", "name", "weight", "height", "base_experience", "types", "stats", "moves")

    def __init__(self, body):
        whole = json.loads(body)
        try:
            self.id, self.name = whole["id"], whole["name"]
            self.weight, self.height = whole["weight"], whole["height"]
            experience = whole.get("base_experience")
            self.base_experience = 0 if experience is None else experience
            self.types = [slot["type"]["name"] for slot in whole["types"]]
            self.stats = [slot["base_stat"] for slot in whole["stats"]]
            self.moves = [slot["move"]["name"] for slot in whole["moves"]]
        except KeyError as missing:
            raise ValueError(f"the document has no {missing}") from None
        # What is not of its type would be found late, in another document's place, or never.
        numbers = (self.id, self.weight, self.height, self.base_experience, *self.stats)
        check_all(numbers, int, "a whole number")
        check_all((self.name, *self.types, *self.moves), str, "a name")


def check_all(values, kind, wanted):
    for value in values:
        if type(value) is not kind:
            raise ValueError(f"the document has {value!r} where {wanted} should be")


class Tally:
    """The answer as it grows, and the times. One thread at a time may add to it."""

    def __init__(self, job):
        self.job = job
        self.documents = self.bytes = self.moves = self.names = 0
        self.weights = self.heights = self.base_experiences = self.stats = 0
        self.types, self.heaviest = {}, []
        self.service_times_ns, self.latencies_ns, self.sent_ns = [], [], []
        self.requests, self.peaks = [], []

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
        self.add_times(request)

    def keep_heavy(self, entry):
        """Keeps a document if it belongs to the top, once however often it was fetched."""
        place = bisect.bisect_left(self.heaviest, entry)
        if place < self.job.top and self.heaviest[place:place + 1] != [entry]:
            self.heaviest.insert(place, entry)
            del self.heaviest[self.job.top:]

    def add_times(self, request):
        self.service_times_ns.append(request.last_byte_ns - request.begun_ns)
        if request.due_ns is not None:
            self.latencies_ns.append(request.last_byte_ns - request.due_ns)
            self.sent_ns.append(request.begun_ns - self.job.start_ns)
        if self.job.timeline:
            request.document = None
            self.requests.append(request)

    def see_processes(self, pids):
        """Takes note of the memory of other processes that did part of the job, while they are there.
        The peaks of all processes are added up: a page that several share counts for each of them, as
        it does in what `ps` shows."""
        self.peaks += [peaks(pid) for pid in pids]

    def completed(self):
        """The outcome, but for what is measured around the job."""
        rss, address_space = zip(*self.peaks, peaks("self"))
        completed = {
            "answer": self.answer(),
            "service_times_ns": [[ns, 1] for ns in self.service_times_ns],
            "rss_bytes_peak": sum(rss),
            "address_space_bytes_peak": sum(address_space),
        }
        if self.job.arrivals:
            # The schedule ends one gap after the last document is due.
            end_ns = next(islice(schedule_ns(self.job.arrivals), self.job.documents, None))
            completed["latencies_ns"] = [[ns, 1] for ns in self.latencies_ns]
            completed["sent_in_time"] = sum(ns < end_ns for ns in self.sent_ns)
        if self.job.timeline:
            completed["requests"] = self.timeline()
        return completed

    def answer(self):
        return {
            "documents": self.documents,
            "bytes": self.bytes,
            "weight_sum": str(self.weights),
            "height_sum": str(self.heights),
            "base_experience_sum": str(self.base_experiences),
            "stat_sum": str(self.stats),
            "moves": self.moves,
            "types": self.types,
            "top": self.job.top,
            "heaviest": [{"weight": -w, "id": id, "name": name} for w, id, name in self.heaviest],
            "names_checksum": f"{self.names % 2**64:016x}",
        }

    def timeline(self):
        """When each request did what, in the order in which they began."""
        start_ns, threads = self.job.start_ns, {}
        return [
            {
                "begun_ns": request.begun_ns - start_ns,
                "last_byte_ns": request.last_byte_ns - start_ns,
                "parsed_ns": request.parsed_ns - start_ns,
                "thread": threads.setdefault(request.thread, len(threads)),
            }
            for request in sorted(self.requests, key=lambda request: request.begun_ns)
        ]


def fnv1a(text):
    """The 64-bit FNV-1a hash of bytes."""
    hash = 0xCBF29CE484222325
    for byte in text:
        hash = (hash ^ byte) * 0x100000001B3 % 2**64
    return hash
