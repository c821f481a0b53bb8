"""What is wrong with a pool, and what that makes of its target."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from mooring.core.failure import Failure
from mooring.core.pool import LeakKind, PoolAlert, PoolRule, Severity, SiteUse
from mooring.core.pool_view import PoolView
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Observation, Trigger
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.core.status import Status
from mooring.core.target import Target
from mooring.engine.pool_sum import alerts_of, process_of
from mooring.settings import PoolSettings

HYSTERESIS = 0.05
"""How far use has to fall below a limit before its alert is over."""
SKEWED = 30.0
"""Seconds that a process' clock may be off before that is told."""
_UNITS = (("d", 86400), ("h", 3600), ("min", 60))
_DEGRADING = (PoolRule.UTILIZATION, PoolRule.ABANDONED, PoolRule.TIMEOUTS)


class Judgement(NamedTuple):
    """What is wrong with a pool, and how severe the use of all its processes together is."""

    level: Severity | None
    alerts: Sequence[PoolAlert]


class Silence(NamedTuple):
    """For how long nobody has reported a pool, and whether all that used it have ended in good order."""

    seconds: float
    ended: bool


def judge(
    view: PoolView,
    before: Severity | None,
    silent: Silence | None,
    settings: PoolSettings,
    at: datetime,
) -> Judgement:
    """Judge a pool. `before`: the level at the last time."""
    live = [each for each in view.members if each.live]
    if not live:
        if silent is None or silent.seconds < settings.stale_after:
            return Judgement(None, [])
        return Judgement(None, [_inactive(view.service, silent, at)])
    told = alerts_of(live)
    full = _too_full(view, before, settings, at)
    if full is not None:
        told[PoolRule.UTILIZATION] = full
    elif PoolRule.UTILIZATION in told:  # one process is full: the others still have connections
        told[PoolRule.UTILIZATION] = told[PoolRule.UTILIZATION]._replace(severity=Severity.WARNING)
    return Judgement(full.severity if full else None, list(told.values()))


def _inactive(service: str, silent: Silence, at: datetime) -> PoolAlert:
    return PoolAlert(
        PoolRule.INACTIVE,
        Severity.WARNING if silent.ended else Severity.CRITICAL,
        f"every process of {service} that used it has ended"
        if silent.ended
        else f"no process of {service} has reported it for {in_words(silent.seconds)}",
        "It is told anew when the service starts."
        if silent.ended
        else f"Does {service} still run, and does it reach this server?",
        at,
        silent.seconds,
        None,
    )


def _too_full(
    view: PoolView, before: Severity | None, settings: PoolSettings, at: datetime
) -> PoolAlert | None:
    share, total = view.sum.utilization, view.sum
    if share is None:
        return None
    warning = settings.warning - (HYSTERESIS if before is not None else 0)
    critical = settings.critical - (HYSTERESIS if before is Severity.CRITICAL else 0)
    if share < warning:
        return None
    is_critical = share >= critical
    waiting = f", {total.waiting} requests wait" if total.waiting else ""
    return PoolAlert(
        PoolRule.UTILIZATION,
        Severity.CRITICAL if is_critical else Severity.WARNING,
        f"{total.used_limited} of {total.limit} connections of {view.service} are in use "
        f"({share:.0%}){waiting}",
        why_full(view),
        at,
        share,
        settings.critical if is_critical else settings.warning,
    )


def why_full(view: PoolView) -> str:
    """Return what to do about a pool that is nearly full, by who holds its connections."""
    holders = [site for site in view.sites if site.open]
    if not holders:
        return f"Nobody is seen to hold them in {view.service}: is every pool of it watched?"
    site, total = holders[0], sum(each.open for each in holders)
    where = f"{site.open} of {total} leases in {view.service} come from {place(site)}"
    if any(each.leak.kind is LeakKind.ABANDONED for each in view.leaks):
        return f"{where}: return what is never returned first."
    return f"{where}: hold them for less, or raise the limit of {_limit_words(view)}."


