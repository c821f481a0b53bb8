"""Run a probe once: deadline, timing, classification and redaction for all kinds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache

from mooring.core.failure import Failure
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import Redactor
from mooring.core.result import CheckResult, Observation, Trigger
from mooring.core.shown import LONGEST_READ, name
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.core.status import Status
from mooring.core.target import Target
from mooring.engine.classify import failure_of
from mooring.net.network import Network
from mooring.net.trail import OnStage, Trail
from mooring.probes import Probe

log = logging.getLogger(__name__)

MOST_WARNINGS = 50


class Runner:
    """Turns a target into a CheckResult and never raises but for cancellation. Holds no state of a check."""

    def __init__(self, net: Network, *, region: str = "local") -> None:
        self._net = net
        self._region = region

    async def run(
        self,
        target: Target,
        trigger: Trigger,
        *,
        on_stage: OnStage | None = None,
    ) -> CheckResult:
        """Check a target once, within its timeout."""
        probe: Probe = target.probe
        schedule = target.schedule
        clock = self._net.clock
        trail = Trail(self._net, timeout=schedule.timeout, on_stage=on_stage)
        started_at, began = clock.now(), clock.monotonic()
        failure = None
        try:
            async with asyncio.timeout(schedule.timeout):
                seen = await probe.check(trail)
        except Exception as error:
            trail.fail()
            seen, failure = Observation(), self._failure(error, target, trail)
        seconds = clock.monotonic() - began
        warnings = _warnings(trail, seen, seconds, schedule.degraded_above)
        return CheckResult(
            target=target.ref,
            status=_status(failure, warnings),
            failure=failure,
            stages=_all_stages(trail.stages, probe),
            observation=_complete(seen, trail, warnings, probe),
            started_at=started_at,
            seconds=seconds,
            region=self._region,
            trigger=trigger,
        )

    def _failure(self, error: Exception, target: Target, trail: Trail) -> Failure:
        shown = target.probe.shown.also(trail.secrets)
        failure = failure_of(error, target.probe, trail)
        if failure.reason is Reason.INTERNAL:
            log.warning("check of %s failed by our own fault: %s", target.name, shown.text(repr(error)))
        message = failure.message
        if failure.reason is Reason.TIMEOUT and failure.code == "TIMEOUT":
            message = _late(failure.stage, f"{round(target.schedule.timeout, 3):g}")
        if trail.part is not None:
            message = Prose("{part}: {message}", part=trail.part, message=message)
        return Failure(
            failure.reason,
            failure.stage,
            name(failure.code),
            shown.text(message),
            shown.text(failure.hint) if failure.hint else None,
            failure.fix if failure.fix and _is_safe(failure.fix, message, shown.redact) else None,
        )


def _is_safe(fix: str, message: str, redact: Redactor) -> bool:
    """Whether a fix holds no secret: made of a message with one in it, it may hold it in another spelling."""
    return len(message) <= LONGEST_READ and redact(message) == message and redact(fix) == fix


def _late(stage: Stage | None, seconds: str) -> Prose:
    if stage is None:
        return Prose("no answer within {seconds} s", seconds=seconds)
    return Prose("no answer at {stage} within {seconds} s", stage=stage, seconds=seconds)


def _status(failure: Failure | None, warnings: Sequence[str]) -> Status:
    if failure is not None:
        return failure.reason.status
    return Status.DEGRADED if warnings else Status.UP


def _warnings(trail: Trail, seen: Observation, seconds: float, slow: float | None) -> tuple[str, ...]:
    warnings = (*trail.warnings, *seen.warnings)
    if slow is not None and seconds > slow:
        took, most = f"{seconds:.3f}", f"{slow:g}"
        warnings = (*warnings, Prose("slow: {took} s, degraded above {most} s", took=took, most=most))
    return warnings


def _complete(seen: Observation, trail: Trail, warnings: Sequence[str], probe: Probe) -> Observation:
    details = {**trail.notes, **seen.details} if seen.details else trail.notes
    numbers = {**trail.numbers, **seen.numbers} if seen.numbers else trail.numbers
    shown = probe.shown.also(trail.secrets)
    told = tuple([shown.text(each) for each in warnings[:MOST_WARNINGS]])
    return Observation(shown.facts(details), shown.numbers(numbers), told)


def _all_stages(reached: Mapping[Stage, StageResult], probe: Probe) -> Sequence[StageResult]:
    """Add the stages that the check did not reach, where the kind has them if it kept that order."""
    return tuple(
        [reached.get(stage, skipped) for stage, skipped in _order(tuple(reached), tuple(probe.proves))]
    )


@lru_cache(maxsize=1024)
def _order(reached: tuple[Stage, ...], proves: tuple[Stage, ...]) -> tuple[tuple[Stage, StageResult], ...]:
    """Return the order of stages, each with what stands for it where it was not reached."""
    kept_order = [stage for stage in proves if stage in reached] == list(reached)
    order = proves if kept_order else (*reached, *[stage for stage in proves if stage not in reached])
    return tuple([(stage, StageResult(stage, StageStatus.SKIPPED)) for stage in order])
