"""Raw results: kept whole for hours, failing ones for a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from mooring.core.reason import Reason
from mooring.core.result import CheckResult, TargetRef
from mooring.core.status import Status
from mooring.store import bulk
from mooring.store.codes import (
    MICROSECONDS,
    REASON,
    STATUS,
    STATUS_OF,
    TRIGGER,
    TRIGGER_OF,
    micros,
    moment,
)
from mooring.store.packing import body_of, note_id, pack_stages, said_in, unpack_stages
from mooring.store.schema import SLOT, notes, pending, results, targets

LOCAL = "local"
_SLOT = SLOT * MICROSECONDS
_DAY = 86_400 * MICROSECONDS
_LOOKS = (8, 64, 512)
"""Slots to look through at once for recent results: most calls are answered by the first few."""

_KEEP_NOTE = "ON CONFLICT (id) DO UPDATE SET used = excluded.used WHERE notes.used < excluded.used"
_BEGIN_SLOT_AGAIN = (
    "ON CONFLICT (seconds, slot) DO UPDATE SET after_target = 0 WHERE pending.after_target <> 0"
)


def append(conn: Connection, batch: Sequence[CheckResult], revision: int) -> None:
    """Store results of stored targets. Storing one again changes nothing, so that a batch may be repeated.

    A result is known by its target, region and start in microseconds. Their slots are marked to be
    rolled up, also late ones.
    """
    rows, said = [], dict[int, bulk.Row]()
    for result in batch:
        at = micros(result.started_at)
        note = None
        if result.failure is not None or result.observation.warnings:
            body = body_of(result)
            note = note_id(body)
            said[note] = (note, at // _DAY, body)
        rows.append(_row(result, at, note, revision))
    bulk.insert(conn, results, rows, "ON CONFLICT DO NOTHING")
    bulk.insert(conn, notes, said.values(), _KEEP_NOTE)
    mark_pending(conn, SLOT, {row[0] for row in rows})


def mark_pending(conn: Connection, seconds: int, slots: Iterable[int]) -> None:
    """Have slots of a roll-up derived, from their first target on."""
    bulk.insert(conn, pending, [(seconds, slot, 0) for slot in slots], _BEGIN_SLOT_AGAIN)


def recent(
    conn: Connection,
    target_id: int,
    before: datetime | None = None,
    limit: int = 100,
    status: Status | None = None,
    reason: Reason | None = None,
) -> list[CheckResult]:
    """Return a target's raw results, newest first: what started before a time, of a status, for a reason.

    Details and numbers are those that were kept: of failing and warning results.
    """
    target = conn.execute(select(targets).where(targets.c.id == target_id)).one_or_none()
    # Asked for together, SQLite would scan the whole table; each alone is one seek.
    low, high = (conn.execute(select(end(results.c.slot))).scalar_one() for end in (func.min, func.max))
    if target is None or low is None:
        return []
    ref = TargetRef(target.id, target.name, target.kind, target.address)
    query = _query(target_id, before, status, reason)
    if before is not None:
        high = min(high, micros(before) // _SLOT)
    found: list[CheckResult] = []
    looks = iter(_LOOKS)
    look = next(looks)
    while low <= high and len(found) < limit:
        slots = range(max(low, high - look + 1), high + 1)
        rows = conn.execute(query.where(results.c.slot.in_(slots)).limit(limit - len(found)))
        found += [_result(row, ref) for row in rows]
        high, look = slots.start - 1, next(looks, look)
    return found


def newest(conn: Connection) -> dict[int, CheckResult]:
    """Return each target's newest result, of those in the two newest slots; details as in `recent`."""
    slot = select(func.max(results.c.slot)).scalar_subquery()
    at = (
        select(results.c.target_id, func.max(results.c.started_at).label("at"))
        .where(results.c.slot >= slot - 1)
        .group_by(results.c.target_id)
        .subquery()
    )
    query = (
        select(results, notes.c.body, targets.c.name, targets.c.kind, targets.c.address)
        .join(at, (at.c.target_id == results.c.target_id) & (at.c.at == results.c.started_at))
        .join(targets, targets.c.id == results.c.target_id)
        .outerjoin(notes, notes.c.id == results.c.note_id)
        .where(results.c.slot >= slot - 1)
    )
    return {
        row.target_id: _result(row, TargetRef(row.target_id, row.name, row.kind, row.address))
        for row in conn.execute(query)
    }


def _query(
    target_id: int, before: datetime | None, status: Status | None, reason: Reason | None
) -> Select[Any]:
    query = (
        select(results, notes.c.body)
        .outerjoin(notes, notes.c.id == results.c.note_id)
        .where(results.c.target_id == target_id)
        .order_by(results.c.started_at.desc(), results.c.region)
    )
    if before is not None:
        query = query.where(results.c.started_at < micros(before))
    if status is not None:
        query = query.where(results.c.status == STATUS[status])
    if reason is not None:
        query = query.where(results.c.reason == REASON[reason])
    return query


def _row(result: CheckResult, at: int, note: int | None, revision: int) -> bulk.Row:
    """Return the values in the order of the table's columns."""
    return (
        at // _SLOT,
        result.target.id,
        at,
        "" if result.region == LOCAL else result.region,
        STATUS[result.status],
        TRIGGER[result.trigger],
        None if result.failure is None else REASON[result.failure.reason],
        round(result.seconds * MICROSECONDS),
        pack_stages(result.stages),
        note,
        revision,
    )


def _result(row: Row[Any], target: TargetRef) -> CheckResult:
    failure, seen = said_in(row.body)
    return CheckResult(
        target=target,
        status=STATUS_OF[row.status],
        failure=failure,
        stages=unpack_stages(row.stages),
        observation=seen,
        started_at=moment(row.started_at),
        seconds=row.duration / MICROSECONDS,
        region=row.region or LOCAL,
        trigger=TRIGGER_OF[row.trigger],
    )
