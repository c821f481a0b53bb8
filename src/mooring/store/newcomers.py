"""Spark lines of targets of which less than two hours are known: by the minute, from single results."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Connection, bindparam, case, cast, func, select

from mooring.store.codes import MICROSECONDS
from mooring.store.rollups import HOUR
from mooring.store.schema import SLOT, results

MINUTE = 60
MOST = 500
"""Of more newcomers there is no line before the hours make one: their results would take too long to read."""
_SLOTS = 2 * HOUR // SLOT


def newcomers(known: Mapping[int, Sequence[float | None]], target_ids: Collection[int]) -> Collection[int]:
    """Return the targets whose hours make no line yet; none where there are too many of them."""
    young = [each for each in target_ids if sum(point is not None for point in known.get(each, ())) <= 1]
    return young if len(young) <= MOST else ()


def first_sparklines(
    conn: Connection, target_ids: Collection[int], now: datetime
) -> dict[int, list[float | None]]:
    """Return the mean latency, in seconds, of each of the last minutes that had a check, the oldest first.

    None of a minute in which no check passed.
    """
    last = int(now.timestamp()) // SLOT
    lines: dict[int, list[float | None]] = {}
    slots = range(last - _SLOTS + 1, last + 1)
    for target, mean in conn.execute(_MINUTES, {"slots": list(slots), "targets": list(target_ids)}):
        lines.setdefault(target, []).append(None if mean is None else mean / MICROSECONDS)
    return lines


_minute = results.c.started_at // (MINUTE * MICROSECONDS)
_passed = case((results.c.reason.is_(None), results.c.duration))
_MINUTES = (
    select(results.c.target_id, cast(func.avg(_passed), BigInteger))
    .where(results.c.slot.in_(bindparam("slots", expanding=True)))
    .where(results.c.target_id.in_(bindparam("targets", expanding=True)))
    .group_by(results.c.target_id, _minute)
    .order_by(results.c.target_id, _minute)
)
