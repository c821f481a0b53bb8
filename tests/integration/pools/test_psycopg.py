"""Pools of psycopg_pool that are watched, against a real PostgreSQL."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import psycopg_pool
import pytest
from psycopg_pool import AsyncConnectionPool, AsyncNullConnectionPool, ConnectionPool, NullConnectionPool

from mooring.core.pool import Leak, LeakKind
from mooring.pools.driver import Gauges
from mooring.pools.psycopg_pool import instrument
from tests.integration.pools.watched import (
    TurnedClock,
    break_hooks,
    cancel_a_return,
    in_a_task,
    interrupted,
    kinds,
    line,
    longest,
    look,
    sites,
    storm,
    watched,
)
from tests.servers.postgresql import PostgreSQL
from tests.servers.process import eventually, poll_until

pytestmark = pytest.mark.integration
HOUR = 3600


@pytest.fixture
def pool(postgresql: PostgreSQL) -> Iterator[ConnectionPool[Any]]:
    """An open pool of one to two connections, for threads."""
    with ConnectionPool(postgresql.url(), min_size=1, max_size=2, open=False) as pool:
        pool.wait()
        yield pool


@pytest.fixture
async def aio(postgresql: PostgreSQL) -> AsyncIterator[AsyncConnectionPool[Any]]:
    """An open pool of one to two connections, for tasks."""
    async with AsyncConnectionPool(postgresql.url(), min_size=1, max_size=2, open=False) as pool:
        await pool.wait()
        yield pool


def test_all_nine_measures_are_right(pool: ConnectionPool[Any], postgresql: PostgreSQL) -> None:
    """All nine: times of wait, use and create, pending, time-outs, idle, used, most and least."""
    clock = TurnedClock()
    tracker = watched(instrument, pool, clock)
    assert tracker.gauges() == Gauges(size=1, idle=1, limit=2, least=1)
    first, second = pool.getconn(), pool.getconn()
    with ThreadPoolExecutor(1) as threads:
        third = threads.submit(pool.getconn)
        poll_until(lambda: tracker.waiting == 1, "waiting")
        with pytest.raises(psycopg_pool.PoolTimeout):
            pool.getconn(timeout=0.01)
        clock.turned += 1000  # beside which what a busy machine takes is nothing
        pool.putconn(first)
        pool.putconn(third.result())
    seen = tracker.snapshot()
    assert (seen.used, seen.idle, seen.size, seen.limit, seen.least, seen.waiting) == (1, 1, 2, 2, 1, 0)
    assert (seen.wait.total, seen.use.total, seen.create.total) == (3, 2, 1)
    assert longest(seen.wait) == pytest.approx(1000, rel=0.15)
    assert longest(seen.use) == pytest.approx(1000, rel=0.15)
    assert 0 < longest(seen.create) < 5
    totals = seen.totals
    assert (totals.taken, totals.returned, totals.timeouts, totals.created, totals.closed) == (3, 2, 1, 1, 0)
    assert (totals.unmatched, totals.internal_errors) == (0, 0)
    assert (seen.driver, seen.address, seen.database) == (
        "psycopg_pool",
        f"127.0.0.1:{postgresql.port}",
        "postgres",
    )
    pool.putconn(second)


def test_a_null_pool_is_visible(postgresql: PostgreSQL) -> None:
    """A pool that keeps no connections tells those that are out, and its limit; without one, none."""
    for most, limit in ((2, 2), (0, None)):
        kind = NullConnectionPool(postgresql.url(), max_size=most, open=False)
        with kind as pool:
            tracker = watched(instrument, pool)
            assert tracker.gauges() == Gauges(size=0, idle=0, limit=limit, least=0)
            with pool.connection(), pool.connection():
                assert (tracker.used, len(tracker.open)) == (2, 2)
                if limit:
                    with pytest.raises(psycopg_pool.PoolTimeout):
                        pool.getconn(timeout=0.01)
            assert tracker.gauges() == Gauges(size=0, idle=0, limit=limit, least=0)
            assert (tracker.created_total, tracker.closed_total, tracker.faults) == (2, 2, 0)
            assert tracker.timeouts == (1 if limit else 0)


async def test_an_asyncio_null_pool_is_visible(postgresql: PostgreSQL) -> None:
    """So does one with asyncio."""
    async with AsyncNullConnectionPool(postgresql.url(), max_size=2, open=False) as pool:
        tracker = watched(instrument, pool)
        async with pool.connection(), pool.connection():
            assert (tracker.gauges(), len(tracker.open)) == (Gauges(2, 0, 2, 0), 2)
        assert tracker.gauges() == Gauges(size=0, idle=0, limit=2, least=0)
        assert (tracker.created_total, tracker.closed_total, tracker.faults) == (2, 2, 0)


def test_too_many_requests_are_no_time_outs(postgresql: PostgreSQL) -> None:
    """A request that the pool refuses waits for nothing, and is no time-out."""
    with ConnectionPool(postgresql.url(), min_size=1, max_size=1, max_waiting=1, open=False) as pool:
        pool.wait()
        tracker = watched(instrument, pool)
        held = pool.getconn()
        with ThreadPoolExecutor(1) as threads:
            other = threads.submit(pool.getconn)
            poll_until(lambda: pool.get_stats()["requests_waiting"] == 1, "waiting")
            with pytest.raises(psycopg_pool.TooManyRequests):
                pool.getconn()
            assert (tracker.waiting, tracker.timeouts) == (1, 0)
            pool.putconn(held)
            pool.putconn(other.result())
        assert (tracker.waiting, tracker.timeouts, tracker.used) == (0, 0, 0)


def test_every_way_to_acquire_names_the_applications_line(pool: ConnectionPool[Any]) -> None:
    """With threads, each way to get a connection is one lease of the line that asked."""
    tracker = watched(instrument, pool)
    with pool.connection():
        with_block = line() - 1
    pool.putconn(pool.getconn())
    got = line() - 1
    assert sites(tracker) == {(__file__, with_block): 1, (__file__, got): 1}


async def test_every_way_to_await_names_the_applications_line(aio: AsyncConnectionPool[Any]) -> None:
    """With tasks, too, also where the pool is asked in a task of its own."""
    tracker = watched(instrument, aio)
    async with aio.connection():
        with_block = line() - 1
    await aio.putconn(await aio.getconn())
    awaited = line() - 1
    connection = await in_a_task(aio.getconn())
    apart = line() - 1
    await aio.putconn(connection)
    assert sites(tracker) == {(__file__, each): 1 for each in (with_block, awaited, apart)}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*was deleted while still open:ResourceWarning")
@pytest.mark.parametrize("kind", [AsyncConnectionPool, AsyncNullConnectionPool])
async def test_cancelled_tasks_leave_nothing_behind(postgresql: PostgreSQL, kind: Any) -> None:
    """10 times 2,000 tasks, each cancelled after 0 to 20 ms, 200 at once on five connections: all counted.

    psycopg_pool loses connections here by itself on Python 3.11, watched or not, which is no lease of
    anybody: its own `pool_size` counts them on. So each time has a pool of its own.
    """
    for _ in range(10):
        async with kind(postgresql.url(), min_size=0, max_size=5, open=False) as pool:
            tracker = watched(instrument, pool)

            async def use(pool: Any = pool) -> None:
                async with pool.connection() as connection:
                    await connection.execute("SELECT 1")

            await use()
            ended = await storm(use)
            assert ended.total() == 2_000
            told = pool.get_stats()
            assert (tracker.used, tracker.waiting, len(tracker.open)) == (0, 0, 0)
            totals = tracker.snapshot().totals
            assert totals.taken == totals.returned > 0
            assert (totals.unmatched, totals.internal_errors, totals.timeouts) == (0, 0, 0)
            await eventually(lambda pool=pool, tracker=tracker: same(tracker, pool), "the pool's rest")
            if sys.version_info >= (3, 12):
                assert told["pool_size"] == told["pool_available"]


def same(tracker: Any, pool: Any) -> bool:
    """Whether the book says what the pool has: nothing out, and as many idle."""
    idle = pool.get_stats()["pool_available"]
    return bool(tracker.gauges() == Gauges(idle, idle, 5, 0))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [ConnectionPool, NullConnectionPool])
def test_threads_leave_nothing_behind(postgresql: PostgreSQL, kind: Any) -> None:
    """8 threads with 250 connections each from a pool of five, with time-outs and errors: all counted."""
    with kind(postgresql.url(), min_size=0, max_size=5, open=False) as pool:
        tracker = watched(instrument, pool)

        def use(number: int) -> None:
            for turn in range(250):
                try:
                    with pool.connection(timeout=0.001 if turn % 3 else 5) as connection:
                        connection.execute("SELECT 1" if turn % 7 else f"SELECT 1 / {number * 0}")
                except (psycopg_pool.PoolTimeout, psycopg.errors.DivisionByZero):
                    pass

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(use, range(8)))
        totals, told = tracker.snapshot().totals, pool.get_stats()
        assert totals.taken == totals.returned
        assert totals.taken + totals.timeouts == told["requests_num"] == 2_000
        assert (tracker.used, tracker.waiting, len(tracker.open)) == (0, 0, 0)
        poll_until(lambda: pool.get_stats()["pool_size"] == tracker.gauges().size, "the pool's rest")
        assert (totals.unmatched, totals.internal_errors) == (0, 0)


def test_a_cursor_that_streams_is_nothing(pool: ConnectionPool[Any]) -> None:
    """Rows that are read for an hour are no leak, from a cursor on the server as from a stream."""
    tracker = watched(instrument, pool, clock := TurnedClock())
    with pool.connection() as connection:
        with connection.cursor(name="rows") as named:
            named.itersize = 10
            read(named.execute("SELECT generate_series(1, 1000)"), tracker, clock)
        cursor = connection.cursor()
        read(cursor.stream("SELECT repeat('x', 20000) FROM generate_series(1, 1000)"), tracker, clock)
    assert clock.turned == 2 * HOUR


def read(rows: Any, tracker: Any, clock: TurnedClock) -> None:
    """Read 1,000 rows within an hour, and look in between."""
    for number, _ in enumerate(rows, 1):
        if number % 100 == 0:
            clock.turned += HOUR / 10
            assert look(tracker) == []


def test_idle_in_a_transaction_is_told(pool: ConnectionPool[Any]) -> None:
    """A transaction in which nothing runs for long is told as that, with its line; else it is suspect."""
    tracker = watched(instrument, pool, held=0.2)
    connection = pool.getconn()
    taken = line() - 1
    connection.execute("SELECT 1")
    poll_until(lambda: kinds(tracker) == [LeakKind.IDLE_IN_TRANSACTION], "idle in transaction")
    assert tracker.leaks()[0].site == f"{__file__}:{taken}"
    connection.rollback()
    assert kinds(tracker) == []
    poll_until(lambda: kinds(tracker) == [LeakKind.SUSPECT], "a suspect")
    pool.putconn(connection)
    assert look(tracker) == []


def test_an_abandoned_lease_of_a_thread_names_its_line(pool: ConnectionPool[Any]) -> None:
    """A thread that ends with a connection is told at the second look, with file and line."""
    tracker = watched(instrument, pool)
    kept, lines = [], []

    def leak() -> None:
        kept.append(pool.getconn())
        lines.append(line() - 1)

    thread = threading.Thread(target=leak)
    thread.start()
    thread.join()
    poll_until(lambda: kinds(tracker) == [LeakKind.ABANDONED], "an abandoned lease")
    [found] = tracker.leaks()
    assert (found.site, found.now) == (f"{__file__}:{lines[0]}", ())
    pool.putconn(kept.pop())
    assert (look(tracker), tracker.used) == ([], 0)


async def test_a_pool_closes_while_leases_are_out(postgresql: PostgreSQL) -> None:
    """A connection that is out when its pool closes is used until it is returned."""
    pool = ConnectionPool(postgresql.url(), min_size=1, max_size=2, open=True)
    tracker = watched(instrument, pool)
    connection = pool.getconn()
    pool.close()
    assert (tracker.gauges(), len(tracker.open)) == (Gauges(1, 0, 2, 1), 1)
    pool.putconn(connection)
    with pytest.raises(psycopg_pool.PoolClosed):
        pool.getconn()
    assert (tracker.gauges(), len(tracker.open), tracker.waiting) == (Gauges(0, 0, 2, 1), 0, 0)
    assert (tracker.closed_total, tracker.unmatched, tracker.faults) == (tracker.created_total, 0, 0)


@pytest.mark.parametrize("by", ["server", "program"])
def test_a_broken_connection_ends_its_lease(
    pool: ConnectionPool[Any], postgresql: PostgreSQL, by: str
) -> None:
    """A connection that is broken when it is returned is a lease like others, and its place is filled."""
    tracker = watched(instrument, pool, held=0)
    connection = pool.getconn()
    if by == "server":
        postgresql.sql(f"SELECT pg_terminate_backend({connection.info.backend_pid})")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    else:
        connection.close()
    look(tracker, 25)  # held on, though nothing can be asked of it
    pool.putconn(connection)
    assert (tracker.used, len(tracker.open), tracker.unmatched) == (0, 0, 0)
    pool.wait()
    assert tracker.gauges() == Gauges(size=1, idle=1, limit=2, least=1)
    assert (tracker.created_total, tracker.closed_total, tracker.faults) == (1, 1, 0)


@pytest.mark.filterwarnings("ignore:.* was deleted while still open")
def test_a_connection_that_became_garbage_is_a_leak(pool: ConnectionPool[Any]) -> None:
    """A connection that nobody has any more is told as abandoned with its line, and its room stays taken."""
    leaks: list[Leak] = []
    tracker = watched(instrument, pool)
    tracker.on("leak", leaks.append)
    pool.getconn()
    where = line() - 1
    gc.collect()
    assert [leak.kind for leak in look(tracker, times=3)] == [LeakKind.ABANDONED]
    assert [(leak.kind, leak.site) for leak in leaks] == [(LeakKind.ABANDONED, f"{__file__}:{where}")]
    assert (tracker.used, tracker.gauges().size, pool.get_stats()["pool_size"]) == (1, 1, 1)


@pytest.mark.filterwarnings("ignore:.* was deleted while still open")
def test_without_a_limit_garbage_takes_no_room(postgresql: PostgreSQL) -> None:
    """Where a pool opens as many as are asked for, what nobody has any more is a leak that is over."""
    leaks: list[Leak] = []
    with NullConnectionPool(postgresql.url(), max_size=0, open=False) as pool:
        tracker = watched(instrument, pool)
        tracker.on("leak", leaks.append)
        for _ in range(3):
            pool.getconn()
        where = line() - 1
        gc.collect()
        assert look(tracker, times=3) == []
        assert [(leak.kind, leak.site) for leak in leaks] == [(LeakKind.ABANDONED, f"{__file__}:{where}")] * 3
        assert (tracker.used, tracker.forgotten, tracker.created_total, tracker.closed_total) == (0, 3, 3, 3)


def test_closed_connections_are_counted_while_tracking_is_stopped(postgresql: PostgreSQL) -> None:
    """A pool that closes what comes back leaves nothing behind, though nobody looks at it."""
    with NullConnectionPool(postgresql.url(), max_size=2, open=False) as pool:
        tracker = watched(instrument, pool)
        tracker.stop()
        for _ in range(5):
            with pool.connection() as connection:
                connection.execute("SELECT 1")
        del connection
        gc.collect()
        assert (tracker.created_total, tracker.closed_total, tracker.faults) == (5, 5, 0)


def test_what_is_returned_twice_is_counted(pool: ConnectionPool[Any]) -> None:
    """A second return raises what psycopg_pool raises, and is counted as none of the book's."""
    tracker = watched(instrument, pool)
    connection = pool.getconn()
    pool.putconn(connection)
    with pytest.raises(ValueError, match="can't return connection to pool"):
        pool.putconn(connection)
    totals = tracker.snapshot().totals
    assert (totals.taken, totals.returned, totals.unmatched, tracker.used) == (1, 1, 1, 0)


