"""Everything that is stored of targets, as of one moment."""

from __future__ import annotations

from sqlalchemy import Connection

from mooring.core.health import Health
from mooring.core.result import CheckResult
from mooring.store import health as health_rows
from mooring.store import results as result_rows
from mooring.store import revisions
from mooring.store import targets as target_rows
from mooring.store.targets import StoredTarget


def everything(conn: Connection) -> tuple[list[StoredTarget], dict[int, Health], int]:
    """Return all targets, where each stands, and the revision that last changed a target."""
    health = health_rows.load(conn)
    for target_id, newest in result_rows.newest(conn).items():
        if target_id in health:
            health[target_id] = _up_to_date(health[target_id], newest)
    return target_rows.all_targets(conn), health, revisions.of_targets(conn)


def _up_to_date(health: Health, newest: CheckResult) -> Health:
    """Return a health with its newest result: steady ones are rarely written (see `Recorder`)."""
    last = health.last
    if last is None or last.started_at >= newest.started_at:
        return health
    seen = newest.observation if newest.observation.warnings else last.observation
    due = health.next_check_at
    if due is not None:
        due += newest.started_at - last.started_at
    return health._replace(last=newest._replace(observation=seen), next_check_at=due)
