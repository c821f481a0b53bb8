"""Which lease is of which connection: what the hooks in a driver's pool tell the book."""

from __future__ import annotations

import inspect
from asyncio import _get_running_loop
from collections.abc import Callable, Iterable, Mapping
from types import FrameType, new_class
from typing import Any, cast
from weakref import ref

from mooring.pools.awaiting import Caller
from mooring.pools.lease import Lease
from mooring.pools.tracker import PoolTracker, task_of

_TRACKER = "_mooring_tracker"
_MISSING: Any = object()


class Checkouts:
    """The connections of one pool that are out, and those that are open.

    Nothing here raises, whatever breaks: the driver goes on as if it were not watched.

    Args:
        tracker: the pool's book.
        timeouts: what is raised where a connection did not come in time.
        limited: whether there may be only so many connections. One that became garbage while it was out
            keeps its place there, for its pool waits for it; else it is lost, and out no more.
    """

    def __init__(
        self, tracker: PoolTracker, timeouts: tuple[type[BaseException], ...] = (), *, limited: bool = True
    ) -> None:
        self.tracker = tracker
        self.out: dict[ref[Any], Lease | None] = {}
        """By a weak reference to the connection, which stays apart from others when that is gone; without
        a lease where tracking was stopped."""
        self._timeouts = timeouts
        self._open: dict[ref[Any], None] = {}
        self._lost = None if limited else self._became_garbage

    def frame(self, frame: FrameType) -> FrameType | None:
        """Return the application's frame, outwards from the given one."""
        try:
            return self.tracker.sites.application(frame)
        except Exception as error:
            self.tracker.broken(error)
            return None

    def caller(self, frame: FrameType) -> Caller | None:
        """Return who asks: the line and the task, as they are now. A frame moves on while its task waits."""
        try:
            loop = _get_running_loop()
            task = None if loop is None else task_of(loop)
            tracker = self.tracker
            at = tracker.sites.application(frame) or frame
            stack = tracker.sites.stack(at) if len(tracker.open) + 1 >= tracker.stacks_from else ()
            return Caller(at, None if task is None else ref(task), stack)
        except Exception as error:
            self.tracker.broken(error)
            return None

    def asked(self) -> int | None:
        """Say that a connection is asked for; None where tracking is stopped."""
        try:
            return self.tracker.ask() if self.tracker.active else None
        except Exception as error:
            self.tracker.broken(error)
            return None

    def answered(
        self, asked: int | None, held: Any, caller: FrameType | Caller | None, connection: Any = None
    ) -> None:
        """Note that what was asked for came: `held` is what comes back, by default the connection itself."""
        try:
            key, lease = _key(held, self._lost), None
            if asked is not None:
                # Of a frame, nothing but what a Caller has is read.
                frame = cast("FrameType | None", caller)
                resource = key if connection is None else ref(connection)
                lease = self.tracker.track(connection=resource, asked=asked, frame=frame)
                if type(caller) is Caller and caller.owner is not None:
                    lease.owner = caller.owner
            self.out[key] = lease
        except Exception as error:
            self.tracker.broken(error)

    def failed(self, asked: int | None, error: BaseException | None) -> None:
        """Note that it did not come, and for which error."""
        try:
            if asked is not None:
                self.tracker.gave_up(timed_out=isinstance(error, self._timeouts))
        except Exception as fault:
            self.tracker.broken(fault)

    def not_opened(self, error: Exception) -> None:
        """Count what connecting raised. What the network raised there is of the session, whatever it is."""
        try:
            self.tracker.errors.add(error, None, session=isinstance(error, OSError) or None)
        except Exception as fault:
            self.tracker.broken(fault)

    def returned(self, held: Any, *, expected: bool = True) -> None:
        """Note that something came back. Unless it was `expected` to be out, it is no fault if it was not."""
        try:
            lease = self.out.pop(_key(held), _MISSING)
            if lease is _MISSING:
                if expected and self.tracker.active:
                    self.tracker.unmatched += 1
            elif lease is not None:
                self.tracker.release(lease)
        except Exception as error:
            self.tracker.broken(error)

    def opened(self, connection: Any, seconds: float | None) -> None:
        """Note that the pool opened a connection; seconds are None for those from before it was watched."""
        try:
            self._open[ref(connection, self._ended)] = None
            if seconds is not None:
                self.tracker.created(seconds)
        except Exception as error:
            self.tracker.broken(error)

    def closed(self, connection: Any) -> None:
        """Note that an open connection is closed."""
        self._ended(ref(connection))

    def unknown(self, connections: Iterable[Any]) -> list[Any]:
        """Return those that were not told as opened."""
        known = self._open
        return [connection for connection in connections if ref(connection) not in known]

    def forked(self) -> None:
        """Forget all connections in a child process: they are the parent's."""
        self.out.clear()
        self._open.clear()

    def count_closed(self, is_closed: Callable[[Any], bool]) -> None:
        """Count those that were closed since the last call, and are not garbage: these are counted at once.

        May raise what `is_closed` does.
        """
        for weak in list(self._open):  # no tuple: see Errors.within
            connection = weak()
            if connection is not None and is_closed(connection):
                self._ended(weak)

    def _ended(self, weak: ref[Any]) -> None:
        """Count a connection as closed, once. Called as it becomes garbage, whether or not anybody looks."""
        try:
            if self._open.pop(weak, weak) is None:  # else another thread was quicker
                self.tracker.closed()
        except Exception as error:
            self.tracker.broken(error)

    def _became_garbage(self, weak: ref[Any]) -> None:
        """Note that nobody can give back what is out."""
        try:
            lease = self.out.pop(weak, None)
            if lease is not None:
                self.tracker.lost(lease)
        except Exception as error:
            self.tracker.broken(error)


def _key(held: Any, lost: Callable[[ref[Any]], None] | None = None) -> Any:
    """Return what stands for something that is out, and keeps it alive as little as it can."""
    try:
        return ref(held, lost)
    except TypeError:  # asyncpg's holders in 0.30, which live as long as their pool
        return id(held)


def tracker_of(pool: Any) -> PoolTracker | None:
    """Return the tracker of a pool that has hooks already."""
    found: PoolTracker | None = getattr(type(pool), _TRACKER, None)
    return found


def hook(pool: Any, tracker: PoolTracker, methods: Mapping[str, Any]) -> None:
    """Give a pool methods of ours, by a class of its own under its own class's name.

    Unlike attributes of the object, this works with `__slots__`, keeps methods methods, and what the
    driver's own code calls on the pool comes here, too. Nothing else of the driver is touched.
    """
    kind = type(pool)
    names = {"__doc__": kind.__doc__, "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    body = {**names, "__slots__": (), _TRACKER: tracker, **methods}
    pool.__class__ = new_class(kind.__name__, (kind,), exec_body=lambda namespace: namespace.update(body))


def coroutine_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark what returns a coroutine as what it stands for, where Python knows how (3.12)."""
    mark: Callable[[Any], Any] | None = getattr(inspect, "markcoroutinefunction", None)
    return function if mark is None else mark(function)


def host_and_port(host: Any, port: Any) -> str | None:
    """Return `host:port`, an address of IPv6 in brackets; None without a host."""
    if not host:
        return None
    named = f"[{host}]" if ":" in str(host) else str(host)
    return f"{named}:{port}" if port else named
