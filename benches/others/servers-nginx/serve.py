"""Starts nginx on a port that is free, and becomes it.

    serve.py --listen 127.0.0.1:0 HOME

HOME is the folder that `install` set up. nginx can neither choose a port nor, as one process, take a socket
from who starts it: it would crash on that (1.22). So a port is reserved with SO_REUSEPORT, which lets nginx
bind it, too, and the reservation never listens.
"""

import os
import pathlib
import socket
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).parent.parent / "servers-python"))

import server


def main(arguments):
    reserved = server.bind(arguments, [(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)])
    # It is nobody else's for as long as nginx has it open.
    reserved.set_inheritable(True)
    home = pathlib.Path(arguments[0]).resolve()
    config = configuration(reserved.getsockname(), home)
    starter = os.getpid()
    if os.fork() == 0:
        server.die_with(starter)
        tell_when_ready(reserved.getsockname())
        os.unlink(config)
        os._exit(0)
    os.execv(home / "nginx", ["nginx", "-p", home, "-c", config])


def configuration(address, home):
    """The path of nginx.conf, filled in."""
    text = pathlib.Path(__file__).with_name("nginx.conf").read_text()
    text = text.replace("LISTEN", "{}:{} reuseport backlog={}".format(*address, server.BACKLOG))
    with tempfile.NamedTemporaryFile("w", dir=home / "logs", suffix=".conf", delete=False) as file:
        file.write(text.replace("HOME", str(home)))
    return file.name


def tell_when_ready(address):
    """nginx tells nobody that it listens, so it is asked until it does."""
    while True:
        try:
            socket.create_connection(address).close()
        except ConnectionRefusedError:
            time.sleep(0.002)
        else:
            return print("listening on http://{}:{}".format(*address), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
