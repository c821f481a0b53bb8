"""What to do about a pool, in words that name its service and its lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mooring.core import histogram
from mooring.core.pool import Severity
from mooring.core.pool_finding import Finding
from mooring.core.pool_past import PoolBucket
from mooring.core.pool_view import Comparison, PoolView
from mooring.engine.pool_sum import process_of
from mooring.engine.pool_verdict import SKEWED, in_words, place, why_full

SLOW_WAIT = 0.1
"""Seconds: what 1 of 20 requests may wait for a connection and nobody minds."""
SLACK = 0.3
"""Share of the limit below which a pool that was watched for long is larger than it needs to be."""
CHURN = 0.5
"""Connections opened for each lease above which pooling is of little use."""
ENOUGH = 100
"""Leases after which shares mean something."""
NEARLY_ALL = 0.8
"""Share of what a server takes above which its other clients may soon get none."""
_NANOSECONDS = 1e9


def diagnosed(view: PoolView, day: PoolBucket) -> list[Finding]:
    """Return what is worth knowing, what is wrong first. `day`: the pool's last day as one bucket."""
    name = f"{view.service}/{view.name}"
    found = [
        Finding(alert.rule.value, alert.severity, f"{name}: {alert.message}", alert.recommendation)
        for alert in view.alerts
    ]
    for look in _LOOKS:
        found += look(view, day)
    order = {Severity.CRITICAL: 0, Severity.WARNING: 1, None: 2}
    return sorted(found, key=lambda each: order[each.severity])


def _servers(view: PoolView, _: PoolBucket) -> Iterator[Finding]:
    for each in view.comparison:
        yield from _more_than_allowed(each)
        yield from _nearly_all(each)


def _more_than_allowed(each: Comparison) -> Iterator[Finding]:
    if each.limit is None or each.allowed is None or each.limit <= each.allowed:
        return
    yield Finding(
        "limits_above_server",
        Severity.WARNING,
        f"the pools of {', '.join(each.services)} may open {each.limit} connections to {each.address}, "
        f"which takes {each.allowed}",
        f"Lower the limits of {', '.join(each.services)}, run fewer processes, or put a pooler in between.",
    )


def _nearly_all(each: Comparison) -> Iterator[Finding]:
    if each.sessions is None or not each.allowed or each.sessions < NEARLY_ALL * each.allowed:
        return
    others = max(0, each.sessions - each.used)
    yield Finding(
        "server_nearly_full",
        Severity.WARNING,
        f"{each.sessions} of the {each.allowed} connections that {each.address} takes are open; "
        f"{others} of them are not in use by {', '.join(each.services)}",
        "Look at the server who has them; idle ones of these pools close with a lower least size.",
    )


def _slow_to_get(view: PoolView, _: PoolBucket) -> Iterator[Finding]:
    slow = histogram.quantile(view.wait.counts, 0.95)
    if slow is None or view.wait.total < ENOUGH or slow / _NANOSECONDS < SLOW_WAIT:
        return
    yield Finding(
        "slow_to_get",
        Severity.WARNING,
        f"1 of 20 requests of {view.service} waits {slow / _NANOSECONDS:.2f} s or longer for a connection",
        why_full(view),
    )


def _churn(view: PoolView, _: PoolBucket) -> Iterator[Finding]:
    total = view.totals
    if total.taken < ENOUGH or total.created < CHURN * total.taken:
        return
    yield Finding(
        "opened_anew",
        None,
        f"{view.service} opened {total.created} connections for {total.taken} leases",
        "Keep more connections open between requests: a larger pool with less overflow, a longer idle "
        "time, or a pool where there is none.",
    )


def _too_large(view: PoolView, day: PoolBucket) -> Iterator[Finding]:
    limit = view.sum.limit
    if not limit or day.peak is None or day.samples < ENOUGH:
        return
    # A day's peak misses what came between two reports and was no record of its process.
    records = sum(each.snapshot.peak for each in view.members if each.live)
    if max(day.peak, records) > SLACK * limit:
        return
    yield Finding(
        "larger_than_needed",
        None,
        f"at most {day.peak} of the {limit} connections of {view.service} were in use within a day",
        "The limit may be lower, which leaves more of the server to others.",
    )


def _no_limit(view: PoolView, _: PoolBucket) -> Iterator[Finding]:
    if view.sum.instances and view.sum.limit is None:
        yield Finding(
            "no_limit",
            None,
            f"the pool of {view.service} has no limit",
            "Set one: then it is told when it is nearly used up, before the server refuses connections.",
        )


def _uneven(view: PoolView, _: PoolBucket) -> Iterator[Finding]:
    live = [each for each in view.members if each.live]
    full = [each for each in live if (each.snapshot.utilization or 0) >= NEARLY_ALL]
    if len(live) > 1 and full and (view.sum.utilization or 0) < NEARLY_ALL:
        yield Finding(
            "uneven",
            None,
            f"{len(full)} of {len(live)} processes of {view.service} use nearly all of their own part, "
            f"such as {process_of(full[0])}",
            "A pool belongs to its process: spread requests more evenly, or raise the limit of each.",
        )


def _longest(view: PoolView, _: PoolBucket) -> Iterator[Finding]:
    held = [site for site in view.sites if site.p95 is not None and site.total >= ENOUGH]
    if not held or view.sum.utilization is None or view.sum.utilization < NEARLY_ALL / 2:
        return
    site = max(held, key=lambda each: (each.p95 or 0) * each.total)
    yield Finding(
        "holds_most",
        None,
        f"{place(site)} of {view.service} takes most of the pool's time: {site.total} leases, "
        f"1 of 20 held for {site.p95:.2f} s or longer",
        "Do there what needs no connection before it is taken or after it is returned.",
    )


def _errors(view: PoolView, _: PoolBucket) -> Iterator[Finding]:
    total = view.totals
    if total.session_errors:
        yield Finding(
            "session_errors",
            None,
            f"{total.session_errors} of the {total.errors} errors of {view.service} were of a login or a "
            "lost session",
            "Look at the server's restarts, at what cuts idle connections in between, and at the login.",
        )
    if total.unmatched:
        yield Finding(
            "returned_twice",
            None,
            f"{view.service} returned {total.unmatched} leases that were not out",
            "Look for code that returns a connection twice: another request may already hold it then.",
        )


def _reporting(view: PoolView, _: PoolBucket) -> Iterator[Finding]:
    for each in (each for each in view.members if each.live and abs(each.skew) >= SKEWED):
        how = "ahead of" if each.skew > 0 else "behind"
        yield Finding(
            "clock",
            None,
            f"the clock of {process_of(each)} is {in_words(abs(each.skew))} {how} the server's",
            "Have that machine keep its clock (NTP): here the server's own time counts.",
        )
    if not view.active:
        yield Finding(
            "stopped",
            None,
            f"{view.service} does not track this pool now",
            "Start it again here; where it stops by itself, the service's log has the fault.",
        )


_LOOKS: tuple[Callable[[PoolView, PoolBucket], Iterator[Finding]], ...] = (
    _servers,
    _slow_to_get,
    _uneven,
    _longest,
    _churn,
    _too_large,
    _no_limit,
    _errors,
    _reporting,
)
