"""The connections of redis-py: who has them, which are open, and what a watched pool tells of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from time import monotonic
from types import FrameType
from typing import Any
from weakref import ref

from mooring.pools.frames import is_within
from mooring.pools.lease import Lease
from mooring.pools.scope import without_limit
from mooring.pools.tracker import PoolTracker

KEEPERS = frozenset(
    {
        "Monitor.__init__",
        "Monitor.connect",
        "PubSub.connect",
        "PubSub.execute_command",
        "Redis.__init__",
        "Redis.initialize",
    }
)
"""Functions of redis-py that check a connection out for an object that keeps it: a subscription, a monitor, a
client with one connection. Any task may use it then, and whoever made it may end."""
EXPECTED = frozenset({"AskError", "NoScriptError", "TryAgainError", "WatchError"})
"""Errors that redis-py or the application goes on after: another node has the key, a script is to be loaded,
another client was quicker. Classes, also as parents of others."""
_REACH = 3
"""Functions of redis-py between a command that fails and the return of its connection."""


class Mark:
    """What we keep on a connection of redis-py: who has it, and whether it counts as open."""

    __slots__ = ("connection", "lease", "made", "open")

    def __init__(self, connection: Any) -> None:
        self.connection = ref(connection)
        self.lease: Lease | None = None
        self.made: float | None = None
        """When the pool began to make it, until it is connected."""
        self.open = False


class Keeper:
    """Owns the lease of a connection that an object keeps, and ends with that object."""

    __slots__ = ("__weakref__",)

    def done(self) -> bool:
        """Tell that it has not ended, as a task does."""
        return False

    def get_coro(self) -> None:
        """Tell that it runs nowhere."""


class Hooks:
    """What a watched pool calls. Nothing in here raises."""

    def __init__(self, tracker: PoolTracker) -> None:
        self.tracker = tracker

    def asked(self) -> int | None:
        """Note that a connection is asked for; None where nothing is tracked."""
        try:
            return self.tracker.ask() if self.tracker.active else None
        except Exception as error:
            self.tracker.broken(error)
            return None

    def gave_up(self, asked: int | None, *, timed_out: bool) -> None:
        """Note that none came."""
        try:
            if asked is not None:
                self.tracker.gave_up(timed_out=timed_out)
        except Exception as error:
            self.tracker.broken(error)

    def failed(self, error: BaseException) -> None:
        """Count what connecting or a command raised."""
        self.tracker.record_error(error)

    def took(self, connection: Any, asked: int | None, frame: FrameType) -> None:
        """Note a checkout; `frame` is the caller of the pool."""
        if asked is None:
            return
        tracker = self.tracker
        try:
            mark = getattr(connection, "_mooring_mark", None) or self._marked(connection)
            lease = tracker.track(
                connection=mark.connection, asked=asked, frame=tracker.sites.application(frame)
            )
            mark.lease = lease
            if frame.f_code.co_qualname in KEEPERS:
                lease.scope = without_limit()
                holder = frame.f_locals["self"]
                holder._mooring_keeper = keeper = Keeper()  # noqa: SLF001 -- ours
                lease.owner = ref(keeper)
        except Exception as error:
            tracker.broken(error)

    def returning(self, connection: Any) -> Lease | None:
        """Return the lease of a connection that comes back, before it does. Called by `release` itself."""
        try:
            error = sys.exc_info()[1]
            if error is not None and _is_of_command(error, sys._getframe(2)):  # noqa: SLF001
                self.failed(error)
            mark = getattr(connection, "_mooring_mark", None)
            if mark is None:
                return None
            mark.made = None
            self._lost(connection, mark)
            lease: Lease | None = mark.lease
            return lease  # noqa: TRY300
        except Exception as error:
            self.tracker.broken(error)
            return None

    def returned(self, connection: Any, lease: Lease | None) -> None:
        """Note that a connection came back."""
        if lease is None:
            return
        try:
            mark = connection._mooring_mark  # noqa: SLF001 -- ours
            if mark.lease is lease:
                mark.lease = None
            self.tracker.release(lease)
        except Exception as error:
            self.tracker.broken(error)

    def is_out(self, pool: Any, connection: Any, lease: Lease | None) -> bool:
        """Whether a connection is still out under a lease: its return was cancelled before it happened."""
        try:
            mark = getattr(connection, "_mooring_mark", None)
            is_out = connection in pool._in_use_connections  # noqa: SLF001 -- nothing else tells
        except Exception as error:
            self.tracker.broken(error)
            return False
        return is_out and mark is not None and mark.lease is lease

    def met(self, connection: Any) -> None:
        """Put a mark on a connection that the pool made or had made."""
        try:
            self._marked(connection)
        except Exception as error:
            self.tracker.broken(error)

    def _marked(self, connection: Any) -> Mark:
        """Put a mark on a connection, and hear when it is connected."""
        mark = Mark(connection)
        connection._mooring_mark = mark  # noqa: SLF001 -- ours
        inner = getattr(connection, "_conn", None)  # of one that caches
        if inner is not None:
            inner._mooring_mark = mark  # noqa: SLF001 -- ours
        mark.open = socket_of(connection) is not None
        if not mark.open:
            mark.made = monotonic()
        connection.register_connect_callback(self.connected)
        return mark

    def connected(self, connection: Any) -> None:
        """Count a connection that was opened. Called by the connection itself, which knows us weakly."""
        try:
            mark = connection._mooring_mark  # noqa: SLF001 -- ours
            if mark.open:  # it broke unseen, and is opened anew
                self.tracker.closed()
            mark.open = True
            self.tracker.created(None if mark.made is None else monotonic() - mark.made)
            mark.made = None
        except Exception as error:
            self.tracker.broken(error)

    def disconnected(self, pool: Any) -> None:
        """Count the connections that the pool has just closed."""
        try:
            for connection in connections_of(pool):
                mark = getattr(connection, "_mooring_mark", None)
                if mark is not None:
                    self._lost(connection, mark)
        except Exception as error:
            self.tracker.broken(error)

    def _lost(self, connection: Any, mark: Mark) -> None:
        if mark.open and socket_of(connection) is None:
            mark.open = False
            self.tracker.closed()


def _is_of_command(error: BaseException, frame: FrameType | None) -> bool:
    """Whether a command failed whose connection comes back; `frame` is the caller of `release`.

    The error is on its way through that or a function further outwards then. What the application handles
    meanwhile began elsewhere, and what connecting raised is counted where it is asked for.
    """
    names = {cls.__name__ for cls in type(error).__mro__}
    if "RedisError" not in names or names & EXPECTED or error.__traceback__ is None:
        return False
    raised = error.__traceback__.tb_frame
    for _ in range(_REACH):
        if frame is None or frame.f_code.co_name == "get_connection":
            return False
        if frame is raised:
            return str(frame.f_globals.get("__name__")).startswith("redis.")
        frame = frame.f_back
    return False


def idle_of(pool: Any) -> list[Any]:
    """Return the connections that nobody holds. Those of a blocking pool for threads stand in a queue."""
    queue = getattr(getattr(pool, "pool", None), "queue", None)
    if queue is not None:
        return [connection for connection in list(queue) if connection is not None]
    return list(getattr(pool, "_available_connections", ()))


def count_of_out(pool: Any) -> int | None:
    """Return how many connections are out; None for a pool of somebody's own that does not tell."""
    known = getattr(pool, "_connections", None)
    if known is not None:
        return max(0, len(known) - len(idle_of(pool)))
    out = getattr(pool, "_in_use_connections", None)
    return None if out is None else len(out)


def connections_of(pool: Any) -> Iterator[Any]:
    """Yield the connections of a pool, open or not."""
    known = getattr(pool, "_connections", None)
    if known is not None:
        yield from list(known)
    else:
        yield from [*idle_of(pool), *list(getattr(pool, "_in_use_connections", ()))]


def socket_of(connection: Any) -> Any:
    """Return the socket of a connection, which may be one that caches; None where it is closed."""
    inner = getattr(connection, "_conn", connection)
    sock = getattr(inner, "_sock", None)
    if sock is not None:
        return sock
    writer = getattr(inner, "_writer", None)
    return None if writer is None else writer.get_extra_info("socket")


def is_awaited(connection: Any) -> bool:
    """Whether some task or thread waits for an answer on a connection.

    The kernel does not tell that of a command that went out in the millisecond of the answer before it,
    as the first one after a login does. Looks at every thread, so not for the path of a checkout.
    """
    inner = getattr(connection, "_conn", connection)
    reader = getattr(inner, "_reader", None)
    if reader is not None:
        return getattr(reader, "_waiter", None) is not None
    return is_within("read_response", inner)
