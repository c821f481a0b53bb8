"""SQLAlchemy: engines and their pools, sync and async."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any
from weakref import ref

from mooring.pools.awaiting import awaiting_caller
from mooring.pools.driver import Driver
from mooring.pools.lease import Lease
from mooring.pools.sqlalchemy_entries import Entries, entries_of
from mooring.pools.tracker import PoolTracker

MATCHES = ("sqlalchemy.engine.base.Engine", "sqlalchemy.ext.asyncio.engine.AsyncEngine")
_TO_ENGINE_CONNECT = 3
"""Frames from `Pool.connect`, outwards: Engine.raw_connection, Connection.__init__, Engine.connect."""


def subject(obj: Any) -> Any:
    """Return the engine that has the pool: of an async one, and of one with options of its own."""
    engine = getattr(obj, "sync_engine", obj)
    return getattr(engine, "_proxied", engine)


def instrument(obj: Any, make: Callable[[Driver], PoolTracker]) -> PoolTracker:
    """Track an engine's pool, whatever its class, and the pools that `dispose()` puts in its place.

    A lease begins when `pool.connect` returns, which no event tells, nor who waits there or in vain; so this
    method of each pool is wrapped. So is what takes connections back: an event for it costs more than all
    that is done there. The rest is heard of by events, which a new pool takes over. What SQLAlchemy takes
    back since its holder was garbage counts as forgotten, as an error with the line, and as a leak.

    A connection that is detached is no longer the pool's, and its lease is over. Of StaticPool and
    SingletonThreadPool, which give out one connection many times at once, it is leased once; of StaticPool,
    which threads may share, what its holder forgot counts as returned. NullPool has no limit. A `creator`
    that fails is no connection that was created, nor is a listener that was there before; what one that was
    added later refuses was created, and no event tells that it is closed.
    """
    from sqlalchemy import Engine

    engine = subject(obj)
    driver = Entries(engine)
    # Whoever else watches may have put something without code in its place: then lines are found as always.
    hooks = _Hooks(make(driver), driver, getattr(Engine.connect, "__code__", None))
    for name, hook in (
        ("connect", hooks.connected),
        ("detach", hooks.detached),
        ("invalidate", hooks.invalidated),
        ("close", hooks.closed),
        ("close_detached", hooks.closed_detached),
    ):
        _listen(engine.pool, name, hook)
    _listen(engine.dialect, "handle_error", hooks.failed)
    hooks.wrap(engine.pool)
    for entry in entries_of(engine.pool):
        driver.opened(entry)
    return hooks.tracker


class _Hooks:
    """What is called by SQLAlchemy. Nothing raises, for it would break the application.

    What is on the path of every checkout looks up little, and calls little. Until Python 3.12 to call what
    an attribute holds takes longer than to read it first, and so does a call by keyword.
    """

    def __init__(self, tracker: PoolTracker, driver: Entries, engine_connect: CodeType | None) -> None:
        self.tracker = tracker
        self._driver = driver
        self._engine_connect = engine_connect
        self._leases: dict[int, Lease] = {}
        """By the `id` of the pool's entry, which lives as long as what is out. It is not held here: one that
        SQLAlchemy drops, since a listener failed as it came back, has its connection closed as garbage."""
        self._over = self._checking_in(lambda _entry: None, tracker.lost)

    def wrap(self, pool: Any) -> None:
        """Hear of each checkout and checkin of a pool, and of the pool that takes its place."""
        from sqlalchemy.pool import StaticPool

        recreate = pool.recreate

        def tracked_recreate() -> Any:
            pool = recreate()
            try:
                self.wrap(pool)
            except Exception as error:
                self.tracker.broken(error)
            return pool

        between_threads = isinstance(pool, StaticPool)
        pool.connect = self._checking_out(pool.connect, between_threads=between_threads)
        pool.recreate = tracked_recreate
        # Who returns a shared connection need not be who has its lease: that one may be garbage by then.
        lost = self.tracker.release if between_threads else self.tracker.lost
        pool._return_conn = self._checking_in(pool._return_conn, lost)  # noqa: SLF001 -- it has no public name

    def _checking_out(self, connect: Callable[[], Any], *, between_threads: bool) -> Callable[[], Any]:
        """Return what notes each checkout, in place of `Pool.connect`. Threads may share a connection."""
        tracker, leases, engine_connect = self.tracker, self._leases, self._engine_connect
        ask, track, known, track_from = tracker.ask, tracker.track, tracker.sites.known, self._track_from
        release, over = tracker.release, self._over
        getframe = sys._getframe  # noqa: SLF001 -- inspect costs ten times as much

        def tracked_connect() -> Any:
            if not tracker.active:
                return connect()
            asked = ask()
            fairy = None
            try:
                fairy = connect()
            finally:
                if fairy is None:
                    tracker.gave_up(timed_out=_is_timeout(sys.exc_info()[1]))
            try:
                entry = fairy._connection_record  # noqa: SLF001 -- else only an event tells it
                key = id(entry)
                if (
                    entry is None  # a listener gave it up
                    or (weak := entry.fairy_ref) is None  # it is shared, and another holder returned it
                    or (between_threads and weak() is not fairy)  # ... or has taken it since
                    or (key in leases and self._is_shared(entry))
                ):
                    tracker.gave_up()
                    return fairy
                try:
                    at = getframe(_TO_ENGINE_CONNECT)
                except ValueError:  # a greenlet that has just begun
                    at = getframe()
                # Nearly always that is Engine.connect, called from a line that is known.
                frame = at.f_back if at.f_code is engine_connect else None
                site = known.get(id(frame.f_code) + frame.f_lasti) if frame is not None else None
                if site is not None and site.in_application:
                    lease = track(None, weak, asked, frame, site)
                else:
                    lease = track_from(getframe(), weak, asked)
                if leases.setdefault(key, lease) is not lease:  # threads got a shared one at once
                    release(lease)
                elif entry.fairy_ref is None:  # ... and another one returned it meanwhile
                    over(entry)
            except Exception as error:
                tracker.broken(error)
            return fairy

        return tracked_connect

    def _track_from(self, frame: FrameType, connection: ref[Any], asked: int) -> Lease:
        """Note a checkout by the application's line, outwards from our frame, or by who awaits its task."""
        sites = self.tracker.sites
        frame = frame.f_back or frame  # a greenlet may begin with ours
        found = sites.application(frame)
        if found is not frame or sites.is_application(frame):
            return self.tracker.track(connection=connection, asked=asked, frame=found)
        awaiting: Any = awaiting_caller(sites)
        lease = self.tracker.track(connection=connection, asked=asked, frame=awaiting or frame)
        if awaiting is not None and awaiting.owner is not None:
            lease.owner = awaiting.owner
        return lease

    def _is_shared(self, entry: Any) -> bool:
        """Whether a connection was given out before and is held still: some pools do so with one for all."""
        lease = self._leases.get(id(entry))
        if lease is None:  # another thread returned it just now
            return False
        weak: Any = lease.resource
        fairy = weak()
        if fairy is not None and fairy.dbapi_connection is entry.dbapi_connection:
            return True
        stale = self._leases.pop(id(entry), None)
        if stale is not None:
            self.tracker.forget(stale)
        return False

    def _checking_in(
        self, take_back: Callable[[Any], None], lost: Callable[[Lease], None]
    ) -> Callable[[Any], None]:
        """Return what notes that an entry is no longer out, if it was, in place of `Pool._return_conn`."""
        tracker, leases = self.tracker, self._leases
        release = tracker.release

        def tracked_return(entry: Any) -> None:
            try:
                lease = leases.pop(id(entry), None)
                if lease is not None:
                    fairy: Any = lease.resource
                    if fairy() is None:
                        lost(lease)
                    else:
                        release(lease)
            except Exception as error:
                tracker.broken(error)
            finally:  # whoever presses Ctrl-C here loses no connection
                take_back(entry)

        return tracked_return

    def invalidated(self, _connection: Any, entry: Any, _error: Any = None) -> None:
        """Hear that a connection is given up; its entry may be given out again with another one."""
        self._over(entry)

    def connected(self, _connection: Any, entry: Any) -> None:
        """Hear of a new connection."""
        try:
            self._driver.opened(entry)
            self.tracker.created(max(0.0, time.time() - entry.starttime))
        except Exception as error:
            self.tracker.broken(error)

    def closed(self, _connection: Any, entry: Any) -> None:
        """Hear that the pool closes a connection. Pools for SQLite close those that are out, too."""
        try:
            self._driver.closed(entry)
            self.tracker.closed()
            self._over(entry)
        except Exception as error:
            self.tracker.broken(error)

    def detached(self, _connection: Any, entry: Any) -> None:
        """Hear that a connection is the pool's no longer; its entry may be out with another one already."""
        if entry.dbapi_connection is None:
            self._over(entry)

    def closed_detached(self, _connection: Any) -> None:
        """Hear that a detached connection is closed."""
        try:
            self.tracker.closed()
        except Exception as error:
            self.tracker.broken(error)

    def failed(self, context: Any) -> None:
        """Hear of an error of the database or of its driver."""
        try:
            self.tracker.record_error(context.original_exception)
        except Exception as error:
            self.tracker.broken(error)


def _listen(target: Any, name: str, hook: Callable[..., None]) -> None:
    """Hear of an event. A thread that just calls those who hear of it goes on with its list of them."""
    from sqlalchemy import event

    heard = getattr(target.dispatch, name)
    if isinstance(getattr(heard, "listeners", None), deque):
        heard.listeners = heard.listeners.copy()
    event.listen(target, name, hook)


def _is_timeout(error: BaseException | None) -> bool:
    return type(error).__name__ == "TimeoutError" and type(error).__module__ == "sqlalchemy.exc"
