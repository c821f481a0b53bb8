"""redis-py's pools, of threads and of asyncio, from 5.2 on.

The pool itself is given a class that stands above its own and sees each checkout: redis-py's own hooks tell
neither who waits nor what is not returned. Wait times include the time in which a connection is opened.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import new_class
from typing import Any
from weakref import ref

from mooring.pools.checkouts import coroutine_function
from mooring.pools.driver import Activity, Driver, Gauges
from mooring.pools.lease import Lease
from mooring.pools.redis_connections import (
    Hooks,
    connections_of,
    count_of_out,
    idle_of,
    is_awaited,
    socket_of,
)
from mooring.pools.tracker import PoolTracker
from mooring.pools.traffic import activity_of

MATCHES = (
    "redis.client.Redis",
    "redis.asyncio.client.Redis",
    "redis.connection.ConnectionPool",
    "redis.asyncio.connection.ConnectionPool",
)
EXHAUSTED = ("Too many connections", "No connection available.")
"""How redis-py says that there was none to be had, in every version; 5.2 has no class of its own for it."""
UNLIMITED = 2**31
"""What redis-py before 6 takes where no limit is given."""


def subject(obj: Any) -> Any:
    """Return the pool: clients may share one."""
    return getattr(obj, "connection_pool", obj)


def instrument(obj: Any, make: Callable[[Driver], PoolTracker]) -> PoolTracker:
    """Watch the pool of a client, or a pool. One that is already watched keeps its tracker."""
    pool = subject(obj)
    hooks: Hooks | None = getattr(pool, "_mooring_hooks", None)
    if hooks is None:
        tracker = make(RedisPool(pool))
        hooks = pool._mooring_hooks = Hooks(tracker)  # noqa: SLF001 -- ours
        for connection in connections_of(pool):
            hooks.met(connection)
        of_asyncio = any(cls.__module__.startswith("redis.asyncio") for cls in type(pool).__mro__)
        pool.__class__ = _above(type(pool), AsyncHooked if of_asyncio else Hooked)
    return hooks.tracker


class RedisPool(Driver):
    """What a pool tells of itself. Knows it weakly, so that it ends when the application lets go of it."""

    name = "redis"

    def __init__(self, pool: Any) -> None:
        self._pool = ref(pool)
        settings = pool.connection_kwargs
        host = settings.get("host", "localhost")
        self.address: str | None = settings.get("path") or f"{host}:{settings.get('port', 6379)}"
        number = settings.get("db") or 0
        self.database: str | None = f"db{number}" if number else None  # a mere number would name the pool

    def gauges(self) -> Gauges:
        """Return the pool's numbers. Idle connections that are closed count for nothing."""
        pool = self._pool()
        if pool is None:
            return Gauges()
        limit = pool.max_connections
        is_of_parent = getattr(pool, "pid", None) not in (None, os.getpid())  # until it is used after a fork
        idle, out = ([], 0) if is_of_parent else (idle_of(pool), count_of_out(pool))
        still_open = sum(socket_of(connection) is not None for connection in idle)
        return Gauges(
            size=None if out is None else still_open + out,
            idle=still_open,
            limit=None if limit >= UNLIMITED else limit,
            least=0,
        )

    def activity(self, connection: Any) -> Activity:
        """Return what the socket's traffic tells, and who reads from it; nothing of one that is closed."""
        found = socket_of(connection)
        if found is None:
            return Activity()
        told = activity_of(found.fileno())
        return told if told.busy or not is_awaited(connection) else told._replace(busy=True)


class Hooked:
    """Stands above the class of a pool for threads."""

    _mooring_hooks: Hooks

    def get_connection(self, *args: Any, **options: Any) -> Any:
        hooks, connection, timed_out, is_noted = self._mooring_hooks, None, False, False
        asked = hooks.asked()
        try:
            connection = super().get_connection(*args, **options)  # type: ignore[misc]  # the pool's
            hooks.took(connection, asked, sys._getframe(1))  # noqa: SLF001 -- inspect's way costs ten times as much
            is_noted = True
        except Exception as error:
            timed_out = str(error) in EXHAUSTED
            if not timed_out:
                hooks.failed(error)
            raise
        finally:
            if connection is None:
                hooks.gave_up(asked, timed_out=timed_out)
            elif not is_noted:  # Ctrl-C: nobody has it
                self.release(connection)
        return connection

    def make_connection(self) -> Any:
        connection = super().make_connection()  # type: ignore[misc]  # the pool's
        self._mooring_hooks.met(connection)
        return connection

    def release(self, connection: Any) -> Any:
        hooks, give_back = self._mooring_hooks, super().release  # type: ignore[misc]  # the pool's
        try:
            hooks.returned(connection, hooks.returning(connection))  # before another thread can have it
        finally:  # whoever presses Ctrl-C here loses no connection
            released = give_back(connection)
        return released

    def disconnect(self, *args: Any, **options: Any) -> Any:
        try:
            return super().disconnect(*args, **options)  # type: ignore[misc]  # the pool's
        finally:
            self._mooring_hooks.disconnected(self)


class AsyncHooked:
    """Stands above the class of a pool for asyncio."""

    _mooring_hooks: Hooks

    async def get_connection(self, *args: Any, **options: Any) -> Any:
        hooks, connection, timed_out = self._mooring_hooks, None, False
        asked = hooks.asked()
        try:
            connection = await super().get_connection(*args, **options)  # type: ignore[misc]  # the pool's
        except Exception as error:
            timed_out = str(error) in EXHAUSTED
            if not timed_out:
                hooks.failed(error)
            raise
        finally:
            if connection is None:
                hooks.gave_up(asked, timed_out=timed_out)
        hooks.took(connection, asked, sys._getframe(1))  # noqa: SLF001 -- inspect's way costs ten times as much
        return connection

    def make_connection(self) -> Any:
        connection = super().make_connection()  # type: ignore[misc]  # the pool's
        self._mooring_hooks.met(connection)
        return connection

    @coroutine_function
    def release(self, connection: Any) -> Any:
        # Looks at once: when this is awaited, perhaps in another task, what the command raised is not seen.
        return self._mooring_released(connection, self._mooring_hooks.returning(connection))

    async def _mooring_released(self, connection: Any, lease: Lease | None) -> Any:
        hooks, done = self._mooring_hooks, False
        try:
            answer = await super().release(connection)  # type: ignore[misc]  # the pool's
            done = True
        finally:
            if done or not hooks.is_out(self, connection, lease):
                hooks.returned(connection, lease)
        return answer

    async def disconnect(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().disconnect(*args, **options)  # type: ignore[misc]  # the pool's
        finally:
            self._mooring_hooks.disconnected(self)


def _above(cls: type[Any], hooked: type[Any]) -> type[Any]:
    """Return a class above a pool's own that goes by its name."""
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    return new_class(cls.__name__, (hooked, cls), exec_body=lambda space: space.update(names))
