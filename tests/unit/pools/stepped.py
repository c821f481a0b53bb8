"""A pool's book with a clock that a test steps and a driver that says what a test tells it."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from mooring.pools import PoolTracker, Rules, Watch
from mooring.pools.driver import Activity, Driver, Gauges

EVERY = range(1, 20)
"""New objects after which a collection begins: in turn, so that it meets each place where one is made."""


class StepClock:
    """Time that stands still until `step` moves it; any thread may."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.step(seconds)
        await asyncio.sleep(0)

    def step(self, seconds: float) -> None:
        self.seconds += seconds


class Connection:
    """What a driver hands out."""


class Told(Driver):
    """A driver that says what it was told to."""

    name = "told"
    address: str | None = None
    database: str | None = None

    def __init__(self, *, limit: int | None = None) -> None:
        self.said = Gauges(limit=limit)
        self.activities: dict[Any, Activity] = {}
        self.broken = False

    def gauges(self) -> Gauges:
        if self.broken:
            raise OSError("no gauges")
        return self.said

    def activity(self, connection: Any) -> Activity:
        if self.broken:
            raise OSError("no activity")
        return self.activities.get(connection, Activity())


class Pool:
    """A tracker with its clock, its driver, its watch, and all that was told."""

    def __init__(self, *, limit: int | None = None, rules: Rules | None = None) -> None:
        self.clock = StepClock()
        self.driver = Told(limit=limit)
        self.watch = Watch(threaded=False)
        self.tracker = PoolTracker(
            "shop", "orders", driver=self.driver, rules=rules, watch=self.watch, clock=self.clock
        )
        self.told: list[tuple[str, Any]] = []

    def hear(self, *events: str) -> None:
        """Note what is told of these events."""
        for event in events:
            self.tracker.on(event, lambda what, event=event: self.told.append((event, what)))

    def look(self, *, after: float = 0.5, times: int = 1) -> None:
        """Let time pass, then look; as often as is said."""
        for _ in range(times):
            self.clock.step(after)
            self.watch.look()

    def leaks(self) -> list[tuple[str, str]]:
        """Return kind and line of what was found."""
        return [(leak.kind.value, leak.site) for leak in self.tracker.leaks()]


@contextmanager
def collections(every: int, change: Callable[[], object]) -> Iterator[None]:
    """Let a collection begin at every few new objects, and change something as it does."""
    before, called = gc.get_threshold(), gc.callbacks[:]

    def begins(phase: str, _: object) -> None:
        if phase == "start":
            change()

    gc.collect(0)
    gc.callbacks.append(begins)
    gc.set_threshold(every, 10**6)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.callbacks[:] = called


def here(back: int = 0) -> str:
    """Return the caller's `file:line`, or one as many lines before."""
    frame = sys._getframe(1)
    return f"{frame.f_code.co_filename}:{frame.f_lineno - back}"
