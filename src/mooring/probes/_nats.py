"""The protocol of NATS over a connection that we dialled: lines of text, answered in order."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.net.dial import LARGEST_LINE, Stream

LARGEST_MESSAGE = 4 * 1024 * 1024
MOST_MESSAGES = 10_000
"""Messages of others among which an answer is looked for."""
NO_RESPONDERS = "503"
INBOX_BYTES = 11


class Refused(Exception):  # noqa: N818 - the server's word is -ERR
    """The server refuses, and says what."""


@dataclass(frozen=True, slots=True)
class Message:
    """What was heard. `status` is that of a message of the server's own, such as 503."""

    subscription: str
    payload: bytes
    status: str = ""


class Nats:
    """One connection. What the server says of itself is read wherever it stands."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.info: Mapping[str, Any] = {}
        self._last_subscription = 0

    async def greet(self, within: float) -> None:
        """Hear what the server says of itself. Raises CheckError(timeout) where it says nothing."""
        try:
            async with asyncio.timeout(within):
                line = await self._line()
        except TimeoutError as error:
            raise CheckError(
                Reason.TIMEOUT,
                Prose("nothing greets, and a NATS server speaks first"),
                code="NO_GREETING",
                hint=Prose("Another service may listen there, one that wants TLS at once, or it hangs."),
            ) from error
        if not line.startswith(b"INFO "):
            raise _not_nats(line)
        self._heed(line)

    async def log_in(self, login: Mapping[str, str]) -> None:
        """Log in. Raises Refused."""
        options = {
            "verbose": False,
            "pedantic": False,
            "name": "mooring",
            "lang": "mooring",
            "version": "1",
            "protocol": 1,
            "headers": True,
            "no_responders": True,
            **login,
        }
        # Not drained: a server without room has hung up by now, and what it said is still to be read.
        self._write(f"CONNECT {json.dumps(options)}", "PING")
        await self._until_pong()

    async def ping(self, wanted: Callable[[Message], bool] = lambda _: False) -> Message | None:
        """Have the server answer. Return the message wanted, if it came before that.

        Raises Refused for what the server refused.
        """
        self._write("PING")
        return await self._until_pong(wanted)

    async def subscribe(self, subject: str) -> None:
        """Listen. Raises Refused where the user may not."""
        self._last_subscription += 1
        self._write(f"SUB {subject} {self._last_subscription}")
        await self.ping()

    async def publish(self, subject: str, payload: str) -> bool:
        """Send a message and return whether it came back. Raises Refused where the user may not."""
        sent = payload.encode()
        self._write(f"PUB {subject} {len(sent)}", payload)
        return await self.ping(lambda message: message.payload == sent) is not None

    async def request(self, subject: str, payload: str = "", inbox: str = "_INBOX") -> Message:
        """Ask whoever listens and return the answer. Raises Refused, or CheckError where nobody does."""
        reply = f"{inbox}.{secrets.token_hex(INBOX_BYTES)}"
        await self.subscribe(reply)
        ours = str(self._last_subscription)
        self._write(f"PUB {subject} {reply} {len(payload.encode())}", payload)
        answer = await self.ping(lambda message: message.subscription == ours) or await self._message(ours)
        self._write(f"UNSUB {ours}")
        return answer

    def _write(self, *lines: str) -> None:
        self.stream.writer.write("".join(f"{line}\r\n" for line in lines).encode())

    async def _until_pong(self, wanted: Callable[[Message], bool] = lambda _: False) -> Message | None:
        found = None
        for _ in range(MOST_MESSAGES):
            message = await self._next()
            if message is None:
                return found
            if found is None and wanted(message):
                found = message
        raise _drowned()

    async def _message(self, subscription: str) -> Message:
        for _ in range(MOST_MESSAGES):
            message = await self._next()
            if message is not None and message.subscription == subscription:
                return message
        raise _drowned()

    async def _next(self) -> Message | None:
        """Return the next message, None for a PONG."""
        while True:
            line = await self._line()
            word, _, rest = line.partition(b" ")
            if word == b"PONG":
                return None
            if word in (b"MSG", b"HMSG"):
                return await self._read(word == b"HMSG", rest.decode(errors="replace").split())
            if word == b"-ERR":
                raise Refused(rest.decode(errors="replace").strip().strip("'"))
            if word == b"PING":
                self._write("PONG")
            elif word == b"INFO":
                self._heed(line)
            elif word != b"+OK":
                raise _not_nats(line)

    async def _read(self, with_headers: bool, words: list[str]) -> Message:
        try:
            subscription, size = words[1], int(words[-1])
            headers = int(words[-2]) if with_headers else 0
        except (ValueError, IndexError):
            raise _not_nats(" ".join(words).encode()) from None
        if not 0 <= headers <= size <= LARGEST_MESSAGE:
            raise CheckError(
                Reason.PROTOCOL, Prose("a message is larger than a server sends"), code="UNREADABLE"
            )
        body = (await self.stream.reader.readexactly(size + 2))[:size]
        first_line = body[:headers].partition(b"\r\n")[0].decode(errors="replace").split()
        return Message(subscription, body[headers:], first_line[1] if len(first_line) > 1 else "")

    async def _line(self) -> bytes:
        await asyncio.sleep(0)  # what has arrived already is read without a pause: others have their turn
        try:
            return (await self.stream.reader.readuntil(b"\n")).rstrip(b"\r\n")
        except asyncio.LimitOverrunError:
            raise _not_nats(await self.stream.reader.read(LARGEST_LINE)) from None

    def _heed(self, line: bytes) -> None:
        self.info = read(line.removeprefix(b"INFO "))


def read(data: bytes) -> Mapping[str, Any]:
    """Return an object of JSON. Raises CheckError(protocol) for anything else."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise unreadable(data)
    return found


def unreadable(data: bytes) -> CheckError:
    """Return the fault of a server that sends what makes no sense."""
    shown = cut(data.decode(errors="replace"))
    return CheckError(
        Reason.PROTOCOL, Prose("the answer makes no sense: {shown}", shown=shown), code="UNREADABLE"
    )


def _drowned() -> CheckError:
    return CheckError(
        Reason.ASSERTION,
        Prose("others send so much on the subject that an answer cannot be heard"),
        code="SUBJECT_BUSY",
        hint=Prose("Give the check a subject of its own, which nobody else uses."),
    )


def _not_nats(line: bytes) -> CheckError:
    return CheckError(
        Reason.PROTOCOL,
        Prose("the answer is not NATS: {line}", line=cut(line.decode(errors="replace").strip())),
        code="NOT_NATS",
    )
