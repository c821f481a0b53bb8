"""A pool as it stands, as values and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from mooring.core import histogram
from mooring.core.pool import Durations, PoolSnapshot, PoolTotals, SiteUse
from mooring.pools.book import Book
from mooring.pools.lease import NANOSECONDS, Lease
from mooring.pools.scope import name_of
from mooring.pools.site import BUCKETS, Site

MOST_SITES = 20
"""Sites that are told, those with most leases out first."""
MOST_LEAKS = 50


def picture(book: Book) -> PoolSnapshot:
    """Return a pool as it stands."""
    gauges, leases, sites = book.gauges(), list(book.open), book.sites.all()
    return PoolSnapshot(
        service=book.service,
        name=book.name,
        driver=book.driver.name,
        at=book.clock.now(),
        used=book.used_of(gauges),
        idle=gauges.idle,
        size=gauges.size,
        limit=gauges.limit,
        least=gauges.least,
        waiting=book.waiting,
        peak=max(book.highest, book.peak),
        totals=_totals(book),
        wait=_durations(book.waits),
        use=_durations(_sum(site.used for site in sites)),
        create=_durations(book.creates),
        sites=_uses(sites, leases, book.clock.monotonic()),
        leaks=tuple(book.found.values())[:MOST_LEAKS],
        alerts=book.alerts,
        address=book.driver.address,
        database=book.driver.database,
        active=book.active,
    )


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: times as ISO 8601, buckets of a histogram by their number."""
    if hasattr(value, "_asdict"):
        return {name: plain(each) for name, each in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value


def _totals(book: Book) -> PoolTotals:
    return PoolTotals(
        taken=book.taken,
        returned=book.returned,
        forgotten=book.forgotten,
        timeouts=book.timeouts,
        errors=book.errors.total,
        session_errors=book.errors.session,
        created=book.created_total,
        closed=book.closed_total,
        unmatched=book.unmatched,
        internal_errors=book.faults,
    )


def _sum(counts: Iterable[Sequence[int]]) -> Sequence[int]:
    total = [0] * BUCKETS
    for each in counts:
        total = [one + other for one, other in zip(total, each, strict=True)]
    return total


def _durations(counts: Sequence[int]) -> Durations:
    return Durations({index: count for index, count in enumerate(counts) if count})


def _uses(sites: Sequence[Site], leases: Sequence[Lease], now: float) -> tuple[SiteUse, ...]:
    """Return the sites that matter: those that hold most, then those that take most."""
    held: dict[Site, list[Lease]] = {}
    for lease in leases:
        held.setdefault(lease.site, []).append(lease)
    uses = [_use(site, held.get(site, []), now) for site in sites]
    uses = [use for use in uses if use.total]
    return tuple(sorted(uses, key=lambda use: (-use.open, -use.total))[:MOST_SITES])


def _use(site: Site, held: Sequence[Lease], now: float) -> SiteUse:
    counts = {index: count for index, count in enumerate(site.used) if count}
    scopes = {name_of(lease.scope) for lease in held}
    return SiteUse(
        file=site.file,
        line=site.line,
        function=site.function,
        open=len(held),
        total=sum(counts.values()) + len(held),
        oldest=max((now - lease.began / NANOSECONDS for lease in held), default=None),
        p50=_seconds(histogram.quantile(counts, 0.5)),
        p95=_seconds(histogram.quantile(counts, 0.95)),
        scope=scopes.pop() if len(scopes) == 1 else None,
    )


def _seconds(nanoseconds: float | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / NANOSECONDS
