"""Large answers go out packed, where the client can unpack them; streams and small answers do not."""

from __future__ import annotations

import asyncio
import re
import zlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST = 4096
"""Bytes below which packing is not worth its time."""
LARGE = 64 * 1024
"""Bytes from which on it is done on a thread: the overview of 10,000 targets takes tens of milliseconds."""
LEVEL = 1
"""The quickest: the usual 6 takes almost three times as long for a sixth less."""
_GZIP = 16 + zlib.MAX_WBITS
_PACKED = ("application/json", "text/plain")
_REFUSED = re.compile(r"q=0(\.0*)?")


class Pack:
    """Packs an answer that comes as one piece."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not takes_gzip(Headers(scope=scope).get("accept-encoding", "")):
            await self._app(scope, receive, send)
            return
        start: Message | None = None

        async def sending(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _may_be_packed(message):
                start = message
                return
            if start is not None:
                await send(await _packed(start, message))
                start = None
            await send(message)

        await self._app(scope, receive, sending)


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding allows gzip."""
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() == "gzip":
            return _REFUSED.fullmatch(weight.strip()) is None
    return False


def _may_be_packed(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    kind = headers.get("content-type", "").partition(";")[0]
    return kind in _PACKED and "content-encoding" not in headers and "set-cookie" not in headers


async def _packed(start: Message, body: Message) -> Message:
    """Pack the body in its place, and return the start that belongs to it."""
    content = body.get("body", b"")
    if body.get("more_body", False) or len(content) < LEAST:
        return start
    body["body"] = await asyncio.to_thread(_gzip, content) if len(content) >= LARGE else _gzip(content)
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["content-encoding"] = "gzip"
    headers["content-length"] = str(len(body["body"]))
    headers.add_vary_header("accept-encoding")
    return {**start, "headers": headers.raw}


def _gzip(content: bytes) -> bytes:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(content) + packer.flush()
