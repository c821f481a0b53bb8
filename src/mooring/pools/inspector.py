"""One look at a pool: its leaks, its alerts, what is told of them, what is forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from mooring.core.pool import Leak, LeakKind, PoolAlert, PoolRule, Severity
from mooring.core.pool_scopes import in_scopes
from mooring.pools.book import STACKS_FROM, Book
from mooring.pools.errors import cause_of
from mooring.pools.events import ALERT, ENDED, LEAK, OF_RULE, RETURNED_LATE
from mooring.pools.leaks import Leaks
from mooring.pools.lease import Lease
from mooring.pools.past import Sample
from mooring.pools.rules import Alerts

_OF_LEAK = {
    LeakKind.ABANDONED: PoolRule.ABANDONED,
    LeakKind.SUSPECT: PoolRule.SUSPECT,
    LeakKind.IDLE_IN_TRANSACTION: PoolRule.IDLE_IN_TRANSACTION,
}
"""What is told of leaks; a busy lease is slow, which is no alert."""
_SEEN = 2
"""Looks in a row that have to find requests waiting."""
_LATELY = 300.0
"""Seconds: a pool that cannot connect tries less and less often."""
_HELD_ELSEWHERE = "Something outside of what is watched holds the connections."
_HELD_BY_NONE = "None is in use now: opening one takes too long, or it is over."


class Inspector:
    """Looks at one book. Only the watching thread may call `look`."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._leaks = Leaks(book.driver, book.sites, book.rules, book.broken)
        self._alerts = Alerts(book.rules.cooldown)
        self._told: dict[Lease, Leak] = {}
        """What was told of leases as leaks, so that their return is told, too."""
        self._gone: set[Lease] = set()
        """The lost leases that are known."""
        self._abandoned: dict[Lease, float] = {}
        """Leases that are abandoned and not out, as far as the driver says, and since when."""
        self._waited = 0
        self._timeouts = self._timeouts_before = 0
        """All that were seen, and those of them that are over."""
        self._timed_out_at = float("-inf")
        self._peak = 0
        """The most that were used at once since the last sample."""

    def look(self) -> None:
        """Judge the leases and the limits, and tell what is new. Nothing is found of what is not watched."""
        if self._book.active:
            self._judge()
        if not self._book.active:  # perhaps since a moment ago
            self._find_nothing()

    def _find_nothing(self) -> None:
        """Forget what was found, and tell that the alerts are over."""
        book = self._book
        now = book.clock.monotonic()
        self._leaks.look((), now)
        self._told, self._abandoned, self._waited = {}, {}, 0
        self._gone = set(book.gone.copy())  # at once: a collection may add to it
        book.find_nothing()
        self._settle((), now)

    def _judge(self) -> None:
        book, now = self._book, self._book.clock.monotonic()
        self._mark_peak()
        book.found = self._leaks.look(list(book.open), now)
        self._tell_lost(now)
        self._tell_leaks()
        gauges = book.gauges()
        used = book.used_of(gauges)
        is_told = gauges.size is not None and gauges.idle is not None
        self._forget_stale(now, len(book.open) - used if is_told else None)
        found = chain(
            self._utilization(used, gauges.limit),
            self._waiting(used, gauges.limit),
            self._time_outs(now, used, gauges.limit),
            self._errors(),
            self._held(),
        )
        self._settle(found, now)
        book.stacks_from = max(1, gauges.limit // 2) if gauges.limit else STACKS_FROM
        self._keep_sample(now, used, gauges.limit)

    def _settle(self, found: Iterable[PoolAlert], now: float) -> None:
        """Tell the alerts that are new, and those that are over."""
        book = self._book
        told = self._alerts.settle(found, now, book.clock.now())
        book.alerts = self._alerts.open
        for alert in told:
            if alert.ended is not None:
                book.tell(ENDED, alert)
            else:
                book.news += alert.severity is Severity.CRITICAL
                book.tell(OF_RULE[alert.rule], alert)
                book.tell(ALERT, alert)

    def _mark_peak(self) -> None:
        book = self._book
        peak, book.peak = book.peak, len(book.open)
        book.highest = max(book.highest, peak)
        self._peak = max(self._peak, peak)

    def _tell_lost(self, now: float) -> None:
        """Tell of each lease that was lost that it was a leak, unless that is known."""
        book, known = self._book, self._gone
        gone = book.gone.copy()
        self._gone = set(gone)
        for lease in gone:
            told = self._told.get(lease)
            if lease not in known and (told is None or told.kind is not LeakKind.ABANDONED):
                book.tell(LEAK, self._leaks.lost(lease, now))

    def _tell_leaks(self) -> None:
        """Tell each leak once for each kind of it, and that its lease was returned after all."""
        book, before = self._book, self._told
        self._told = {lease: leak for lease, leak in book.found.items() if leak.kind in _OF_LEAK}
        for lease, leak in self._told.items():
            if lease not in before or before[lease].kind is not leak.kind:
                book.news += leak.kind is LeakKind.ABANDONED
                book.tell(LEAK, leak)
        for lease, leak in before.items():
            if lease in self._told or lease.is_forgotten:
                continue
            if lease in book.open:
                self._told[lease] = leak  # something runs on it again
            else:
                book.tell(RETURNED_LATE, leak)

    def _forget_stale(self, now: float, surplus: int | None) -> None:
        """Forget abandoned leases, the oldest first, but for those whose connection is still out.

        `surplus`: how many leases are open beyond what the driver says is used; None where it says nothing.
        """
        book, before = self._book, self._abandoned
        abandoned = [lease for lease, leak in book.found.items() if leak.kind is LeakKind.ABANDONED]
        most = len(abandoned) if surplus is None else max(0, surplus)
        self._abandoned = {lease: before.get(lease, now) for lease in abandoned[:most]}
        for lease, since in self._abandoned.items():
            if now - since >= book.rules.stale_after:
                book.forget(lease)

    def _utilization(self, used: int, limit: int | None) -> Iterator[PoolAlert]:
        if not limit:
            return
        rules = self._book.rules
        share = used / limit
        before = self._alerts.severity(PoolRule.UTILIZATION)
        critical = rules.critical - (rules.hysteresis if before is Severity.CRITICAL else 0)
        warning = rules.warning - (rules.hysteresis if before is not None else 0)
        if share < warning:
            return
        is_critical = share >= critical
        yield self._alert(
            PoolRule.UTILIZATION,
            Severity.CRITICAL if is_critical else Severity.WARNING,
            f"{used} of {limit} connections are in use ({share:.0%})",
            self._why_full(used, limit),
            share,
            rules.critical if is_critical else rules.warning,
        )

    def _why_full(self, used: int, limit: int | None) -> str:
        """Return what to do about a pool that gives no connections: by who holds them, or why none opens."""
        book = self._book
        holders = Counter(lease.site for lease in list(book.open))  # no tuple: see Errors.within
        refused, total = book.errors.why_refused(_LATELY), holders.total()
        if refused and (not limit or total < limit * book.rules.warning):
            return refused
        if not holders:
            return _HELD_ELSEWHERE if used else _HELD_BY_NONE
        site, count = holders.most_common(1)[0]
        if any(leak.kind is LeakKind.ABANDONED for leak in self._book.found.values()):
            return f"Return what is never returned first: {count} of {total} leases come from {site.place}."
        return f"{count} of {total} leases come from {site.place}: hold them for less, or raise the limit."

    def _waiting(self, used: int, limit: int | None) -> Iterator[PoolAlert]:
        waiting = self._book.waiting
        self._waited = self._waited + 1 if waiting else 0
        if self._waited >= _SEEN:
            text = f"{waiting} request{'s wait' if waiting > 1 else ' waits'} for a connection"
            advice = self._why_full(used, limit)
            yield self._alert(PoolRule.WAITING, Severity.WARNING, text, advice, waiting, None)

    def _time_outs(self, now: float, used: int, limit: int | None) -> Iterator[PoolAlert]:
        total = self._book.timeouts
        if total > self._timeouts:
            self._timeouts, self._timed_out_at = total, now
        elif now - self._timed_out_at >= self._book.rules.calm:
            self._timeouts_before = total
        new = total - self._timeouts_before
        if new:
            text = f"{new} request{'s' if new > 1 else ''} got no connection in time"
            advice = self._why_full(used, limit)
            yield self._alert(PoolRule.TIMEOUTS, Severity.CRITICAL, text, advice, new, None)

    def _errors(self) -> Iterator[PoolAlert]:
        book = self._book
        count = book.errors.within(book.rules.calm)
        if count < book.rules.errors:
            return
        said, advice = cause_of(list(book.errors.kept)[-count:])
        yield self._alert(
            PoolRule.ERRORS,
            Severity.WARNING,
            f"{count} errors within {book.rules.calm:g} s, {said}",
            advice,
            count,
            book.rules.errors,
        )

    def _held(self) -> Iterator[PoolAlert]:
        for kind, rule in _OF_LEAK.items():
            leaks = {lease: leak for lease, leak in self._book.found.items() if leak.kind is kind}
            if leaks:
                yield self._of_leaks(rule, kind, leaks)

    def _of_leaks(self, rule: PoolRule, kind: LeakKind, leaks: dict[Lease, Leak]) -> PoolAlert:
        sites = Counter(lease.site.place for lease in leaks)
        (place, count), total = sites.most_common(1)[0], len(leaks)
        where = place if len(sites) == 1 else f"{place} ({count}) and {_more(len(sites) - 1)}"
        said, advice = _WORDS[kind]
        return self._alert(
            rule,
            Severity.CRITICAL if kind is LeakKind.ABANDONED else Severity.WARNING,
            f"{total} lease{'s' if total > 1 else ''} of {where}{in_scopes(leaks.values())}: {said}",
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
        book = self._book
        named = f"{book.service}/{book.name}: {message}"
        return PoolAlert(rule, severity, named, recommendation, book.clock.now(), value, limit)

    def sample(self) -> Sample:
        """Return the pool as it stands, with the most that were used since the last sample that is kept."""
        gauges = self._book.gauges()
        return self._sample(self._book.used_of(gauges), gauges.limit)

    def _sample(self, used: int, limit: int | None) -> Sample:
        book = self._book
        return Sample(
            at=book.clock.now(),
            used=used,
            peak=max(self._peak, book.peak, used),
            waiting=book.waiting,
            limit=limit,
            taken=book.taken,
            timeouts=book.timeouts,
            errors=book.errors.total,
        )

    def _keep_sample(self, now: float, used: int, limit: int | None) -> None:
        past = self._book.past
        if past.is_due(now):
            past.add(self._sample(used, limit), now)
            self._peak = 0


_WORDS = {
    LeakKind.ABANDONED: (
        "never returned, though the request, task or thread that took it has ended",
        "Take it at {place} in a `with` or `async with` block, so that an error returns it, too.",
    ),
    LeakKind.SUSPECT: (
        "held for long, and nothing runs",
        "See where the owner of {place} is now; return it before other work, or declare the hold.",
    ),
    LeakKind.IDLE_IN_TRANSACTION: (
        "held for long with an open transaction, and nothing runs",
        "Commit or roll back at {place} before other work: its locks and old rows are kept until then.",
    ),
}


def _more(sites: int) -> str:
    return f"{sites} more line{'s' if sites > 1 else ''}"
