"""Pools of asyncpg."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import wraps
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from mooring.pools import session
from mooring.pools.awaiting import Caller
from mooring.pools.blocks import Blocks
from mooring.pools.checkouts import Checkouts, coroutine_function, hook, host_and_port, tracker_of
from mooring.pools.driver import Activity, Driver, Gauges
from mooring.pools.tracker import PoolTracker

MATCHES = ("asyncpg.pool.Pool",)
_SHORT = (
    *("execute", "executemany", "fetch", "fetchval", "fetchrow", "fetchmany"),
    *("copy_from_table", "copy_from_query", "copy_to_table", "copy_records_to_table"),
)
"""Methods of the pool that acquire, call the connection's method of that name, and release."""


def instrument(obj: Any, make: Callable[[Driver], PoolTracker]) -> PoolTracker:
    """Place hooks in a pool, opened or not, and return its tracker."""
    known = tracker_of(obj)
    if known is not None:
        return known
    from asyncpg import InterfaceError, PostgresError

    driver = AsyncpgPool(obj)
    tracker = make(driver)
    blocks = Blocks(tracker, "asyncpg", (PostgresError, InterfaceError))
    driver.checkouts = checkouts = Checkouts(tracker, (TimeoutError,))
    for holder in obj._holders:  # noqa: SLF001 -- those that are open already
        if holder.is_connected():
            checkouts.opened(holder._con, None)  # noqa: SLF001
    hook(obj, tracker, _methods(type(obj), driver, checkouts, blocks))
    return tracker


class AsyncpgPool(Driver):
    """One pool of asyncpg."""

    name = "asyncpg"

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.address: str | None = None
        self.database: str | None = None
        self.checkouts: Checkouts | None = None
        self._is_of_parent = False
        given = dict(pool._connect_kwargs)  # noqa: SLF001
        dsn = next(iter(pool._connect_args), None) or given.get("dsn") or ""  # noqa: SLF001
        for holder in pool._holders:  # noqa: SLF001
            if holder.is_connected():
                self.learn(holder._con)  # noqa: SLF001
                return
        self._believe(str(dsn), given)

    def _believe(self, dsn: str, given: Mapping[str, Any]) -> None:
        try:
            told = urlsplit(dsn if dsn.startswith(("postgresql://", "postgres://")) else "")
            host, port = given.get("host") or told.hostname, given.get("port") or told.port or 5432
        except ValueError:  # the pool will say so itself, or has several hosts
            return
        if isinstance(host, str) and isinstance(port, int):
            self.address = host_and_port(host, port)
        self.database = given.get("database") or told.path.removeprefix("/") or None

    def learn(self, connection: Any) -> None:
        """Learn where a connection really goes."""
        where = connection._addr  # noqa: SLF001 -- what its query loggers are told
        self.address = host_and_port(*where[:2]) if isinstance(where, tuple) else str(where)
        self.database = connection._params.database  # noqa: SLF001

    def gauges(self) -> Gauges:
        """Return the pool's numbers."""
        if self.checkouts is not None:
            self.checkouts.count_closed(_is_closed)
        pool = self._pool
        size, idle = (0, 0) if self._is_of_parent else (pool.get_size(), pool.get_idle_size())
        return Gauges(size, idle, pool.get_max_size(), pool.get_min_size())

    def forked(self) -> None:
        """Forget the connections that are open: they are of the parent's event loop."""
        self._is_of_parent = any(holder.is_connected() for holder in self._pool._holders)  # noqa: SLF001
        if self.checkouts is not None:
            self.checkouts.forked()

    def activity(self, connection: Any) -> Activity:
        """Return what the protocol and the kernel know."""
        return session.activity(connection)


class _Asking:
    """Stands for the pool in one `pool.acquire()`, and remembers who called it.

    The pool is asked later, perhaps in a task of its own: `asyncio.wait_for(pool.acquire(), 5)`.
    """

    __slots__ = ("_blocks", "_caller", "_pool", "connection")

    def __init__(self, pool: Any, caller: Caller | None, blocks: Blocks) -> None:
        self._pool = pool
        self._caller = caller
        self._blocks = blocks
        self.connection: Any = None
        """Asyncpg's own, once it came: what the program has for it forgets it when that breaks."""

    def _acquire(self, timeout: float | None) -> Any:
        return self._pool._acquire(timeout, self._caller, self)  # noqa: SLF001

    def release(self, *args: Any, **kwargs: Any) -> Any:
        """Give the connection back at the end of the block."""
        error = sys.exception()
        if error is not None:
            self._blocks.left(error, self.connection, sys._getframe(1))  # noqa: SLF001
        return self._pool.release(*args, **kwargs)


