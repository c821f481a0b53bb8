"""PgBouncer's console: asyncpg logs in, then simple queries, since the console knows no prepared ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg

from mooring.net.dial import Stream
from mooring.probes._answer import BoundedReader
from mooring.probes._asyncpg import connected
from mooring.probes._postgresql import senseless

Row: TypeAlias = Mapping[str, str]

_LENGTH = 4
_NULL = -1


@dataclass(slots=True)
class Console:
    """A session with the console."""

    stream: Stream
    connection: asyncpg.Connection
    reader: BoundedReader

    async def ask(self, command: str) -> list[Row]:
        """Return the rows of a command; what is NULL is empty.

        Raises asyncpg.PostgresError, or CheckError(protocol) for more than a check can want.
        """
        self.reader.begin()
        await self.stream.ask(_message(b"Q", command.encode() + b"\0"))
        names: list[str] = []
        rows: list[Row] = []
        error: Exception | None = None
        while True:
            kind, body = await self._read()
            if kind == b"T":
                names = _names(body)
            elif kind == b"D":
                rows.append(dict(zip(names, _values(body), strict=True)))
            elif kind == b"E":
                error = asyncpg.PostgresError.new(_fields(body), query=None)
                if _fields(body).get("S") == "FATAL":  # the last word
                    raise error
            elif kind == b"Z":
                if error is not None:
                    raise error
                return rows

    async def _read(self) -> tuple[bytes, bytes]:
        head = await self.reader.readexactly(1 + _LENGTH)
        size = int.from_bytes(head[1:], "big") - _LENGTH
        if size < 0:
            raise senseless()
        return head[:1], await self.reader.readexactly(size)

    async def leave(self) -> None:
        """Say goodbye; there is no answer to that."""
        await self.stream.ask(_message(b"X", b""))

    def drop(self) -> None:
        """Drop the connection at once."""
        self.connection.terminate()
        self.stream.drop()


async def console_over(stream: Stream, **options: Any) -> Console:
    """Log in over an open connection, whose stream is ours again afterwards."""
    transport = stream.writer.transport
    ours = transport.get_protocol()
    connection = await connected(stream, **options)
    transport.set_protocol(ours)
    return Console(stream, connection, BoundedReader(stream.reader))


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + _LENGTH).to_bytes(_LENGTH, "big") + body


def _names(body: bytes) -> list[str]:
    """Return the columns' names, behind each of which stand 18 bytes of what it is."""
    names, at = [], 2
    for _ in range(int.from_bytes(body[:2], "big")):
        end = body.index(b"\0", at)
        names.append(body[at:end].decode(errors="replace"))
        at = end + 1 + 18
    return names


def _values(body: bytes) -> list[str]:
    values, at = [], 2
    for _ in range(int.from_bytes(body[:2], "big")):
        size = int.from_bytes(body[at : at + _LENGTH], "big", signed=True)
        at += _LENGTH
        values.append("" if size == _NULL else body[at : at + size].decode(errors="replace"))
        at += max(size, 0)
    return values


def _fields(body: bytes) -> dict[str, str]:
    parts = body.decode(errors="replace").split("\0")
    return {part[0]: part[1:] for part in parts if part}
