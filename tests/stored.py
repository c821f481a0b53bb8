"""What store tests put into a store: targets, results, changes, on a time line of their own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from mooring.core.failure import Failure
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Observation, TargetRef
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.core.status import Status
from mooring.core.transition import Transition
from mooring.store import health, history, results, revisions, targets, transitions
from mooring.store.history import Limits
from mooring.store.targets import StoredTarget

BEGAN = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday, midnight: the start of a slot of every roll-up."""
STAGES = (
    StageResult(Stage.DNS, StageStatus.PASSED, 0.000_4),
    StageResult(Stage.TCP, StageStatus.PASSED, 0.001_25),
    StageResult(Stage.FUNCTION, StageStatus.SKIPPED),
)
TIMEOUT = Failure(Reason.TIMEOUT, Stage.TCP, "TIMEOUT", "no answer at tcp within 5 s", "A firewall?")
REFUSED = Failure(Reason.REFUSED, Stage.TCP, "ECONNREFUSED", "connection refused")


def after(**span: float) -> datetime:
    """Return a time so long after the beginning."""
    return BEGAN + timedelta(**span)


def stored(name: str = "orders", **changes: Any) -> StoredTarget:
    """Return a target that is not stored yet."""
    given = {"kind": "tcp", "address": "db.example:5432", "settings": "sealed", "updated_at": BEGAN}
    return StoredTarget(**{"name": name, **given, **changes})


def add_target(conn: Connection, name: str = "orders") -> TargetRef:
    """Store a target and return what its results carry."""
    target = targets.insert(conn, stored(name))
    return TargetRef(target.id, target.name, target.kind, target.address)


def up(target: TargetRef, at: datetime, seconds: float = 0.01, **changes: Any) -> CheckResult:
    """Return a result that passed and has nothing to say."""
    given = {"status": Status.UP, "failure": None, "stages": STAGES, "observation": Observation()}
    return CheckResult(**{"target": target, **given, "started_at": at, "seconds": seconds, **changes})


def down(target: TargetRef, at: datetime, failure: Failure = TIMEOUT, **changes: Any) -> CheckResult:
    """Return a result that failed."""
    stages = (StageResult(Stage.TCP, StageStatus.FAILED, 5.0),)
    return up(target, at, 5.0, status=Status.DOWN, failure=failure, stages=stages, **changes)


def steady(
    target: TargetRef, since: datetime, until: datetime, every: float = 30, seconds: float = 0.01
) -> list[CheckResult]:
    """Return passing results of a time."""
    count = int((until - since).total_seconds() // every)
    return [up(target, since + timedelta(seconds=every * number), seconds) for number in range(count)]


def append(conn: Connection, batch: Iterable[CheckResult]) -> int:
    """Store results in a revision of their own."""
    revision = revisions.next_revision(conn)
    results.append(conn, list(batch), revision)
    return revision


def change(conn: Connection, target: TargetRef, old: Status, new: Status, at: datetime, **more: Any) -> int:
    """Store a change, and the health that it leads to, in a revision of their own."""
    revision = revisions.next_revision(conn)
    transitions.append(conn, [Transition(target.id, old, new, at, **more)], revision)
    health.save(conn, {target.id or 0: health.Health(status=new, since=at)}, revision)
    return revision


def roll_up(conn: Connection, now: datetime, **limits: Any) -> int:
    """Make every roll-up that is due; return how many steps it took."""
    steps = 0
    while history.roll_up(conn, now, Limits(**limits)):
        steps += 1
    return steps


def prune(conn: Connection, now: datetime, **limits: Any) -> int:
    """Prune everything that is due; return how many steps it took."""
    steps = 0
    while history.prune(conn, now, Limits(**limits)):
        steps += 1
    return steps
