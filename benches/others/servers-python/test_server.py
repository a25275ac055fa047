"""Tests of what the servers share, and of those whose framework is there.

    python3 -m unittest                                         # what needs nothing but Python
    ../../../target/others/servers-python/bin/python -m unittest
"""

import importlib.util
import json
import signal
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

import server
from server import DOCUMENTS, BadQuery, Wanted

# Every program of this folder, and the package that it is not without.
SERVERS = [
    ("gunicorn_workers.py sync 2", "gunicorn"),
    ("gunicorn_workers.py gthread 1 4", "gunicorn"),
    ("gunicorn_workers.py gevent 2", "gevent"),
    ("gunicorn_workers.py meinheld.gmeinheld.MeinheldWorker 1", "meinheld"),
    ("gevent_pywsgi.py", "gevent"),
    ("uvicorn_workers.py asyncio 1", "uvicorn"),
    ("uvicorn_workers.py uvloop 2", "uvicorn"),
    ("sanic_server.py", "sanic"),
    ("aiohttp_server.py", "aiohttp"),
    ("tornado_server.py", "tornado"),
]

# A server with two workers that serve nothing: both wait for the end of a pipe that nobody closes.
TWO_WORKERS = """
import os, sys, server
server.expect(2, server.listen(sys.argv[1:]))
kept_open = os.pipe()
for _ in range(2):
    if os.fork() == 0:
        server.ready()
        os.read(kept_open[0], 1)
os.read(kept_open[0], 1)
"""


class Documents(unittest.TestCase):
    def test_are_ten_of_1500_bytes_that_a_lane_can_read(self):
        self.assertEqual(list(DOCUMENTS), list(range(1, 11)))
        for id, body in DOCUMENTS.items():
            self.assertEqual(len(body), 1_500)
            document = json.loads(body)
            self.assertEqual(document["id"], id)
            for field in ("name", "weight", "height", "base_experience"):
                self.assertIn(field, document)
            self.assertTrue(all(one["type"]["name"] for one in document["types"]))
            self.assertTrue(all(one["base_stat"] for one in document["stats"]))
            self.assertTrue(all(one["move"]["name"] for one in document["moves"]))


class Query(unittest.TestCase):
    def test_says_how_long_to_wait_and_to_block_and_how_much_to_burn(self):
        wanted = Wanted(1, "delay_us=2000&burn_us=1000&block_us=3000")
        self.assertEqual((wanted.delay_us, wanted.delay_s), (2_000, 0.002))
        self.assertEqual((wanted.block_us, wanted.burn_us), (3_000, 1_000))
        wanted = Wanted(1, "")
        self.assertEqual((wanted.delay_us, wanted.block_us, wanted.burn_us), (0, 0, 0))

    def test_takes_several_numbers_in_turn(self):
        query = "delay_us=5,0&block_us=3,4,0&burn_us=0,7"
        taken = [(each.delay_us, each.block_us, each.burn_us)
                 for each in (Wanted(id, query) for id in (1, 2, 3))]
        self.assertEqual(taken, [(5, 3, 0), (0, 4, 7), (5, 0, 0)])

    def test_is_refused_in_one_line_where_it_cannot_be_understood(self):
        for query, why in [
            ("delay=1", "'delay' is not among the keys"),
            ("delay_us", "delay_us= takes microseconds"),
            ("delay_us=-1", "not '-1'"),
            ("burn_us=%2B1", "burn_us= takes microseconds"),
            ("burn_us=60000001", "from 0 to 60000000"),
            ("block_us=60000001", "block_us= takes microseconds"),
            ("delay_us=1,x", "not 'x'"),
            # Whosever turn it is.
            ("burn_us=x,1", "not 'x'"),
        ]:
            with self.assertRaisesRegex(BadQuery, why):
                Wanted(2, query)


class Burning(unittest.TestCase):
    def test_takes_at_least_what_was_asked_for(self):
        before_ns = time.thread_time_ns()
        server.burn(2_000)
        self.assertGreaterEqual(time.thread_time_ns() - before_ns, 2_000_000)


# Whoever is patched goes on with others while it waits, and with nobody while it blocks.
PATCHED = """
from gevent import monkey
monkey.patch_all()
import gevent, time, server
seen = []
other = gevent.spawn(seen.append, "other")
server.block(1_000)
print(seen, end=" ")
time.sleep(0.001)
print(seen)
"""


class Blocking(unittest.TestCase):
    def test_takes_at_least_what_was_asked_for(self):
        before_ns = time.monotonic_ns()
        server.block(2_000)
        self.assertGreaterEqual(time.monotonic_ns() - before_ns, 2_000_000)

    @unittest.skipUnless(importlib.util.find_spec("gevent"), "gevent is not installed")
    def test_is_not_patched(self):
        said = subprocess.run([sys.executable, "-c", PATCHED], capture_output=True, text=True, check=True)
        self.assertEqual(said.stdout, "[] ['other']\n")


class AServer(unittest.TestCase):
    def start(self, *command):
        started = subprocess.Popen([sys.executable, *command, "--listen", "127.0.0.1:0"],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(started.stdout.close)
        self.addCleanup(started.wait)
        self.addCleanup(started.kill)
        says, _, url = started.stdout.readline().rstrip("\n").rpartition(" ")
        self.assertEqual(says, "listening on")
        return started, url

    def ends_whole(self, started, how):
        """Each of its processes has the pipe, which ends with the last of them."""
        started.send_signal(how)
        self.assertEqual(started.stdout.read(), "")
        started.wait()

    def test_is_ready_once_and_its_workers_die_with_it(self):
        started, url = self.start("-c", TWO_WORKERS)
        self.assertRegex(url, r"^http://127\.0\.0\.1:\d+$")
        self.ends_whole(started, signal.SIGKILL)

    def test_serves_the_documents(self):
        for command, package in SERVERS:
            with self.subTest(command):
                if importlib.util.find_spec(package) is None:
                    self.skipTest(f"{package} is not installed")
                started, url = self.start(*command.split())
                for id, body in DOCUMENTS.items():
                    answer = self.get(f"{url}/api/v2/pokemon/{id}?delay_us=100&block_us=100&burn_us=100")
                    self.assertEqual(answer, (200, "application/json", "1500", body))
                for wrong, status in [("11", 404), ("x", 404), ("1?delay=1", 400), ("1?burn_us=x", 400)]:
                    self.assertEqual(self.get(f"{url}/api/v2/pokemon/{wrong}")[0], status, wrong)
                self.ends_whole(started, signal.SIGTERM)

    def test_leaves_no_worker_behind_when_it_is_killed(self):
        for command, package in SERVERS:
            with self.subTest(command):
                if importlib.util.find_spec(package) is None:
                    self.skipTest(f"{package} is not installed")
                started, _ = self.start(*command.split())
                self.ends_whole(started, signal.SIGKILL)

    def get(self, url):
        try:
            with urllib.request.urlopen(url) as answer:
                headers = answer.headers
                return (answer.status, headers["Content-Type"], headers["Content-Length"], answer.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, None, None, None


if __name__ == "__main__":
    unittest.main()
