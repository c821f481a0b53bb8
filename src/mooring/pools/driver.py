"""What a driver tells of its pool and of one connection. Asked now and then, never during a checkout."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol


class Gauges(NamedTuple):
    """A pool's numbers; each None where the driver does not tell."""

    size: int | None = None
    """Connections that are open."""
    idle: int | None = None
    """Of these, those that nobody holds."""
    limit: int | None = None
    """How many there may be."""
    least: int | None = None
    """How many are kept open at the least."""
    most_idle: int | None = None
    """How many may be kept open that nobody holds; None where that is the limit itself."""


class Activity(NamedTuple):
    """What happens on a connection; each None where the driver does not tell."""

    busy: bool | None = None
    """Whether a statement runs."""
    in_transaction: bool | None = None
    idle: float | None = None
    """Seconds since something was last sent or received."""
    fileno: int | None = None
    """Its socket, where only that can tell: `idle` is not known then."""


class Driver(Protocol):
    """What an adapter knows of its driver; it is a subclass of this.

    Whatever its methods raise is counted and kept to ourselves.
    """

    name: str
    """Such as `sqlalchemy`."""
    address: str | None
    """The server, `host:port`, without a login."""
    database: str | None

    def gauges(self) -> Gauges:
        """Return the pool's numbers now, without waiting for anything."""
        ...

    def activity(self, connection: Any) -> Activity:
        """Return what happens on a connection that is out, without touching it."""
        ...

    def forked(self) -> None:
        """Forget, in a child process, the connections of its parent: there they are nobody's.

        To be overridden by what would tell of them still, since it counts by itself or its pool never heard
        of the fork.
        """
        return


class ByHand(Driver):
    """No driver: leases are tracked by calls of the application."""

    name = "manual"
    address: str | None = None
    database: str | None = None

    def __init__(self, limit: int | None) -> None:
        self._gauges = Gauges(limit=limit)

    def gauges(self) -> Gauges:
        """Return the limit alone."""
        return self._gauges

    def activity(self, connection: Any) -> Activity:  # noqa: ARG002 -- the Driver's
        """Tell nothing."""
        return Activity()
