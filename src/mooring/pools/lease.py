"""One checked-out connection."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from weakref import ref

if TYPE_CHECKING:
    from mooring.pools.scope import Scope
    from mooring.pools.site import Site
    from mooring.pools.tracker import PoolTracker


NANOSECONDS = 1_000_000_000
"""In a second."""


class Lease:
    """One checked-out connection: since when, from which line, by which task or thread.

    Closes itself at the end of a `with` or `async with` block. Made by `PoolTracker.track`.
    """

    __slots__ = ("__weakref__", "began", "operation", "owner", "resource", "scope", "site", "tracker")

    def __init__(
        self,
        tracker: PoolTracker,
        began: int,
        site: Site,
        owner: ref[Any],
        operation: str | None,
        resource: ref[Any] | None,
        scope: Scope | None,
    ) -> None:
        self.tracker = tracker
        self.began = began
        """Nanoseconds of the tracker's clock."""
        self.site = site
        """The line of the application that checked it out."""
        self.owner = owner
        """The task or thread that checked it out."""
        self.operation = operation
        self.resource = resource
        """The driver's connection, which tells whether a statement runs."""
        self.scope = scope

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
