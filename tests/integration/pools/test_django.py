"""The connections of Django, against real servers."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import django
import pymysql
import pytest
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler, DatabaseError, OperationalError
from django.utils.connection import ConnectionProxy

import mooring
from mooring.core.pool import Leak, LeakKind
from mooring.pools import PoolTracker, Rules, Watch
from mooring.pools.checkouts import Checkouts
from tests.integration.pools.watched import told_by_a_child
from tests.servers.mariadb import USER_PASSWORD, MariaDB
from tests.servers.postgresql import ROLE_PASSWORD, PostgreSQL

pytestmark = pytest.mark.integration

Address = tuple[dict[str, Any], Callable[[], int]]
"""An alias's settings with a login of its own, and what counts the login's sessions on the server."""


@pytest.fixture(params=["postgresql", "pooled", "mysql"])
def address(request: pytest.FixtureRequest, postgresql: PostgreSQL, mariadb: MariaDB) -> Iterator[Address]:
    """A login on PostgreSQL, without and with a pool of two, and on MariaDB."""
    if request.param == "mysql":
        pymysql.install_as_MySQLdb()
        with mariadb.user() as user:
            told = {"ENGINE": "django.db.backends.mysql", "USER": user, "PASSWORD": USER_PASSWORD}
            yield {**told, "HOST": "127.0.0.1", "PORT": mariadb.port}, lambda: mariadb.sessions(user)
        return
    with postgresql.role() as role:
        options = (
            {"pool": {"min_size": 1, "max_size": 2, "timeout": 0.2}} if request.param == "pooled" else {}
        )
        yield login(postgresql, role, OPTIONS=options), lambda: postgresql.sessions(role)


@pytest.fixture
def plain(postgresql: PostgreSQL) -> Iterator[Address]:
    """A login on PostgreSQL, without a pool."""
    with postgresql.role() as role:
        yield login(postgresql, role), lambda: postgresql.sessions(role)


def login(server: PostgreSQL, role: str, **more: Any) -> dict[str, Any]:
    """Return the settings of an alias."""
    told = {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": role}
    return {**told, "PASSWORD": ROLE_PASSWORD, "HOST": "127.0.0.1", "PORT": str(server.port), **more}


@contextmanager
def aliases(**told: dict[str, Any]) -> Iterator[ConnectionHandler]:
    """Yield what `django.db.connections` is, with these databases."""
    if not settings.configured:
        settings.configure(DATABASES={})
        django.setup()
    handler = ConnectionHandler(told)
    try:
        yield handler
    finally:
        handler.close_all()
        for wrapper in handler.all(initialized_only=True):
            if getattr(wrapper, "pool", None) is not None:
                wrapper.close_pool()


def instrumented(obj: Any) -> PoolTracker:
    """Track connections; nobody but a test looks after the tracker."""
    return mooring.instrument(obj, service="tests", rules=Rules(held=0), watch=Watch(threaded=False))


def line(after: int = 0) -> int:
    """Return the line of the caller, or one after it."""
    return sys._getframe(1).f_lineno + after


def lines(tracker: PoolTracker) -> list[int]:
    """Return the lines that hold leases, of this file."""
    assert {lease.site.file for lease in tracker.open} <= {__file__}
    return sorted(lease.site.line for lease in tracker.open)


def found(tracker: PoolTracker) -> list[LeakKind]:
    """Return the leaks of two looks."""
    tracker.watch.look()
    tracker.watch.look()
    return [leak.kind for leak in tracker.leaks()]


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def ask(wrapper: BaseDatabaseWrapper, statement: str = "SELECT 1") -> None:
    """Run a statement, from a line of its own."""
    with wrapper.cursor() as cursor:
        cursor.execute(statement)


def in_thread(work: Callable[[], object]) -> None:
    """Run something in a thread, to its end."""
    thread = Thread(target=work)
    thread.start()
    thread.join()


def test_a_connection_is_leased_from_open_to_close(address: Address) -> None:
    """What is in use, how long it took and the line that needed it are told, with a pool and without."""
    told, sessions = address
    with aliases(default=told) as connections:
        tracker = instrumented(connections)
        assert (tracker.name, tracker.used) == ("default", 0)
        with connections["default"].cursor() as cursor:
            assert lines(tracker) == [line(-1)]
            cursor.execute("SELECT 1")
            assert tracker.used == 1
        connections["default"].close()
        shown = tracker.snapshot()
        assert (tracker.open, shown.used, shown.waiting) == ({}, 0, 0)
        assert (shown.totals.taken, shown.totals.returned, shown.totals.unmatched) == (1, 1, 0)
        assert [sum(each.counts.values()) for each in (shown.wait, shown.use)] == [1, 1]
        assert shown.totals.internal_errors == 0
        until(lambda: sessions() == tracker.created_total - tracker.closed_total)


def test_a_pool_tells_its_own_numbers(postgresql: PostgreSQL) -> None:
    """With OPTIONS["pool"] limit, idle connections, time-outs and waiting threads are the pool's."""
    with postgresql.role() as role:
        options = {"pool": {"min_size": 1, "max_size": 1, "timeout": 0.05}}
        with aliases(default=login(postgresql, role, OPTIONS=options)) as connections:
            tracker, refused = instrumented(connections), []
            ask(connections["default"])

            def try_it() -> None:
                with pytest.raises(OperationalError):
                    ask(connections["default"])
                refused.append(1)

            in_thread(try_it)
            assert refused == [1]
            gauges = tracker.gauges()[:4]
            assert (gauges, tracker.timeouts, tracker.waiting) == ((1, 0, 1, 1), 1, 0)
            connections["default"].close()
            assert tracker.gauges()[:4] == (1, 1, 1, 1)
            connections["default"].close_pool()
            ask(connections["default"])
            assert (tracker.used, tracker.snapshot().limit) == (1, 1)


