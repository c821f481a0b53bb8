"""History: what is told of the past, from roll-ups, raw results and transitions together."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from mooring.core.failure import InputError, Problem
from mooring.core.stage import Stage
from mooring.store.buckets import Bucket
from mooring.store.codes import MICROSECONDS, micros, moment
from mooring.store.limits import Limits
from mooring.store.retention import prune
from mooring.store.rollups import DAY, FINER, HOUR, roll_up
from mooring.store.schema import SLOT, pending, results, rollups
from mooring.store.sparklines import sparklines
from mooring.store.uptime import Span, share, spans_of, uptime

__all__ = [
    "WINDOWS",
    "HistoryBucket",
    "Limits",
    "Window",
    "prune",
    "roll_up",
    "sparklines",
    "uptime",
    "window",
]

MINUTE = 60


@dataclass(frozen=True, slots=True)
class _Shape:
    """Seconds that a window spans, of one of its buckets, and of the roll-up it is made from (0: raw)."""

    length: int
    step: int
    source: int


WINDOWS = {
    "1h": _Shape(HOUR, MINUTE, 0),
    "24h": _Shape(DAY, SLOT, SLOT),
    "7d": _Shape(7 * DAY, HOUR, HOUR),
    "30d": _Shape(30 * DAY, 6 * HOUR, HOUR),
    "90d": _Shape(90 * DAY, DAY, DAY),
    "365d": _Shape(365 * DAY, DAY, DAY),
}


@dataclass(frozen=True, slots=True)
class HistoryBucket:
    """One step of a window. Latencies are seconds of the checks that passed, None where none did.

    `count` and `failures` are all checks and the failed ones; `uptime` is None where health was unknown;
    `stages` are the mean seconds of each stage that has a time of its own.
    """

    start: datetime
    count: int
    failures: int
    min: float | None
    mean: float | None
    max: float | None
    p50: float | None
    p95: float | None
    uptime: float | None
    stages: Mapping[Stage, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Window:
    """A target's past. Every bucket is there, also the empty ones; the last one ends after `until`."""

    name: str
    since: datetime
    until: datetime
    step: float
    uptime: float | None
    buckets: list[HistoryBucket]


def window(conn: Connection, target_id: int, name: str, now: datetime) -> Window:
    """Return a target's history over the last 1h, 24h, 7d, 30d, 90d or 365d. Raises InputError.

    Times that are not rolled up yet, the running one among them, are added up from what lies below.
    """
    if name not in WINDOWS:
        raise InputError([Problem("window", f"is {name[:20]!r}; it has to be one of {', '.join(WINDOWS)}")])
    shape = WINDOWS[name]
    last = int(now.timestamp()) // shape.step
    steps = range(last - shape.length // shape.step + 1, last + 1)
    since, began = now - timedelta(seconds=shape.length), moment(steps.start * shape.step * MICROSECONDS)
    found = _Past(conn, target_id).by_steps(shape, steps)
    spans = spans_of(conn, target_id, min(since, began))
    return Window(
        name=name,
        since=since,
        until=now,
        step=float(shape.step),
        uptime=share(spans, micros(since), micros(now)),
        buckets=[_told(found.get(step), step * shape.step, shape.step, spans, now) for step in steps],
    )


def _told(bucket: Bucket | None, start: int, step: int, spans: list[Span], now: datetime) -> HistoryBucket:
    bucket = bucket or Bucket()
    begin, end = start * MICROSECONDS, min((start + step) * MICROSECONDS, micros(now))
    return HistoryBucket(
        start=moment(begin),
        count=bucket.count,
        failures=bucket.failures,
        **bucket.seconds(),
        uptime=share(spans, begin, end),
        stages=bucket.stage_seconds(),
    )


class _Past:
    """Reads one target's past. Queries name each slot: a range of slots would read all targets' rows."""

    def __init__(self, conn: Connection, target_id: int) -> None:
        self._conn = conn
        self._target = target_id
        self._pending = conn.execute(select(pending.c.seconds, pending.c.slot)).all()

    def by_steps(self, shape: _Shape, steps: range) -> dict[int, Bucket]:
        """Return what is known of the steps of a window."""
        if not shape.source:
            slots = {step * shape.step // SLOT for step in steps}
            return self._raw(slots, shape.step)
        parts = shape.step // shape.source
        slots = set(range(steps.start * parts, steps.stop * parts))
        return _merged(self._rolled_up(shape.source, slots), parts)

    def _rolled_up(self, seconds: int, slots: set[int]) -> dict[int, Bucket]:
        """Return the buckets of a roll-up; those that are not made yet are made up from what lies below."""
        query = select(rollups).where(
            rollups.c.seconds == seconds, rollups.c.slot.in_(slots), rollups.c.target_id == self._target
        )
        buckets: dict[int, Bucket] = {}
        for row in self._conn.execute(query):
            with suppress(ValueError):  # damaged, which the roll-up tells
                buckets[row.slot] = Bucket.of(row)
        unmade = slots & {
            each.slot * each.seconds // seconds for each in self._pending if each.seconds <= seconds
        }
        if unmade:
            for slot, bucket in self._below(seconds, unmade).items():
                if slot not in buckets or buckets[slot].count <= bucket.count:
                    buckets[slot] = bucket
        return buckets

    def _below(self, seconds: int, slots: set[int]) -> dict[int, Bucket]:
        if seconds == SLOT:
            return self._raw(slots, SLOT)
        parts = seconds // FINER[seconds]
        finer = {part for slot in slots for part in range(slot * parts, (slot + 1) * parts)}
        return _merged(self._rolled_up(FINER[seconds], finer), parts)

    def _raw(self, slots: set[int], step: int) -> dict[int, Bucket]:
        columns = results.c.started_at, results.c.reason, results.c.duration, results.c.stages
        query = select(*columns).where(results.c.slot.in_(slots), results.c.target_id == self._target)
        buckets: dict[int, Bucket] = {}
        for at, reason, duration, stages in self._conn.execute(query):
            bucket = buckets.setdefault(at // (step * MICROSECONDS), Bucket())
            with suppress(ValueError):
                bucket.add(duration, stages, failed=reason is not None)
        return buckets


def _merged(buckets: dict[int, Bucket], parts: int) -> dict[int, Bucket]:
    """Return buckets of `parts` slots each."""
    merged: dict[int, Bucket] = {}
    for slot, bucket in buckets.items():
        merged.setdefault(slot // parts, Bucket()).merge(bucket)
    return merged
