"""A websocket session over a stream that was dialled in stages."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable
from contextlib import suppress

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidMessage
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import Event, State
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from mooring import __version__
from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.net.dial import Stream
from mooring.net.http_protocol import not_http
from mooring.net.http_request import Place

CHUNK = 64 * 1024
LARGEST_MESSAGE = 1024 * 1024
_OFFER = Prose("Name in subprotocols one that the server knows.")
_COMPARE = Prose("Compare what the server sends with expect; it may answer to another message than send.")
_SILENT = logging.Logger("mooring.websocket", logging.CRITICAL + 1)  # noqa: LOG001 - see below
"""Stands apart from all others: the library logs whole headers, logins included, when debugging."""


class Session:
    """One connection. What waits for the server raises EOFError when it is closed."""

    def __init__(self, stream: Stream, place: Place, subprotocols: Iterable[str]) -> None:
        self._stream = stream
        self._place = place
        self._offered = [Subprotocol(name) for name in subprotocols]
        uri = WebSocketURI(place.secure, place.host, place.port, place.target, "")
        self._protocol = ClientProtocol(
            uri, subprotocols=self._offered or None, max_size=LARGEST_MESSAGE, logger=_SILENT
        )
        self._first = b""
        self._seen: list[str] = []
        self._parts: list[bytes] = []
        self._pongs: list[bytes] = []

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the server chose."""
        return self._protocol.subprotocol

    @property
    def close_code(self) -> int | None:
        """The code that the server closed with; None where it sent none."""
        return None if self._protocol.close_rcvd is None else int(self._protocol.close_rcvd.code)

    @property
    def close_reason(self) -> str:
        """What the server said when it closed."""
        return "" if self._protocol.close_rcvd is None else self._protocol.close_rcvd.reason

    @property
    def fault(self) -> str | None:
        """What the server did wrong, where the connection was closed by us for that."""
        error = self._protocol.parser_exc
        return None if error is None or isinstance(error, EOFError) else str(error) or type(error).__name__

    async def upgrade(self, headers: Iterable[tuple[str, str]]) -> Response:
        """Ask for a websocket and return the answer. Raises CheckError(protocol) or EOFError."""
        request = self._protocol.connect()
        for name, value in (
            ("Host", self._place.authority),
            ("User-Agent", f"Mooring/{__version__}"),
            *headers,
        ):
            if name.lower() in ("host", "user-agent") and name in request.headers:
                del request.headers[name]
            request.headers[name] = value
        self._protocol.send_request(request)
        await self._flush()
        while not (events := self._protocol.events_received()):
            await self._read()
            if self._first and not _begins_as_http(self._first):
                raise not_http(self._first)
            if isinstance(self._protocol.handshake_exc, InvalidMessage):
                raise self._misunderstood(self._protocol.handshake_exc)
        response, *frames = events
        if not isinstance(response, Response):
            raise TypeError("the answer to the handshake comes first")
        self._take(frames)
        return response

    def demand_upgrade(self) -> None:
        """Raise CheckError(protocol) where the server switched protocols, but not as it has to."""
        error = self._protocol.handshake_exc
        if error is not None:
            text = f"the server upgrades to something else than this websocket: {error}"
            raise CheckError(Reason.PROTOCOL, text, code="BAD_UPGRADE")
        if self._offered and self._protocol.subprotocol is None:
            text = f"the server takes none of the subprotocols {', '.join(self._offered)}"
            raise CheckError(Reason.ASSERTION, text, code="NO_SUBPROTOCOL", hint=_OFFER)

    async def ping(self, monotonic: Callable[[], float]) -> float:
        """Send a ping and return the seconds until its pong."""
        self._demand_open()  # its close message may have come with the upgrade
        data = os.urandom(4)
        began = monotonic()
        self._protocol.send_ping(data)
        await self._flush()
        while data not in self._pongs:
            await self._next()
        return monotonic() - began

    async def send(self, text: str) -> None:
        """Send a text message."""
        self._demand_open()
        self._protocol.send_text(text.encode())
        await self._flush()

    async def expect(self, wanted: str) -> None:
        """Wait for a message that holds this text. Raises CheckError(assertion) after too much else."""
        looked = size = 0
        while not any(wanted in message for message in self._seen[looked:]):
            size += sum(map(len, self._seen[looked:]))
            looked = len(self._seen)
            if size > LARGEST_MESSAGE:
                raise self.unexpected(wanted)
            await self._next()

    @property
    def heard(self) -> bool:
        """Whether a message came."""
        return bool(self._seen)

    def unexpected(self, wanted: str) -> CheckError:
        """Return the failure of messages that came and do not hold this text."""
        text = f"no message holds {cut(wanted)!r}; the last one is {cut(self._seen[-1])!r}"
        return CheckError(Reason.ASSERTION, text, code="UNEXPECTED_MESSAGE", hint=_COMPARE)

    async def hold(self, seconds: float) -> None:
        """Stay connected for some time; raises EOFError where the server does not."""
        if seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self._next()
        except TimeoutError:
            return

    async def leave(self, seconds: float) -> None:
        """Say goodbye and wait for the answer, as servers that log everything else as a fault expect."""
        with suppress(OSError, EOFError):
            async with asyncio.timeout(seconds):
                self._protocol.send_close(1000)
                await self._flush()
                while self._protocol.state is not State.CLOSED:
                    await self._read()

    async def _next(self) -> None:
        """Take in what the server sends next."""
        await self._read()
        self._take(self._protocol.events_received())
        self._demand_open()

    def _demand_open(self) -> None:
        if self._protocol.close_rcvd is not None or self._protocol.state is not State.OPEN:
            raise EOFError("the websocket was closed")

    def _take(self, events: Iterable[Event]) -> None:
        for frame in events:
            if not isinstance(frame, Frame):
                continue
            if frame.opcode is Opcode.PONG:
                self._pongs.append(bytes(frame.data))
            elif frame.opcode in DATA_OPCODES:
                self._parts.append(bytes(frame.data))
                if frame.fin:
                    self._seen.append(b"".join(self._parts).decode(errors="replace"))
                    self._parts.clear()

    async def _read(self) -> None:
        data = await self._stream.reader.read(CHUNK)
        self._first = self._first or data
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        await self._flush()

    async def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:  # an empty one means: say no more, which the coming end of the check does
                await self._stream.ask(data)

    def _misunderstood(self, error: Exception) -> Exception:
        if isinstance(error.__cause__, EOFError):
            if not self._first:
                return EOFError("the peer closed the connection without an answer")
            words = Prose("the peer closed the connection in the middle of its headers")
            return CheckError(Reason.NETWORK, words, code="CUT_OFF")
        text = f"the answer breaks HTTP's rules: {error.__cause__ or error}"
        return CheckError(Reason.PROTOCOL, text, code="BAD_HTTP")


def _begins_as_http(data: bytes) -> bool:
    return data.startswith(b"HTTP/") or b"HTTP/".startswith(data)
