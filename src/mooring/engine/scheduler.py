"""When each target is checked: one heap, one wake-up, every wait through the clock."""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections import deque
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from functools import partial
from heapq import heapify, heappop, heappush

from mooring.core.clock import Clock
from mooring.core.health import CALM_INTERVAL
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.target import Target
from mooring.engine.alarm import Alarm
from mooring.engine.lanes import Lane
from mooring.engine.monitor import Monitor
from mooring.engine.push import becomes_due, is_passive, silence
from mooring.engine.roster import Roster
from mooring.engine.run import Run

log = logging.getLogger(__name__)

LIMIT = 500
"""Scheduled checks at once, half of them of targets whose last check found no answer in time: however
many of those there are, the others go on."""
SPREAD = 30.0
"""Seconds over which first checks are spread."""
WIDEST = 1.0
"""Most seconds between two first checks: a handful of targets need not be waited for."""
PULSE = 10.0
"""Most seconds between two wake-ups, so that nobody takes an empty schedule for a stuck one."""
TICK = 0.02
"""Least seconds between two wake-ups; what becomes due in between is begun together."""
STALL = 10.0
"""Seconds of delay that only a suspended machine explains; what was missed is spread, not made up for."""
ASLEEP = 90.0
"""Seconds of the wall clock between two wake-ups that only a suspended machine explains."""
JITTER = 0.1
"""Share of a retry's delay by which it varies, so that what failed together is not asked together."""
REST = 1.0
"""Least seconds between the end of a check and its retry."""
RECENT = 10_000
"""Checks whose lag is kept."""


class _State(Enum):
    WAITING = auto()
    READY = auto()
    RUNNING = auto()


@dataclass(slots=True)
class _Slot:
    """A target's place in the schedule. `due` is a moment of the clock's `monotonic`."""

    due: float
    state: _State = _State.WAITING


