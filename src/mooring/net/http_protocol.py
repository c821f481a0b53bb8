"""One request and its answer on a fresh connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import httptools

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.core.stage import Stage

HEAD_LIMIT = 64 * 1024
"""Bytes of status line and headers, those of 1xx answers included."""
FRAMING = 8
"""Bytes on the wire per byte of a body, at most: chunks of one byte need six."""
_FINAL, _BAD_REQUEST = HTTPStatus.OK.value, HTTPStatus.BAD_REQUEST.value  # enums are slow to read

_PLAIN_ON_TLS = (
    b"plain HTTP request was sent to HTTPS port",
    b"HTTP request to an HTTPS server",
    b"plain HTTP to an SSL",
)
_CERTIFICATE = (  # nginx
    (
        b"No required SSL certificate was sent",
        "CLIENT_CERT_REQUIRED",
        Prose("the server demands a client certificate"),
    ),
    (b"The SSL certificate error", "CLIENT_CERT_REFUSED", Prose("the server refuses our client certificate")),
)


class Exchange(asyncio.Protocol):
    """Sends a request and collects the answer; `done` says when.

    `data` is sent as soon as it is connected, without a turn of the event loop in between. Times are
    moments of the given clock; `head_at` counts once its headers `answered`. The body is cut at
    `limit` bytes.
    """

    __slots__ = (
        "_bodyless",
        "_chunks",
        "_data",
        "_fed",
        "_limit",
        "_monotonic",
        "_parser",
        "_transport",
        "answered",
        "body_bytes",
        "connected_at",
        "cut",
        "done",
        "first_byte_at",
        "head_at",
        "headers",
        "sent_at",
        "status",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        monotonic: Callable[[], float],
        data: bytes | None,
        *,
        bodyless: bool,
        limit: int,
    ) -> None:
        self._bodyless = bodyless
        self._chunks: list[bytes] = []
        self._data = data
        self._fed = 0
        self._limit = limit
        self._monotonic = monotonic
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=True)  # RFC 9112, 2.2
        self.answered = False
        self.body_bytes = 0
        self.connected_at = 0.0
        self.cut = False
        self.done: asyncio.Future[None] = loop.create_future()
        self.first_byte_at = 0.0
        self.head_at = 0.0
        self.headers: list[tuple[bytes, bytes]] = []
        self.sent_at = 0.0
        self.status = 0
        self._transport: asyncio.Transport | None = None

    @property
    def version(self) -> str:
        """The answer's HTTP version."""
        return str(self._parser.get_http_version())

    @property
    def body(self) -> bytes:
        """What was read of the body."""
        return b"".join(self._chunks)

    def drop(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()
        if not self.done.cancel() and not self.done.cancelled():
            self.done.exception()  # seen, whether or not anybody waited for it
        del self._parser  # it knows us: without this the pair waits for the garbage collector

    @property
    def ssl_object(self) -> Any:
        """The finished handshake of a connection that is TLS."""
        return self._transport.get_extra_info("ssl_object")  # type: ignore[union-attr]  # set once connected

    def send(self, data: bytes) -> None:
        """Send the request. The connection is made."""
        self.sent_at = self._monotonic()
        self._transport.write(data)  # type: ignore[union-attr]  # set once connected

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.connected_at = self.sent_at = self._monotonic()
        self._transport = transport  # type: ignore[assignment]  # what TCP and TLS give is a Transport
        if self._data is not None:
            self._transport.write(self._data)  # type: ignore[union-attr]  # set in the line above

    def data_received(self, data: bytes) -> None:
        if self.done.done():
            return
        if not self._fed:
            self.first_byte_at = self._monotonic()
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._finish()
        except httptools.HttpParserError as error:
            self._fail(self._misunderstood(data, error))
        else:
            if self._fed > HEAD_LIMIT and not self.done.done():
                self._demand_bounds()

    def eof_received(self) -> None:
        self._ended(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(exc)

    # Called by the parser.

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.answered:  # else it is a trailer, which nobody asks for
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if self.answered:  # a second answer, which nobody asked for
            return
        self.status = self._parser.get_status_code()
        if self.status >= _FINAL:
            self.answered = True
            self.head_at = self._monotonic()
            if self._bodyless:
                self._finish()

    def on_body(self, body: bytes) -> None:
        if self.done.done():
            return
        room = self._limit - self.body_bytes
        if len(body) > room:
            body, self.cut = body[:room], True
        self._chunks.append(body)
        self.body_bytes += len(body)
        if self.cut:
            self._finish()

    def on_message_complete(self) -> None:
        if self.answered:
            self._finish()
        else:  # 1xx: the answer is still to come
            self.headers.clear()

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    def _ended(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if not self.answered:
            self._fail(error or self._unanswered())
        elif error is None and self._ends_with_connection():
            self._finish()
        else:
            text = f"the connection was cut in mid-answer, after {self.body_bytes} bytes of its body"
            self._fail(CheckError(Reason.NETWORK, text, code="CUT_OFF"))

    def _ends_with_connection(self) -> bool:
        framed = (b"content-length", b"transfer-encoding")
        return not any(name in framed for name, _ in self.headers)

    def _unanswered(self) -> Exception:
        if self._fed:
            text = Prose("the peer closed the connection in the middle of its headers")
            return CheckError(Reason.NETWORK, text, code="CUT_OFF")
        return EOFError("the peer closed the connection without an answer")

    def _demand_bounds(self) -> None:
        if not self.answered:
            text = f"the answer's headers are longer than {HEAD_LIMIT} bytes"
            self._fail(CheckError(Reason.PROTOCOL, text, code="HEADERS_TOO_LONG"))
        elif self._fed > HEAD_LIMIT + FRAMING * self._limit:
            self.cut = True
            self._finish()

    def _misunderstood(self, data: bytes, error: Exception) -> CheckError:
        if self._fed > len(data) or data.startswith(b"HTTP/"):
            return CheckError(Reason.PROTOCOL, f"the answer breaks HTTP's rules: {error}", code="BAD_HTTP")
        return not_http(data)


def not_http(data: bytes) -> CheckError:
    """Return the error for an answer that does not begin as HTTP does."""
    if data[:2] == b"\x15\x03":  # a TLS alert
        return tls_expected()
    return CheckError(
        Reason.PROTOCOL,
        f"the answer is not HTTP: it begins with {cut(repr(data[:200]))}",
        code="NOT_HTTP",
        hint=Prose("Something else listens on that port: compare host and port with the service's own."),
    )


def tls_expected() -> CheckError:
    """Return the error for plain HTTP sent to a port that speaks TLS."""
    return CheckError(
        Reason.PROTOCOL,
        Prose("the port speaks TLS and was asked in plain HTTP"),
        code="TLS_EXPECTED",
        hint=Prose("Write the address with https:// (wss:// for a websocket)."),
        stage=Stage.PROTOCOL,
    )


def complaint(status: int, body: bytes) -> CheckError | None:
    """Return what a server means that says in HTTP that TLS is missing, or our certificate. Else None."""
    if status != _BAD_REQUEST:
        return None
    if any(text in body for text in _PLAIN_ON_TLS):  # nginx, Go, Apache
        return tls_expected()
    for text, code, message in _CERTIFICATE:
        if text in body:
            hint = Prose("Set tls.cert and tls.key to a certificate that the server accepts.")
            return CheckError(Reason.TLS, message, code=code, hint=hint, stage=Stage.TLS)
    return None
