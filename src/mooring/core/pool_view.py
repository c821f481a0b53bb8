"""One pool of one service, summed over its processes: what a server shows of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from mooring.core.pool import Durations, Leak, PoolAlert, PoolSnapshot, PoolTotals, SiteUse
from mooring.core.report import Instance


class PoolSum(NamedTuple):
    """The processes that report, added up; what none of them tells is None.

    `used_limited` is what is used by those that have a limit: only of these there is a share.
    """

    instances: int = 0
    used: int = 0
    used_limited: int = 0
    idle: int | None = None
    size: int | None = None
    limit: int | None = None
    least: int | None = None
    waiting: int = 0
    peak: int = 0

    @property
    def utilization(self) -> float | None:
        """Used connections as a share of the limit; None without a limit."""
        return self.used_limited / self.limit if self.limit else None


class PoolMember(NamedTuple):
    """One process' part of a pool."""

    instance: Instance
    heard_at: datetime
    interval: float
    skew: float
    """Seconds by which its clock is ahead of the server's."""
    live: bool
    """Whether it counts: it has reported within 2.5 of its intervals, and did not say that it ends."""
    ended: bool
    """Whether it said that it ends."""
    snapshot: PoolSnapshot


class PoolLeak(NamedTuple):
    """A lease that is not returned, and the process that holds it."""

    leak: Leak
    process: str


class Comparison(NamedTuple):
    """What the pools of all services may take of one server, and what that server gives."""

    address: str
    target_id: int
    target: str
    kind: str
    services: Sequence[str]
    limit: int | None
    """The limits of all pools of all processes on it, added up; None where one has none."""
    used: int
    allowed: int | None
    """Connections that the server takes at the most."""
    sessions: int | None
    """Those that it had at its last check."""
    checked_at: datetime | None


class PoolView(NamedTuple):
    """A pool as it stands. `active` is False where every process has stopped its tracking."""

    id: int
    service: str
    name: str
    driver: str
    address: str | None
    database: str | None
    active: bool
    heard_at: datetime | None
    sum: PoolSum
    totals: PoolTotals
    """Counted by the server over all processes, also those that have ended."""
    wait: Durations
    use: Durations
    create: Durations
    members: Sequence[PoolMember] = ()
    sites: Sequence[SiteUse] = ()
    leaks: Sequence[PoolLeak] = ()
    alerts: Sequence[PoolAlert] = ()
    comparison: Sequence[Comparison] = ()
