"""Pruning: what is older than its time goes, in small transactions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, func, select, true, tuple_, update

from mooring.store import failures, revisions
from mooring.store.codes import micros
from mooring.store.limits import Limits
from mooring.store.rollups import DAY, HOUR
from mooring.store.schema import (
    SLOT,
    failure_days,
    health,
    notes,
    observations,
    pending,
    results,
    revision,
    rollups,
    sessions,
    sign_ins,
    targets,
    transitions,
)

FAILURES_WHOLE = DAY
"""Seconds that failing and warning results are kept whole; then first, last and count of a day."""
_SLOTS_AT_ONCE = 1000


def prune(conn: Connection, now: datetime, limits: Limits) -> bool:
    """Do one small step; return whether there was one to do.

    Call it again, in a transaction of its own, until it returns False.
    """
    revisions.keep_writers_out(conn)  # else two servers could count the same failures
    at = int(now.timestamp())
    steps: tuple[Callable[[], bool], ...] = (
        lambda: _passing(conn, at, limits),
        lambda: _failing(conn, at, limits),
        lambda: _rollups(conn, SLOT, at - limits.rollup_10min_days * DAY),
        lambda: _rollups(conn, HOUR, at - limits.rollup_hour_days * DAY),
        lambda: _notes(conn, at, limits),
        lambda: _removed_target(conn),
        lambda: _expired(conn, now),
    )
    return any(step() for step in steps)


def _passing(conn: Connection, at: int, limits: Limits) -> bool:
    """Delete passing results past their hours, a part of a slot at a time, but never before the roll-up."""
    done = conn.execute(select(revision.c.pruned)).scalar_one()
    unmade = select(func.min(pending.c.slot)).where(pending.c.seconds == SLOT).scalar_subquery()
    slot = conn.execute(
        select(func.min(results.c.slot))
        .where(results.c.slot >= done, results.c.slot < _slot_before(at - limits.raw_hours * HOUR))
        .where(results.c.slot < func.coalesce(unmade, at))
    ).scalar_one()
    if slot is None:
        return False
    quiet = (results.c.slot == slot) & results.c.note_id.is_(None)
    beyond = conn.execute(
        select(results.c.target_id).where(quiet).order_by(results.c.target_id).offset(limits.rows).limit(1)
    ).scalar_one_or_none()
    conn.execute(delete(results).where(quiet if beyond is None else quiet & (results.c.target_id <= beyond)))
    if beyond is None:
        conn.execute(update(revision).values(pruned=slot + 1))
    return True


def _failing(conn: Connection, at: int, limits: Limits) -> bool:
    """Fold what is left of a slot after a day: failures to first, last and count; the rest goes."""
    whole = max(FAILURES_WHOLE, limits.raw_hours * HOUR)
    unmade = select(func.min(pending.c.slot)).where(pending.c.seconds == SLOT).scalar_subquery()
    slot = conn.execute(
        select(func.min(results.c.slot)).where(
            results.c.slot < _slot_before(at - whole), results.c.slot < func.coalesce(unmade, at)
        )
    ).scalar_one()
    if slot is None:
        return False
    key = tuple_(results.c.target_id, results.c.started_at)
    rows = conn.execute(
        select(results, notes.c.body)
        .outerjoin(notes, notes.c.id == results.c.note_id)
        .where(results.c.slot == slot)
        .order_by(results.c.target_id, results.c.started_at)
        .limit(limits.rows)
    ).all()
    failures.fold(conn, [row for row in rows if row.reason is not None])
    last = rows[-1]
    conn.execute(delete(results).where(results.c.slot == slot, key <= (last.target_id, last.started_at)))
    return True


def _rollups(conn: Connection, seconds: int, before: float) -> bool:
    """Delete the oldest slot of a roll-up past its days, but never before a coarser one is made of it."""
    oldest = conn.execute(select(func.min(rollups.c.slot)).where(rollups.c.seconds == seconds)).scalar_one()
    unmade = conn.execute(select(func.min(pending.c.slot * pending.c.seconds))).scalar_one()
    if unmade is not None:
        before = min(before, unmade)
    if oldest is None or (oldest + 1) * seconds > before:
        return False
    conn.execute(delete(rollups).where(rollups.c.seconds == seconds, rollups.c.slot == oldest))
    return True


def _notes(conn: Connection, at: int, limits: Limits) -> bool:
    """Delete what no result says any more: those that are left are not older than the oldest slot."""
    oldest = conn.execute(select(func.min(results.c.slot))).scalar_one()
    day = at // DAY if oldest is None else oldest * SLOT // DAY
    unsaid = select(notes.c.id).where(notes.c.used < day).limit(limits.rows)
    return conn.execute(delete(notes).where(notes.c.id.in_(unsaid))).rowcount > 0


def _removed_target(conn: Connection) -> bool:
    """Forget a target that was removed: its health stays until all else is gone."""
    gone = ~exists().where(targets.c.id == health.c.target_id)
    target = conn.execute(select(health.c.target_id).where(gone).limit(1)).scalar_one_or_none()
    if target is None:
        return False
    for seconds in (SLOT, HOUR, DAY):
        forget(conn, rollups, rollups.c.seconds == seconds, target)
    forget(conn, results, true(), target)
    for table in (failure_days, transitions, observations, health):
        conn.execute(delete(table).where(table.c.target_id == target))
    return True


def forget(conn: Connection, table: Table, which: ColumnElement[bool], target: int) -> None:
    """Delete a target's rows. Naming every slot makes each a seek; a range would read all targets' rows."""
    # Asked for together, SQLite would scan all rows; each alone is one seek.
    low, high = (
        conn.execute(select(end(table.c.slot)).where(which)).scalar_one() for end in (func.min, func.max)
    )
    if low is None:
        return
    for start in range(low, high + 1, _SLOTS_AT_ONCE):
        slots = range(start, min(start + _SLOTS_AT_ONCE, high + 1))
        conn.execute(delete(table).where(which, table.c.slot.in_(slots), table.c.target_id == target))


def _expired(conn: Connection, now: datetime) -> bool:
    """Delete sessions and sign-ins that no longer open anything."""
    return any(
        conn.execute(delete(table).where(table.c.expires_at <= micros(now))).rowcount > 0
        for table in (sessions, sign_ins)
    )


def _slot_before(at: float) -> int:
    """Return the slot that holds a time; what lies before it is wholly older."""
    return int(at // SLOT)
