"""The pools of SQLAlchemy's engines, against real servers."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partialmethod
from threading import Barrier, Thread
from typing import Any, cast

import pytest
import sqlalchemy
from sqlalchemy import ForeignKey, NullPool, StaticPool, create_engine, event, select, text
from sqlalchemy.exc import DBAPIError, OperationalError, SAWarning
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

import mooring
from mooring.core.pool import Leak, LeakKind
from mooring.pools import PoolTracker, Rules, Watch
from tests.servers.mariadb import USER_PASSWORD, MariaDB
from tests.servers.postgresql import ROLE_PASSWORD, PostgreSQL

pytestmark = pytest.mark.integration

Address = tuple[str, Callable[[], int]]
"""An engine's URL with a login of its own, and what counts the login's sessions on the server."""
SYNC = {"postgresql": "postgresql+psycopg", "mariadb": "mysql+pymysql"}
ASYNC = {"asyncpg": "postgresql+asyncpg", "psycopg": "postgresql+psycopg", "aiomysql": "mysql+aiomysql"}


class Base(DeclarativeBase):
    """What tables are declared with."""


class Author(Base):
    """One who wrote books."""

    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    books: Mapped[list[Book]] = relationship()


class Book(Base):
    """One book."""

    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))


@contextmanager
def login(scheme: str, postgresql: PostgreSQL, mariadb: MariaDB) -> Iterator[Address]:
    """Make a login and yield how it connects."""
    if scheme.startswith("postgresql"):
        with postgresql.role() as role:
            url = postgresql.url(role, ROLE_PASSWORD, scheme=scheme)
            yield url, lambda: postgresql.sessions(role)
    else:
        with mariadb.user() as user:
            yield mariadb.url(user, USER_PASSWORD, "", scheme=scheme), lambda: mariadb.sessions(user)


@pytest.fixture(params=SYNC.values(), ids=SYNC)
def address(request: pytest.FixtureRequest, postgresql: PostgreSQL, mariadb: MariaDB) -> Iterator[Address]:
    """A login on each server, for a driver without asyncio."""
    with login(request.param, postgresql, mariadb) as made:
        yield made


@pytest.fixture(params=ASYNC.values(), ids=ASYNC)
def async_address(
    request: pytest.FixtureRequest, postgresql: PostgreSQL, mariadb: MariaDB
) -> Iterator[Address]:
    """A login on each server, for each driver with asyncio."""
    with login(request.param, postgresql, mariadb) as made:
        yield made


@pytest.fixture
def pg_address(postgresql: PostgreSQL, mariadb: MariaDB) -> Iterator[Address]:
    """A login on PostgreSQL for asyncpg."""
    with login("postgresql+asyncpg", postgresql, mariadb) as made:
        yield made


@contextmanager
def tracked(url: str, **options: Any) -> Iterator[tuple[sqlalchemy.Engine, PoolTracker]]:
    """Yield an engine and its tracker, which only a test looks after."""
    engine = create_engine(url, **options)
    try:
        yield engine, mooring.instrument(engine, "main", "tests", rules=EAGER, watch=Watch(threaded=False))
    finally:
        engine.dispose()


@asynccontextmanager
async def async_tracked(url: str, **options: Any) -> AsyncIterator[tuple[AsyncEngine, PoolTracker]]:
    """Yield an engine of asyncio's and its tracker, which only a test looks after."""
    engine = create_async_engine(url, **options)
    try:
        yield engine, mooring.instrument(engine, "main", "tests", rules=EAGER, watch=Watch(threaded=False))
    finally:
        await engine.dispose()


EAGER = Rules(held=0, usual=0)
"""Whatever is held is held for long."""


def line(after: int = 0) -> int:
    """Return the line of the caller, or one after it."""
    return sys._getframe(1).f_lineno + after


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


