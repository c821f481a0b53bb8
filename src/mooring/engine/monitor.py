"""The one door: whoever wants a target checked comes through here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from mooring.core.clock import Clock
from mooring.core.failure import MissingError
from mooring.core.health import CALM_INTERVAL
from mooring.core.result import CheckResult, Trigger
from mooring.core.target import Target
from mooring.engine.push import awaited, is_passive, reported, silence
from mooring.engine.run import Run
from mooring.engine.runner import Runner
from mooring.net.trail import OnStage

if TYPE_CHECKING:  # a single check from the command line needs no store
    from mooring.engine.recorder import Recorder
    from mooring.engine.roster import Roster

MANUAL_LIMIT = 100
"""Checks that people may have running at once, apart from those of the schedule."""
AT_ONE_SERVER = 8
"""Of these, how many may ask the same server: a test of a hundred databases of one PostgreSQL would
otherwise use up its connections and then report that it has none left."""

log = logging.getLogger(__name__)


class Monitor:
    """Checks targets. Stored ones share a running check and are recorded; others are only run.

    Without a roster and a recorder there are no stored targets. Belongs to one event loop.
    """

    def __init__(
        self,
        runner: Runner,
        clock: Clock,
        *,
        roster: Roster | None = None,
        recorder: Recorder | None = None,
        limit: int = MANUAL_LIMIT,
    ) -> None:
        self._runner = runner
        self._clock = clock
        self._roster = roster
        self._recorder = recorder
        self._limit = limit
        self._manual = asyncio.Semaphore(limit)
        self._servers: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._runs: dict[int, Run] = {}

    @property
    def checking(self) -> Collection[int]:
        """Ids of the targets that are being checked now."""
        return self._runs.keys()

    async def check(
        self,
        target: Target,
        trigger: Trigger,
        *,
        if_older_than: float | None = None,
        on_stage: OnStage | None = None,
        timeout: float | None = None,
    ) -> CheckResult:
        """Check a target and return the result; that of a stored one is written, unless the store fails.

        Never raises for what is wrong with the target. `if_older_than`: seconds within which the last
        result is good enough. `timeout` (seconds) applies where no check is running that can be
        shared. Raises MissingError where a stored target was removed. Cancelling it cancels the
        check, unless others share it.
        """
        known = self._known(target)
        last = self._good_enough(known, trigger, if_older_than)
        if last is not None:
            return last
        if known.id is None or self._roster is None:
            async with self._place(known):
                known = _within(known, timeout)
                return await self._runner.run(known, trigger, on_stage=on_stage)
        run = self._shareable(known)
        if run is not None or not trigger.decides:
            run = run or self._begin(_within(known, timeout), trigger)
            return await self._share(run, trigger, on_stage)
        async with self._place(known):
            known = self._known(target)  # it may have been edited or removed meanwhile
            run = self._shareable(known) or self._begin(_within(known, timeout), trigger)
            return await self._share(run, trigger, on_stage)

    @asynccontextmanager
    async def _place(self, target: Target) -> AsyncIterator[None]:
        """Wait for a place among the checks that people ask for."""
        server = target.ref.address.rpartition("://")[2].partition("/")[0]
        places = self._servers.setdefault(server, asyncio.Semaphore(AT_ONE_SERVER))
        async with places, self._manual:
            yield

    def start(self, target: Target) -> Run:
        """Begin a scheduled check, or share the one that runs. The caller leaves the run when it ends."""
        run = self._shareable(target) or self._begin(target, Trigger.SCHEDULE)
        run.share(Trigger.SCHEDULE)
        return run

    async def report(
        self, target_id: int, *, ok: bool, message: str = "", seconds: float = 0.0
    ) -> CheckResult:
        """Record what a watched thing says of itself, once it is written. Raises MissingError."""
        target = self._roster.targets.get(target_id) if self._roster else None
        if target is None or self._recorder is None:
            raise MissingError(f"there is no target {target_id}")
        result = reported(target, self._clock.now(), ok=ok, message=message, seconds=seconds)
        await self._recorder.record(target, result)
        return result

    async def close(self) -> None:
        """Cancel every running check and wait for its end."""
        tasks = [run.task for run in self._runs.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _known(self, target: Target) -> Target:
        """Return a stored target as it is now, whatever copy the caller holds."""
        if target.id is None or self._roster is None:
            return target
        known = self._roster.targets.get(target.id)
        if known is None:
            raise MissingError(f"the target {target.name} was removed")
        return known

    def _good_enough(
        self, target: Target, trigger: Trigger, if_older_than: float | None
    ) -> CheckResult | None:
        if target.id is None or self._roster is None:
            return None
        last = self._roster.health[target.id].last
        if last is None:
            # The schedule, which comes another way, is what finds a silent target overdue.
            return awaited(target, self._clock.now(), trigger) if is_passive(target) else None
        age = (self._clock.now() - last.started_at).total_seconds()
        if is_passive(target):
            longest = silence(target)  # nobody to ask: what was reported holds until it is overdue
        elif self._roster.live[target.id].calm and not trigger.decides:
            longest = max(CALM_INTERVAL, target.schedule.interval)
        elif if_older_than is None:
            return None
        else:
            longest = if_older_than + last.seconds
        return last if 0 <= age <= longest else None

    def _shareable(self, target: Target) -> Run | None:
        run = self._runs.get(target.id) if target.id is not None else None
        return run if run is not None and run.target.version == target.version else None

    def _begin(self, target: Target, trigger: Trigger) -> Run:
        """Start a check of a stored target that has none running with these settings."""
        target_id = target.id
        if target_id is None:
            raise ValueError("only stored targets are shared")
        run = Run(target, trigger)
        older = self._runs.get(target_id)
        run.task = asyncio.create_task(self._perform(run, older.task if older else None))
        self._runs[target_id] = run
        run.task.add_done_callback(lambda _: self._ended(target_id, run))
        return run

    def _ended(self, target_id: int, run: Run) -> None:
        if self._runs.get(target_id) is run:
            del self._runs[target_id]

    async def _perform(self, run: Run, older: asyncio.Task[CheckResult] | None) -> CheckResult:
        if older is not None:
            await asyncio.wait([older])  # never two checks of one target at once, not even of an edited one
        result = await self._runner.run(run.target, run.trigger, on_stage=run.saw)
        if run.trigger is not result.trigger:
            result = result._replace(trigger=run.trigger)
        try:
            self._record(run, result)
        except Exception:  # our own fault must cost neither the caller his result nor the target its schedule
            log.exception("the result of %s could not be recorded; please report this", run.target.name)
        return result

    def _record(self, run: Run, result: CheckResult) -> None:
        if self._recorder is None:
            return
        self._recorder.take(run.target, result)
        if run.trigger.decides:
            run.written = self._recorder.written()

    async def _share(self, run: Run, trigger: Trigger, on_stage: OnStage | None) -> CheckResult:
        run.share(trigger, on_stage)
        try:
            result = await asyncio.shield(run.task)
        finally:
            run.leave(on_stage)
        if run.written is not None:
            await asyncio.shield(run.written)
        return result


def _within(target: Target, timeout: float | None) -> Target:
    """Return a target with another timeout, in seconds."""
    if timeout is None:
        return target
    return replace(target, schedule=replace(target.schedule, timeout=timeout))
