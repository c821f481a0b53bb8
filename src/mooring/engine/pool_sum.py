"""What the processes of one pool add up to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mooring.core.pool import PoolAlert, PoolRule, PoolSnapshot, Severity, SiteUse
from mooring.core.pool_scopes import in_scopes
from mooring.core.pool_view import PoolLeak, PoolMember, PoolSum

MOST_SITES = 20
MOST_LEAKS = 100
_COUNTED = re.compile(r"\d+ (lease|request)s? (of|got|wait)s? ")
"""How the messages begin that say the same in each process, but for their number."""
_OF_LINE = re.compile(r"\d+ leases? of (\S+:\d+)(?:, \d+ of them)?(?: in .+)?: ([^:]+)")
"""What a message tells of leases of one line, but for their number and their routes."""

_Told = Sequence[tuple[PoolAlert, PoolMember]]


def sum_of(snapshots: Sequence[PoolSnapshot]) -> PoolSum:
    """Add up what stands in the newest reports."""
    return PoolSum(
        instances=len(snapshots),
        used=sum(each.used for each in snapshots),
        used_limited=sum(each.used for each in snapshots if each.limit is not None),
        idle=_total(each.idle for each in snapshots),
        size=_total(each.size for each in snapshots),
        limit=_total(each.limit for each in snapshots),
        least=_total(each.least for each in snapshots),
        waiting=sum(each.waiting for each in snapshots),
        peak=sum(each.peak for each in snapshots),
    )


def sites_of(snapshots: Iterable[PoolSnapshot]) -> tuple[SiteUse, ...]:
    """Return the lines that hold and take most, over all processes.

    Of a line's times those of the slowest process are told: shares of different processes do not add up.
    """
    found: dict[tuple[str, int, str], SiteUse] = {}
    for snapshot in snapshots:
        for site in snapshot.sites:
            key = (site.file, site.line, site.function)
            found[key] = _both(found[key], site) if key in found else site
    return tuple(sorted(found.values(), key=lambda site: (-site.open, -site.total))[:MOST_SITES])


def leaks_of(members: Iterable[PoolMember]) -> tuple[PoolLeak, ...]:
    """Return the leases that are not returned, the longest held first."""
    found = [PoolLeak(leak, process_of(each)) for each in members for leak in each.snapshot.leaks]
    return tuple(sorted(found, key=lambda each: -each.leak.held)[:MOST_LEAKS])


def alerts_of(members: Iterable[PoolMember]) -> dict[PoolRule, PoolAlert]:
    """Return what processes tell, one alert a rule: the worst, with how many processes tell it.

    What is counted is added up. A process begins its messages with the pool's name, which is left out here.
    """
    found: dict[PoolRule, list[tuple[PoolAlert, PoolMember]]] = {}
    for each in members:
        name = f"{each.snapshot.service}/{each.snapshot.name}: "
        for alert in each.snapshot.alerts:
            told = alert._replace(message=alert.message.removeprefix(name))
            found.setdefault(alert.rule, []).append((told, each))
    return {rule: _worst(told) for rule, told in found.items()}


def process_of(member: PoolMember) -> str:
    """Return a process as people know it."""
    return f"{member.instance.host}:{member.instance.pid}"


def _worst(told: _Told) -> PoolAlert:
    worst, member = max(told, key=lambda each: (each[0].severity is Severity.CRITICAL, each[0].value))
    process = process_of(member)
    message, value = f"{worst.message}, in process {process}", worst.value
    if len(told) > 1 and worst.rule is PoolRule.UTILIZATION:
        message += f" and in {len(told) - 1} more"
    elif len(told) > 1:
        value = sum(alert.value for alert, _ in told)
        together = _of_line(told, value) or _together([alert.message for alert, _ in told], value)
        message = (
            f"{together}, in {len(told)} processes, most in {process}"
            if together
            else f"{message}; {value:g} in {len(told)} processes"
        )
    since = min(alert.since for alert, _ in told)
    return worst._replace(message=message, value=value, since=since)


def _of_line(told: _Told, value: float) -> str | None:
    """Return one message for leases of one line, with the routes of all; None where that cannot be told."""
    said = {found and found.groups() for alert, _ in told for found in [_OF_LINE.fullmatch(alert.message)]}
    leaks = [
        leak for alert, each in told for leak in each.snapshot.leaks if leak.kind.value == alert.rule.value
    ]
    groups = said.pop()
    if said or groups is None or len(leaks) != value:  # of very many leases a report tells but some
        return None
    place, words = groups
    return f"{value:g} leases of {place}{in_scopes(leaks)}: {words}"


def _together(messages: Sequence[str], value: float) -> str | None:
    """Return one message for all processes; None where they do not say the same."""
    begins = _COUNTED.match(messages[0])
    rests = {_COUNTED.sub("", message, count=1) for message in messages}
    if begins is None or len(rests) > 1:
        return None
    return f"{value:g} {begins[1]}s {begins[2]} {rests.pop()}"


def _both(one: SiteUse, other: SiteUse) -> SiteUse:
    return one._replace(
        open=one.open + other.open,
        total=one.total + other.total,
        oldest=_highest(one.oldest, other.oldest),
        p50=_highest(one.p50, other.p50),
        p95=_highest(one.p95, other.p95),
        scope=_scope(one, other),
    )


def _scope(one: SiteUse, other: SiteUse) -> str | None:
    """Return the route or job of what is out, where all of it has the same."""
    scopes = {each.scope for each in (one, other) if each.open}
    return scopes.pop() if len(scopes) == 1 else None


def _highest(one: float | None, other: float | None) -> float | None:
    known = [each for each in (one, other) if each is not None]
    return max(known, default=None)


def _total(values: Iterable[int | None]) -> int | None:
    """Return the sum of what is told; None where nobody tells."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None
