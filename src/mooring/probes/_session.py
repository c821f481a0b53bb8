"""Kinds whose driver holds a session: log in, look around, leave."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from contextlib import asynccontextmanager
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.trail import Trail
from mooring.probes._base import Probe

S = TypeVar("S")

SHARE_OF_DRIVER = 0.7
"""Part of the deadline that a driver may spend on opening; the rest is kept to find the failing stage."""
GOODBYE = 0.25
"""Seconds for a polite close. After that the connection is dropped."""


class SessionProbe(Probe, Generic[S]):
    """A kind that holds a session. A check is open, inspect, close; a link is open, ping, ping, ping.

    Drivers dial by themselves, so that a failing stage would be hidden in their error. When a person
    looks (`trail.staged`), and whenever the driver fails while opening, `dial()` repeats the
    connection stage by stage and names the one that fails.
    """

    @abstractmethod
    async def open(self, trail: Trail, addresses: list[str]) -> S:
        """Connect to one of the resolved addresses and log in. The caller stands in the `auth` stage."""

    @abstractmethod
    async def inspect(self, session: S, trail: Trail) -> Observation:
        """Run the stages after `auth`: the grants, a real operation."""

    @abstractmethod
    async def ping(self, session: S) -> None:
        """Prove cheaply that the session still works."""

    @abstractmethod
    async def close(self, session: S) -> None:
        """Leave politely; what `open` made is gone afterwards."""

    @abstractmethod
    def drop(self, session: S) -> None:
        """Drop the connection at once, without waiting for anybody."""

    @abstractmethod
    async def resolve(self, trail: Trail) -> list[str]:
        """Run the `dns` stage. Returns the allowed addresses."""

    @abstractmethod
    async def dial(self, trail: Trail) -> None:
        """Run the stages before `auth` by ourselves, each timed, then drop the connection."""

    @abstractmethod
    def reached(self, trail: Trail) -> None:
        """Record the stages before `auth` that a driver passed on its own, without a time."""

    async def check(self, trail: Trail) -> Observation:
        """Open, inspect, close."""
        async with self.session(trail) as session:
            return await self.inspect(session, trail)

    @asynccontextmanager
    async def session(self, trail: Trail) -> AsyncIterator[S]:
        """Hold an open session. However this ends, the connection is gone within `GOODBYE` seconds."""
        if trail.staged:
            await self.dial(trail)
        session = await self._open(trail, await self._addresses(trail))
        clean = False
        try:
            yield session
            clean = True
        finally:
            await self._leave(session, polite=clean)

    async def _addresses(self, trail: Trail) -> list[str]:
        if trail.staged:
            return list(await trail.net.addresses(self.host))
        return await self.resolve(trail)

    @property
    @abstractmethod
    def host(self) -> str:
        """The host that `resolve` looks up."""

    async def _open(self, trail: Trail, addresses: list[str]) -> S:
        share = trail.remaining if trail.staged else trail.remaining * SHARE_OF_DRIVER
        try:
            async with trail.stage(Stage.AUTH), asyncio.timeout(share):
                session = await self.open(trail, addresses)
        except Exception:
            if not trail.staged:
                await self._find_stage(trail)
            raise
        if not trail.staged:
            self.reached(trail)
        return session

    async def _find_stage(self, trail: Trail) -> None:
        """Dial in stages. Raises where one of them fails; else the driver's own error stands."""
        failed = next(r for r in trail.results if r.stage is Stage.AUTH)
        trail.retract(Stage.AUTH)
        await self.dial(trail)
        trail.restore(failed)

    async def _leave(self, session: S, *, polite: bool) -> None:
        try:
            if polite:
                async with asyncio.timeout(GOODBYE):
                    await self.close(session)
        except Exception:  # whatever a goodbye says, the check is over
            pass
        finally:
            self.drop(session)
