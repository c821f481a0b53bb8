"""A pool inside some process: what is open, who holds it, what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class LeakKind(StrEnum):
    """What is to be said of a lease that is not returned."""

    ABANDONED = "abandoned"
    """Its task or thread has ended: a leak for certain."""
    SUSPECT = "suspect"
    """Held for long, and nothing runs on it."""
    IDLE_IN_TRANSACTION = "idle_in_transaction"
    """Held for long with a transaction open, and nothing runs on it: its locks stop others."""
    BUSY = "busy"
    """A statement runs for long: slow, no leak."""


class PoolRule(StrEnum):
    """What an alert is about."""

    UTILIZATION = "utilization"
    """Much of the limit is in use."""
    WAITING = "waiting"
    """Requests for a connection wait."""
    TIMEOUTS = "timeouts"
    """Requests got no connection in time."""
    ERRORS = "errors"
    """The application met many errors within a short time."""
    ABANDONED = "abandoned"
    """Leases are abandoned."""
    SUSPECT = "suspect"
    """Leases are suspects."""
    IDLE_IN_TRANSACTION = "idle_in_transaction"
    """Leases are idle in a transaction."""
    INACTIVE = "inactive"
    """Nobody reports the pool any more; only a server tells that."""


class Severity(StrEnum):
    """How soon somebody has to look."""

    WARNING = "warning"
    CRITICAL = "critical"


def place_of(file: str, line: int) -> str:
    """Return `file:line`, with the last two parts of the path."""
    return f"{'/'.join(file.replace(chr(92), '/').split('/')[-2:])}:{line}"


class SiteUse(NamedTuple):
    """What one line of the application does with a pool. Times are seconds; None where nothing came back."""

    file: str
    line: int
    function: str
    open: int
    """Leases that are out now."""
    total: int
    """Leases that were ever taken there."""
    oldest: float | None
    """Seconds since the oldest of those that are out was taken."""
    p50: float | None
    p95: float | None
    scope: str | None = None
    """The route or job of what is out, where all of it has the same."""

    @property
    def place(self) -> str:
        """`file:line`, with what a reader does not need of the path left out."""
        return place_of(self.file, self.line)


class Leak(NamedTuple):
    """A lease that is not returned.

    `held` and `idle` are seconds; `idle` is None where the driver does not tell.
    """

    kind: LeakKind
    site: str
    """`file:line` of the checkout."""
    function: str
    held: float
    idle: float | None
    owner: str
    """The name of the task or thread."""
    operation: str | None
    scope: str | None
    now: tuple[str, ...] = ()
    """Where the owner is, `file:line in function`, innermost first; empty where it has ended."""
    taken: tuple[str, ...] = ()
    """The lines that led to the checkout, likewise; empty where the pool was less than half used then."""


class PoolAlert(NamedTuple):
    """Something to tell of a pool, until it is over."""

    rule: PoolRule
    severity: Severity
    message: str
    recommendation: str
    since: datetime
    value: float
    limit: float | None
    suppressed: int = 0
    """Times that it came again within the cooldown, and was not told."""
    ended: datetime | None = None


class Durations(NamedTuple):
    """How long something took: counts by bucket of core/histogram.py, in nanoseconds."""

    counts: Mapping[int, int] = MappingProxyType({})

    @property
    def total(self) -> int:
        """How many there were."""
        return sum(self.counts.values())


class PoolTotals(NamedTuple):
    """What was counted since the process began to watch the pool. All only ever grow."""

    taken: int = 0
    returned: int = 0
    forgotten: int = 0
    """Leases that were abandoned and whose book-keeping was cleaned up."""
    timeouts: int = 0
    errors: int = 0
    session_errors: int = 0
    """Of the errors, those of a login or a lost session, not of a statement."""
    created: int = 0
    closed: int = 0
    unmatched: int = 0
    """Leases that were returned twice."""
    internal_errors: int = 0
    """Faults of Mooring's own that were kept from the application."""


class PoolSnapshot(NamedTuple):
    """A pool at one moment.

    `size` is the connections that are open, `idle` those of them that nobody holds, `limit` how many there
    may be; each is None where the driver does not tell or sets no limit.
    """

    service: str
    name: str
    driver: str
    at: datetime
    used: int
    idle: int | None
    size: int | None
    limit: int | None
    least: int | None
    """How many are kept open at the least."""
    waiting: int
    """Requests for a connection that have none yet."""
    peak: int
    """The most that were used at once since the last reset."""
    totals: PoolTotals
    wait: Durations
    use: Durations
    create: Durations
    sites: Sequence[SiteUse] = ()
    leaks: Sequence[Leak] = ()
    alerts: Sequence[PoolAlert] = ()
    address: str | None = None
    """The server, `host:port` where it has one, never with a secret."""
    database: str | None = None
    active: bool = True
    """False where tracking is stopped, by a person or since it failed too often."""

    @property
    def utilization(self) -> float | None:
        """Used connections as a share of the limit; None without a limit."""
        return self.used / self.limit if self.limit else None
