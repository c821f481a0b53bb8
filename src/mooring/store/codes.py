"""Words and times as the small integers that rows hold.

These numbers stand in people's databases: add at the end, never change one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from mooring.core.reason import Reason
from mooring.core.result import Trigger
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status

K = TypeVar("K")

MICROSECONDS = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

STATUS = {Status.UP: 0, Status.DEGRADED: 1, Status.DOWN: 2, Status.UNKNOWN: 3}
TRIGGER = {Trigger.SCHEDULE: 0, Trigger.MANUAL: 1, Trigger.CLI: 2, Trigger.API: 3, Trigger.PUSH: 4}
STAGE = {
    Stage.DNS: 0,
    Stage.TCP: 1,
    Stage.TLS: 2,
    Stage.PROTOCOL: 3,
    Stage.AUTH: 4,
    Stage.PERMISSION: 5,
    Stage.FUNCTION: 6,
}
STAGE_STATUS = {
    StageStatus.PASSED: 0,
    StageStatus.WARNING: 1,
    StageStatus.FAILED: 2,
    StageStatus.SKIPPED: 3,
}
REASON = {
    Reason.TIMEOUT: 1,
    Reason.DNS: 2,
    Reason.REFUSED: 3,
    Reason.NETWORK: 4,
    Reason.UNAVAILABLE: 5,
    Reason.OVERLOADED: 6,
    Reason.TLS: 7,
    Reason.AUTH: 8,
    Reason.PERMISSION: 9,
    Reason.NOT_FOUND: 10,
    Reason.PROTOCOL: 11,
    Reason.ASSERTION: 12,
    Reason.CONFIG: 13,
    Reason.DRIVER: 14,
    Reason.INTERNAL: 15,
}


def inverse(table: Mapping[K, int]) -> dict[int, K]:
    """Return the table from numbers to words."""
    return {number: word for word, number in table.items()}


STATUS_OF = inverse(STATUS)
TRIGGER_OF = inverse(TRIGGER)
STAGE_OF = inverse(STAGE)
STAGE_STATUS_OF = inverse(STAGE_STATUS)


def micros(at: datetime) -> int:
    """Return an aware time as whole microseconds since 1970, exactly."""
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * MICROSECONDS + since.microseconds


def moment(at: int) -> datetime:
    """Return microseconds since 1970 as a time in UTC."""
    return EPOCH + timedelta(microseconds=at)


def maybe_micros(at: datetime | None) -> int | None:
    """Return `micros` of a time that may be absent."""
    return None if at is None else micros(at)


def maybe_moment(at: int | None) -> datetime | None:
    """Return `moment` of a number that may be absent."""
    return None if at is None else moment(at)