async def become(condition: Callable[[], bool]) -> None:
    """Wait until something is true, and let others run."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 -- nothing tells
            await asyncio.sleep(0.01)


def lines(tracker: PoolTracker) -> list[int]:
    """Return the lines that hold leases, of this file."""
    assert {lease.site.file for lease in tracker.open} <= {__file__}
    return sorted(lease.site.line for lease in tracker.open)


def statements(url: str) -> tuple[str, str]:
    """Return what begins a transaction and what takes a while; MariaDB's begins with the first table."""
    if url.startswith("postgresql"):
        return "SELECT 1", "SELECT pg_sleep(3)"
    return "START TRANSACTION", "SELECT SLEEP(3)"


def found(tracker: PoolTracker) -> list[tuple[LeakKind, int]]:
    """Return the leaks of two looks, and their lines."""
    tracker.watch.look()
    tracker.watch.look()
    return sorted((leak.kind, int(leak.site.rpartition(":")[2])) for leak in tracker.leaks())


def numbers(tracker: PoolTracker) -> tuple[int, int | None, int | None, int | None, int | None]:
    """Return used, idle, open, the least and the most connections."""
    told = tracker.snapshot()
    return told.used, told.idle, told.size, told.least, told.limit


def test_all_nine_measures_are_right(address: Address) -> None:
    """Use, idle, limits, waits, use times, create times, pending requests and time-outs are as they were."""
    url, sessions = address
    with tracked(url, pool_size=2, max_overflow=1, pool_timeout=0.01) as (engine, tracker):
        assert numbers(tracker) == (0, 0, 0, 0, 3)
        with engine.connect(), engine.connect():
            assert numbers(tracker) == (2, 0, 2, 0, 3)
        assert numbers(tracker) == (0, 2, 2, 0, 3)
        with engine.connect(), engine.connect(), engine.connect():
            assert numbers(tracker) == (3, 0, 3, 0, 3)
            assert sessions() == 3
            with pytest.raises(sqlalchemy.exc.TimeoutError):
                engine.connect()
        told = tracker.snapshot()
        assert numbers(tracker) == (0, 2, 2, 0, 3)
        assert (told.totals.taken, told.totals.returned, told.totals.timeouts) == (5, 5, 1)
        assert (told.totals.created, told.totals.closed) == (3, 1)
        assert [sum(each.counts.values()) for each in (told.wait, told.use, told.create)] == [5, 5, 3]
        assert (told.waiting, told.totals.unmatched, told.totals.internal_errors) == (0, 0, 0)


def test_a_waiting_thread_is_a_pending_request(address: Address) -> None:
    """Who waits for a connection is counted until it comes."""
    with tracked(address[0], pool_size=1, max_overflow=0) as (engine, tracker):
        with engine.connect():
            thread = Thread(target=lambda: engine.connect().close())
            thread.start()
            until(lambda: tracker.waiting == 1)
        thread.join()
        assert (tracker.waiting, tracker.taken, tracker.used) == (0, 2, 0)


async def test_an_async_engine_is_measured_the_same(async_address: Address) -> None:
    """An AsyncEngine is tracked through its sync side: use, waits, time-outs and the line of the task."""
    url, sessions = async_address
    async with async_tracked(url, pool_size=1, max_overflow=1, pool_timeout=0.01) as (engine, tracker):
        assert mooring.instrument(engine.sync_engine) is tracker
        async with engine.connect() as one, engine.connect():
            assert lines(tracker) == [line(-1)] * 2
            await one.execute(text("SELECT 1"))
            assert (numbers(tracker), sessions()) == ((2, 0, 2, 0, 2), 2)
            with pytest.raises(sqlalchemy.exc.TimeoutError):
                await engine.connect()
        told = tracker.snapshot()
        assert (numbers(tracker), told.totals.timeouts, told.waiting) == ((0, 1, 1, 0, 2), 1, 0)
        assert [sum(each.counts.values()) for each in (told.wait, told.use, told.create)] == [2, 2, 2]


