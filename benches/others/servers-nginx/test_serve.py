"""Sets nginx up in a folder that is removed afterwards, and starts it. Run with `python3 -m unittest`."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

import serve
from server import DOCUMENTS

FOLDER = pathlib.Path(serve.__file__).parent
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")


@unittest.skipUnless(NGINX, "nginx is not installed")
class Nginx(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        home = tempfile.TemporaryDirectory()
        cls.addClassCleanup(home.cleanup)
        cls.home = home.name
        subprocess.run(["./install", cls.home], cwd=FOLDER, check=True)

    def start(self):
        started = subprocess.Popen([sys.executable, "serve.py", self.home, "--listen", "127.0.0.1:0"],
                                   cwd=FOLDER, stdout=subprocess.PIPE, text=True)
        self.addCleanup(started.stdout.close)
        self.addCleanup(started.wait)
        self.addCleanup(started.kill)
        says, _, url = started.stdout.readline().rstrip("\n").rpartition(" ")
        self.assertEqual(says, "listening on")
        return started, url

    def test_serves_the_documents(self):
        _, url = self.start()
        for id, body in DOCUMENTS.items():
            with urllib.request.urlopen(f"{url}/api/v2/pokemon/{id}?delay_us=1&block_us=1&burn_us=1") as answer:
                self.assertEqual(answer.headers["Content-Type"], "application/json")
                self.assertEqual(answer.read(), body)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{url}/api/v2/pokemon/11")
        with refused.exception as refusal:
            self.assertEqual(refusal.code, 404)

    def test_ends_whole_however_it_is_ended(self):
        for how in (signal.SIGTERM, signal.SIGKILL):
            started, _ = self.start()
            started.send_signal(how)
            # Each of its processes has the pipe, which ends with the last of them.
            self.assertEqual(started.stdout.read(), "")

    def test_serves_twice_at_once_on_ports_of_their_own(self):
        self.assertNotEqual(self.start()[1], self.start()[1])


if __name__ == "__main__":
    unittest.main()
