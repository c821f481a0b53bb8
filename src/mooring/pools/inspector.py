"""One look at a pool: its leaks, its alerts, what is told of them, what is forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mooring.core.pool import Leak, LeakKind, PoolAlert, PoolRule, Severity
from mooring.pools.events import ALERT, ENDED, LEAK, OF_RULE, RETURNED_LATE
from mooring.pools.leaks import Leaks
from mooring.pools.lease import Lease
from mooring.pools.past import Sample
from mooring.pools.rules import Alerts

if TYPE_CHECKING:
    from mooring.pools.tracker import PoolTracker

_OF_LEAK = {
    LeakKind.ABANDONED: PoolRule.ABANDONED,
    LeakKind.SUSPECT: PoolRule.SUSPECT,
    LeakKind.IDLE_IN_TRANSACTION: PoolRule.IDLE_IN_TRANSACTION,
}
"""What is told of leaks; a busy lease is slow, which is no alert."""
_SEEN = 2
"""Looks in a row that have to find requests waiting."""


class Inspector:
    """Looks at one tracker. Only the watching thread may call `look`."""

    def __init__(self, tracker: PoolTracker) -> None:
        self._tracker = tracker
        self._finder = Leaks(tracker.driver, tracker.sites, tracker.rules)
        self._alerts = Alerts(tracker.rules.cooldown)
        self._waited = 0
        self._timeouts = 0
        self._timed_out_at = float("-inf")
        self._peak = 0
        self.peak = 0
        """The most that were used at once since the book was begun."""
        self.leaks: dict[Lease, Leak] = {}

    @property
    def alerts(self) -> Sequence[PoolAlert]:
        """The alerts that are open."""
        return self._alerts.open

    def look(self) -> None:
        """Judge the leases and the limits, and tell what is new."""
        tracker = self._tracker
        now = tracker.clock.monotonic()
        self._mark_peak()
        self.leaks = self._finder.look(list(tracker.open), now)
        before = tracker.told
        told = {lease: leak for lease, leak in self.leaks.items() if leak.kind in _OF_LEAK}
        tracker.told = dict(told)  # other threads take out what they return
        for lease, leak in told.items():
            known = before.get(lease)
            if known is None or known.kind is not leak.kind:
                tracker.tell(LEAK, leak)
        self._forget_stale()
        found = [*self._limits(now), *self._leaks()]
        for alert in self._alerts.settle(found, now, tracker.clock.now()):
            if alert.ended is not None:
                tracker.tell(ENDED, alert)
            else:
                tracker.tell(OF_RULE[alert.rule], alert)
                tracker.tell(ALERT, alert)
        self._keep_sample(now)

    def returned(self, lease: Lease) -> None:
        """Tell that a lease was returned after it had been told as a leak."""
        leak = self._tracker.told.pop(lease, None)
        if leak is not None:
            self._tracker.tell(RETURNED_LATE, leak)

    def _mark_peak(self) -> None:
        tracker = self._tracker
        peak, tracker.peak = tracker.peak, len(tracker.open)
        self.peak = max(self.peak, peak)
        self._peak = max(self._peak, peak)

    def _forget_stale(self) -> None:
        for lease, leak in self.leaks.items():
            if leak.kind is LeakKind.ABANDONED and leak.held >= self._tracker.rules.stale_after:
                self._tracker.forget(lease)

    def _limits(self, now: float) -> Iterator[PoolAlert]:
        yield from self._utilization()
        yield from self._waiting()
        yield from self._time_outs(now)
        yield from self._errors()

    def _utilization(self) -> Iterator[PoolAlert]:
        tracker, rules = self._tracker, self._tracker.rules
        limit = tracker.gauges().limit
        if not limit:
            return
        used = tracker.used
        share = used / limit
        before = self._alerts.is_open(PoolRule.UTILIZATION)
        critical = rules.critical - (rules.hysteresis if before is Severity.CRITICAL else 0)
        warning = rules.warning - (rules.hysteresis if before is not None else 0)
        if share < warning:
            return
        is_critical = share >= critical
        yield self._alert(
            PoolRule.UTILIZATION,
            Severity.CRITICAL if is_critical else Severity.WARNING,
            f"{used} of {limit} connections are in use ({share:.0%})",
            self._why_full(),
            share,
            rules.critical if is_critical else rules.warning,
        )

    def _why_full(self) -> str:
        """Return what to do about a pool that is nearly full, by who holds its connections."""
        holders = Counter(_place(lease) for lease in tuple(self._tracker.open))
        if not holders:
            return "Something outside of what is watched holds the connections."
        (place, count), total = holders.most_common(1)[0], sum(holders.values())
        if any(leak.kind is LeakKind.ABANDONED for leak in self.leaks.values()):
            return f"Return what is never returned first: {count} of {total} leases come from {place}."
        return f"{count} of {total} leases come from {place}: hold them for less, or raise the limit."

    def _waiting(self) -> Iterator[PoolAlert]:
        waiting = self._tracker.waiting
        self._waited = self._waited + 1 if waiting else 0
        if self._waited >= _SEEN:
            text = f"{waiting} request{'s wait' if waiting > 1 else ' waits'} for a connection"
            yield self._alert(PoolRule.WAITING, Severity.WARNING, text, self._why_full(), waiting, None)

    def _time_outs(self, now: float) -> Iterator[PoolAlert]:
        total, rules = self._tracker.timeouts, self._tracker.rules
        if total > self._timeouts:
            self._timed_out_at = now
        elif now - self._timed_out_at >= rules.calm:
            self._timeouts = total
            return
        new = total - self._timeouts
        if new:
            text = f"{new} request{'s' if new > 1 else ''} got no connection in time"
            yield self._alert(PoolRule.TIMEOUTS, Severity.CRITICAL, text, self._why_full(), new, None)

    def _errors(self) -> Iterator[PoolAlert]:
        tracker = self._tracker
        count = tracker.errors.within(tracker.rules.calm)
        if count < tracker.rules.errors:
            return
        session = sum(each.session for each in list(tracker.errors.kept)[-count:])
        newest = tracker.errors.kept[-1]
        advice = "Look at the login and the network" if session * 2 > count else "Look at the statements"
        yield self._alert(
            PoolRule.ERRORS,
            Severity.WARNING,
            f"{count} errors within {tracker.rules.calm:g} s, {session} of them of the login or session",
            f"{advice}; the newest is {newest.name}: {newest.message}",
            count,
            tracker.rules.errors,
        )

    def _leaks(self) -> Iterator[PoolAlert]:
        for kind, rule in _OF_LEAK.items():
            leaks = {lease: leak for lease, leak in self.leaks.items() if leak.kind is kind}
            if leaks:
                yield self._of_leaks(rule, kind, leaks)

    def _of_leaks(self, rule: PoolRule, kind: LeakKind, leaks: dict[Lease, Leak]) -> PoolAlert:
        sites = Counter(_place(lease) for lease in leaks)
        place, count = sites.most_common(1)[0]
        total = len(leaks)
        where = place if len(sites) == 1 else f"{place} ({count} of them) and {len(sites) - 1} more"
        leases = f"{total} lease{'s' if total > 1 else ''}"
        scope = next((leak.scope for leak in leaks.values() if leak.scope), None)
        by = f", in {scope}" if scope else ""
        said, advice = _WORDS[kind]
        return self._alert(
            rule,
            Severity.CRITICAL if kind is LeakKind.ABANDONED else Severity.WARNING,
            f"{leases} from {where}{by} {said}",
            advice.format(place=place),
            total,
            None,
        )

    def _alert(
        self,
        rule: PoolRule,
        severity: Severity,
        message: str,
        recommendation: str,
        value: float,
        limit: float | None,
    ) -> PoolAlert:
        tracker = self._tracker
        named = f"{tracker.service}/{tracker.name}: {message}"
        return PoolAlert(rule, severity, named, recommendation, tracker.clock.now(), value, limit)

    def _keep_sample(self, now: float) -> None:
        tracker = self._tracker
        if not tracker.past.is_due(now):
            return
        peak, self._peak = max(self._peak, tracker.used), 0
        sample = Sample(
            at=tracker.clock.now(),
            used=tracker.used,
            peak=peak,
            waiting=tracker.waiting,
            limit=tracker.gauges().limit,
            taken=tracker.taken,
            timeouts=tracker.timeouts,
            errors=tracker.errors.total,
        )
        tracker.past.add(sample, now)


_WORDS = {
    LeakKind.ABANDONED: (
        "were never returned: the request, task or thread that took them has ended",
        "Return the connection at {place} in a `with` block, so that an error returns it, too.",
    ),
    LeakKind.SUSPECT: (
        "are held for long, and nothing runs on them",
        "See where the owner of {place} is now; return it before other work, or declare the hold.",
    ),
    LeakKind.IDLE_IN_TRANSACTION: (
        "are held for long with an open transaction, and nothing runs on them",
        "Commit or roll back at {place} before other work: its locks and old rows are kept until then.",
    ),
}


def _place(lease: Lease) -> str:
    """Return `file:line`, with the last two parts of the path."""
    site = lease.site
    return f"{'/'.join(site.file.replace(chr(92), '/').split('/')[-2:])}:{site.line}"
