"""`python3 -m unittest` in this folder. Nothing but the standard library is needed."""

import json
import pathlib
import subprocess
import sys
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice

import exchange
import lane
from job import Job, schedule_ns
from tally import Document, fnv1a

PIKACHU = {"id": 25, "name": "pikachu", "weight": 60, "height": 4, "base_experience": 112,
           "types": [{"type": {"name": "electric"}}], "stats": [{"base_stat": 35}, {"base_stat": 90}],
           "moves": [{"move": {"name": "mega-punch"}}], "order": 35}


def job(**fields):
    plain = {"protocol": 1, "origin": "http://127.0.0.1:1", "path": "/{id}?x=1", "ids": [1, 2, 3],
             "documents": 5, "concurrency": 2, "client": "raw", "top": 2}
    return json.dumps({**plain, **fields})


def brought(url="/", **fields):
    with lane.Request(url) as request:
        return request.brought(json.dumps({**PIKACHU, **fields}).encode())


class AJob(unittest.TestCase):
    def test_asks_for_documents_in_turn(self):
        urls = list(Job(job()).urls())
        self.assertEqual([url[len("http://127.0.0.1:1"):] for url in urls],
                         ["/1?x=1", "/2?x=1", "/3?x=1", "/1?x=1", "/2?x=1"])

    def test_of_another_protocol_is_refused(self):
        with self.assertRaisesRegex(SystemExit, "protocol 2"):
            Job(job(protocol=2))

    def test_is_due_as_the_protocol_says(self):
        poisson = schedule_ns({"process": "poisson", "rate": 1_000, "seed": 42})
        self.assertEqual([due // 1_000 for due in islice(poisson, 4)], [0, 298, 2_132, 3_410])
        uniform = schedule_ns({"process": "uniform", "rate": 3, "seed": 42})
        self.assertEqual(next(islice(uniform, 3_000_000, None)), 10**15)

    def test_waits_until_a_document_is_due(self):
        slept = []
        arrivals = {"process": "uniform", "rate": 1, "seed": 0}
        early = Job(job(arrivals=arrivals))
        early.start_ns = lane.now_ns()
        urls = list(early.urls(slept.append))
        self.assertEqual([(url.due_ns - early.start_ns) // 10**9 for url in urls], [0, 1, 2, 3, 4])
        self.assertEqual([round(seconds) for seconds in slept], [1, 2, 3, 4])


class AnAnswer(unittest.TestCase):
    def test_is_the_protocols_example(self):
        tally = lane.Tally(Job(job(top=10)))
        tally.add(brought())
        answer = tally.answer()
        del answer["bytes"]
        self.assertEqual(answer, {
            "documents": 1, "weight_sum": "60", "height_sum": "4", "base_experience_sum": "112",
            "stat_sum": "125", "moves": 1, "types": {"electric": 1}, "top": 10,
            "heaviest": [{"weight": 60, "id": 25, "name": "pikachu"}],
            "names_checksum": "047c5b9a22f45728"})

    def test_keeps_the_heaviest_once_each_and_ties_by_the_lower_id(self):
        tally = lane.Tally(Job(job(top=3)))
        for id, weight in [(4, 1), (3, 7), (2, 7), (3, 7), (9, 8), (1, 7)]:
            tally.add(brought(id=id, weight=weight))
        self.assertEqual([heavy["id"] for heavy in tally.answer()["heaviest"]], [9, 1, 2])

    def test_counts_what_is_missing_as_nothing_where_it_may_be(self):
        for missing in ({**PIKACHU, "base_experience": None},
                        {name: PIKACHU[name] for name in PIKACHU if name != "base_experience"}):
            self.assertEqual(Document(json.dumps(missing)).base_experience, 0)

    def test_is_of_whole_documents(self):
        for fields, why in [({"weight": "60"}, "'60' where a whole number"), ({"id": True}, "True"),
                            ({"name": 7}, "7 where a name"), ({"types": [{}]}, "no 'type'")]:
            with self.assertRaisesRegex(lane.FetchError, why) as caught:
                brought("/25", **fields)
            self.assertEqual(caught.exception.url, "/25")

    def test_has_a_checksum_of_published_hashes(self):
        self.assertEqual(fnv1a(b"foobar"), 0x85944171F73967E8)


class AFailure(unittest.TestCase):
    def test_names_the_url_and_says_why(self):
        with self.assertRaises(lane.FetchError) as caught, lane.Request("/1"):
            raise TimeoutError
        self.assertEqual(lane.failure(caught.exception), {"url": "/1", "why": "TimeoutError"})

    def test_is_found_in_a_group_of_groups(self):
        outer, inner = Exception(), Exception()
        outer.exceptions, inner.exceptions = [inner], [lane.FetchError("/1", "gone")]
        self.assertEqual(lane.failure(outer), {"url": "/1", "why": "gone"})

    def test_of_no_one_request_has_no_url(self):
        self.assertEqual(lane.failure(OSError("no thread")), {"why": "OSError: no thread"})


class AnExchange(unittest.TestCase):
    WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody"

    def read(self, bytes, piece=10_000):
        response = exchange.Response()
        for start in range(0, len(bytes), piece):
            if response.feed(bytes[start:start + piece]):
                return response
        response.feed(b"")

    def test_asks_for_a_url(self):
        address, head = exchange.get("http://a:81/b?c")
        self.assertEqual(address, ("a", 81))
        self.assertEqual(head, b"GET /b?c HTTP/1.1\r\nHost: a:81\r\n\r\n")
        self.assertEqual(exchange.get("http://a")[0], ("a", 80))

    def test_is_the_same_in_pieces_of_any_size(self):
        for piece in range(1, len(self.WHOLE) + 1):
            response = self.read(self.WHOLE, piece)
            self.assertEqual(response.body, b"body")
            self.assertTrue(response.keep_alive)

    def test_ends_a_connection_that_cannot_be_used_again(self):
        closing = self.WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: Close\r\n\r\n")
        for bytes in (closing, self.WHOLE.replace(b"1.1", b"1.0"), self.WHOLE + b"more"):
            self.assertFalse(self.read(bytes).keep_alive)

    def test_refuses_by_name_what_it_does_not_read(self):
        for bytes, why in [
            (b"HTTP/1.1 404 Not Found\r\n\r\n", "status 404"),
            (b"HTTP/1.1 200 OK\r\n\r\n", "no Content-Length"),
            (b"220 smtp ready\r\n\r\n", "not HTTP"),
            (self.WHOLE[:-1], "closed after 41 bytes"),
            (self.WHOLE.replace(b"4", b"-4"), "no length"),
            (self.WHOLE.replace(b"4\r", b"4\r\nContent-Length: 5\r"), "no length"),
            (self.WHOLE.replace(b"4\r", b"4\r\nTransfer-Encoding: chunked\r"), "chunked"),
            (b"HTTP/1.1 200 OK\r\nx: " + b"a" * 40_000, "head has more"),
        ]:
            with self.assertRaisesRegex(exchange.ExchangeError, why):
                self.read(bytes, 1_000)


class AProcess(unittest.TestCase):
    PROGRAM = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from process import end_with_parent
with ProcessPoolExecutor(1, initializer=end_with_parent) as executor:
    print(executor.submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""

    def test_ends_with_the_one_that_started_it(self):
        parent = subprocess.Popen([sys.executable, "-c", self.PROGRAM], stdout=subprocess.PIPE)
        self.assertTrue(parent.stdout.readline())
        parent.kill()
        # Both have its other end, so that it ends when both have.
        parent.communicate(timeout=30)


class Origin(BaseHTTPRequestHandler):
    """Pikachu under every id but 404."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        id = int(self.path.partition("?")[0][1:])
        body = json.dumps({**PIKACHU, "id": id}).encode()
        self.send_response(404 if id == 404 else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, *_):
        """A client that has read enough goes away, and that is no error of the test's."""


class AProgram(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        server = Server(("127.0.0.1", 0), Origin)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        cls.origin = f"http://127.0.0.1:{server.server_port}"

    def outcome(self, program, **fields):
        ran = subprocess.run([sys.executable, program], input=job(origin=self.origin, **fields),
                             capture_output=True, text=True, check=True)
        self.assertEqual(ran.stderr, "")
        return json.loads(ran.stdout)

    def test_does_the_job(self):
        tally = lane.Tally(Job(job()))
        for id in [1, 2, 3, 1, 2]:
            tally.add(brought(id=id))
        for program in ["asyncio_raw.py", "threads_raw.py", "../example/thirty_lines.py"]:
            completed = self.outcome(program)["completed"]
            self.assertEqual(completed["answer"], tally.answer(), program)
            self.assertEqual(sum(count for _, count in completed["service_times_ns"]), 5)

    def test_in_thirty_lines_is_the_one_that_the_page_shows(self):
        folder = pathlib.Path(__file__).parent.parent
        program = (folder / "example/thirty_lines.py").read_text()
        self.assertIn(f"```python\n{program}```", (folder / "README.md").read_text())
        self.assertLessEqual(len(program.splitlines()), 30)

    def test_tells_of_an_open_loop_and_a_timeline(self):
        arrivals = {"process": "uniform", "rate": 1_000, "seed": 1}
        for program in ["asyncio_raw.py", "threads_raw.py"]:
            completed = self.outcome(program, arrivals=arrivals, timeline=True)["completed"]
            self.assertEqual(len(completed["latencies_ns"]), 5, program)
            for request in completed["requests"]:
                moments = [request[name] for name in ("begun_ns", "last_byte_ns", "parsed_ns")]
                self.assertEqual(moments, sorted(moments))

    def test_tells_which_request_failed(self):
        for program in ["asyncio_raw.py", "threads_raw.py", "../example/thirty_lines.py"]:
            failed = self.outcome(program, ids=[1, 404])["failed"]
            self.assertEqual(failed["url"], f"{self.origin}/404?x=1", program)
            self.assertIn("404", failed["why"])


if __name__ == "__main__":
    unittest.main()
