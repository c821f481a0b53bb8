"""What a span of time adds up to, whether it comes from raw results or from finer buckets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import Row

from mooring.core import histogram
from mooring.core.stage import Stage
from mooring.store import stage_times
from mooring.store.codes import MICROSECONDS
from mooring.store.stage_times import StageTimes


@dataclass(slots=True)
class Bucket:
    """Counts of all results; durations, in microseconds, of those that passed."""

    count: int = 0
    failures: int = 0
    sum: int = 0
    min: int = 0
    max: int = 0
    counts: histogram.Counts = field(default_factory=dict)
    stages: StageTimes = field(default_factory=dict)

    def add(self, duration: int, stages: bytes, *, failed: bool) -> None:
        """Count one result, its stages packed as in its row. Raises ValueError where they are damaged."""
        if failed:
            self.count += 1
            self.failures += 1
            return
        stage_times.add(self.stages, stages)
        self._span(duration, duration)
        self.count += 1
        self.sum += duration
        index = histogram.index_of(duration)
        self.counts[index] = self.counts.get(index, 0) + 1

    def merge(self, other: Bucket) -> None:
        """Count what another bucket holds."""
        if other.count > other.failures:
            self._span(other.min, other.max)
        self.count += other.count
        self.failures += other.failures
        self.sum += other.sum
        for index, amount in other.counts.items():
            self.counts[index] = self.counts.get(index, 0) + amount
        stage_times.merge(self.stages, other.stages)

    @classmethod
    def of(cls, row: Row[Any]) -> Self:
        """Return what a row of the roll-ups holds. Raises ValueError where it is damaged."""
        counts, passed = histogram.unpack(row.histogram), row.checks - row.failures
        if sum(counts.values()) != passed:
            raise ValueError(f"the histogram holds {sum(counts.values())} checks instead of {passed}")
        stages = stage_times.unpack(row.stages, passed)
        return cls(row.checks, row.failures, row.sum, row.min, row.max, counts, stages)

    def row(self) -> tuple[int, int, int, int, int, bytes, bytes]:
        """Return the values of a roll-up's row, behind its key."""
        counts = histogram.pack(self.counts)
        stages = stage_times.pack(self.stages, self.count - self.failures)
        return self.count, self.failures, self.sum, self.min, self.max, counts, stages

    def stage_seconds(self) -> dict[Stage, float]:
        """Return the mean seconds of each stage, of the checks that passed and timed it."""
        return stage_times.means(self.stages)

    def seconds(self) -> Mapping[str, float | None]:
        """Return min, mean, max, p50 and p95 in seconds; None where nothing passed."""
        passed = self.count - self.failures
        if not passed:
            return dict.fromkeys(("min", "mean", "max", "p50", "p95"))
        return {
            "min": self.min / MICROSECONDS,
            "mean": self.sum / passed / MICROSECONDS,
            "max": self.max / MICROSECONDS,
            "p50": self._quantile(0.50),
            "p95": self._quantile(0.95),
        }

    def _quantile(self, share: float) -> float:
        value = histogram.quantile(self.counts, share) or 0.0
        return min(max(value, self.min), self.max) / MICROSECONDS

    def _span(self, low: int, high: int) -> None:
        if self.count == self.failures:
            self.min, self.max = low, high
        else:
            self.min, self.max = min(self.min, low), max(self.max, high)
