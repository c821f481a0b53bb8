"""Changes of health: rows that are kept whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select, tuple_

from mooring.core.transition import Transition
from mooring.store import bulk
from mooring.store.codes import STATUS, STATUS_OF, micros, moment
from mooring.store.packing import pack_failure, unpack_failure
from mooring.store.schema import transitions

_WRITTEN = ("target_id", "at", "old", "new", "failure", "note", "revision")


@dataclass(frozen=True, slots=True)
class StoredTransition:
    """A change with its number, by which lists are paged, and the revision that committed it."""

    id: int
    revision: int
    transition: Transition


def append(conn: Connection, batch: Sequence[Transition], revision: int) -> None:
    """Store changes. Storing one again (same target, time and statuses) changes nothing."""
    rows = [
        (
            each.target_id,
            micros(each.at),
            STATUS[each.old],
            STATUS[each.new],
            pack_failure(each.failure),
            each.note,
            revision,
        )
        for each in batch
    ]
    bulk.insert(conn, transitions, rows, "ON CONFLICT DO NOTHING", columns=_WRITTEN)


def of_target(
    conn: Connection, target_id: int, before: int | None = None, limit: int = 100
) -> list[StoredTransition]:
    """Return a target's changes, newest first, from the one numbered `before` (left out) backwards."""
    query = select(transitions).where(transitions.c.target_id == target_id)
    if before is not None:
        last = select(transitions.c.at, transitions.c.id).where(transitions.c.id == before)
        query = query.where(tuple_(transitions.c.at, transitions.c.id) < last.scalar_subquery())
    return _read(conn, query.order_by(transitions.c.at.desc(), transitions.c.id.desc()).limit(limit))


def latest(conn: Connection, before: int | None = None, limit: int = 100) -> list[StoredTransition]:
    """Return all targets' changes, newest first, from the one numbered `before` (left out) backwards."""
    query = select(transitions).order_by(transitions.c.id.desc()).limit(limit)
    return _read(conn, query if before is None else query.where(transitions.c.id < before))


def after_revision(conn: Connection, revision: int, limit: int = 1000) -> list[StoredTransition]:
    """Return the changes of later revisions, oldest first. A full list may end inside a revision."""
    query = select(transitions).where(transitions.c.revision > revision)
    return _read(conn, query.order_by(transitions.c.revision, transitions.c.id).limit(limit))


def _read(conn: Connection, query: Select[Any]) -> list[StoredTransition]:
    return [StoredTransition(row.id, row.revision, _transition(row)) for row in conn.execute(query)]


def _transition(row: Row[Any]) -> Transition:
    return Transition(
        row.target_id,
        STATUS_OF[row.old],
        STATUS_OF[row.new],
        moment(row.at),
        unpack_failure(row.failure),
        row.note,
    )
