"""What a watch and a reporter need of a tracker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from mooring.core.pool import PoolSnapshot


class Watched(Protocol):
    """A `PoolTracker`, seen from below it."""

    service: str
    name: str
    news: int
    """How often something was found of which a server is to hear soon. Only grows."""

    def look(self) -> None:
        """Judge the leases and the limits, and tell what is new."""
        ...

    def snapshot(self) -> PoolSnapshot:
        """Return the pool as it stands."""
        ...

    def cleanup(self) -> int:
        """Forget the abandoned leases."""
        ...

    def reset(self) -> None:
        """Begin an empty book."""
        ...

    def forked(self) -> None:
        """Begin an empty book in a child process."""
        ...

    def start(self) -> None:
        """Track leases again."""
        ...

    def stop(self) -> None:
        """Track no more leases."""
        ...

    def broken(self, error: Exception) -> None:
        """Count a fault of our own. Never raises."""
        ...


class Watching(Protocol):
    """A `Watch`, seen from below it."""

    def __iter__(self) -> Iterator[Watched]:
        """Yield the trackers that are alive."""
        ...

    @property
    def looking(self) -> AbstractContextManager[object]:
        """What is held while drivers are asked: nothing forks meanwhile."""
        ...
