"""Revisions: one number that grows with every committed batch.

It is taken inside the writer's transaction, under its lock, so that a higher number was always
committed later, on every server that shares the database.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from mooring.store.codes import maybe_moment, micros
from mooring.store.schema import revision

_THE_ROW = revision.c.id == 1
_NEXT = "UPDATE revision SET value = value + 1 WHERE id = 1 RETURNING value"
_NEXT_OF_TARGETS = "UPDATE revision SET value = value + 1, targets = value + 1 WHERE id = 1 RETURNING value"


def next_revision(conn: Connection, *, targets: bool = False) -> int:
    """Take the next revision. `targets` says that it changes a target's definition."""
    statement = _NEXT_OF_TARGETS if targets else _NEXT
    return int(conn.exec_driver_sql(statement).scalar_one())


def keep_writers_out(conn: Connection) -> None:
    """Let other servers' writers wait until this transaction ends, as they do on SQLite anyway."""
    conn.execute(select(revision.c.value).where(_THE_ROW).with_for_update())


def current(conn: Connection) -> int:
    """Return the newest committed revision: one row, cheap enough to poll."""
    return int(conn.execute(select(revision.c.value).where(_THE_ROW)).scalar_one())


def of_targets(conn: Connection) -> int:
    """Return the revision that last changed a target, whichever process did it: cheap enough to poll."""
    return int(conn.execute(select(revision.c.targets).where(_THE_ROW)).scalar_one())


def beat(conn: Connection, at: datetime) -> None:
    """Say that a server lives. After a kill, what lies between this and the next start is unknown."""
    conn.execute(update(revision).where(_THE_ROW).values(beat_at=micros(at)))


def last_beat(conn: Connection) -> datetime | None:
    """Return when a server last said that it lives."""
    return maybe_moment(conn.execute(select(revision.c.beat_at).where(_THE_ROW)).scalar_one())
