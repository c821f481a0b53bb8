"""Targets that are not asked but report: silence is down."""

from __future__ import annotations

import math
from datetime import datetime

from mooring.core.failure import Failure
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Observation, Trigger
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.core.status import Status
from mooring.core.target import Target


def is_passive(target: Target) -> bool:
    """Whether nobody can be asked: the target reports by itself."""
    return bool(getattr(target.probe, "passive", False))


def becomes_due(target: Target) -> bool:
    """Whether a target has a place in the schedule: not where the engine judges it by what is reported."""
    return not getattr(target.probe, "derived", False)


def silence(target: Target) -> float:
    """Return the seconds after which a passive target that has not reported is overdue."""
    if not becomes_due(target):
        return math.inf
    return target.schedule.interval + float(getattr(target.probe, "grace", None) or 0.0)


def reported(target: Target, at: datetime, *, ok: bool, message: str, seconds: float) -> CheckResult:
    """Return what a watched thing says of itself as a result; `seconds` is how long its work took."""
    message = target.probe.shown.text(" ".join(message.split()))
    slow = target.schedule.degraded_above
    failure: Failure | None = None
    warnings: tuple[str, ...] = ()
    if not ok:
        hint = "The watched program reports its own failure; its message and its log say why."
        failure = Failure(
            Reason.ASSERTION, Stage.FUNCTION, "REPORTED", message or "it reports a failure", hint
        )
    elif slow is not None and seconds > slow:
        warnings = (f"slow: {seconds:.3f} s, degraded above {slow:g} s",)
    stage = StageStatus.FAILED if failure else StageStatus.WARNING if warnings else StageStatus.PASSED
    return CheckResult(
        target=target.ref,
        status=failure.reason.status if failure else Status.DEGRADED if warnings else Status.UP,
        failure=failure,
        stages=(StageResult(Stage.FUNCTION, stage, seconds or None),),
        observation=Observation({"message": message} if message else {}, {}, warnings),
        started_at=at,
        seconds=seconds,
        trigger=Trigger.PUSH,
    )


def awaited(target: Target, at: datetime, trigger: Trigger) -> CheckResult:
    """Return what is known of a target that has not reported yet and is not overdue: nothing."""
    failure = Failure(
        Reason.CONFIG,
        None,
        "NOT_REPORTED_YET",
        "nothing has reported yet",
        "Have the job call the address that was shown when the target was added."
        if becomes_due(target)
        else "Call mooring.instrument() in the service, and name this server to it.",
    )
    stage = StageResult(Stage.FUNCTION, StageStatus.SKIPPED)
    return CheckResult(
        target.ref, failure.reason.status, failure, (stage,), Observation(), at, 0.0, trigger=trigger
    )
