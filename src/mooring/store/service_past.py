"""How far back pools are known, and the past of all pools of a service added up."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Float,
    Select,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)

from mooring.core.pool_past import PoolBucket, ServicePast
from mooring.store.codes import MICROSECONDS, moment
from mooring.store.pools import WINDOWS, steps_of
from mooring.store.schema import SLOT, pool_rollups, pool_samples

FIT = "fit"
"""Asked for where the window is to be an hour if that holds the past, else a day."""

_HIGHEST = ("instances", "used_max", "peak", "size", "limit", "share_max", "waiting")
_COUNTED = ("taken", "timeouts", "errors")


def fitting(conn: Connection, target_ids: Collection[int], name: str, now: datetime) -> str:
    """Return the window that is asked for: for `fit` an hour if that holds what is known of these pools."""
    if name != FIT:
        return name
    is_older = _known(conn, target_ids, _begin("7d", now), _begin("1h", now))
    return "24h" if is_older else "1h"


def _begin(name: str, now: datetime) -> int:
    """Return the second at which the first step of a window begins."""
    shape = WINDOWS[name]
    return steps_of(shape, now).start * shape.step


def _known(conn: Connection, target_ids: Collection[int], since: int, before: int) -> bool:
    """Whether anything is known of that time. A roll-up counts where all of it was before."""
    slots = range(since // SLOT, before // SLOT + 1)
    rolled, sample = pool_rollups.c, pool_samples.c
    early = sample.at < literal(before * MICROSECONDS, BigInteger)
    queries = (
        select(rolled.slot).where(rolled.slot.in_(slots[:-1]), rolled.target_id.in_(target_ids)),
        select(sample.slot).where(sample.slot.in_(slots), sample.target_id.in_(target_ids), early),
    )
    return any(conn.execute(query.limit(1)).first() is not None for query in queries)


def service_past(conn: Connection, target_ids: Collection[int], name: str, now: datetime) -> ServicePast:
    """Return the past of these pools added up: in each step, what each one's own past has there."""
    shape = WINDOWS[name]
    steps = steps_of(shape, now)
    rows = _rows(conn, target_ids, steps, shape.step)
    found = {row.step: row for row in conn.execute(_summed(rows))}
    return ServicePast(
        name,
        now - timedelta(seconds=shape.length),
        now,
        float(shape.step),
        [_bucket(step * shape.step, found.get(step)) for step in steps],
    )


def _rows(conn: Connection, target_ids: Collection[int], steps: range, step: int) -> Any:
    """Return what is known of a span, the samples as they are where they are not rolled up."""
    first, beyond = steps.start * step, steps.stop * step
    slots = set(range(first // SLOT, (beyond - 1) // SLOT + 1))
    rolled, sample = pool_rollups.c, pool_samples.c
    of_rollups = (rolled.slot.in_(slots), rolled.target_id.in_(target_ids))
    if step >= SLOT:
        slots -= set(conn.execute(select(rolled.slot).where(*of_rollups).distinct()).scalars())
    samples = select(
        (sample.at // literal(step * MICROSECONDS, BigInteger)).label("step"),
        literal(1).label("samples"),
        sample.used.label("used_max"),
        sample.share.label("share_max"),
        *(column for column in pool_samples.columns if column.name not in ("slot", "at")),
    ).where(
        sample.slot.in_(slots),
        sample.target_id.in_(target_ids),
        sample.at >= literal(first * MICROSECONDS, BigInteger),
        sample.at < literal(beyond * MICROSECONDS, BigInteger),
    )
    if step < SLOT:
        return samples.subquery().c
    columns = (rolled[column.name] for column in list(samples.selected_columns)[1:])
    rollups = select((rolled.slot // (step // SLOT)).label("step"), *columns).where(*of_rollups)
    return union_all(samples, rollups).subquery().c


def _summed(each: Any) -> Select[Any]:
    """Return the query that makes one row for each step: of each pool its mean or its highest, all added up.

    Where one of the pools has no limit, all of them together have none. A sample of a pool that no process
    reports any more, which counts what was told late, says nothing of limits.
    """
    shared = func.sum(case((each.share.is_not(None), each.samples)))
    pool = (
        select(
            each.step,
            func.sum(each.samples).label("samples"),
            (cast(func.sum(each.used), Float) / func.sum(each.samples)).label("used"),
            (func.sum(each.share) / shared).label("share"),
            *(func.max(each[name]).label(name) for name in _HIGHEST),
            *(func.sum(each[name]).label(name) for name in _COUNTED),
        )
        .group_by(each.step, each.target_id)
        .subquery()
        .c
    )
    unlimited = func.sum(case(((pool.instances > 0) & pool.limit.is_(None), 1), else_=0))
    names = ("samples", "instances", "used", "used_max", "peak", "size", "limit", "waiting", *_COUNTED)
    return select(
        pool.step,
        unlimited.label("unlimited"),
        func.sum(pool.share * pool.limit).label("shared"),
        func.sum(pool.share_max * pool.limit).label("shared_max"),
        *(func.sum(pool[name]).label(name) for name in names),
    ).group_by(pool.step)


def _bucket(start: int, row: Any) -> PoolBucket:
    begin = moment(start * MICROSECONDS)
    if row is None:
        return PoolBucket(begin)
    limit = None if row.unlimited or row.limit is None else int(row.limit)
    return PoolBucket(
        begin,
        samples=int(row.samples),
        instances=int(row.instances),
        used=float(row.used),
        used_max=int(row.used_max),
        peak=int(row.peak),
        size=None if row.size is None else int(row.size),
        limit=limit,
        utilization=row.shared / limit if limit else None,
        utilization_max=row.shared_max / limit if limit else None,
        waiting=int(row.waiting),
        taken=int(row.taken),
        timeouts=int(row.timeouts),
        errors=int(row.errors),
    )