class _Calling:
    """Stands for the pool in one `pool.fetch()`, likewise: `asyncio.gather(pool.fetch(a), pool.fetch(b))`."""

    __slots__ = ("_blocks", "_caller", "_pool")

    def __init__(self, pool: Any, caller: Caller | None, blocks: Blocks) -> None:
        self._pool = pool
        self._caller = caller
        self._blocks = blocks

    def acquire(self, *args: Any, **kwargs: Any) -> Any:
        later = self._pool.acquire(*args, **kwargs)
        later.pool = _Asking(self._pool, self._caller, self._blocks)
        return later

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


def _short_methods(kind: type, checkouts: Checkouts, blocks: Blocks) -> Mapping[str, Any]:
    """Return the pool's short methods; not those that a class of the application's does in its own way."""
    [own] = [cls for cls in kind.__mro__ if f"{cls.__module__}.{cls.__qualname__}" == MATCHES[0]][-1:]

    def short(original: Any) -> Any:
        @wraps(original)
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            caller = checkouts.caller(sys._getframe(1))  # noqa: SLF001
            return original(_Calling(self, caller, blocks), *args, **kwargs)

        return coroutine_function(method)

    theirs = {name: vars(own).get(name) for name in _SHORT}
    return {name: short(each) for name, each in theirs.items() if each and getattr(kind, name) is each}


def _methods(kind: type, driver: AsyncpgPool, checkouts: Checkouts, blocks: Blocks) -> Mapping[str, Any]:
    return {
        **_long_methods(kind, checkouts, blocks),
        **_short_methods(kind, checkouts, blocks),
        "_get_new_connection": _method_to_connect(kind, driver, checkouts),
    }


def _long_methods(pool: Any, checkouts: Checkouts, blocks: Blocks) -> Mapping[str, Any]:
    """Return the methods by which a program acquires a connection, and all others do."""
    acquire_later, original = pool.acquire, pool._acquire  # noqa: SLF001

    @wraps(acquire_later)
    def acquire(self: Any, *args: Any, **kwargs: Any) -> Any:
        later = acquire_later(self, *args, **kwargs)
        later.pool = _Asking(self, checkouts.caller(sys._getframe(1)), blocks)  # noqa: SLF001
        return later

    @wraps(original)
    async def asking(self: Any, timeout: float | None, caller: Caller | None, block: _Asking | None) -> Any:
        _watch_returns(self, checkouts)
        asked, proxy = checkouts.asked(), None
        try:
            proxy = await original(self, timeout)
        finally:
            if proxy is None:
                checkouts.failed(asked, sys.exc_info()[1])
        connection = proxy._con  # noqa: SLF001
        checkouts.answered(asked, proxy._holder, caller, connection)  # noqa: SLF001
        if block is not None:
            block.connection = connection
        return proxy

    @wraps(original)
    def _acquire(
        self: Any, timeout: float | None, caller: Caller | None = None, block: _Asking | None = None
    ) -> Any:
        return asking(self, timeout, caller or checkouts.caller(sys._getframe(1)), block)  # noqa: SLF001

    return {"acquire": acquire, "_acquire": coroutine_function(_acquire)}


def _method_to_connect(pool: Any, driver: AsyncpgPool, checkouts: Checkouts) -> Any:
    connect = pool._get_new_connection  # noqa: SLF001

    @wraps(connect)
    async def _get_new_connection(self: Any) -> Any:
        began = monotonic()
        try:
            connection = await connect(self)
        except Exception as error:
            checkouts.not_opened(error)
            raise
        checkouts.opened(connection, monotonic() - began)
        try:
            driver.learn(connection)
        except Exception as error:
            checkouts.tracker.broken(error)
        return connection

    return _get_new_connection


def _watch_returns(pool: Any, checkouts: Checkouts) -> None:
    """See every holder that goes back into the pool's queue.

    That is the one way for all: released, closed by the program, by the server or with the pool.
    """
    try:
        queue = pool._queue  # noqa: SLF001 -- made when the pool is opened
        if queue is None or "put_nowait" in vars(queue):
            return
        put = queue.put_nowait

        def put_nowait(holder: Any) -> None:
            try:
                checkouts.returned(holder, expected=False)
            finally:
                put(holder)

        queue.put_nowait = put_nowait
    except Exception as error:
        checkouts.tracker.broken(error)


def _is_closed(connection: Any) -> bool:
    return bool(connection.is_closed())
