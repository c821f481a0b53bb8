"""What comes in packed is unpacked, up to a limit: routes see none of it."""

from __future__ import annotations

import asyncio
import zlib
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mooring.api.errors import Refused, problem

_GZIP = 16 + zlib.MAX_WBITS
LARGEST_UNPACKED = 4 * 1024 * 1024
"""Bytes of a body that came packed: the edge lets no more than 1 MB of it in."""
_SLICE = 4096
"""Bytes that are unpacked at a time: a body of many small gzips copies so much for each of them."""
_UNPACKABLE = "The body is not what its Content-Encoding says: gzip is taken, and none."
_GOES_ON = "The body goes on behind its gzip, with what is no gzip."
_CUT_OFF = "The body ends before its gzip does."


class Unpack:
    """Unpacks a body that came with gzip, so that routes see none of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        coding = Headers(scope=scope).get("content-encoding", "") if scope["type"] == "http" else ""
        if coding.strip().lower() in ("", "identity"):
            await self._app(scope, receive, send)
            return
        if coding.strip().lower() not in ("gzip", "x-gzip"):
            await problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _UNPACKABLE)(scope, receive, send)
            return
        unpacked: bytes | None = None

        async def receiving() -> Message:
            nonlocal unpacked
            if unpacked is not None:
                return await receive()
            unpacked = await asyncio.to_thread(_unpacked, await _body(receive))
            return {"type": "http.request", "body": unpacked, "more_body": False}

        await self._app(scope, receiving, send)


async def _body(receive: Receive) -> bytes:
    """Return a whole body, which the edge has bounded."""
    parts, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _unpacked(packed: bytes) -> bytes:
    """Return what was packed, of one gzip or of several behind each other.

    Raises Refused where it is too much or no gzip.
    """
    body, unpacker, whole = bytearray(), zlib.decompressobj(_GZIP), 0
    for start in range(0, len(packed), _SLICE):
        rest = packed[start : start + _SLICE]
        while rest:
            if unpacker.eof:
                unpacker, whole = zlib.decompressobj(_GZIP), whole + 1
            try:
                body += unpacker.decompress(rest, LARGEST_UNPACKED + 1 - len(body))
            except zlib.error:
                raise Refused(HTTPStatus.BAD_REQUEST, _GOES_ON if whole else _UNPACKABLE) from None
            if len(body) > LARGEST_UNPACKED:
                raise Refused(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "A body may have 4 MB when it is unpacked."
                )
            rest = unpacker.unused_data
    if not unpacker.eof:
        raise Refused(HTTPStatus.BAD_REQUEST, _CUT_OFF)
    return bytes(body)
