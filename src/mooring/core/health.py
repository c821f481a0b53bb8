"""From results to health: `settle()`, a pure function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from mooring.core.reason import Reason
from mooring.core.result import CheckResult
from mooring.core.status import Status
from mooring.core.target import Schedule
from mooring.core.transition import Transition

REJECTIONS_BEFORE_CALM = 3
"""Rejected logins in a row after which a login is tried only once in `CALM_INTERVAL`."""
CALM_INTERVAL = 3600.0
"""Seconds between logins that keep being rejected, so that accounts are not locked by us."""


class Verdict(NamedTuple):
    """What one region makes of a target, with the streaks that its next result continues."""

    status: Status = Status.UNKNOWN
    failures: int = 0
    successes: int = 0
    rejections: int = 0


_NO_VERDICT = Verdict()


_NO_VERDICTS: Mapping[str, Verdict] = MappingProxyType({})


class Health(NamedTuple):
    """Where a target stands now. `confirming` is (n, m) while n of m equal results are in."""

    status: Status = Status.UNKNOWN
    since: datetime | None = None
    verdicts: Mapping[str, Verdict] = _NO_VERDICTS
    confirming: tuple[int, int] | None = None
    last: CheckResult | None = None
    next_check_at: datetime | None = None
    checking: bool = False

    @property
    def calm(self) -> bool:
        """Whether so many logins were rejected in a row that the next one has to wait."""
        return any(v.rejections >= REJECTIONS_BEFORE_CALM for v in self.verdicts.values())


class Settled(NamedTuple):
    """What one result made of a health: the next one, the change if there was one, when to look again."""

    health: Health
    transition: Transition | None
    delay: float


_PAST_LOGIN = frozenset({Reason.PERMISSION, Reason.NOT_FOUND, Reason.ASSERTION})


def settle(health: Health, result: CheckResult, schedule: Schedule) -> Settled:
    """Fold one result into a health.

    The first result of an unknown target decides, and so do a person's test and a permanent
    reason. Any other failure is confirmed by `failures_before_down` in a row. Same arguments,
    same answer; nothing is changed in place.
    """
    before = health.verdicts.get(result.region, _NO_VERDICT)
    verdict = _judge(before, result, schedule)
    if verdict is before and len(health.verdicts) == 1:  # by far the most: it works as it did
        verdicts, status = health.verdicts, health.status
    else:
        verdicts = {**health.verdicts, result.region: verdict}
        status = _fold([v.status for v in verdicts.values()], schedule.quorum)
    changed = status is not health.status
    at = result.started_at
    after = Health(
        status=status,
        since=at if changed or health.since is None else health.since,
        verdicts=verdicts,
        confirming=_confirming(verdict, result, schedule),
        last=result,
        next_check_at=health.next_check_at,
        checking=health.checking,
    )
    transition = Transition(result.target.id, health.status, status, at, result.failure) if changed else None
    return Settled(after, transition, _delay(after, verdict, schedule))


def _judge(before: Verdict, result: CheckResult, schedule: Schedule) -> Verdict:
    failure = result.failure
    if failure is None:
        enough = schedule.successes_before_up
        if before.successes >= enough and before.status is result.status:
            return before  # a longer streak says nothing new
        successes = before.successes + 1
        decided = before.status is not Status.DOWN or result.trigger.decides or successes >= enough
        return Verdict(result.status if decided else before.status, successes=successes)
    failures = before.failures + 1
    rejections = before.rejections
    if failure.reason is Reason.AUTH:
        rejections += 1
    elif failure.reason in _PAST_LOGIN:
        rejections = 0  # a login that nobody answered is no accepted one
    decided = (
        before.status is Status.UNKNOWN
        or result.trigger.decides
        or failure.reason.permanent
        or not schedule.retry
        or failures >= schedule.failures_before_down
    )
    status = result.status if decided else before.status
    return Verdict(status, failures=failures, rejections=rejections)


def _fold(statuses: Sequence[Status], quorum: int) -> Status:
    """Return one status for all regions: down needs a quorum, less than that is degraded."""
    down = sum(status is Status.DOWN for status in statuses)
    if down >= quorum:
        return Status.DOWN
    if all(status is Status.UNKNOWN for status in statuses):
        return Status.UNKNOWN
    if down or any(status is Status.DEGRADED for status in statuses):
        return Status.DEGRADED
    return Status.UP if Status.UP in statuses else Status.UNKNOWN


def _confirming(verdict: Verdict, result: CheckResult, schedule: Schedule) -> tuple[int, int] | None:
    if verdict.status is result.status:
        return None
    if result.failure is None:
        return verdict.successes, schedule.successes_before_up
    return verdict.failures, schedule.failures_before_down


def _delay(health: Health, verdict: Verdict, schedule: Schedule) -> float:
    if verdict.rejections >= REJECTIONS_BEFORE_CALM:
        return max(schedule.interval, CALM_INTERVAL)
    if health.confirming is not None and schedule.retry:
        return min(schedule.interval, schedule.retry_delay)
    return schedule.interval
