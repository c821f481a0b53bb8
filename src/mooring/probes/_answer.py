"""An end to one answer, for drivers that keep as much as a server sends."""

from __future__ import annotations

import asyncio
from typing import Any

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason

MOST_HEARD = 16 * 1024 * 1024
"""Bytes of one answer, of which a check reads one row or a page of facts."""
_PIECE = 256
"""Bytes that a piece counts for besides its own: as objects of a driver, small ones cost that much."""
_MEGABYTE = 1024**2


class Bound:
    """Counts one answer, until that is more than a check can want.

    `begin` says that another answer is read: a session may live for long.
    """

    def __init__(self) -> None:
        self._heard = 0

    def begin(self) -> None:
        """Count from nothing again."""
        self._heard = 0

    def add(self, size: int = 0) -> None:
        """Count a piece of so many bytes. Raises CheckError(protocol)."""
        self._heard += size + _PIECE
        if self._heard > MOST_HEARD:
            raise too_large(MOST_HEARD)


class BoundedReader:
    """Passes on what a stream's reader reads of one answer, as far as that is within its bound."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._bound = Bound()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)  # drivers look at more than they read

    def begin(self) -> None:
        """Count from nothing again: another answer is read."""
        self._bound.begin()

    async def read(self, most: int = -1) -> bytes:
        """Read as StreamReader does. Raises CheckError(protocol)."""
        return self._counted(await self._reader.read(most))

    async def readline(self) -> bytes:
        """Read as StreamReader does. Raises CheckError(protocol)."""
        return self._counted(await self._reader.readline())

    async def readexactly(self, count: int) -> bytes:
        """Read as StreamReader does, and nothing of what is too much. Raises CheckError(protocol)."""
        self._bound.add(count)
        return await self._reader.readexactly(count)

    def _counted(self, data: bytes) -> bytes:
        self._bound.add(len(data))
        return data


def too_large(most: int) -> CheckError:
    """Return the error for an answer of more bytes than these."""
    return CheckError(
        Reason.PROTOCOL,
        Prose("the server answers with more than the {size} MB that a check reads", size=most // _MEGABYTE),
        code="TOO_LARGE",
        hint=Prose("Have the query return one row, such as by LIMIT 1; or what answers is no such database."),
    )
