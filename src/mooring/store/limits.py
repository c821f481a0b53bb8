"""How long what is kept, and how much of it one transaction may touch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Raw results for hours, ten-minute roll-ups and hourly ones for days; daily ones stay for ever.

    History of 24 hours is told by ten-minute roll-ups, that of 7 and 30 days by hourly ones: where they
    are kept for less, it begins later. `rows` bounds what one transaction of upkeep reads or deletes.
    """

    raw_hours: float = 6
    rollup_10min_days: float = 7
    rollup_hour_days: float = 90
    rows: int = 2_500
