"""Kinds that hold a session: log in, look around, leave."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Generic, TypeVar

from mooring.core.result import Observation
from mooring.net.trail import Trail
from mooring.probes._base import Probe

S = TypeVar("S")

GOODBYE = 0.25
"""Seconds for a polite close. After that the connection is dropped."""


class SessionProbe(Probe, Generic[S]):
    """A kind that holds a session. A check is open, inspect, close; a link is open, ping, ping, ping.

    A driver is handed a connection that `net.dial` made, so that there is one connection, each stage
    has its own time and error, and the address was resolved and policed by us. A driver that can only
    dial by itself is given an address from `net.dial.resolve`.
    """

    @abstractmethod
    async def open(self, trail: Trail) -> S:
        """Run the stages up to `auth`. Where it raises or is cancelled, nothing it opened is left."""

    @abstractmethod
    async def inspect(self, session: S, trail: Trail) -> Observation:
        """Run the stages after `auth`: the grants, a real operation."""

    @abstractmethod
    async def ping(self, session: S) -> None:
        """Prove cheaply that the session still works."""

    @abstractmethod
    async def close(self, session: S) -> None:
        """Leave politely: the server strikes the session off its books at once."""

    @abstractmethod
    def drop(self, session: S) -> None:
        """Drop the connection without waiting for anybody. Called in the end, after `close` too."""

    async def check(self, trail: Trail) -> Observation:
        """Open, inspect, close."""
        async with self.session(trail) as session:
            return await self.inspect(session, trail)

    @asynccontextmanager
    async def session(self, trail: Trail) -> AsyncIterator[S]:
        """Hold an open session. However this ends, the connection is gone within `GOODBYE` seconds."""
        session = await self.open(trail)
        polite = False
        try:
            yield session
            polite = True
        except Exception:
            polite = True  # a complaint, not a cancellation: the server may still listen
            raise
        finally:
            await self._leave(session, polite=polite)

    async def _leave(self, session: S, *, polite: bool) -> None:
        try:
            if polite:
                with suppress(Exception):  # whatever a goodbye says, the check is over
                    async with asyncio.timeout(GOODBYE):
                        await self.close(session)
        finally:
            self.drop(session)
