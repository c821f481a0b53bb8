"""Django: the connections of each alias, with a pool (`OPTIONS["pool"]`) and without one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Any
from weakref import ref

from mooring.pools import psycopg_pool, session
from mooring.pools.checkouts import Checkouts, host_and_port
from mooring.pools.driver import Activity, Driver, Gauges
from mooring.pools.instrument import Make
from mooring.pools.scope import Scope
from mooring.pools.tracker import PoolTracker

MATCHES = (
    "django.db.utils.ConnectionHandler",
    "django.db.backends.base.base.BaseDatabaseWrapper",
    "django.utils.connection.ConnectionProxy",
)

_HOOKS = "_mooring_hooks"


def subject(obj: Any) -> Any:
    """Return what stands for an alias in every thread: its settings. A handler stands for itself."""
    return obj if _is_handler(obj) else obj.settings_dict


def instrument(obj: Any, make: Make) -> PoolTracker:
    """Track the connections of `django.db.connections`, or those of one alias, in all threads from now on.

    Of all connections each alias has a tracker of its own, named by the alias, and the one of `default` is
    returned; `instrument(connections["replica"])` returns another's. To be done before threads begin, such
    as in `AppConfig.ready`: of other threads those connections are seen that they make afterwards.

    Without a pool a lease lasts from when a connection is opened until it is closed, as Django does at the
    end of a request. One that Django is to keep (`CONN_MAX_AGE`) is no suspect, however long it is held: but
    it is abandoned where its thread has ended, and lost once it is garbage. With a pool the leases and the
    numbers are the pool's.
    """
    from django.db import DEFAULT_DB_ALIAS, connections

    if not _is_handler(obj) and hasattr(obj, _HOOKS):
        return getattr(obj, _HOOKS).tracker  # type: ignore[no-any-return]
    handler = obj if _is_handler(obj) else connections
    databases = handler.settings if _is_handler(obj) else {obj.alias: obj.settings_dict}
    hooked = vars(handler).get("create_connection")
    if not isinstance(hooked, _Handler):
        hooked = handler.create_connection = _Handler(handler.create_connection)
    for alias, settings in databases.items():
        if alias not in hooked.aliases:
            driver = Django(settings)
            hooked.aliases[alias] = _Alias(make(driver, alias), driver)
    for wrapper in handler.all(initialized_only=True):
        hooked.hook(wrapper)
    return hooked.aliases[DEFAULT_DB_ALIAS if _is_handler(obj) else obj.alias].tracker


def _is_handler(obj: Any) -> bool:
    return any(kind.__qualname__ == "ConnectionHandler" for kind in type(obj).__mro__)


class Django(Driver):
    """One alias. Where it has a pool, that one's numbers are told."""

    name = "django"

    def __init__(self, settings: Any) -> None:
        self.address = host_and_port(settings.get("HOST"), settings.get("PORT"))
        self.database: str | None = str(settings.get("NAME") or "") or None
        self.checkouts: Checkouts | None = None
        self.pool: Driver | None = None

    def gauges(self) -> Gauges:
        """Count the connections that are open: without a pool each is held by a thread."""
        if self.pool is not None:
            return self.pool.gauges()
        if self.checkouts is None:
            return Gauges()
        return Gauges(size=len(self.checkouts.out), idle=0, least=0)

    def forked(self) -> None:
        """Forget the connections of the parent's threads, and those of its pool."""
        if self.checkouts is not None:
            self.checkouts.forked()
        if self.pool is not None:
            self.pool.forked()

    def activity(self, connection: Any) -> Activity:
        """Return what the driver's own connection tells."""
        return session.activity(getattr(connection, "connection", connection))


class _Handler:
    """Stands in the place of a handler's `create_connection`, which is called once in each thread."""

    def __init__(self, create: Callable[[str], Any]) -> None:
        self._create = create
        self.aliases: dict[str, _Alias] = {}

    def __call__(self, alias: str) -> Any:
        wrapper = self._create(alias)
        self.hook(wrapper)
        return wrapper

    def hook(self, wrapper: Any) -> None:
        """Place hooks in what an alias is in one thread. Never raises."""
        alias = self.aliases.get(wrapper.alias)
        if alias is None:
            return
        try:
            alias.hook(wrapper)
        except Exception as error:
            alias.tracker.broken(error)


class _Alias:
    """What is hooked into the connections of one alias."""

    def __init__(self, tracker: PoolTracker, driver: Django) -> None:
        self.tracker = tracker
        self._driver = driver
        self._checkouts = driver.checkouts = Checkouts(tracker, limited=False)

    def hook(self, wrapper: Any) -> None:
        """Place hooks in what the alias is in one thread. They hold it weakly: it ends with its thread."""
        if _HOOKS in vars(wrapper):
            return
        weak, kind = ref(wrapper), type(wrapper)

        def get_new_connection(params: Any) -> Any:
            at = weak()
            if self._has_a_pool(at):
                return kind.get_new_connection(at, params)
            return self._opened(at, lambda: kind.get_new_connection(at, params), sys._getframe(1))  # noqa: SLF001

        def _close() -> Any:
            at = weak()
            if at is not None and at.connection is not None:
                self._closed(at)
            return kind._close(at)  # noqa: SLF001

        wrapper.get_new_connection, wrapper._close = get_new_connection, _close  # noqa: SLF001
        wrapper.execute_wrappers.append(self._executed)
        setattr(wrapper, _HOOKS, self)

    def _has_a_pool(self, wrapper: Any) -> bool:
        """Whether a pool is tracked in the place of connections. Django makes it when it is asked for."""
        try:
            pool = getattr(wrapper, "pool", None)
            if pool is None or not _is_of_psycopg(pool):
                return False
            psycopg_pool.instrument(pool, self._of_pool)
        except Exception as error:  # Django is about to raise it, too, or it is a fault of ours
            self.tracker.broken(error)
        return True

    def _of_pool(self, driver: Driver) -> PoolTracker:
        self._driver.pool = driver
        return self.tracker

    def _opened(self, wrapper: Any, opening: Callable[[], Any], frame: Any) -> Any:
        checkouts, connection = self._checkouts, None
        asked, began = checkouts.asked(), monotonic()
        try:
            connection = opening()
        finally:
            if connection is None:
                self._failed(asked, sys.exc_info()[1])
        checkouts.opened(wrapper, monotonic() - began)
        checkouts.answered(asked, wrapper, checkouts.frame(frame))
        self._keep(wrapper)
        return connection

    def _failed(self, asked: int | None, error: BaseException | None) -> None:
        self._checkouts.failed(asked, error)
        if error is not None:
            self.tracker.record_error(error)

    def _keep(self, wrapper: Any) -> None:
        """Declare that a connection may be held for ever, where Django keeps it from request to request."""
        try:
            lease = self._checkouts.out.get(ref(wrapper))
            if lease is not None and wrapper.settings_dict.get("CONN_MAX_AGE") != 0:
                lease.scope = Scope(None, inf)
        except Exception as error:
            self.tracker.broken(error)

    def _closed(self, wrapper: Any) -> None:
        self._checkouts.returned(wrapper, expected=False)
        self._checkouts.closed(wrapper)

    def _executed(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        """Run a statement, and count its error."""
        try:
            return execute(sql, params, many, context)
        except Exception as error:
            self.tracker.record_error(error)
            raise


def _is_of_psycopg(pool: Any) -> bool:
    return any(
        f"{kind.__module__}.{kind.__qualname__}" in psycopg_pool.MATCHES for kind in type(pool).__mro__
    )
