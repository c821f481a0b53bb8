"""Who is watched, and how each stands."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from mooring.core.health import Health, Verdict
from mooring.core.result import CheckResult
from mooring.core.status import Status
from mooring.core.target import Target
from mooring.core.transition import Transition


class Roster:
    """The targets in memory. `health` is committed and may be told; the next result continues `live`."""

    def __init__(self) -> None:
        self.targets: dict[int, Target] = {}
        self.health: dict[int, Health] = {}
        self.live: dict[int, Health] = {}

    def put(self, target_id: int, target: Target, health: Health) -> None:
        """Add or replace a target whose health is committed."""
        self.targets[target_id] = target
        self.health[target_id] = self.live[target_id] = health

    def drop(self, target_id: int) -> None:
        """Forget a target."""
        for known in (self.targets, self.health, self.live):
            known.pop(target_id, None)

    def current(self, target: Target) -> Target | None:
        """Return the target as it is now; None where it was changed, paused or removed meanwhile."""
        known = None if target.id is None else self.targets.get(target.id)
        if known is None or not known.enabled or known.version != target.version:
            return None
        return known

    def watched(self) -> Collection[int]:
        """Return the ids of the targets that are not paused."""
        return [target_id for target_id, target in self.targets.items() if target.enabled]


def interrupted(target_id: int, health: Health, at: datetime, note: str) -> tuple[Health, Transition | None]:
    """Return a health nobody looks after from `at` on: unknown, so that uptime leaves the time out.

    The next result decides alone; only rejected logins are still counted, so that stopping and
    starting does not lock accounts.
    """
    verdicts = {
        region: Verdict(rejections=v.rejections) for region, v in health.verdicts.items() if v.rejections
    }
    if health.status is Status.UNKNOWN:
        return health._replace(verdicts=verdicts, confirming=None), None
    seen = [moment for moment in (health.since, _ended(health.last), at) if moment is not None]
    at = max(seen)
    after = health._replace(status=Status.UNKNOWN, since=at, verdicts=verdicts, confirming=None)
    return after, Transition(target_id, health.status, Status.UNKNOWN, at, note=note)


def _ended(last: CheckResult | None) -> datetime | None:
    return None if last is None else last.started_at
