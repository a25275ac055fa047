"""The application that uvicorn serves. What it computes, and what blocks, does so on the loop, as in such a
handler when nobody has thought of it."""

import asyncio
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request, Response

import server
from server import DOCUMENTS, BadQuery, Wanted, block, burn


@asynccontextmanager
async def lifespan(_):
    server.ready()
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/api/v2/pokemon/{id:int}")
async def document(id: int, request: Request):
    if id not in DOCUMENTS:
        raise HTTPException(404)
    try:
        wanted = Wanted(id, request.url.query)
    except BadQuery as why:
        raise HTTPException(400, str(why)) from why
    if wanted.delay_us:
        await asyncio.sleep(wanted.delay_s)
    block(wanted.block_us)
    burn(wanted.burn_us)
    return Response(DOCUMENTS[id], media_type="application/json")
