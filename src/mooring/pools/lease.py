"""One checked-out connection."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Protocol, Self
from weakref import ref

from mooring.pools.scope import Scope
from mooring.pools.site import Site, Stack

NANOSECONDS = 1_000_000_000
"""In a second."""
NEVER = -1
"""When a lease began that is in no book."""


class Keeper(Protocol):
    """What a lease is returned to."""

    def release(self, lease: Lease) -> None:
        """Note that it was returned."""
        ...

    def record_error(self, error: BaseException, *, operation: str | None = None) -> None:
        """Note what went wrong meanwhile."""
        ...


class Lease:
    """One checked-out connection: since when, from which line, by which task or thread.

    Closes itself at the end of a `with` or `async with` block. Made by `PoolTracker.track`, which fills
    the fields itself: an `__init__` of its own would cost as much as the look-up of the line.

    Attributes:
        tracker: where it is returned to.
        began: nanoseconds of the tracker's clock.
        site: the line of the application that checked it out.
        owner: the task or thread that did.
        operation: what it is for, in the application's words.
        resource: the driver's connection, which tells whether a statement runs.
        scope: the route or job, and how long it may be held.
        forgotten: set once its book-keeping was cleaned up.
        stack: the lines that led to the checkout; set where the pool was half used.
    """

    __slots__ = (
        "__weakref__",
        "began",
        "forgotten",
        "operation",
        "owner",
        "resource",
        "scope",
        "site",
        "stack",
        "tracker",
    )

    tracker: Keeper
    began: int
    site: Site
    owner: ref[Any]
    operation: str | None
    resource: ref[Any] | None
    scope: Scope | None
    forgotten: bool
    stack: Stack

    @property
    def is_forgotten(self) -> bool:
        """Whether its book-keeping was cleaned up, though it was not returned."""
        return getattr(self, "forgotten", False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception):
            self.tracker.record_error(error, operation=self.operation)
        self.tracker.release(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)
