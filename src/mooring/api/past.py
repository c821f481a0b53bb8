"""The past of all targets for the overview: read now and then, behind the requests."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic_core import to_json
from sqlalchemy import Connection

from mooring.core.clock import Clock
from mooring.core.failure import StoreError
from mooring.export.json import seconds_json
from mooring.store import history
from mooring.store.newcomers import first_sparklines, newcomers
from mooring.store.store import Store

DAY = timedelta(hours=24)
FRESH = 10.0
"""Seconds after which a request has it read anew."""
STALE = 60.0
"""Seconds after which a request waits for that. Of 24 hours these are less than a thousandth."""
PATIENCE = 2.0
"""Seconds that a request waits at the most: a store that hangs must not hide how everything stands."""
SPARKS_FRESH = 60.0
"""Seconds between two readings of the latencies: their newest point moves every ten minutes."""
_DECIMALS = 6
_SHOWN = 4
_NOTHING = b'"uptime_24h":null,"latency":[]'

Sparks = Mapping[int, Sequence[float | None]]


@dataclass(frozen=True, slots=True)
class Told:
    """Uptime and mean latencies over 24 hours, by target, written as JSON; `at` is when that was so."""

    at: datetime | None = None
    parts: Mapping[int, bytes] = field(default_factory=dict)
    shown: Mapping[int, float | None] = field(default_factory=dict)
    """Uptimes as exact as anybody is shown them."""

    def of(self, target_id: int) -> bytes:
        """Return a target's part of the overview: the inside of a JSON object."""
        return self.parts.get(target_id, _NOTHING)


class Past:
    """Two statements for all targets together, and one for new ones. While the store fails the last holds."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._told = Told()
        self._sparks: Sparks = {}
        self._read_at = self._sparks_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    @property
    def told(self) -> Told:
        """The past as it was last read, however long ago."""
        return self._told

    async def get(self) -> Told:
        """Return the past. A request that finds it no longer fresh has it read anew for those to come."""
        age = self._clock.monotonic() - self._read_at
        if age >= FRESH and self._reading is None:
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(self._done)
        if age >= STALE and self._reading is not None:
            await asyncio.wait([self._reading], timeout=PATIENCE)
        return self._told

    async def close(self) -> None:
        """Wait for what is still being read."""
        if self._reading is not None:
            await asyncio.wait([self._reading])

    async def _read(self) -> None:
        now, moment = self._clock.now(), self._clock.monotonic()
        old = None if moment - self._sparks_at >= SPARKS_FRESH else self._sparks
        try:
            self._told, self._sparks = await self._store.read(lambda conn: _told(conn, now, old))
        except StoreError:  # the overview says so in `monitoring`, and goes on
            return
        self._read_at = moment
        if old is None:
            self._sparks_at = moment

    def _done(self, _: asyncio.Task[None]) -> None:
        self._reading = None


def _told(conn: Connection, now: datetime, sparks: Sparks | None) -> tuple[Told, Sparks]:
    """Read and write it down, all on the reader's thread."""
    shares = history.uptime(conn, now - DAY, now)
    sparks = _sparks(conn, now, shares) if sparks is None else sparks
    parts = {target: _part(shares.get(target), sparks.get(target, ())) for target in {*shares, *sparks}}
    shown = {target: None if share is None else round(share, _SHOWN) for target, share in shares.items()}
    return Told(now, parts, shown), sparks


def _sparks(conn: Connection, now: datetime, target_ids: Collection[int]) -> Sparks:
    hours = history.sparklines(conn, now)
    young = newcomers(hours, target_ids)
    return {**hours, **first_sparklines(conn, young, now)} if young else hours


def _part(share: float | None, line: Sequence[float | None]) -> bytes:
    uptime = None if share is None else round(share, _DECIMALS)
    shown = {"uptime_24h": uptime, "latency": [seconds_json(point) for point in line]}
    return to_json(shown)[1:-1]
