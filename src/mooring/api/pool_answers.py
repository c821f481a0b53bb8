"""What the API answers of pools, as OpenAPI declares it."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from mooring.api.models import Answer
from mooring.core.pool import LeakKind, PoolRule, Severity
from mooring.core.report import WishKind
from mooring.core.status import Status


class WishAnswer(Answer):
    """Something that a process is to do once. Ids only grow."""

    pool: str
    do: WishKind
    id: int


class ReplyAnswer(Answer):
    """The report was taken."""

    interval: float = Field(description="Seconds until the next report is wanted.")
    wishes: list[WishAnswer] = Field(
        description="What the process is to do. They are repeated until `done` of a report holds their ids, "
        "for 10 minutes at most."
    )


class _Sum(Answer):
    used: int
    idle: int | None
    size: int | None = Field(description="Connections that are open.")
    limit: int | None = Field(description="How many there may be; null where none is set.")
    least: int | None
    waiting: int = Field(description="Requests that have no connection yet.")
    peak: int = Field(
        description="The most that were used at once since the last reset; of several processes the sum of "
        "each one's most, which need not have been at the same time."
    )
    utilization: float | None = Field(description="Used as a share of the limit; null without one.")


class _Counted(_Sum):
    taken: int
    returned: int
    forgotten: int
    timeouts: int
    errors: int
    session_errors: int
    created: int
    closed: int
    unmatched: int
    internal_errors: int


class PoolTotalsAnswer(_Counted):
    """All processes that report, added up. What is counted includes those that have ended."""

    instances: int


class PoolInstanceAnswer(_Counted):
    """One process' part of a pool. What is counted is since it began."""

    id: str
    host: str
    pid: int
    started_at: datetime
    heard_at: datetime
    interval: float = Field(description="Seconds between its reports.")
    skew: float = Field(description="Seconds by which its clock is ahead of the server's.")
    live: bool = Field(description="Whether it is part of the totals.")
    ended: bool = Field(description="Whether it said that it ends.")
    active: bool = Field(description="Whether it tracks the pool.")


class DurationsAnswer(Answer):
    """How long something took, in seconds."""

    count: int
    p50: float | None
    p95: float | None
    p99: float | None


class SiteAnswer(Answer):
    """What one line of the application does with a pool. Times are those of the slowest process."""

    file: str
    line: int
    function: str
    place: str = Field(description="file:line, as short as it can be read.")
    open: int = Field(description="Leases that are out now.")
    total: int
    oldest: float | None
    p50: float | None
    p95: float | None
    scope: str | None = Field(description="The route or job of what is out, where all of it has the same.")


class LeakAnswer(Answer):
    """A lease that is not returned."""

    kind: LeakKind
    site: str = Field(description="file:line of the checkout.")
    function: str
    held: float
    idle: float | None
    owner: str
    operation: str | None
    scope: str | None
    now: list[str] = Field(description="Where its owner is now, innermost first; empty where that ended.")
    taken: list[str] = Field(
        description="The lines that led to the checkout, likewise; empty where the pool was hardly used then."
    )
    process: str = Field(description="host:pid")


class PoolAlertAnswer(Answer):
    """Something that is wrong with a pool, and what to do about it."""

    rule: PoolRule
    severity: Severity
    message: str
    recommendation: str
    since: datetime
    value: float
    limit: float | None
    suppressed: int = Field(description="Times that it came again within the cooldown, and was not told.")


class ComparisonAnswer(Answer):
    """What the pools of all services may take of a server, and what that gives."""

    address: str
    target_id: int
    target: str
    kind: str
    services: list[str]
    limit: int | None = Field(description="The limits of all these pools' processes, added up.")
    used: int
    allowed: int | None = Field(description="Connections that the server takes at the most.")
    sessions: int | None = Field(description="Those that it had at its last check.")
    checked_at: datetime | None


class PoolAnswer(Answer):
    """A pool of one service, and everything that is known of it now. `id` is that of its target."""

    id: int
    service: str
    name: str
    status: Status = Field(description="Where its target stands.")
    enabled: bool = Field(description="false: its target is paused.")
    driver: str
    address: str | None = Field(description="The server behind it.")
    database: str | None
    active: bool = Field(description="false: every process has stopped tracking it.")
    heard_at: datetime | None
    totals: PoolTotalsAnswer
    wait: DurationsAnswer = Field(description="Waiting for a connection.")
    use: DurationsAnswer = Field(description="Holding a connection.")
    create: DurationsAnswer = Field(description="Opening a connection.")
    instances: list[PoolInstanceAnswer]
    sites: list[SiteAnswer] = Field(description="Those that hold most first.")
    leaks: list[LeakAnswer] = Field(description="The longest held first.")
    alerts: list[PoolAlertAnswer]
    comparison: list[ComparisonAnswer]


class PoolBucketAnswer(Answer):
    """One step of a pool's past. Of `used` and `utilization` the mean, of other gauges the highest.

    Of what a process counted while nobody heard it (`taken`, `timeouts`, `errors`), nobody knows when: totals
    have all of it, and the past as much as one interval brought on average.
    """

    start: datetime
    samples: int
    instances: int | None
    used: float | None
    used_max: int | None
    peak: int | None
    size: int | None
    limit: int | None
    utilization: float | None
    utilization_max: float | None
    waiting: int | None
    taken: int
    timeouts: int
    errors: int


class PoolHistoryAnswer(Answer):
    """A pool's past. Every step is there, also the empty ones."""

    window: str
    since: datetime
    until: datetime
    step: float = Field(description="Seconds of a step.")
    buckets: list[PoolBucketAnswer]


class ServiceHistoryAnswer(PoolHistoryAnswer):
    """The past of all pools of a service: each step adds up what each pool's own past has there.

    The highest of one pool need not have been when that of another was. `limit` and `utilization` are null
    where one of the pools had no limit. `instances` has a process once for each of its pools.
    """

    service: str
    pools: int


class PoolAggregateAnswer(PoolBucketAnswer):
    """A pool's past added up."""

    window: str
    since: datetime
    until: datetime


class FindingAnswer(Answer):
    """Something about a pool that is worth knowing, and what to do about it."""

    code: str
    severity: Severity | None = Field(description="Null where it is advice alone.")
    message: str
    recommendation: str


class DiagnosticsAnswer(Answer):
    """What is worth knowing of a pool, what is wrong first, and the servers behind it."""

    findings: list[FindingAnswer]
    comparison: list[ComparisonAnswer]


class WantedAnswer(Answer):
    """The processes hear of it in the answers to their next reports."""

    wish: WishAnswer
    instances: int = Field(description="Processes that will do it.")
