"""A mild limit on failing logins."""

from __future__ import annotations

from collections import OrderedDict

from mooring.core.clock import Clock

FAILURES = 10
WINDOW = 60.0
"""Seconds in which an address may fail so often."""
MOST_ADDRESSES = 10_000


class Throttle:
    """Counts failures by address. Tokens cannot be guessed anyway; this keeps the guessing cheap for us."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def failed(self, address: str) -> float:
        """Note a failure. Return the seconds for which further ones are turned away, 0 while they are not."""
        now = self._clock.monotonic()
        count, began = self._failures.pop(address, (0, now))
        if now - began >= WINDOW:
            count, began = 0, now
        self._failures[address] = count + 1, began
        while len(self._failures) > MOST_ADDRESSES:
            self._failures.popitem(last=False)
        return began + WINDOW - now if count >= FAILURES else 0.0
