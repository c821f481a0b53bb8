"""Pools of aiomysql."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import wraps
from time import monotonic
from typing import Any

from mooring.pools import session
from mooring.pools.awaiting import Caller
from mooring.pools.blocks import Blocks
from mooring.pools.checkouts import Checkouts, coroutine_function, hook, host_and_port, tracker_of
from mooring.pools.driver import Activity, Driver, Gauges
from mooring.pools.tracker import PoolTracker

MATCHES = ("aiomysql.pool.Pool",)


def instrument(obj: Any, make: Callable[[Driver], PoolTracker]) -> PoolTracker:
    """Place hooks in a pool, and return its tracker.

    A pool of aiomysql has no time limit of its own: who waits under `asyncio.timeout` is cancelled, and
    counted as one who gave up, not as a time-out.
    """
    known = tracker_of(obj)
    if known is not None:
        return known
    from pymysql.err import MySQLError

    driver = AiomysqlPool(obj)
    tracker = make(driver)
    blocks = Blocks(tracker, "aiomysql", (MySQLError,))
    driver.checkouts = checkouts = Checkouts(tracker, (TimeoutError,))
    for connection in (*obj._free, *obj._used):  # noqa: SLF001
        checkouts.opened(connection, None)
    hook(obj, tracker, _methods(type(obj), checkouts, blocks))
    return tracker


class AiomysqlPool(Driver):
    """One pool of aiomysql."""

    name = "aiomysql"

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        given = pool._conn_kwargs  # noqa: SLF001
        socket = given.get("unix_socket")
        host, port = given.get("host") or "localhost", given.get("port") or 3306
        self.address: str | None = socket or host_and_port(host, port)
        self.database: str | None = given.get("db") or None
        self.checkouts: Checkouts | None = None
        self._is_of_parent = False

    def gauges(self) -> Gauges:
        """Return the pool's numbers; its own `size` counts connections that are being opened."""
        if self.checkouts is not None:
            self.checkouts.count_closed(_is_closed)
        pool = self._pool
        idle, used = (0, 0) if self._is_of_parent else (pool.freesize, len(pool._used))  # noqa: SLF001
        return Gauges(idle + used, idle, pool.maxsize or None, pool.minsize)

    def forked(self) -> None:
        """Forget the connections that are open: they are of the parent's event loop."""
        self._is_of_parent = bool(self._pool.size)
        if self.checkouts is not None:
            self.checkouts.forked()

    def activity(self, connection: Any) -> Activity:
        """Return what the driver and the kernel know."""
        return session.activity(connection)


def _methods(kind: type, checkouts: Checkouts, blocks: Blocks) -> Mapping[str, Any]:
    return {**_methods_to_take(kind, checkouts), **_methods_to_give_back(kind, checkouts, blocks)}


def _methods_to_take(pool: Any, checkouts: Checkouts) -> Mapping[str, Any]:
    original, fill = pool._acquire, pool._fill_free_pool  # noqa: SLF001

    @wraps(original)
    async def asking(self: Any, caller: Caller | None) -> Any:
        asked, connection = checkouts.asked(), None
        try:
            connection = await original(self)
        finally:
            if connection is None:
                checkouts.failed(asked, sys.exc_info()[1])
        checkouts.answered(asked, connection, caller)
        return connection

    @wraps(original)
    def _acquire(self: Any) -> Any:
        return asking(self, checkouts.caller(sys._getframe(1)))  # noqa: SLF001

    @wraps(fill)
    async def _fill_free_pool(self: Any, *args: Any, **kwargs: Any) -> Any:
        began = monotonic()
        try:
            return await fill(self, *args, **kwargs)
        except Exception as error:
            checkouts.not_opened(error)
            raise
        finally:
            _see_new(checkouts, self, monotonic() - began)

    return {"_acquire": coroutine_function(_acquire), "_fill_free_pool": _fill_free_pool}


def _methods_to_give_back(pool: Any, checkouts: Checkouts, blocks: Blocks) -> Mapping[str, Any]:
    give_back, terminate_all = pool.release, pool.terminate

    @wraps(give_back)
    def release(self: Any, conn: Any) -> Any:
        try:
            error = sys.exception()
            if error is not None:
                blocks.left(error, conn, sys._getframe(1))  # noqa: SLF001
            checkouts.returned(conn, expected=conn not in self._terminated)
        finally:
            given_back = give_back(self, conn)
        return given_back

    @wraps(terminate_all)
    def terminate(self: Any) -> Any:
        used = list(self._used)
        terminate_all(self)
        for connection in used:
            checkouts.returned(connection, expected=False)

    return {"release": release, "terminate": terminate}


def _see_new(checkouts: Checkouts, pool: Any, seconds: float) -> None:
    """Note the connections that one call opened: nearly always one, else each took an equal part."""
    try:
        new = checkouts.unknown(pool._free)  # noqa: SLF001
        for connection in new:
            checkouts.opened(connection, seconds / len(new))
    except Exception as error:
        checkouts.tracker.broken(error)


def _is_closed(connection: Any) -> bool:
    return bool(connection.closed)
