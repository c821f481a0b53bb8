"""What a span of time adds up to, whether it comes from raw results or from finer buckets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import Row

from mooring.store import histogram
from mooring.store.codes import MICROSECONDS


@dataclass(slots=True)
class Bucket:
    """Counts of all results; durations, in microseconds, of those that passed."""

    count: int = 0
    failures: int = 0
    sum: int = 0
    min: int = 0
    max: int = 0
    counts: histogram.Counts = field(default_factory=dict)

    def add(self, duration: int, *, failed: bool) -> None:
        """Count one result."""
        if failed:
            self.count += 1
            self.failures += 1
            return
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

    @classmethod
    def of(cls, row: Row[Any]) -> Self:
        """Return what a row of the roll-ups holds."""
        return cls(row.checks, row.failures, row.sum, row.min, row.max, histogram.unpack(row.histogram))

    def row(self) -> tuple[int, int, int, int, int, bytes]:
        """Return the values of a roll-up's row, behind its key."""
        return self.count, self.failures, self.sum, self.min, self.max, histogram.pack(self.counts)

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
