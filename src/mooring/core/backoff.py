"""How long to wait before trying again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MOST_DOUBLINGS = 62
"""2.0 ** 62 is far past any cap and far from overflowing a float."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff with full jitter. The jitter comes *after* the cap.

    Jitter before the cap lets every client that reached it wait exactly `cap` seconds, which is
    the storm that jitter is there to prevent.
    """

    base: float = 0.1
    cap: float = 60.0

    def delay(self, attempt: int, random: Callable[[], float]) -> float:
        """Return seconds in [0, min(cap, base * 2**attempt)); attempt counts from 0."""
        ceiling = min(self.cap, self.base * 2.0 ** min(max(attempt, 0), MOST_DOUBLINGS))
        return ceiling * random()
