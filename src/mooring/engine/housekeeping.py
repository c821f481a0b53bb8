"""What has to be done now and then, beside the checks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from mooring.core.clock import Clock
from mooring.core.failure import StoreError
from mooring.engine.catalogue import Catalogue
from mooring.engine.recorder import Recorder
from mooring.store import history, revisions
from mooring.store.limits import Limits
from mooring.store.store import Store

log = logging.getLogger(__name__)

POLL = 1.0
"""Seconds between two looks at what other processes changed."""
BEAT = 10.0
"""Seconds between two signs of life: so exactly is known when a killed Mooring stopped watching."""
TIDY = 60.0
"""Seconds between two roll-ups."""


class Housekeeping:
    """Looks for foreign changes, gives signs of life, rolls up and prunes. Belongs to one event loop."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        recorder: Recorder,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._recorder = recorder
        self._clock = clock
        self._limits = limits
        self._tasks: list[asyncio.Task[None]] = []
        self.damaged = 0
        """Rows that were left out of history because they are damaged."""

    async def start(self) -> None:
        """Tell when nobody watched, and begin."""
        before = await self._store.read(revisions.last_beat)
        if before is not None:
            self._recorder.interrupt(before, "Mooring was not running")
        await self._beat()
        for seconds, job in ((POLL, self._look), (BEAT, self._beat), (TIDY, self._tidy)):
            self._tasks.append(asyncio.create_task(self._every(seconds, job), name="mooring housekeeping"))

    async def close(self) -> None:
        """End, and tell that nobody watches from now on."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._recorder.interrupt(self._clock.now(), "Mooring was stopped")

    async def _every(self, seconds: float, job: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._clock.sleep(seconds)
            try:
                await job()
            except StoreError as error:
                log.debug("housekeeping waits for the store: %s", error)
            except Exception:
                log.exception("housekeeping failed; please report this")

    async def _look(self) -> None:
        await self._catalogue.refresh()

    async def _tidy(self) -> None:
        """Roll up and prune, in transactions so small that a batch of results never waits long."""
        now = self._clock.now()
        for step in (partial(history.roll_up, damaged=self._damaged), history.prune):
            more = True
            while more:
                more = await self._store.write(partial(step, now=now, limits=self._limits))

    def _damaged(self, told: str) -> None:
        """Count a damaged row. Called on the writer's thread, which is one alone."""
        self.damaged += 1
        log.warning(told)

    async def _beat(self) -> None:
        now = self._clock.now()
        await self._store.write(lambda conn: revisions.beat(conn, now))
