"""A clock that a test steps."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

TURNS = 30
"""Turns of a loop that does not show what is ready (uvloop): more than any chain of callbacks here needs."""
POLL = 0.0002
"""Real seconds between two looks at work in threads."""


class FakeClock:
    """Time that stands still until `advance` moves it. Belongs to one event loop.

    Work in threads, such as a store's, takes real time; give `busy`, or add to `busies`, what tells
    whether some is under way, and the clock waits for it before it goes on.
    """

    def __init__(
        self,
        start: datetime = datetime(2026, 1, 1, tzinfo=UTC),
        *,
        busy: Callable[[], bool] | None = None,
    ) -> None:
        self.busies: list[Callable[[], bool]] = [busy] if busy else []
        self._start = start
        self._seconds = 0.0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        return self._start + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        """Return the seconds that were stepped over."""
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was advanced that far; returns at once for zero or less."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        done = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self._seconds + seconds, next(self._order), done))
        await done

    async def advance(self, seconds: float) -> None:
        """Run all that becomes due within these seconds, in order, each to its end before the next."""
        goal = self._seconds + seconds
        await self.settle()
        while self._waiting and self._waiting[0][0] <= goal:
            due, _, done = heapq.heappop(self._waiting)
            if done.done():  # its sleeper was cancelled
                continue
            self._seconds = max(self._seconds, due)
            done.set_result(None)
            await self.settle()
        self._seconds = goal
        await self.settle()

    async def freeze(self, seconds: float) -> None:
        """Let time pass without anything running, as on a suspended machine; then run all that is due."""
        self._seconds += seconds
        await self.advance(0)

    def turn(self, seconds: float) -> None:
        """Turn the wall clock alone, forward or back."""
        self._start += timedelta(seconds=seconds)

    async def settle(self) -> None:
        """Let everything run that can run without time passing."""
        await _turns()
        while any(busy() for busy in self.busies):
            await asyncio.sleep(POLL)
            await _turns()


async def _turns() -> None:
    """Turn the loop until nothing is ready. What waits for the network or for threads is not."""
    ready = getattr(asyncio.get_running_loop(), "_ready", None)
    if ready is None:
        for _ in range(TURNS):
            await asyncio.sleep(0)
        return
    await asyncio.sleep(0)
    while ready:  # noqa: ASYNC110 -- nothing announces that a loop has nothing to do
        await asyncio.sleep(0)
