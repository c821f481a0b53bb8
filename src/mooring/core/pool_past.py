"""What a pool was like over some time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple


class PoolBucket(NamedTuple):
    """One step of a window. `used` and `utilization` are means, the other gauges the highest of the step."""

    start: datetime
    samples: int = 0
    instances: int | None = None
    used: float | None = None
    used_max: int | None = None
    peak: int | None = None
    size: int | None = None
    limit: int | None = None
    utilization: float | None = None
    utilization_max: float | None = None
    waiting: int | None = None
    taken: int = 0
    timeouts: int = 0
    errors: int = 0


class PoolWindow(NamedTuple):
    """A pool's past. Every step is there, also the empty ones; `total` is the whole window as one step."""

    name: str
    since: datetime
    until: datetime
    step: float
    buckets: Sequence[PoolBucket]
    total: PoolBucket


class ServicePast(NamedTuple):
    """The past of all pools of a service: each step adds up what each pool's own past has there.

    The highest of one pool need not have been when that of another was. `limit` and `utilization` are None
    where one of the pools had no limit. `instances` has a process once for each of its pools.
    """

    name: str
    since: datetime
    until: datetime
    step: float
    buckets: Sequence[PoolBucket]
