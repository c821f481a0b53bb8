"""memcached's text protocol over a connection that we dialled, and what its errors mean."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.net.dial import Stream

MOST_LINES = 1000
VALUE_LIFE = 60
"""Seconds after which memcached itself removes what a check wrote, should the check be cut off."""
UNAUTHENTICATED = "CLIENT_ERROR unauthenticated"
_ERRORS = ("ERROR", "CLIENT_ERROR", "SERVER_ERROR")

_TEXTS = {
    "ERROR Too many open connections": (
        Reason.OVERLOADED,
        "TOO_MANY_CONNECTIONS",
        Prose("Raise -c (maxconns), or find who leaks connections: `stats conns` lists them."),
    ),
    "SERVER_ERROR out of memory storing object": (
        Reason.OVERLOADED,
        "OUT_OF_MEMORY",
        Prose("Its memory is full and -M forbids to evict: raise -m, or let it evict."),
    ),
}


class Conversation:
    """Questions and answers, one line each but for `stats` and `get`."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def drop(self) -> None:
        """Drop the connection at once."""
        self._stream.drop()

    async def version(self) -> str | None:
        """Return the server's version, None where it wants a login first. Raises CheckError."""
        answer = await self._asked(b"version\r\n")
        if answer == UNAUTHENTICATED:
            return None
        return _demanded(answer, "VERSION ").removeprefix("VERSION ")

    async def log_in(self, user: str, password: str) -> bool:
        """Say who we are, by the `set` of ASCII authentication. Returns whether that was accepted.

        Raises CheckError where the server has another fault.
        """
        answer = await self._set("auth", f"{user} {password}".encode())
        return not answer.startswith("CLIENT_ERROR") and bool(_demanded(answer, "STORED"))

    async def stats(self, *what: str) -> Mapping[str, str]:
        """Return what `stats` says; nothing where the server, such as a proxy, says nothing."""
        facts: dict[str, str] = {}
        line = await self._asked(" ".join(("stats", *what)).encode() + b"\r\n")
        while line.startswith("STAT ") and len(facts) < MOST_LINES:
            name, _, value = line.removeprefix("STAT ").partition(" ")
            facts[name] = value
            line = await self._line()
        return facts

    async def write_and_read(self, prefix: str) -> None:
        """Write a value under a key of our own, read it back and remove it."""
        key, value = f"{prefix}{secrets.token_hex(8)}", secrets.token_hex(8)
        _demanded(await self._set(key, value.encode()), "STORED")
        found = await self._get(key)
        await self._asked(f"delete {key}\r\n".encode())
        if found != value:
            raise CheckError(
                Reason.ASSERTION, Prose("what was written is not what is read"), code="LOST_WRITE"
            )

    async def leave(self) -> None:
        """Say goodbye: the server closes."""
        await self._stream.ask(b"quit\r\n")

    async def _set(self, key: str, value: bytes) -> str:
        return await self._asked(b"set %s 0 %d %d\r\n%s\r\n" % (key.encode(), VALUE_LIFE, len(value), value))

    async def _get(self, key: str) -> str | None:
        answer = await self._asked(f"get {key}\r\n".encode())
        if answer == "END":
            return None
        _demanded(answer, "VALUE ")
        value = await self._line()
        _demanded(await self._line(), "END")
        return value

    async def _asked(self, question: bytes) -> str:
        await self._stream.ask(question)
        return await self._line()

    async def _line(self) -> str:
        line = await self._stream.reader.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return line.rstrip(b"\r\n").decode(errors="replace")


def _demanded(answer: str, wanted: str) -> str:
    """Return an answer that begins as it should. Raises CheckError with what it means."""
    if answer.startswith(wanted):
        return answer
    if answer in _TEXTS:
        reason, code, hint = _TEXTS[answer]
        raise CheckError(reason, answer, code=code, hint=hint)
    word = answer.partition(" ")[0]
    if word == "SERVER_ERROR":
        raise CheckError(Reason.UNAVAILABLE, answer, code=word)
    if word in _ERRORS:
        raise CheckError(Reason.PROTOCOL, f"the server refuses the command: {answer}", code=word)
    raise CheckError(Reason.PROTOCOL, f"what answers is no memcached: {cut(answer)!r}", code="NOT_MEMCACHED")
