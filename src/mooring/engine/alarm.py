"""One wake-up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mooring.core.clock import Clock


class Alarm:
    """Calls `ring` at the earliest moment it was set to, once. Needs a running event loop."""

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._at = 0.0
        self._task: asyncio.Task[None] | None = None

    def set(self, at: float) -> None:
        """Ring at this moment of the clock's `monotonic`, unless it rings earlier anyway."""
        if self._task is not None:
            if self._at <= at:
                return
            self._task.cancel()
        self._at = at
        self._task = asyncio.ensure_future(self._clock.sleep(at - self._clock.monotonic()))
        self._task.add_done_callback(self._rang)

    def clear(self) -> None:
        """Do not ring."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _rang(self, task: asyncio.Task[None]) -> None:
        if task is self._task and not task.cancelled():
            self._task = None
            self._ring()
