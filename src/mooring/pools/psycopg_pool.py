"""Pools of psycopg_pool: ConnectionPool and NullConnectionPool, with threads and with asyncio."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import iscoroutinefunction
from time import monotonic
from typing import Any

from mooring.pools import session
from mooring.pools.blocks import Blocks
from mooring.pools.checkouts import Checkouts, coroutine_function, hook, host_and_port, tracker_of
from mooring.pools.driver import Activity, Driver, Gauges
from mooring.pools.tracker import PoolTracker

MATCHES = ("psycopg_pool.pool.ConnectionPool", "psycopg_pool.pool_async.AsyncConnectionPool")

Methods = Mapping[str, Any]


def instrument(obj: Any, make: Callable[[Driver], PoolTracker]) -> PoolTracker:
    """Place hooks in a pool, opened or not, and return its tracker."""
    known = tracker_of(obj)
    if known is not None:
        return known
    from psycopg import Error
    from psycopg_pool import PoolTimeout

    driver = PsycopgPool(obj)
    tracker = make(driver)
    driver.checkouts = checkouts = Checkouts(tracker, (PoolTimeout,), limited=bool(obj.max_size))
    blocks = Blocks(tracker, "psycopg", (Error,), pool="psycopg_pool")
    for connection in list(obj._pool):  # noqa: SLF001 -- those that are open already
        checkouts.opened(connection, None)
    methods = _async_methods if iscoroutinefunction(type(obj).getconn) else _sync_methods
    hook(obj, tracker, methods(type(obj), driver, checkouts, blocks))
    return tracker


class PsycopgPool(Driver):
    """One pool of psycopg_pool."""

    name = "psycopg_pool"

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.address: str | None = None
        self.database: str | None = None
        self.checkouts: Checkouts | None = None
        told = _conninfo(pool)
        if told.get("host") or told.get("hostaddr"):
            self.address = host_and_port(told.get("host") or told["hostaddr"], told.get("port") or 5432)
        self.database = told.get("dbname")

    def learn(self, connection: Any) -> None:
        """Learn where a connection really goes."""
        self.address = host_and_port(connection.info.host, connection.info.port)
        self.database = connection.info.dbname

    def gauges(self) -> Gauges:
        """Return the pool's numbers.

        Its own `pool_size` counts connections that are still to be opened, and those that it lost: while a
        server is down, it would say that all are in use.
        """
        told = self._pool.get_stats()
        idle, out = told["pool_available"], 0
        if self.checkouts is not None:
            self.checkouts.count_closed(_is_closed)
            out = len(self.checkouts.out)
        return Gauges(idle + out, idle, told["pool_max"] or None, told["pool_min"])

    def forked(self) -> None:
        """Forget the connections that are out."""
        if self.checkouts is not None:
            self.checkouts.forked()

    def activity(self, connection: Any) -> Activity:
        """Return what libpq and the kernel know."""
        return session.activity(connection)


def _sync_methods(kind: type, driver: PsycopgPool, checkouts: Checkouts, blocks: Blocks) -> Methods:
    pool: Any = kind
    original, give_back, connect = pool.getconn, pool.putconn, pool._connect  # noqa: SLF001

    @wraps(original)
    def getconn(self: Any, *args: Any, **kwargs: Any) -> Any:
        asked, connection, is_noted = checkouts.asked(), None, False
        try:
            connection = original(self, *args, **kwargs)
            checkouts.answered(asked, connection, checkouts.frame(sys._getframe(1)))  # noqa: SLF001
            is_noted = True
        finally:
            if connection is None:
                checkouts.failed(asked, sys.exc_info()[1])
            elif not is_noted:  # Ctrl-C: nobody has it
                checkouts.returned(connection, expected=False)
                give_back(self, connection)
        return connection

    @wraps(give_back)
    def putconn(self: Any, conn: Any) -> Any:
        try:
            error = sys.exception()
            if error is not None:
                blocks.left(error, conn, sys._getframe(1))  # noqa: SLF001
            checkouts.returned(conn)  # before another thread gets it
        finally:  # whoever presses Ctrl-C here loses no connection
            given_back = give_back(self, conn)
        return given_back

    @wraps(connect)
    def _connect(self: Any, *args: Any, **kwargs: Any) -> Any:
        began = monotonic()
        try:
            connection = connect(self, *args, **kwargs)
        except Exception as error:
            checkouts.not_opened(error)
            raise
        _opened(driver, checkouts, connection, monotonic() - began)
        return connection

    return {"getconn": getconn, "putconn": putconn, "_connect": _connect}


def _async_methods(kind: type, driver: PsycopgPool, checkouts: Checkouts, blocks: Blocks) -> Methods:
    pool: Any = kind
    original, give_back, connect = pool.getconn, pool.putconn, pool._connect  # noqa: SLF001

    @wraps(original)
    async def asking(self: Any, caller: Any, args: Any, kwargs: Any) -> Any:
        asked, connection = checkouts.asked(), None
        try:
            connection = await original(self, *args, **kwargs)
        finally:
            if connection is None:
                checkouts.failed(asked, sys.exc_info()[1])
        checkouts.answered(asked, connection, caller)
        return connection

    @wraps(original)
    def getconn(self: Any, *args: Any, **kwargs: Any) -> Any:
        return asking(self, checkouts.caller(sys._getframe(1)), args, kwargs)  # noqa: SLF001

    @wraps(give_back)
    async def putconn(self: Any, conn: Any) -> Any:
        try:
            error = sys.exception()
            if error is not None:
                blocks.left(error, conn, sys._getframe(1))  # noqa: SLF001
            checkouts.returned(conn)  # before another task gets it
        finally:
            given_back = await give_back(self, conn)
        return given_back

    @wraps(connect)
    async def _connect(self: Any, *args: Any, **kwargs: Any) -> Any:
        began = monotonic()
        try:
            connection = await connect(self, *args, **kwargs)
        except Exception as error:
            checkouts.not_opened(error)
            raise
        _opened(driver, checkouts, connection, monotonic() - began)
        return connection

    return {"getconn": coroutine_function(getconn), "putconn": putconn, "_connect": _connect}


def _opened(driver: PsycopgPool, checkouts: Checkouts, connection: Any, seconds: float) -> None:
    checkouts.opened(connection, seconds)
    try:
        driver.learn(connection)
    except Exception as error:
        checkouts.tracker.broken(error)


def _is_closed(connection: Any) -> bool:
    return bool(connection.closed)


def _conninfo(pool: Any) -> dict[str, Any]:
    """Return the parameters that the pool was given, as far as they are no functions."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    given = "" if callable(pool.conninfo) else pool.conninfo or ""
    more = {} if callable(pool.kwargs) else pool.kwargs or {}
    known = {name: more[name] for name in ("host", "hostaddr", "port", "dbname") if name in more}
    if "=" in str(known.get("dbname")) or "://" in str(known.get("dbname")):
        del known["dbname"]  # libpq takes a whole conninfo there, with its password
    try:
        return {**conninfo_to_dict(given), **known}
    except ProgrammingError:  # the pool will say so itself
        return known
