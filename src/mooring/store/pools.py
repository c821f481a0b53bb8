"""Pools' past: samples for hours, roll-ups of ten minutes for a week, and what their processes told last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, delete, exists, func, literal, select, true

from mooring.core.failure import InputError, Problem
from mooring.core.pool_past import PoolBucket, PoolWindow
from mooring.store import bulk
from mooring.store.codes import MICROSECONDS, maybe_micros, maybe_moment, micros, moment
from mooring.store.retention import forget
from mooring.store.schema import SLOT, pool_rollups, pool_samples, pools, targets

ROLLUP_DAYS = 7


class PoolSample(NamedTuple):
    """A pool at one moment, all its processes added up. The last three count since the sample before.

    `share` is what is used of the limit, 0 to 1; None without one.
    """

    target_id: int
    at: datetime
    instances: int
    used: int
    peak: int
    size: int | None
    limit: int | None
    share: float | None
    waiting: int
    taken: int
    timeouts: int
    errors: int


class StoredPool(NamedTuple):
    """What the processes of a pool told last, packed by whoever stores it."""

    target_id: int
    heard_at: datetime | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Shape:
    """Seconds that a window spans, of one of its steps, and whether it is made of single samples."""

    length: int
    step: int
    raw: bool = False


WINDOWS: Mapping[str, Shape] = {
    "1h": Shape(3600, 60, raw=True),
    "24h": Shape(86_400, SLOT),
    "7d": Shape(7 * 86_400, 3600),
}


def save(conn: Connection, states: Iterable[StoredPool], samples: Iterable[PoolSample]) -> None:
    """Store what processes told last, and samples. Storing a sample again changes nothing."""
    rows = [(each.target_id, maybe_micros(each.heard_at), each.body) for each in states]
    bulk.insert(conn, pools, rows, bulk.upsert(pools))
    sampled = []
    for each in samples:
        at = micros(each.at)
        sampled.append((at // (SLOT * MICROSECONDS), each.target_id, at, *each[2:]))
    bulk.insert(conn, pool_samples, sampled, "ON CONFLICT DO NOTHING")


def load(conn: Connection) -> list[StoredPool]:
    """Return what was stored of all pools."""
    rows = conn.execute(select(pools).order_by(pools.c.target_id))
    return [StoredPool(row.target_id, maybe_moment(row.heard_at), row.body) for row in rows]


def roll_up(conn: Connection, now: datetime) -> bool:
    """Roll up the oldest slots that are over and are not; return whether there may be more.

    The newest roll-up is made anew: samples that waited for the store may have come for it.
    """
    current = int(now.timestamp()) // SLOT
    newest = conn.execute(select(func.max(pool_rollups.c.slot))).scalar_one() or 0
    slot = _first(conn, newest, current)
    if slot == newest and _is_whole(conn, newest):
        slot = _first(conn, newest + 1, current)
    if slot is None:
        return False
    _make(conn, slot)
    return True


def _first(conn: Connection, since: int, before: int) -> int | None:
    """Return the first slot of these that holds samples."""
    slots = (pool_samples.c.slot >= since) & (pool_samples.c.slot < before)
    found: int | None = conn.execute(select(func.min(pool_samples.c.slot)).where(slots)).scalar_one()
    return found


def _is_whole(conn: Connection, slot: int) -> bool:
    """Whether a roll-up holds all samples of its slot."""
    of_samples = select(func.count()).select_from(pool_samples).where(pool_samples.c.slot == slot)
    rolled_up = select(func.sum(pool_rollups.c.samples)).where(pool_rollups.c.slot == slot)
    return bool(conn.execute(of_samples).scalar_one() == int(conn.execute(rolled_up).scalar_one() or 0))


def _make(conn: Connection, slot: int) -> None:
    """Roll up one slot, whole from its samples."""
    each = pool_samples.c
    columns = [
        each.slot,
        each.target_id,
        func.count().label("samples"),
        func.max(each.instances),
        func.sum(each.used),
        func.max(each.used),
        func.max(each.peak),
        func.max(each.size),
        func.max(each.limit),
        func.avg(each.share) * func.count(),  # of the samples that have one: the others count as the mean
        func.max(each.share),
        func.max(each.waiting),
        func.sum(each.taken),
        func.sum(each.timeouts),
        func.sum(each.errors),
    ]
    conn.execute(delete(pool_rollups).where(pool_rollups.c.slot == slot))
    made = select(*columns).where(each.slot == slot).group_by(each.slot, each.target_id)
    names = [column.name for column in pool_rollups.columns]
    conn.execute(pool_rollups.insert().from_select(names, made))


def prune(conn: Connection, now: datetime, hours: float) -> bool:
    """Delete a slot of samples past their hours, of roll-ups past their days, or what a removed pool left.

    Returns whether there was something to delete.
    """
    at = now.timestamp()
    for table, seconds in ((pool_samples, hours * 3600), (pool_rollups, ROLLUP_DAYS * 86_400)):
        oldest = conn.execute(select(func.min(table.c.slot))).scalar_one()
        if oldest is not None and (oldest + 1) * SLOT <= at - seconds:
            conn.execute(delete(table).where(table.c.slot == oldest))
            return True
    return _removed(conn)


def _removed(conn: Connection) -> bool:
    """Forget a pool whose target was removed."""
    gone = ~exists().where(targets.c.id == pools.c.target_id)
    target = conn.execute(select(pools.c.target_id).where(gone).limit(1)).scalar_one_or_none()
    if target is None:
        return False
    for table in (pool_samples, pool_rollups):
        forget(conn, table, true(), target)
    conn.execute(delete(pools).where(pools.c.target_id == target))
    return True


def window(conn: Connection, target_id: int, name: str, now: datetime) -> PoolWindow:
    """Return a pool's past over the last 1h, 24h or 7d. Raises InputError for another window."""
    shape = WINDOWS.get(name)
    if shape is None:
        raise InputError([Problem("window", f"is {name[:20]!r}; it has to be one of {', '.join(WINDOWS)}")])
    steps = steps_of(shape, now)
    rows = _rows(conn, target_id, steps, shape)
    by_step: dict[int, list[Any]] = {}
    for row in rows:
        by_step.setdefault(row.at // (shape.step * MICROSECONDS), []).append(row)
    began = moment(steps.start * shape.step * MICROSECONDS)
    return PoolWindow(
        name,
        now - timedelta(seconds=shape.length),
        now,
        float(shape.step),
        [_bucket(step * shape.step, by_step.get(step, [])) for step in steps],
        _bucket(int(began.timestamp()), [row for step in steps for row in by_step.get(step, [])]),
    )


def steps_of(shape: Shape, now: datetime) -> range:
    """Return the numbers of a window's steps, the running one last. A number times its seconds is a start."""
    last = int(now.timestamp()) // shape.step
    return range(last - shape.length // shape.step + 1, last + 1)


def _rows(conn: Connection, target_id: int, steps: range, shape: Shape) -> list[Any]:
    """Return what is known of a span, the samples as they are where they are not rolled up.

    Queries name each slot: a range of slots would read all pools' rows.
    """
    first, beyond = steps.start * shape.step, steps.stop * shape.step
    slots = set(range(first // SLOT, (beyond - 1) // SLOT + 1))
    found: list[Any] = []
    if not shape.raw:
        each = pool_rollups.c
        rolled = [column for column in pool_rollups.columns if column.name not in ("slot", "target_id")]
        query = select(each.slot, (each.slot * literal(SLOT * MICROSECONDS, BigInteger)).label("at"), *rolled)
        found = list(conn.execute(query.where(each.target_id == target_id, each.slot.in_(slots))))
        slots -= {row.slot for row in found}
    sample = pool_samples.c
    columns = [
        literal(1).label("samples"),
        sample.instances,
        sample.used,
        sample.used.label("used_max"),
        sample.peak,
        sample.size,
        sample.limit,
        sample.share,
        sample.share.label("share_max"),
        sample.waiting,
        sample.taken,
        sample.timeouts,
        sample.errors,
    ]
    query = select(sample.slot, sample.at, *columns)
    raw = conn.execute(query.where(sample.target_id == target_id, sample.slot.in_(slots)))
    return found + [row for row in raw if first <= row.at // MICROSECONDS < beyond]


def _bucket(start: int, rows: Sequence[Any]) -> PoolBucket:
    begin = moment(start * MICROSECONDS)
    if not rows:
        return PoolBucket(begin)
    samples = sum(row.samples for row in rows)
    shares = [(row.share, row.samples) for row in rows if row.share is not None]
    told = sum(count for _, count in shares)
    return PoolBucket(
        begin,
        samples,
        instances=max(row.instances for row in rows),
        used=float(sum(row.used for row in rows)) / samples,
        used_max=max(row.used_max for row in rows),
        peak=max(row.peak for row in rows),
        size=_highest(row.size for row in rows),
        limit=_highest(row.limit for row in rows),
        utilization=sum(share for share, _ in shares) / told if told else None,
        utilization_max=_highest(row.share_max for row in rows),
        waiting=max(row.waiting for row in rows),
        taken=int(sum(row.taken for row in rows)),
        timeouts=int(sum(row.timeouts for row in rows)),
        errors=int(sum(row.errors for row in rows)),
    )


def _highest(values: Iterable[Any]) -> Any:
    return max((value for value in values if value is not None), default=None)
