"""What a pool was like before."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

INTERVAL = 30.0
"""Seconds between two samples."""
HOURS = 24
"""Hours that are kept."""


class Sample(NamedTuple):
    """A pool at one moment. Counts are since the process began."""

    at: datetime
    used: int
    peak: int
    """The most that were used at once since the sample before."""
    waiting: int
    limit: int | None
    taken: int
    timeouts: int
    errors: int


class Aggregate(NamedTuple):
    """Some hours of a pool's past. Utilizations are shares of the limit, None where there is none."""

    since: datetime
    until: datetime
    samples: int
    used_mean: float | None
    used_max: int | None
    utilization_mean: float | None
    utilization_max: float | None
    waiting_max: int | None
    taken: int
    timeouts: int
    errors: int


class Past:
    """Keeps a sample every half minute for a day: under 1 MB."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=int(HOURS * 3600 / INTERVAL))
        self._next = float("-inf")

    def is_due(self, now: float) -> bool:
        """Whether it is time for a sample; `now` in seconds of a monotonic clock."""
        return now >= self._next

    def add(self, sample: Sample, now: float) -> None:
        """Keep a sample."""
        self._samples.append(sample)
        self._next = now + INTERVAL

    def samples(self, since: datetime | None = None) -> Sequence[Sample]:
        """Return what is kept, the oldest first."""
        return [each for each in tuple(self._samples) if since is None or each.at >= since]

    def aggregated(self, hours: float, until: datetime) -> Aggregate:
        """Return what the last hours add up to, at most those that are kept. Raises ValueError for none."""
        if not hours > 0:
            raise ValueError(f"hours: {hours!r} is no span of time; give more than 0")
        since = until - timedelta(hours=min(hours, HOURS))
        samples = self.samples(since)
        shares = [each.peak / each.limit for each in samples if each.limit]
        now = [each.used / each.limit for each in samples if each.limit]
        first, last = (samples[0], samples[-1]) if samples else (None, None)

        def grown(name: str) -> int:
            return max(0, getattr(last, name) - getattr(first, name)) if samples else 0

        return Aggregate(
            since=since,
            until=until,
            samples=len(samples),
            used_mean=sum(each.used for each in samples) / len(samples) if samples else None,
            used_max=max((each.peak for each in samples), default=None),
            utilization_mean=sum(now) / len(now) if now else None,
            utilization_max=max(shares, default=None),
            waiting_max=max((each.waiting for each in samples), default=None),
            taken=grown("taken"),
            timeouts=grown("timeouts"),
            errors=grown("errors"),
        )
