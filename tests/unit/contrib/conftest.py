"""A pool that is tracked by hand, and looked at when a test says so."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mooring.core.pool import Leak
from mooring.pools import PoolTracker, Watch


class Pool:
    """A tracker, and what it tells of leaks."""

    def __init__(self) -> None:
        self.watch = Watch(threaded=False)
        self.tracker = PoolTracker("shop", "orders", watch=self.watch)
        self.names: list[str | None] = []
        """The names of scopes, read while they run."""

    def told(self) -> Sequence[Leak]:
        """Return what is told after two looks, which is when a leak is certain."""
        self.watch.look()
        self.watch.look()
        return self.tracker.leaks()

    def places(self) -> list[tuple[str | None, str, str]]:
        """Return route, function and kind of each leak."""
        return [(leak.scope, leak.function.rpartition(".")[2], leak.kind.value) for leak in self.told()]


@pytest.fixture
def pool() -> Pool:
    """A pool of nobody's."""
    return Pool()