class Scheduler:
    """Has every watched target checked in time. Belongs to one event loop."""

    def __init__(
        self,
        monitor: Monitor,
        roster: Roster,
        clock: Clock,
        *,
        limit: int = LIMIT,
        random: Callable[[], float] = random.random,
    ) -> None:
        self.last_tick: datetime | None = None
        self.slept: Callable[[datetime], None] = lambda _since: None
        """Called when nothing ran since a time, before anything is checked again."""
        self._monitor = monitor
        self._roster = roster
        self._clock = clock
        self._random = random
        self._heap: list[tuple[float, int]] = []
        self._slots: dict[int, _Slot] = {}
        self._alarm = Alarm(clock, self._tick)
        self._quick = Lane(limit - limit // 2, partial(self._begin, False))
        self._slow = Lane(limit // 2, partial(self._begin, True))
        self._lags: deque[float] = deque(maxlen=RECENT)
        self._runs: set[Run] = set()
        self._active = False

    @property
    def active(self) -> bool:
        """Whether targets are being watched."""
        return self._active

    @property
    def lag(self) -> float:
        """Seconds by which recent checks began late; 99 of 100 began earlier."""
        lags = sorted(self._lags)
        return lags[math.ceil(len(lags) * 0.99) - 1] if lags else 0.0

    def start(self, later: Container[int] = ()) -> None:
        """Begin to watch all targets of the roster, but for those that are `put` later."""
        self._active = True
        self.last_tick = self._clock.now()
        self.put([each for each in self._roster.watched() if each not in later])
        self._alarm.set(self._clock.monotonic() + PULSE)

    def stop(self) -> None:
        """Begin no more checks, and cancel those that only the schedule wanted."""
        self._active = False
        self._alarm.clear()
        self._slots.clear()
        self._heap.clear()
        for run in tuple(self._runs):
            run.leave()
        self._runs.clear()

    def put(self, target_ids: Iterable[int]) -> None:
        """Take targets into the schedule, or start anew with them; what is paused or removed leaves it.

        One target is checked at once, a thousand are spread evenly. Nearer moments that were planned
        before a restart are kept, and so is the calm after rejected logins.
        """
        if not self._active:
            return
        watched = []
        for target_id in target_ids:
            self._slots.pop(target_id, None)
            target = self._roster.targets.get(target_id)
            if target is not None and target.enabled and becomes_due(target):
                watched.append((self._planned(target_id), target_id, target))
        watched.sort(key=lambda each: each[:2])
        now, step = self._clock.monotonic(), min(WIDEST, SPREAD / max(1, len(watched)))
        for place, (planned, target_id, target) in enumerate(watched):
            self._slots[target_id] = slot = _Slot(0.0)
            self._set(target_id, slot, now + self._first(target, planned, place * step))

    def plan(self, target: Target, result: CheckResult, delay: float) -> float:
        """Set when a target is checked next, given its newest result; return the seconds until then."""
        slot = self._slots.get(target.id or 0)
        if slot is None or target.id is None:
            return delay
        now = self._clock.monotonic()
        due = self._next(slot.due, now, target, result, delay)
        if slot.state is not _State.WAITING or due != slot.due:
            self._set(target.id, slot, due)
        return due - now

    def _next(self, due: float, now: float, target: Target, result: CheckResult, delay: float) -> float:
        interval = target.schedule.interval
        if result.trigger is Trigger.PUSH:
            return now + silence(target)
        if delay > interval:
            return now + delay
        if delay < interval:
            retry = delay * (1 + JITTER * (2 * self._random() - 1))
            return max(now - result.seconds + retry, now + min(REST, delay))
        if due <= now:  # the phase is kept, so that nothing drifts; places that were missed are left out
            due += interval * (math.floor((now - due) / interval) + 1)
        return min(due, now + interval)

    def _planned(self, target_id: int) -> float:
        """Return the seconds until the check that was planned before; infinite where none is to come."""
        planned = self._roster.live[target_id].next_check_at
        wait = math.inf if planned is None else (planned - self._clock.now()).total_seconds()
        return wait if wait > 0 else math.inf

    def _first(self, target: Target, planned: float, spread: float) -> float:
        if is_passive(target):
            return silence(target)  # reports were lost while nobody listened
        if planned < math.inf and self._roster.live[target.id or 0].calm:
            return min(planned, max(CALM_INTERVAL, target.schedule.interval))
        return min(planned, spread)

    def _set(self, target_id: int, slot: _Slot, due: float) -> None:
        slot.due, slot.state = due, _State.WAITING
        heappush(self._heap, (due, target_id))
        if len(self._heap) > 2 * len(self._slots) + 64:
            self._heap = [entry for entry in self._heap if self._valid(entry)]
            heapify(self._heap)
        self._arm()

    def _valid(self, entry: tuple[float, int]) -> bool:
        slot = self._slots.get(entry[1])
        return slot is not None and slot.state is _State.WAITING and slot.due == entry[0]

    def _arm(self) -> None:
        if self._heap and self._active:
            self._alarm.set(self._heap[0][0])

    def _tick(self) -> None:
        """Have checked what is due. Whatever goes wrong here, the next tick comes."""
        now, before = self._clock.monotonic(), self.last_tick
        self.last_tick = self._clock.now()
        try:
            if before is not None and (self.last_tick - before).total_seconds() > ASLEEP:
                self.slept(before)
            self._begin_due(now)
        except Exception:
            log.exception("the scheduler failed; please report this")
        finally:
            if self._active:
                due = self._heap[0][0] if self._heap else math.inf
                self._alarm.set(min(max(due, now + TICK), now + PULSE))

    def _begin_due(self, now: float) -> None:
        due = []
        while self._heap and self._heap[0][0] <= now:
            entry = heappop(self._heap)
            if self._valid(entry):
                due.append(entry)
        if due and now - due[0][0] > STALL:
            log.warning("nothing ran for %.0f s, as on a suspended machine", now - due[0][0])
            step = min(WIDEST, SPREAD / len(due))
            for place, (_, target_id) in enumerate(due):
                self._set(target_id, self._slots[target_id], now + place * step)
            return
        for _, target_id in due:
            self._slots[target_id].state = _State.READY
            (self._slow if self._hangs(target_id) else self._quick).put(target_id)

    def _hangs(self, target_id: int) -> bool:
        last = self._roster.live[target_id].last
        return last is not None and last.failure is not None and last.failure.reason is Reason.TIMEOUT

    def _begin(self, slow: bool, target_id: int) -> bool:
        """Begin a check that waited in a lane; False where it is not wanted any more."""
        slot, target = self._slots.get(target_id), self._roster.targets.get(target_id)
        if slot is None or target is None or slot.state is not _State.READY:
            return False
        slot.state = _State.RUNNING
        self._lags.append(self._clock.monotonic() - slot.due)
        run = self._monitor.start(target)
        self._runs.add(run)
        run.task.add_done_callback(partial(self._ended, slow, target_id, slot, run))
        return True

    def _ended(
        self, slow: bool, target_id: int, slot: _Slot, run: Run, _task: asyncio.Task[CheckResult]
    ) -> None:
        if run in self._runs:
            self._runs.remove(run)
            run.leave()
        if slot.state is _State.RUNNING and self._slots.get(target_id) is slot:
            # Nothing was recorded and so nothing planned: cancelled, or a fault of ours.
            self._set(
                target_id, slot, self._clock.monotonic() + self._roster.targets[target_id].schedule.interval
            )
        (self._slow if slow else self._quick).ended()
