"""The protocol of NATS over a connection that we dialled: lines of text, answered in order."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.net.dial import Stream

LARGEST_MESSAGE = 4 * 1024 * 1024
NO_RESPONDERS = "503"
INBOX_BYTES = 11


class Refused(Exception):  # noqa: N818 - the server's word is -ERR
    """The server refuses, and says what."""


@dataclass(frozen=True, slots=True)
class Message:
    """What was heard. `status` is that of a message of the server's own, such as 503."""

    subject: str
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

    async def ping(self) -> list[Message]:
        """Have the server answer, and return what came before it. Raises Refused for what it refused."""
        self._write("PING")
        return await self._until_pong()

    async def subscribe(self, subject: str) -> None:
        """Listen. Raises Refused where the user may not."""
        self._last_subscription += 1
        self._write(f"SUB {subject} {self._last_subscription}")
        await self.ping()

    async def publish(self, subject: str, payload: str) -> list[Message]:
        """Send a message and return what came back of it. Raises Refused where the user may not."""
        self._write(f"PUB {subject} {len(payload.encode())}", payload)
        return await self.ping()

    async def request(self, subject: str, payload: str = "", inbox: str = "_INBOX") -> Message:
        """Ask whoever listens and return the answer. Raises Refused, or CheckError where nobody does."""
        reply = f"{inbox}.{secrets.token_hex(INBOX_BYTES)}"
        await self.subscribe(reply)
        self._write(f"PUB {subject} {reply} {len(payload.encode())}", payload)
        found = await self.ping()
        answer = found[0] if found else await self._message()
        self._write(f"UNSUB {self._last_subscription}")
        return answer

    def _write(self, *lines: str) -> None:
        self.stream.writer.write("".join(f"{line}\r\n" for line in lines).encode())

    async def _until_pong(self) -> list[Message]:
        heard: list[Message] = []
        while (found := await self._next()) is not None:
            heard.append(found)
        return heard

    async def _message(self) -> Message:
        while True:
            found = await self._next()
            if found is not None:
                return found

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
            subject, size = words[0], int(words[-1])
            headers = int(words[-2]) if with_headers else 0
        except (ValueError, IndexError):
            raise _not_nats(" ".join(words).encode()) from None
        if not 0 <= headers <= size <= LARGEST_MESSAGE:
            raise CheckError(
                Reason.PROTOCOL, Prose("a message is larger than a server sends"), code="UNREADABLE"
            )
        body = (await self.stream.reader.readexactly(size + 2))[:size]
        first_line = body[:headers].partition(b"\r\n")[0].decode(errors="replace").split()
        return Message(subject, body[headers:], first_line[1] if len(first_line) > 1 else "")

    async def _line(self) -> bytes:
        return (await self.stream.reader.readuntil(b"\n")).rstrip(b"\r\n")

    def _heed(self, line: bytes) -> None:
        try:
            self.info = json.loads(line.removeprefix(b"INFO "))
        except ValueError:
            raise _not_nats(line) from None


def _not_nats(line: bytes) -> CheckError:
    return CheckError(
        Reason.PROTOCOL,
        Prose("the answer is not NATS: {line}", line=cut(line.decode(errors="replace").strip())),
        code="NOT_NATS",
    )


_REFUSALS = (
    (
        "authorization violation",
        Reason.AUTH,
        "AUTHORIZATION_VIOLATION",
        Prose("The server rejects the login: compare user and password, or the token, with its own."),
    ),
    (
        "authentication expired",
        Reason.AUTH,
        "AUTHENTICATION_EXPIRED",
        Prose("The login is known and out of date: have a new one issued."),
    ),
    ("authentication revoked", Reason.AUTH, "AUTHENTICATION_REVOKED", Prose("Have a new login issued.")),
    ("authentication timeout", Reason.TIMEOUT, "AUTHENTICATION_TIMEOUT", None),
    (
        "account active connections",
        Reason.OVERLOADED,
        "ACCOUNT_CONNECTIONS",
        Prose("The account has as many connections as it may have: close some, or raise its limit."),
    ),
    (
        "maximum connections",
        Reason.OVERLOADED,
        "MAX_CONNECTIONS",
        Prose("Raise max_connections of the server, or find who leaks them."),
    ),
    ("throttling", Reason.OVERLOADED, "THROTTLED", None),
    ("maximum subscriptions", Reason.OVERLOADED, "MAX_SUBSCRIPTIONS", None),
    ("tls required", Reason.TLS, "TLS_REQUIRED", Prose("Set tls.")),
    (
        "attempted to connect to",
        Reason.PROTOCOL,
        "WRONG_PORT",
        Prose("That port is for servers among themselves: use the one for clients, mostly 4222."),
    ),
    ("server shutdown", Reason.UNAVAILABLE, "SHUTDOWN", None),
    ("stale connection", Reason.NETWORK, "STALE", None),
    ("slow consumer", Reason.OVERLOADED, "SLOW_CONSUMER", None),
)
_OUR_INBOX = re.compile(rf"\.[0-9a-f]{{{2 * INBOX_BYTES}}}$")
_DENIED = re.compile(r'permissions violation for (publish|subscription) to "(.+)"', re.IGNORECASE)


def explain(error: Exception, with_login: bool) -> Cause | None:
    """Say what the server means by a refusal."""
    if not isinstance(error, Refused):
        return None
    text = str(error)
    denied = _DENIED.search(text)
    if denied is not None:
        return _denied(denied[1].lower(), denied[2], text)
    for part, reason, code, hint in _REFUSALS:
        if part in text.lower():
            if reason is Reason.AUTH and not with_login:
                return Cause(reason, "LOGIN_REQUIRED", text, _LOGIN_REQUIRED)
            return Cause(reason, code, text, hint)
    return Cause(Reason.ASSERTION, "REFUSED", text)


_LOGIN_REQUIRED = Prose("Put user and password, or a token, into the address, between nats:// and the host.")


def _denied(what: str, subject: str, text: str) -> Cause:
    verb = "publish" if what == "publish" else "subscribe"
    return Cause(
        Reason.PERMISSION,
        f"{verb.upper()}_DENIED",
        text,
        Prose(
            "Add {subject} to {verb} in the permissions of this user.",
            subject=_OUR_INBOX.sub(".>", subject),
            verb=verb,
        ),
    )
