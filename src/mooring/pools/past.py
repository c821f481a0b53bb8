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
        return [each for each in list(self._samples) if since is None or each.at >= since]

    def aggregated(self, hours: float, now: Sample) -> Aggregate:
        """Return what the last hours add up to, at most those that are kept. Raises ValueError for none.

        `now`: the pool as it stands. What was counted and used since the last sample belongs to them, too.
        """
        if not hours > 0:
            raise ValueError(f"hours: {hours!r} is no span of time; give more than 0")
        since = now.at - timedelta(hours=min(hours, HOURS))
        samples = self.samples(since)
        known = [*samples, now]
        shares = [each.used / each.limit for each in samples if each.limit]
        begin = self._begin(since)

        def grown(name: str) -> int:
            before: int = getattr(begin, name) if begin else 0
            counted: int = getattr(now, name) - before
            return max(0, counted)

        return Aggregate(
            since=since,
            until=now.at,
            samples=len(samples),
            used_mean=sum(each.used for each in samples) / len(samples) if samples else None,
            used_max=max(each.peak for each in known),
            utilization_mean=sum(shares) / len(shares) if shares else None,
            utilization_max=max((each.peak / each.limit for each in known if each.limit), default=None),
            waiting_max=max(each.waiting for each in known),
            taken=grown("taken"),
            timeouts=grown("timeouts"),
            errors=grown("errors"),
        )

    def _begin(self, since: datetime) -> Sample | None:
        """Return the last sample before a time; the oldest where that is gone, None where there was none."""
        samples = list(self._samples)
        before = [each for each in samples if each.at < since]
        if before:
            return before[-1]
        return samples[0] if len(samples) == self._samples.maxlen else None