async def test_a_waiting_task_is_a_pending_request(pg_address: Address) -> None:
    """A task that waits is counted, and is no longer once it was cancelled."""
    async with async_tracked(pg_address[0], pool_size=1, max_overflow=0) as (engine, tracker):
        async with engine.connect():
            task = asyncio.ensure_future(engine.connect())
            await become(lambda: tracker.waiting == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (tracker.waiting, tracker.timeouts, tracker.used) == (0, 0, 1)
        assert tracker.used == 0


def test_a_null_pool_shows_what_is_open(address: Address) -> None:
    """NullPool has no limit, and its use is as the server says."""
    url, sessions = address
    with tracked(url, poolclass=NullPool) as (engine, tracker):
        with engine.connect(), engine.connect():
            assert (numbers(tracker), sessions()) == ((2, 0, 2, 0, None), 2)
        assert numbers(tracker) == (0, 0, 0, 0, None)
        totals = tracker.snapshot().totals
        assert (totals.taken, totals.created, totals.closed) == (2, 2, 2)


@pytest.mark.parametrize("pool", [StaticPool, sqlalchemy.SingletonThreadPool])
def test_a_pool_that_shares_one_connection_leases_it_once(pool: type[sqlalchemy.Pool]) -> None:
    """What is given out many times at once is one connection in use, and without a limit."""
    with tracked("sqlite://", poolclass=pool) as (engine, tracker):
        one, other = engine.connect(), engine.connect()
        assert (numbers(tracker), lines(tracker)) == ((1, 0, 1, 0, None), [line(-1)])
        one.close()
        other.close()
        assert (numbers(tracker), tracker.waiting) == ((0, 1, 1, 0, None), 0)
        assert tracker.snapshot().totals.unmatched == 0


@pytest.mark.parametrize("pool", [StaticPool, sqlalchemy.SingletonThreadPool])
def test_what_a_pool_closes_while_it_is_out_is_no_lease(pool: type[sqlalchemy.Pool]) -> None:
    """Disposing of such a pool closes what is out: nobody holds a connection then, and none is a leak."""
    with tracked("sqlite://", poolclass=pool) as (engine, tracker):
        out = engine.connect()
        engine.dispose()
        assert (numbers(tracker), lines(tracker)) == ((0, 0, 0, 0, None), [])
        out.close()
        with engine.connect():
            assert lines(tracker) == [line(-1)]
        assert (found(tracker), tracker.faults) == ([], 0)
        totals = tracker.snapshot().totals
        assert (totals.taken, totals.returned, totals.unmatched) == (2, 2, 0)


def test_more_threads_than_a_pool_keeps_leave_nothing() -> None:
    """SQLite's pool for memory closes connections of other threads while they are out: none is a leak."""
    everybody = Barrier(12)

    def hold() -> None:
        with engine.connect():
            everybody.wait()

    with tracked("sqlite://") as (engine, tracker):
        threads = [Thread(target=hold) for _ in range(everybody.parties)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (found(tracker), len(tracker.open)) == ([], 0)


def test_a_connect_without_code_is_tracked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where others put a callable of their own in place of `Engine.connect`, lines are found all the same."""
    monkeypatch.setattr(sqlalchemy.Engine, "connect", partialmethod(sqlalchemy.Engine.connect))
    with tracked("sqlite://") as (engine, tracker), engine.connect():
        assert lines(tracker) == [line(-1)]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # what an old pool keeps is the collector's to end
def test_dispose_is_survived(address: Address) -> None:
    """The pool that takes the old one's place is tracked, and what is out of the old one stays in use."""
    url, sessions = address
    with tracked(url) as (engine, tracker):
        old = engine.connect()
        engine.connect().close()
        engine.dispose()
        assert (numbers(tracker), sessions()) == ((1, 0, 1, 0, 15), 1)
        with engine.connect():
            assert (numbers(tracker), sessions()) == ((2, 0, 2, 0, 15), 2)
        engine.dispose()
        with engine.connect():
            assert numbers(tracker) == (2, 0, 2, 0, 15)
        old.close()
        assert tracker.used == 0
        assert tracker.snapshot().totals.unmatched == 0
        del old
        gc.collect()
        assert numbers(tracker) == (0, 1, 1, 0, 15)
        until(lambda: sessions() == 1)


def test_a_detached_connection_is_no_lease(address: Address) -> None:
    """What is detached belongs to the application alone, and the pool has room for another one."""
    url, sessions = address
    with tracked(url) as (engine, tracker):
        with engine.connect() as connection:
            connection.detach()
            assert (numbers(tracker), len(tracker.open), sessions()) == ((0, 0, 0, 0, 15), 0, 1)
        assert (tracker.closed_total, tracker.unmatched) == (1, 0)


def test_an_invalidated_connection_is_returned(address: Address) -> None:
    """An invalidated connection is closed and no longer used; to go on with it is a lease of its own."""
    with tracked(address[0]) as (engine, tracker):
        with engine.connect() as connection:
            connection.invalidate()
            assert (numbers(tracker), tracker.closed_total) == ((0, 0, 0, 0, 15), 1)
            connection.execute(text("SELECT 1"))
            assert lines(tracker) == [line(-1)]
        assert (numbers(tracker), tracker.taken) == ((0, 1, 1, 0, 15), 2)
        raw = engine.raw_connection()
        raw.invalidate(soft=True)
        raw.close()
        with engine.connect():
            assert (numbers(tracker), tracker.closed_total) == ((1, 0, 1, 0, 15), 2)
        assert tracker.unmatched == 0


def test_a_restart_behind_pre_ping_is_counted_right(postgresql: PostgreSQL) -> None:
    """Connections that died while idle are replaced, and the counts stay those of the pool."""
    with postgresql.role() as role:
        url = postgresql.url(role, ROLE_PASSWORD, scheme=SYNC["postgresql"])
        with tracked(url, pool_pre_ping=True) as (engine, tracker):
            with engine.connect(), engine.connect():
                pass
            postgresql.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'")
            until(lambda: postgresql.sessions(role) == 0)
            with engine.connect(), engine.connect():
                assert (numbers(tracker), postgresql.sessions(role)) == ((2, 0, 2, 0, 15), 2)
            totals = tracker.snapshot().totals
            assert (totals.created, totals.closed, totals.taken, totals.returned) == (4, 2, 4, 4)


def test_a_long_query_is_busy_and_no_leak(address: Address) -> None:
    """While a statement runs its lease is slow, however long it is held."""
    begin, slow = statements(address[0])
    with tracked(address[0]) as (engine, tracker):
        with engine.connect() as connection:
            connection.execute(text(begin))
            until(lambda: (tracker.driver.activity(next(iter(tracker.open)).resource()).idle or 0) > 0.01)
            thread = Thread(target=lambda: connection.execute(text(slow)))
            thread.start()
            until(lambda: [kind for kind, _ in found(tracker)] == [LeakKind.BUSY])
            thread.join()
            assert [kind for kind, _ in found(tracker)] == [LeakKind.IDLE_IN_TRANSACTION]
        assert found(tracker) == []


async def test_an_async_query_is_busy_too(async_address: Address) -> None:
    """What each driver of asyncio does is told: a statement runs, a transaction idles."""
    begin, slow = statements(async_address[0])
    async with async_tracked(async_address[0]) as (engine, tracker), engine.connect() as connection:
        await connection.execute(text(begin))
        assert [kind for kind, _ in found(tracker)] == [LeakKind.IDLE_IN_TRANSACTION]
        task = asyncio.ensure_future(connection.execute(text(slow)))
        await become(lambda: [kind for kind, _ in found(tracker)] == [LeakKind.BUSY])
        await task


def test_an_abandoned_session_is_named_by_its_line(address: Address) -> None:
    """A session whose thread has ended is abandoned, and told with the line that took the connection."""
    with tracked(address[0]) as (engine, tracker):
        kept = []

        def leak() -> None:
            kept.append(Session(engine))
            kept[0].execute(text("SELECT 1"))
            kept.append(line(-1))

        thread = Thread(target=leak)
        thread.start()
        thread.join()
        assert found(tracker) == [(LeakKind.ABANDONED, kept[1])]
        kept[0].close()
        assert found(tracker) == []


async def test_an_abandoned_async_session_is_named_by_its_line(pg_address: Address) -> None:
    """An AsyncSession whose task has ended is abandoned, and told with the line that took the connection."""
    async with async_tracked(pg_address[0]) as (engine, tracker):
        session = AsyncSession(engine)

        async def leak() -> int:
            await session.execute(text("SELECT 1"))
            return line(-1)

        where = await asyncio.ensure_future(leak())
        assert found(tracker) == [(LeakKind.ABANDONED, where)]
        await session.close()
        assert (found(tracker), tracker.used) == ([], 0)


def test_lines_are_the_applications(postgresql: PostgreSQL) -> None:
    """Core, Session and a lazy load are each named by the application's line that needed a connection."""
    with (
        postgresql.database() as name,
        tracked(postgresql.url(database=name, scheme=SYNC["postgresql"])) as (
            engine,
            tracker,
        ),
    ):
        Base.metadata.create_all(engine)
        with engine.begin() as connection:
            assert lines(tracker) == [line(-1)]
            connection.execute(text("INSERT INTO author VALUES (1)"))
            connection.execute(text("INSERT INTO book VALUES (1, 1)"))
        with Session(engine) as session:
            author = session.scalars(select(Author)).one()
            assert lines(tracker) == [line(-1)]
            session.commit()
            assert lines(tracker) == []
            assert [book.id for book in author.books] == [1]
            assert lines(tracker) == [line(-1)]
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect():
            assert lines(tracker) == [line(-1)]
        raw = engine.raw_connection()
        assert lines(tracker) == [line(-1)]
        raw.close()


async def test_a_lazy_load_in_a_greenlet_is_named_by_its_line(postgresql: PostgreSQL) -> None:
    """Across `run_sync` and its greenlet the line is that of the function that loaded."""
    where = []

    def load(session: Session) -> None:
        session.execute(text("SELECT 1"))
        where.append(line(-1))

    url = postgresql.url(scheme=ASYNC["asyncpg"])
    async with async_tracked(url) as (engine, tracker), AsyncSession(engine) as session:
        await session.run_sync(load)
        assert lines(tracker) == where
        await session.commit()
        await session.connection()
        assert lines(tracker) == [line(-1)]


async def test_a_raw_connection_in_a_short_greenlet_is_named_by_its_line(pg_address: Address) -> None:
    """Where hardly a frame lies below ours in its greenlet, the line is found, and nothing breaks."""
    async with async_tracked(pg_address[0]) as (engine, tracker):
        raw = await engine.raw_connection()
        assert (lines(tracker), tracker.faults) == ([line(-1)], 0)
        raw.close()


async def by_wait_for(connecting: AsyncConnection) -> None:
    """Make a task of it before Python 3.12, as programs do."""
    await getattr(asyncio, "wait_for")(connecting, 20)  # noqa: B009 -- by its name we may not


async def by_gather(connecting: AsyncConnection) -> None:
    """Make a task of it."""
    await asyncio.gather(connecting)


async def by_shield(connecting: AsyncConnection) -> None:
    """Make a task of it."""
    await asyncio.shield(connecting)


async def by_wait(connecting: AsyncConnection) -> None:
    """Await a task of it."""
    await asyncio.wait([asyncio.ensure_future(connecting)])


async def by_task(connecting: AsyncConnection) -> None:
    """Await a task of it."""
    await asyncio.ensure_future(connecting)


async def by_tasks_of_tasks(connecting: AsyncConnection) -> None:
    """Await a task that has no line of ours and awaits another one."""
    await asyncio.gather(asyncio.shield(connecting))


async def by_task_group(connecting: AsyncConnection) -> None:
    """Make a task of it; what awaits that is the end of the block."""
    async with asyncio.TaskGroup() as group:
        group.create_task(cast("Any", connecting.start()))


@pytest.mark.parametrize(
    "take", [by_wait_for, by_gather, by_shield, by_wait, by_task, by_tasks_of_tasks, by_task_group]
)
async def test_who_awaits_the_task_of_a_checkout_holds_it(
    pg_address: Address, take: Callable[[AsyncConnection], Awaitable[None]]
) -> None:
    """A task without a line of ours takes a connection for the one that awaits it; its end is no leak."""
    async with async_tracked(pg_address[0]) as (engine, tracker):
        connection = engine.connect()
        await take(connection)
        where = take.__code__.co_firstlineno + 2
        assert (lines(tracker), tracker.faults) == ([where], 0)
        assert [lease.owner() for lease in tracker.open] == [asyncio.current_task()]
        assert found(tracker) == [(LeakKind.SUSPECT, where)]
        await connection.close()


async def test_a_task_that_nobody_awaits_holds_its_checkout(pg_address: Address) -> None:
    """Where nobody is seen, the line is the driver's, and its end tells nothing."""
    async with async_tracked(pg_address[0]) as (engine, tracker):
        connection = engine.connect()
        task = asyncio.ensure_future(connection)
        await become(task.done)
        [lease] = tracker.open
        assert (lease.site.in_application, lease.owner(), tracker.faults) == (False, task, 0)
        assert [kind for kind, _ in found(tracker)] == [LeakKind.SUSPECT]
        await connection.close()


def test_what_the_garbage_collector_returns_is_told(address: Address) -> None:
    """A connection that SQLAlchemy takes back from the garbage is forgotten: an error, and a leak."""
    leaks: list[Leak] = []
    with tracked(address[0]) as (engine, tracker):
        tracker.on("leak", leaks.append)
        engine.raw_connection()
        where = line(-1)
        gc.collect()
        assert (numbers(tracker), tracker.forgotten, len(tracker.open)) == ((0, 1, 1, 0, 15), 1, 0)
        [error] = tracker.errors.kept
        assert (error.name, error.message) == (
            "ResourceWarning",
            f"a connection was never returned: {__file__}:{where}",
        )
        assert found(tracker) == []
        assert [(leak.kind, leak.site) for leak in leaks] == [(LeakKind.ABANDONED, f"{__file__}:{where}")]


async def test_what_the_garbage_collector_ends_is_told(pg_address: Address) -> None:
    """What SQLAlchemy cannot take back on asyncio, it terminates: no longer used, and told with its line."""
    url, sessions = pg_address
    leaks: list[Leak] = []
    async with async_tracked(url) as (engine, tracker):
        tracker.on("leak", leaks.append)

        where = line(3)

        async def lose() -> None:
            await engine.connect()
            gc.collect()

        with pytest.warns(SAWarning, match="non-checked-in connection"):
            await lose()
        assert (numbers(tracker), tracker.forgotten, tracker.closed_total) == ((0, 0, 0, 0, 15), 1, 1)
        assert [error.name for error in tracker.errors.kept] == ["ResourceWarning"]
        assert found(tracker) == []
        assert [(leak.kind, leak.site) for leak in leaks] == [(LeakKind.ABANDONED, f"{__file__}:{where}")]
        await become(lambda: sessions() == 0)


def test_errors_are_counted(address: Address) -> None:
    """A statement that fails is an error, and a login that fails is one of the session."""
    with tracked(address[0]) as (engine, tracker):
        with engine.connect() as connection, pytest.raises(DBAPIError):
            connection.execute(text("SELECT nothing_of_the_kind"))
        assert (tracker.errors.total, tracker.errors.session) == (1, 0)
    with tracked(address[0].replace("pw-of", "no-pw-of")) as (engine, tracker):
        with pytest.raises(OperationalError):
            engine.connect()
        assert (tracker.errors.total, tracker.errors.session) == (1, 1)
        assert (tracker.waiting, tracker.taken, tracker.created_total) == (0, 0, 0)


def test_a_failing_listener_of_the_application_leaves_no_lease(pg_address: Address) -> None:
    """Where the application's own hook refuses a checkout, nothing is in use and nobody waits."""
    with tracked(pg_address[0].replace("asyncpg", "psycopg")) as (engine, tracker):

        @event.listens_for(engine, "checkout")
        def refuse(*_: Any) -> None:
            raise LookupError("not today")

        with pytest.raises(LookupError, match="not today"):
            engine.connect()
        assert (tracker.waiting, tracker.taken, len(tracker.open), tracker.used) == (0, 0, 0, 0)


def test_a_fault_of_ours_never_reaches_the_application(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks inside of the hooks, the application goes on, and the tracker switches itself off."""

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("ours")

    for name in ("track", "release", "created", "closed", "record_error", "forget"):
        monkeypatch.setattr(PoolTracker, name, broken)
    with tracked(address[0]) as (engine, tracker):
        for _ in range(30):
            with engine.connect() as connection:
                assert connection.execute(text("SELECT 1")).scalar_one() == 1
                with pytest.raises(DBAPIError, match="nothing_of_the_kind"):
                    connection.execute(text("SELECT nothing_of_the_kind"))
        engine.dispose()
        with engine.connect() as connection:
            connection.detach()
        assert (tracker.active, tracker.faults >= 20) == (False, True)


async def test_a_broken_driver_of_ours_is_kept_to_ourselves(pg_address: Address) -> None:
    """Gauges and activity that raise are counted as faults, and the leases are right all the same."""
    async with async_tracked(pg_address[0]) as (engine, tracker), engine.connect():
        tracker.driver.activity = tracker.driver.gauges = lambda *_: 1 / 0  # type: ignore[method-assign]
        assert tracker.used == 1
        tracker.watch.look()
        assert tracker.faults > 0


@pytest.mark.slow
async def test_cancelled_tasks_leave_nothing(async_address: Address) -> None:
    """Ten times 2,000 tasks that are cancelled at any moment: nothing leaks, nothing is counted wrong."""
    url, sessions = async_address
    async with async_tracked(url, pool_size=5, max_overflow=0) as (engine, tracker):
        pool, loop = engine.sync_engine.pool, asyncio.get_running_loop()

        async def work() -> None:
            async with engine.connect() as connection:
                await connection.execute(text("SELECT 1"))

        async def batch(size: int) -> None:
            tasks = [asyncio.ensure_future(work()) for _ in range(size)]
            for task in tasks:
                loop.call_later(random.uniform(0, 0.02), task.cancel)
            await asyncio.gather(*tasks, return_exceptions=True)

        def left() -> int:
            gc.collect()  # what a cancelled connect of psycopg opened, watched or not, ends as garbage
            return sessions()

        for _ in range(10):
            await work()
            for _ in range(10):
                await batch(200)
            told = tracker.snapshot()
            assert (tracker.open, told.waiting, told.used) == ({}, 0, 0)
            assert told.totals.taken == told.totals.returned > 0
            assert (told.totals.unmatched, told.totals.forgotten, tracker.faults) == (0, 0, 0)
            # The pool itself also counts entries whose connection was ended amid a cancelled request.
            assert told.totals.created - told.totals.closed == told.size <= pool.checkedin()
            await become(lambda size=told.size: left() == size)  # type: ignore[misc]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_what_is_out_at_a_fork_is_the_parents(postgresql: PostgreSQL) -> None:
    """A child that a pool's holder forks counts none of the connections that its parent holds."""
    url = postgresql.url(scheme="postgresql+psycopg")
    with tracked(url) as (engine, tracker), engine.connect(), engine.connect():
        child = os.fork()
        if child == 0:
            tracker.forked()  # what the watch of this process does by itself
            snapshot = tracker.snapshot()
            os._exit(10 * snapshot.used + (snapshot.size or 0))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert numbers(tracker)[:1] == (2,)
