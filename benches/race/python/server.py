"""FastAPI on uvicorn with uvloop and httptools, wechatpy for crypto and messages."""

import os
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.utils import check_signature

TOKEN = os.environ["RACE_TOKEN"]
crypto = WeChatCrypto(TOKEN, os.environ["RACE_AES_KEY"], os.environ["RACE_APP_ID"])

if "RACE_SQLITE" in os.environ:
    import sqlite as store
else:
    import mariadb as store


@asynccontextmanager
async def lifespan(_):
    await store.open()
    yield


app = FastAPI(lifespan=lifespan, openapi_url=None)


@app.get("/wechat/event")
async def handshake(signature: str, timestamp: str, nonce: str, echostr: str):
    try:
        check_signature(TOKEN, signature, timestamp, nonce)
    except InvalidSignatureException:
        return Response(status_code=403)
    return Response(echostr, media_type="text/plain")


@app.post("/wechat/event")
async def callback(request: Request):
    query = request.query_params
    try:
        check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
        body = await request.body()
        raw = crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
    except (InvalidSignatureException, InvalidAppIdException):
        return Response(status_code=403)
    await store.store(event(raw))
    return Response(status_code=200)


def event(raw):
    """What is stored of a push. The platform's documents say what tells one from another."""
    message = parse_message(raw)
    data = message._data
    created = int(data["CreateTime"])
    if message.type != "event":
        key, kind = str(message.id), f"message.{message.type}"
    else:
        # The SDK has a name of its own for a subscribe that brings a scene.
        name = "subscribe" if message.event.startswith("subscribe_scan") else message.event
        key, kind = f"{message.source}:{created}:{name}", f"event.{name}"
    return {
        "key": key,
        "openid": message.source,
        "kind": kind,
        "scene": (data.get("EventKey") or "").removeprefix("qrscene_") or None,
        "time": created,
        "raw": raw if isinstance(raw, str) else raw.decode(),
    }