def test_each_alias_has_a_tracker(plain: Address) -> None:
    """Each alias is told apart, a wrapper, a proxy and any thread's connection stand for the same one."""
    told, _ = plain
    with aliases(default=told, replica=dict(told)) as connections:
        tracker = instrumented(connections)
        assert instrumented(connections) is tracker
        assert instrumented(ConnectionProxy(connections, "default")) is tracker
        replica = instrumented(connections["replica"])
        assert (tracker.name, replica.name) == ("default", "replica")
        ask(connections["replica"])
        assert (tracker.used, replica.used, replica.driver.address) == (0, 1, f"127.0.0.1:{told['PORT']}")
        held, go = Event(), Event()

        def hold() -> None:
            ask(connections["replica"])
            held.set()
            go.wait()
            connections["replica"].close()

        thread = Thread(target=hold)
        thread.start()
        held.wait()
        assert replica.used == 2
        go.set()
        thread.join()
        assert replica.used == 1


def test_a_thread_that_ends_without_closing_is_told(plain: Address) -> None:
    """A connection whose thread ended is abandoned, also one that Django was to keep; garbage is lost."""
    told, _ = plain
    with aliases(default={**told, "CONN_MAX_AGE": 600}) as connections:
        tracker, kept = instrumented(connections), []
        leaks: list[Leak] = []
        tracker.on("leak", leaks.append)

        def leak() -> None:
            kept.append(connections["default"])
            ask(kept[0])

        in_thread(leak)
        assert (found(tracker), tracker.used) == ([LeakKind.ABANDONED], 1)
        kept[0].connection.close()
        kept.clear()
        gc.collect()
        assert (found(tracker), tracker.used, [leak.kind for leak in leaks]) == ([], 0, [LeakKind.ABANDONED])
        assert (tracker.created_total, tracker.closed_total, tracker.forgotten) == (1, 1, 1)
        assert tracker.errors.kept[-1].message.startswith("a connection was never returned: ")


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
@pytest.mark.parametrize("stopped", [False, True], ids=["tracked", "stopped"])
def test_nothing_is_kept_of_threads_that_end_without_closing(stopped: bool) -> None:
    """Each is told as a leak, once; of those that end while tracking is stopped there is nothing to tell."""
    with aliases(default={"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}) as connections:
        tracker, leaks = instrumented(connections), []
        tracker.on("leak", leaks.append)
        if stopped:
            tracker.stop()
        for _ in range(20):
            in_thread(lambda: ask(connections["default"]))
        gc.collect()
        tracker.watch.look()
        assert tracker.driver.checkouts.out == {}  # type: ignore[attr-defined]
        assert (tracker.open, tracker.used, tracker.created_total, tracker.closed_total) == ({}, 0, 20, 20)
        assert (len(leaks), tracker.forgotten) == ((0, 0) if stopped else (20, 20))


def test_a_kept_connection_is_no_suspect(plain: Address) -> None:
    """A connection that Django keeps between requests is in use, and no leak; one that it should close is."""
    told, _ = plain
    with aliases(default={**told, "CONN_MAX_AGE": None}, other=dict(told)) as connections:
        tracker, other = instrumented(connections), instrumented(connections["other"])
        ask(connections["default"])
        ask(connections["other"])
        assert (found(tracker), tracker.used) == ([], 1)
        assert found(other) == [LeakKind.SUSPECT]


def test_errors_are_counted(address: Address) -> None:
    """A statement that fails is an error, and so is a login that is refused."""
    told, _ = address
    with aliases(default=told) as connections:
        tracker = instrumented(connections)
        with pytest.raises(DatabaseError):
            ask(connections["default"], "SELECT nothing_of_the_kind")
        assert tracker.errors.total == 1
    if not told.get("OPTIONS"):
        with aliases(default={**told, "PASSWORD": "wrong"}) as connections:
            tracker = instrumented(connections)
            with pytest.raises(OperationalError):
                ask(connections["default"])
            assert (tracker.errors.total, tracker.errors.session, tracker.waiting) == (1, 1, 0)


def test_sqlite_is_tracked(tmp_path: Path) -> None:
    """A connection that knows no weak references is leased all the same."""
    file = tmp_path / "shop.db"  # of one in memory Django closes no connection
    with aliases(default={"ENGINE": "django.db.backends.sqlite3", "NAME": file}) as connections:
        tracker = instrumented(connections)
        ask(connections["default"])
        assert (tracker.used, tracker.faults, lines(tracker)) == (1, 0, [ask.__code__.co_firstlineno + 2])


def test_a_fault_of_ours_never_reaches_django(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks inside of the hooks, the application goes on, and the tracker switches itself off."""

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("ours")

    for name in ("ask", "track", "release", "created"):
        monkeypatch.setattr(PoolTracker, name, broken)
    monkeypatch.setattr(Checkouts, "count_closed", broken)
    with aliases(default=address[0]) as connections:
        tracker = instrumented(connections)
        for _ in range(30):
            ask(connections["default"])
            connections["default"].close()
        assert (tracker.active, tracker.faults >= 20) == (False, True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_child_counts_no_connection_of_its_parent(address: Address) -> None:
    """What is out at a fork is the parent's, with a pool and without one."""
    told, _ = address
    with aliases(default=told) as connections:
        tracker = instrumented(connections)
        ask(connections["default"])
        assert told_by_a_child(tracker)[0] == 0
        assert tracker.used == 1
