"""A server that is away: told once, and tried again later and later."""

from __future__ import annotations

from collections.abc import Callable

from mooring.core.backoff import Backoff
from mooring.pools.line import LONGEST


class Absence:
    """Since when there is trouble with the server as a whole, and when to try again."""

    def __init__(self, random: Callable[[], float]) -> None:
        self.told = False
        """Whether people know of it."""
        self.until = float("-inf")
        """When to try again, of a monotonic clock."""
        self._attempt = 0
        self._random = random

    def goes_on(self, now: float, interval: float, retry_after: float | None) -> None:
        """Wait longer than before, at random, at most an interval; or as long as the server says."""
        delay = Backoff(base=1.0, cap=interval).delay(self._attempt, self._random)
        self._attempt += 1
        self.until = now + max(delay, min(retry_after or 0.0, LONGEST))

    def try_now(self) -> None:
        """Try again at once, as a new process does."""
        self._attempt, self.until = 0, float("-inf")

    def is_over(self) -> None:
        """Forget it."""
        self.told = False
        self.try_now()
