"""A small HTTP/1.1 client, made for probing: one fresh connection a request, every stage timed."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.net.dial import PAST_DEADLINE, REFUSAL_WITHIN, resolve, secured, shown
from mooring.net.handshake import shaking_hands
from mooring.net.http_protocol import Exchange, complaint, tls_expected
from mooring.net.http_request import Request
from mooring.net.inquiry import shaken, speaks_tls
from mooring.net.tls import TLSInfo
from mooring.net.trail import Trail

BODY_LIMIT = 1024 * 1024
_ALPN = ("http/1.1",)
_ZLIB = {b"gzip": 47, b"x-gzip": 47, b"deflate": 47}
"""Window bits: 47 takes gzip and zlib headers alike."""


class Response:
    """An answer.

    `first_byte` and `transfer` are seconds: until its first byte, and from its headers to its end.
    Headers are bytes, their names in lower case; a body longer than was allowed is `cut`.
    """

    __slots__ = ("address", "body", "cut", "first_byte", "headers", "status", "tls", "transfer", "version")

    def __init__(self, exchange: Exchange, address: str, tls: TLSInfo | None, ended: float) -> None:
        self.address = address
        self.body = exchange.body
        self.cut = exchange.cut
        self.first_byte = exchange.first_byte_at - exchange.sent_at
        self.headers = exchange.headers
        self.status = exchange.status
        self.tls = tls
        self.transfer = ended - exchange.head_at
        self.version = exchange.version

    def header(self, name: str) -> str | None:
        """Return a header's value, several of one name joined by commas; None where there is none."""
        wanted = name.lower().encode("latin-1")
        found = None
        for key, value in self.headers:
            if key == wanted:
                found = value if found is None else found + b", " + value
        return None if found is None else found.decode("latin-1")

    def plain_body(self, limit: int = BODY_LIMIT) -> bytes:
        """Return the body without gzip or deflate, which some servers send unasked, cut at `limit` bytes.

        Raises CheckError(protocol) where it is packed in another way or cannot be unpacked.
        """
        encoding = (self.header("content-encoding") or "identity").strip().lower().encode()
        if encoding == b"identity":
            return self.body
        try:
            return zlib.decompressobj(_ZLIB[encoding]).decompress(self.body, limit)
        except (KeyError, zlib.error) as error:
            text = f"the body cannot be unpacked: its encoding is {encoding.decode()[:40]!r}, unasked for"
            hint = Prose("Let the server send it as it is where nobody asks for another encoding.")
            raise CheckError(Reason.PROTOCOL, text, code="CONTENT_ENCODING", hint=hint) from error


async def fetch(trail: Trail, request: Request, *, limit: int = BODY_LIMIT) -> Response:
    """Send one request and return its answer; redirects are the caller's.

    Passes the stages dns, tcp, tls (https) and protocol, which ends with the answer's headers, and
    leaves `function` running, which began there; the caller ends it. Nothing stays open. Raises
    CheckError, OSError, ssl.SSLError or EOFError.
    """
    trail.begin(Stage.DNS, trail.monotonic())
    addresses = trail.net.known(request.host)
    if addresses is None:
        addresses = await resolve(trail, request.host)
    else:
        trail.end(trail.monotonic())
    loop = asyncio.get_running_loop()
    at_once = None if request.secure else request.data
    exchange = Exchange(loop, trail.monotonic, at_once, bodyless=request.method == "HEAD", limit=limit)
    try:
        address = await _connect(trail, exchange, addresses, request)
        tls = await _secure(trail, exchange, request) if request.secure else None
        trail.begin(Stage.PROTOCOL, exchange.sent_at)
        try:
            await exchange.done
        except (EOFError, ConnectionError):
            if not request.secure and await speaks_tls(trail, address, request.port, request.host):
                raise tls_expected() from None
            raise
        except ssl.SSLError:  # TLS 1.3 refuses a client certificate, or its lack, after the handshake
            trail.begin(Stage.TLS, exchange.connected_at)
            raise
        finally:
            if exchange.answered:
                trail.end(exchange.head_at)
                trail.begin(Stage.FUNCTION, exchange.head_at)
        response = Response(exchange, address, tls, trail.monotonic())
    finally:
        exchange.drop()
    error = complaint(response.status, response.body)
    if error is not None:
        trail.begin(error.cause.stage or Stage.PROTOCOL, exchange.sent_at)
        raise error
    return response


async def _connect(trail: Trail, exchange: Exchange, addresses: Sequence[str], request: Request) -> str:
    """Pass tcp and, where it has to be, begin tls. Returns the address that is connected."""
    trail.begin(Stage.TCP, trail.monotonic())
    address = addresses[0]
    if len(addresses) == 1 and not request.secure and "%" not in address:
        # The usual case in one step: a separate connecting socket would double the cost of a check.
        await exchange.done.get_loop().create_connection(lambda: exchange, address, request.port)
        trail.end(exchange.connected_at)
    else:
        address = await _connect_in_steps(trail, exchange, addresses, request)
    trail.note(address=shown(address, request.port))
    return address


def plain_words(authority: str) -> bytes:
    """Return what a web server answers that speaks no TLS."""
    return f"HEAD / HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n".encode()


async def _connect_in_steps(
    trail: Trail, exchange: Exchange, addresses: Sequence[str], request: Request
) -> str:
    with ExitStack() as undo:
        sock = await trail.net.connect(addresses, request.port)
        undo.callback(sock.close)
        address = str(sock.getpeername()[0])
        at = trail.monotonic()
        trail.end(at)
        if request.secure:
            trail.begin(Stage.TLS, at)
        plain = plain_words(request.place.authority) if request.secure else b""
        async with shaken(trail, address, request.port, plain):
            with shaking_hands():  # the connection itself stands
                await exchange.done.get_loop().create_connection(
                    lambda: exchange, sock=sock, **_tls_arguments(trail, request)
                )
        undo.pop_all()
    return address


def _tls_arguments(trail: Trail, request: Request) -> dict[str, Any]:
    if not request.secure:
        return {}
    return {
        "ssl": trail.net.tls.get(request.tls, _ALPN),
        "server_hostname": request.tls.server_name or request.host,
        "ssl_handshake_timeout": trail.remaining + PAST_DEADLINE,
    }


async def _secure(trail: Trail, exchange: Exchange, request: Request) -> TLSInfo:
    """Judge the handshake, and only then send the request: a pin is checked before any secret leaves."""
    seen = await secured(trail, request.tls, exchange.ssl_object)
    if request.tls.cert is not None:
        await asyncio.sleep(REFUSAL_WITHIN)
        if exchange.done.done():
            exchange.done.result()
    trail.end(trail.monotonic())
    exchange.send(request.data)
    return seen
