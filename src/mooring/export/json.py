"""Results, healths and transitions as JSON-ready values: one shape for the command line and the API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any

from mooring.core.failure import Failure
from mooring.core.health import Health
from mooring.core.result import CheckResult, TargetRef
from mooring.core.stage import StageResult
from mooring.core.status import Status
from mooring.core.transition import Transition

_DECIMALS = 6
"""Times are shown to the microsecond; what a float says beyond is noise."""


def report_json(results: Iterable[CheckResult], *, paused: int = 0) -> dict[str, Any]:
    """Return what `mooring check --json` prints: the summary and every result."""
    listed = list(results)
    return {"summary": summary(listed, paused=paused), "results": [result_json(each) for each in listed]}


def summary(results: Iterable[CheckResult], *, paused: int = 0) -> dict[str, int]:
    """Return how many results have each status. Every status is there, also with 0."""
    return count_statuses((result.status for result in results), paused=paused)


def count_statuses(statuses: Iterable[Status], *, paused: int = 0) -> dict[str, int]:
    """Return how many there are of each status, and how many targets are paused."""
    counted = Counter(statuses)
    return {**{status.value: counted[status] for status in Status}, "paused": paused}


def result_json(result: CheckResult) -> dict[str, Any]:
    """Return one result in the shape that every interface uses."""
    seen = result.observation
    return {
        "target": target_ref_json(result.target),
        "status": result.status.value,
        "failure": failure_json(result.failure),
        "stages": [stage_json(stage) for stage in result.stages],
        "details": plain(seen.details),
        "numbers": plain(seen.numbers),
        "warnings": list(seen.warnings),
        "started_at": time_json(result.started_at),
        "seconds": seconds_json(result.seconds),
        "region": result.region,
        "trigger": result.trigger.value,
    }


def target_ref_json(ref: TargetRef) -> dict[str, Any]:
    """Return what a result says of its target."""
    return {"id": ref.id, "name": ref.name, "kind": ref.kind, "address": ref.address}


def stage_json(stage: StageResult) -> dict[str, Any]:
    """Return one stage; `seconds` is null where it was skipped or has no time of its own."""
    return {"name": stage.stage.value, "status": stage.status.value, "seconds": seconds_json(stage.seconds)}


def failure_json(failure: Failure | None) -> dict[str, Any] | None:
    """Return a failure, or None where there is none."""
    if failure is None:
        return None
    return {
        "reason": failure.reason.value,
        "stage": failure.stage.value if failure.stage is not None else None,
        "code": failure.code,
        "message": failure.message,
        "hint": failure.hint,
        "fix": failure.fix,
    }


def health_json(health: Health) -> dict[str, Any]:
    """Return where a target stands; `confirming` is null or [n, m]."""
    return {
        "status": health.status.value,
        "since": time_json(health.since),
        "checking": health.checking,
        "confirming": list(health.confirming) if health.confirming is not None else None,
        "last": result_json(health.last) if health.last is not None else None,
        "next_check_at": time_json(health.next_check_at),
        "calm": health.calm,
    }


def transition_json(transition: Transition) -> dict[str, Any]:
    """Return one change of health."""
    return {
        "target_id": transition.target_id,
        "old": transition.old.value,
        "new": transition.new.value,
        "at": time_json(transition.at),
        "failure": failure_json(transition.failure),
        "note": transition.note,
    }


def time_json(at: datetime | None) -> str | None:
    """Return an aware time in UTC with microseconds and `+00:00`, so that times compare as text."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds")


def seconds_json(seconds: float | None) -> float | None:
    """Return a duration to the microsecond."""
    return None if seconds is None else round(seconds, _DECIMALS)


def plain(value: Any) -> Any:
    """Return a stranger's value as JSON can hold it: drivers hand out dates, bytes and numbers of their own.

    JSON has no word for NaN and the infinities: they become null.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, datetime) and value.tzinfo is not None:
        return time_json(value)
    if isinstance(value, date):
        return value.isoformat()
    return bytes(value).decode(errors="replace") if isinstance(value, (bytes, bytearray)) else str(value)
