"""How many checks run at once, and which of them must not block the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class Lane:
    """Begins what is put in, in order, so many at a time."""

    def __init__(self, limit: int, begin: Callable[[int], bool]) -> None:
        self._limit = limit
        self._begin = begin
        self._waiting: deque[int] = deque()
        self.running = 0

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._waiting)

    def put(self, target_id: int) -> None:
        """Begin a target's check as soon as there is a place."""
        self._waiting.append(target_id)
        self._fill()

    def ended(self) -> None:
        """Give a place back."""
        self.running -= 1
        self._fill()

    def _fill(self) -> None:
        """Fill the free places. What `begin` refuses, because it is not wanted any more, takes none."""
        while self._waiting and self.running < self._limit:
            self.running += self._begin(self._waiting.popleft())
