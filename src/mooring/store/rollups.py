"""Roll-ups: ten minutes from raw results, an hour from ten minutes, a day from hours.

A row is made of a complete slot, whole from what lies below it, so that making it again gives the
same row. Which slots to make stands in `pending`, written in the transaction that changed what lies
below: late results and a kill at any moment lose nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from mooring.store import bulk, revisions
from mooring.store.buckets import Bucket
from mooring.store.codes import MICROSECONDS, moment
from mooring.store.limits import Limits
from mooring.store.results import mark_pending
from mooring.store.schema import SLOT, pending, results, rollups, targets

log = logging.getLogger(__name__)

Damaged = Callable[[str], None]
"""Called with what a person is told of a row that is left out because it is damaged."""
_Skip = Callable[[int, ValueError], None]

HOUR = 3600
DAY = 86_400
FINER = {HOUR: SLOT, DAY: HOUR}
COARSER = {SLOT: HOUR, HOUR: DAY}
GRACE = 60
"""Seconds after a slot's end in which most of its late results come in: a check counts when it began."""

# Late results can meet a slot whose raw rows are partly pruned: a fuller row is never given up for a poorer.
_KEEP_FULLER = f"{bulk.upsert(rollups)} WHERE rollups.checks <= excluded.checks"


def roll_up(conn: Connection, now: datetime, limits: Limits, damaged: Damaged = log.warning) -> bool:
    """Make one part of one complete slot; return whether it found something to do.

    Call it again, in a transaction of its own, until it returns False. A damaged row is left out: it
    would keep everything behind it from being rolled up, for ever.
    """
    revisions.keep_writers_out(conn)  # else a late result could slip in between reading and unmarking
    at = int(now.timestamp()) - GRACE
    complete = (pending.c.slot + 1) * pending.c.seconds <= at
    finest_first = select(pending).where(complete).order_by(pending.c.seconds, pending.c.slot).limit(1)
    todo = conn.execute(finest_first).one_or_none()
    if todo is None:
        return False
    rows, more = _next_part(conn, _below(todo), limits.rows)
    skip = partial(_skip, damaged, todo)
    added_up = (_of_results if todo.seconds == SLOT else _of_buckets)(rows, skip)
    _store(conn, todo.seconds, todo.slot, added_up)
    this = (pending.c.seconds == todo.seconds) & (pending.c.slot == todo.slot)
    if more:
        conn.execute(pending.update().where(this).values(after_target=rows[-1].target_id))
        return True
    conn.execute(pending.delete().where(this))
    if todo.seconds in COARSER:
        coarser = COARSER[todo.seconds]
        mark_pending(conn, coarser, [todo.slot * todo.seconds // coarser])
    return True


def _below(todo: Row[Any]) -> Select[Any]:
    """Return the query for the rows that a slot is made of and that were not yet used."""
    if todo.seconds == SLOT:
        return (
            select(results.c.target_id, results.c.reason, results.c.duration, results.c.stages)
            .where(results.c.slot == todo.slot, results.c.target_id > todo.after_target)
            .where(results.c.target_id.in_(select(targets.c.id)))
            .order_by(results.c.target_id)
        )
    finer = FINER[todo.seconds]
    parts = todo.seconds // finer
    return (
        select(rollups)
        .where(rollups.c.seconds == finer, rollups.c.target_id > todo.after_target)
        .where(rollups.c.slot.between(todo.slot * parts, todo.slot * parts + parts - 1))
        .order_by(rollups.c.target_id)
    )


def _next_part(conn: Connection, query: Select[Any], most: int) -> tuple[Sequence[Row[Any]], bool]:
    """Return about `most` rows, all those of some targets, and whether there are more."""
    rows = conn.execute(query.limit(most + 1)).all()
    if len(rows) <= most:
        return rows, False
    last = rows[-1].target_id
    cut = most
    while cut and rows[cut - 1].target_id == last:
        cut -= 1
    whole = rows[:cut]
    key = query.selected_columns.target_id
    return whole or conn.execute(query.where(key == last)).all(), True


def _skip(damaged: Damaged, todo: Row[Any], target: int, error: ValueError) -> None:
    at = moment(todo.slot * todo.seconds * MICROSECONDS)
    what = "result" if todo.seconds == SLOT else "row of history"
    damaged(f"a damaged {what} of target {target} from {at:%Y-%m-%d %H:%M} UTC on is left out: {error}")


def _of_results(rows: Iterable[Any], skip: _Skip) -> dict[int, Bucket]:
    buckets: dict[int, Bucket] = {}
    for target, reason, duration, stages in rows:
        bucket = buckets.get(target)
        if bucket is None:
            bucket = buckets[target] = Bucket()
        try:
            bucket.add(duration, stages, failed=reason is not None)
        except ValueError as error:
            skip(target, error)
    return buckets


def _of_buckets(rows: Iterable[Row[Any]], skip: _Skip) -> dict[int, Bucket]:
    buckets: dict[int, Bucket] = {}
    for row in rows:
        try:
            finer = Bucket.of(row)
        except ValueError as error:
            skip(row.target_id, error)
            continue
        bucket = buckets.setdefault(row.target_id, finer)
        if bucket is not finer:
            bucket.merge(finer)
    return buckets


def _store(conn: Connection, seconds: int, slot: int, buckets: dict[int, Bucket]) -> None:
    rows = [(seconds, slot, target, *bucket.row()) for target, bucket in buckets.items() if bucket.count]
    bulk.insert(conn, rollups, rows, _KEEP_FULLER)
