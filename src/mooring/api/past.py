"""The past of all targets for the overview, read at most every few seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from mooring.core.clock import Clock
from mooring.core.failure import StoreError
from mooring.export.json import seconds_json
from mooring.store import history
from mooring.store.store import Store

DAY = timedelta(hours=24)
FRESH = 10.0
"""Seconds that it is shown for. Of 24 hours these are a hundredth of a per cent."""
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Told:
    """Uptime (0 to 1) and mean latencies (seconds) over 24 hours, by target."""

    uptime: Mapping[int, float | None] = field(default_factory=dict)
    latency: Mapping[int, Sequence[float | None]] = field(default_factory=dict)

    def of(self, target_id: int) -> dict[str, Any]:
        """Return a target's part of it, as the overview shows it."""
        share = self.uptime.get(target_id)
        return {
            "uptime_24h": None if share is None else round(share, _DECIMALS),
            "latency": [seconds_json(point) for point in self.latency.get(target_id, ())],
        }


class Past:
    """Two statements for all targets together. While the store fails the last answer holds."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._told = Told()
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def get(self) -> Told:
        """Return the past, `FRESH` seconds old at the most."""
        async with self._reading:
            if self._clock.monotonic() - self._read_at >= FRESH:
                await self._read()
            return self._told

    async def _read(self) -> None:
        now = self._clock.now()
        try:
            self._told = await self._store.read(lambda conn: _told(conn, now))
        except StoreError:  # the overview says so in `monitoring`, and goes on
            return
        self._read_at = self._clock.monotonic()


def _told(conn: Connection, now: datetime) -> Told:
    return Told(history.uptime(conn, now - DAY, now), history.sparklines(conn, now))
