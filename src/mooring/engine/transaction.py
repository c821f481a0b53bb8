"""What the recorder does inside a transaction, on the store's writer thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from mooring.core.event import TargetChange
from mooring.core.health import Health
from mooring.core.transition import Transition
from mooring.engine.batch import Batch
from mooring.store import health as health_rows
from mooring.store import results as result_rows
from mooring.store import revisions
from mooring.store import transitions as transition_rows


@dataclass(frozen=True, slots=True)
class Change:
    """What else happens in a transaction: definitions of targets that change, and what it does to health."""

    targets: Mapping[int, TargetChange] = field(default_factory=dict)
    health: Mapping[int, Health] = field(default_factory=dict)
    transitions: tuple[Transition, ...] = ()


def append(conn: Connection, batch: Batch) -> int:
    """Write a batch and return its revision."""
    revision = revisions.next_revision(conn)
    result_rows.append(conn, batch.results, revision)
    health_rows.save(conn, batch.health, revision)
    transition_rows.append(conn, batch.transitions, revision)
    return revision


def changed(conn: Connection, work: Callable[[Connection], Change]) -> tuple[int, Change]:
    """Do other work and write what it does to health; return the revision, the newest of the transaction."""
    change = work(conn)
    revision = revisions.next_revision(conn)
    health_rows.save(conn, change.health, revision)
    transition_rows.append(conn, change.transitions, revision)
    return revision, change