def test_an_interrupt_amid_a_return_loses_no_connection(
    pool: ConnectionPool[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C may come while it is noted that a connection comes back: the pool has it nevertheless."""
    tracker = watched(instrument, pool)
    held = [pool.getconn(), pool.getconn()]
    monkeypatch.setattr(tracker, "_now", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pool.putconn(held[0])
    monkeypatch.undo()
    assert pool.getconn() is held[0]
    assert tracker.faults == 0


def test_an_interrupt_amid_a_checkout_loses_no_connection(
    pool: ConnectionPool[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C may come while it is noted who has a connection: the pool has it again."""
    tracker = watched(instrument, pool)
    monkeypatch.setattr(tracker, "track", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pool.getconn()
    monkeypatch.undo()
    first, second = pool.getconn(), pool.getconn()
    pool.putconn(first)
    pool.putconn(second)
    totals = tracker.snapshot().totals
    assert (tracker.faults, tracker.used, totals.taken, totals.unmatched) == (0, 0, 2, 0)


async def test_a_cancellation_amid_a_return_loses_no_connection(
    aio: AsyncConnectionPool[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever ends the noting of a connection that comes back, the pool has it nevertheless."""
    await cancel_a_return(watched(instrument, aio), aio.getconn, aio.putconn, monkeypatch)


def test_a_pool_may_change_its_size(pool: ConnectionPool[Any]) -> None:
    """After `resize` the gauges are the new ones."""
    tracker = watched(instrument, pool)
    pool.resize(2, 4)
    poll_until(lambda: tracker.gauges() == Gauges(size=2, idle=2, limit=4, least=2), "growing")
    with pool.connection():
        assert (tracker.used, tracker.utilization) == (1, 0.25)
    pool.drain()
    poll_until(lambda: (tracker.gauges().idle, tracker.closed_total) == (2, 2), "draining")
    assert tracker.created_total == 3


def test_connections_that_cannot_be_opened_are_not_used(start_postgresql: Any) -> None:
    """While the server is down nothing is used, though psycopg_pool counts what it tries to open."""
    with start_postgresql() as server:
        url = server.url(connect_timeout="1")
    with ConnectionPool(url, min_size=2, max_size=2, open=False) as pool:
        tracker = watched(instrument, pool)
        with pytest.raises(psycopg_pool.PoolTimeout):
            pool.getconn(timeout=0.2)
        assert pool.get_stats()["pool_size"] == 2
        assert (tracker.gauges(), tracker.used) == (Gauges(size=0, idle=0, limit=2, least=2), 0)
        assert (tracker.created_total, tracker.timeouts, tracker.waiting) == (0, 1, 0)


def test_it_may_be_instrumented_before_it_is_opened(postgresql: PostgreSQL) -> None:
    """A pool that is instrumented first has all its connections counted; the address is known before."""
    pool: ConnectionPool[Any] = ConnectionPool(
        f"host=127.0.0.1 port={postgresql.port} user=postgres",
        kwargs={"password": "s3cret-of-the-superuser", "dbname": "postgres"},
        min_size=2,
        max_size=3,
        open=False,
    )
    tracker = watched(instrument, pool)
    assert (tracker.driver.address, tracker.driver.database) == (f"127.0.0.1:{postgresql.port}", "postgres")
    assert tracker.gauges() == Gauges(size=0, idle=0, limit=3, least=2)
    with pytest.raises(psycopg_pool.PoolClosed):
        pool.getconn()
    with pool:
        pool.wait()
        assert (tracker.created_total, tracker.waiting) == (2, 0)
        with pool.connection():
            assert (tracker.used, len(tracker.open)) == (1, 1)
    assert (tracker.gauges().size, tracker.closed_total, tracker.faults) == (0, 2, 0)


def test_a_lease_from_before_is_counted_apart(pool: ConnectionPool[Any]) -> None:
    """The return of a connection that was out before the pool was watched is none of the book's."""
    connection = pool.getconn()
    tracker = watched(instrument, pool)
    pool.putconn(connection)
    assert (tracker.used, len(tracker.open), tracker.unmatched, tracker.faults) == (0, 0, 1, 0)


async def test_faults_of_ours_never_reach_the_application(
    pool: ConnectionPool[Any], aio: AsyncConnectionPool[Any]
) -> None:
    """Whatever breaks in the hooks, the pools work on, and tracking goes off after 20 faults."""
    tracker, other = watched(instrument, pool), watched(instrument, aio)
    break_hooks(tracker)
    break_hooks(other)
    for _ in range(10):
        with pool.connection() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        async with aio.connection() as task_connection:
            assert await (await task_connection.execute("SELECT 1")).fetchone() == (1,)
    with pytest.raises(psycopg_pool.PoolTimeout), pool.connection(), pool.connection():
        pool.getconn(timeout=0.01)
    assert (tracker.active, tracker.faults >= 20, other.active, other.faults >= 20) == (False, True) * 2


def test_a_second_time_returns_the_same_tracker(pool: ConnectionPool[Any]) -> None:
    """Instrumented twice, a pool is tracked once, and is still what it was to its users."""
    before = repr(pool)
    tracker = watched(instrument, pool)
    assert watched(instrument, pool) is tracker
    with pool.connection():
        assert len(tracker.open) == 1
    assert isinstance(pool, ConnectionPool)
    assert repr(pool) == before
    assert pool.getconn.__doc__ == ConnectionPool.getconn.__doc__


def test_stopped_it_tracks_nothing(pool: ConnectionPool[Any]) -> None:
    """While tracking is stopped nothing is counted but what is used, and what is out comes back unnoticed."""
    tracker = watched(instrument, pool)
    early = pool.getconn()
    tracker.stop()
    late = pool.getconn()
    assert tracker.used == 2
    pool.putconn(early)
    tracker.start()
    pool.putconn(late)
    totals = tracker.snapshot().totals
    assert (totals.taken, totals.returned, totals.unmatched, tracker.waiting) == (1, 1, 0, 0)