def place(site: SiteUse) -> str:
    """Return a line of the application, with its route or job where that is known."""
    scope = f" ({site.scope})" if site.scope else ""
    return f"{site.place} in {site.function}{scope}"


def _limit_words(view: PoolView) -> str:
    limits = [each.snapshot.limit for each in view.members if each.live and each.snapshot.limit]
    if len(set(limits)) == 1 and len(limits) > 1:
        return f"{limits[0]} in each of its {len(limits)} processes"
    return str(view.sum.limit)


def result_of(target: Target, view: PoolView, at: datetime) -> CheckResult:
    """Return what a pool's state makes of its target."""
    by_rule = {alert.rule: alert for alert in view.alerts}
    failure = _failure(target, by_rule.get(PoolRule.UTILIZATION), by_rule.get(PoolRule.INACTIVE))
    warnings: tuple[str, ...] = ()
    if failure is None:
        told = (by_rule[rule] for rule in _DEGRADING if rule in by_rule)
        shown = sorted(told, key=lambda each: each.severity is not Severity.CRITICAL)
        warnings = tuple(target.probe.shown.text(f"{each.message}. {each.recommendation}") for each in shown)
    stage = StageStatus.FAILED if failure else StageStatus.WARNING if warnings else StageStatus.PASSED
    return CheckResult(
        target=target.ref,
        status=failure.reason.status if failure else Status.DEGRADED if warnings else Status.UP,
        failure=failure,
        stages=(StageResult(Stage.FUNCTION, stage),),
        observation=Observation(
            target.probe.shown.facts(_details(view)), target.probe.shown.numbers(_numbers(view)), warnings
        ),
        started_at=at,
        seconds=0.0,
        trigger=Trigger.PUSH,
    )


def _failure(target: Target, full: PoolAlert | None, inactive: PoolAlert | None) -> Failure | None:
    show = target.probe.shown.text
    if inactive is not None:
        ended = inactive.severity is Severity.WARNING
        reason, code = (Reason.CONFIG, "POOL_ENDED") if ended else (Reason.TIMEOUT, "POOL_INACTIVE")
        message, hint = show(inactive.message), show(inactive.recommendation)
        return Failure(reason, Stage.FUNCTION, code, message, hint)
    if full is None or full.severity is not Severity.CRITICAL:
        return None
    message, hint = show(full.message), show(full.recommendation)
    return Failure(Reason.OVERLOADED, Stage.FUNCTION, "POOL_EXHAUSTED", message, hint)


def _details(view: PoolView) -> dict[str, object]:
    live = [each for each in view.members if each.live]
    facts = {
        "driver": view.driver,
        "server": view.address,
        "database": view.database,
        "reported by": ", ".join(process_of(each) for each in live[:20]) or None,
        "most from": place(view.sites[0]) if view.sites and view.sites[0].open else None,
        "tracking": None if view.active else "stopped",
    }
    skewed = {process_of(each): _off(each.skew) for each in live if abs(each.skew) >= SKEWED}
    return {key: value for key, value in facts.items() if value} | (
        {"clocks that are off": skewed} if skewed else {}
    )


def _off(seconds: float) -> str:
    return f"{in_words(abs(seconds))} {'ahead' if seconds > 0 else 'behind'}"


def in_words(seconds: float) -> str:
    """Return a time in the largest unit of which there are at least two, such as `15 min`, or in seconds."""
    unit, length = next(((unit, each) for unit, each in _UNITS if seconds >= 2 * each), ("s", 1))
    return f"{seconds / length:.0f} {unit}"


def _numbers(view: PoolView) -> dict[str, float]:
    total = view.sum
    found = {
        "used": total.used,
        "limit": total.limit,
        "size": total.size,
        "waiting": total.waiting,
        "processes": total.instances,
        "utilization": total.utilization,
        "leaks": sum(each.leak.kind is LeakKind.ABANDONED for each in view.leaks),
    }
    return {name: float(value) for name, value in found.items() if value is not None}
