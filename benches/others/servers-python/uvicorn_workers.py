"""uvicorn around the FastAPI application.

    uvicorn_workers.py --listen 127.0.0.1:0 LOOP WORKERS

LOOP is asyncio or uvloop. HTTP is read by httptools in both, so that they differ in the loop alone.
"""

import sys

import uvicorn
from uvicorn.supervisors import Multiprocess

import server


def main(arguments):
    listener = server.listen(arguments)
    loop, workers = arguments[0], int(arguments[1])
    server.expect(workers, listener)
    config = uvicorn.Config("fastapi_app:app", loop=loop, http="httptools", workers=workers,
                            backlog=server.BACKLOG, access_log=False, log_level="warning")
    # As uvicorn.run() does, which would bind a socket of its own.
    if workers == 1:
        uvicorn.Server(config).run(sockets=[listener])
    else:
        Multiprocess(config, sockets=[listener]).run()


if __name__ == "__main__":
    main(sys.argv[1:])
