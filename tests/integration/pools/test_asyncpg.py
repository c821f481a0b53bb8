"""Pools of asyncpg that are watched, against a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from mooring.pools.asyncpg import instrument
from mooring.pools.driver import Gauges
from tests.integration.pools.watched import (
    TurnedClock,
    break_hooks,
    cancel_a_return,
    in_a_task,
    line,
    look,
    sites,
    storm,
    watched,
)
from tests.servers.postgresql import PostgreSQL
from tests.servers.process import eventually

pytestmark = pytest.mark.integration
HOUR = 3600


@pytest.fixture
async def pool(postgresql: PostgreSQL) -> AsyncIterator[Any]:
    """An open pool of one to two connections."""
    async with asyncpg.create_pool(postgresql.url(), min_size=1, max_size=2) as pool:
        yield pool


async def test_every_way_to_acquire_names_the_applications_line(pool: Any) -> None:
    """Each way to get a connection is one lease of the line that asked, also from a task of its own."""
    tracker = watched(instrument, pool)
    async with pool.acquire():
        with_block = line() - 1
    await pool.release(await pool.acquire())
    awaited = line() - 1
    assert await pool.fetchval("SELECT 1") == 1
    fetched = line() - 1
    async with asyncio.timeout(5):
        connection = await in_a_task(pool.acquire())
        apart = line() - 1
    await pool.release(connection)
    context = pool.acquire()
    made = line() - 1
    async with context:
        pass
    assert sites(tracker) == {(__file__, each): 1 for each in (with_block, awaited, fetched, apart, made)}


async def test_short_methods_name_the_line_that_called_them(pool: Any) -> None:
    """`gather` runs `pool.fetch()` in tasks without a line of the application: who called it is named."""
    tracker = watched(instrument, pool)
    first = pool.fetchval("SELECT $1::int", 1)
    called = line() - 1
    second = pool.fetchrow("SELECT 2", timeout=5)
    assert await asyncio.gather(first, second) == [1, (2,)]
    assert sites(tracker) == {(__file__, called): 1, (__file__, called + 2): 1}


async def test_a_pool_class_of_the_applications_works_on(postgresql: PostgreSQL) -> None:
    """Methods that the application's own class overrides are called as they are."""

    class Shouting(asyncpg.Pool):
        async def fetchval(self, query: str, *args: Any, **options: Any) -> str:
            return f"{await super().fetchval(query, *args, **options)}!"

    pool = Shouting(
        postgresql.url(),
        min_size=0,
        max_size=1,
        max_queries=50_000,
        max_inactive_connection_lifetime=300.0,
        loop=asyncio.get_running_loop(),
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
    )
    tracker = watched(instrument, pool)
    async with pool:
        assert await pool.fetchval("SELECT 1") == "1!"
    assert tracker.snapshot().totals.taken == 1


@pytest.mark.slow
async def test_cancelled_tasks_leave_nothing_behind(postgresql: PostgreSQL) -> None:
    """10 times 2,000 tasks, each cancelled after 0 to 20 ms, 200 at once on five connections: all counted."""
    async with asyncpg.create_pool(postgresql.url(), min_size=1, max_size=5) as pool:
        tracker = watched(instrument, pool)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)  # asyncpg forgets futures of cancelled connects

        async def use() -> None:
            async with pool.acquire() as connection:
                await connection.execute("SELECT 1")

        for _ in range(10):
            ended = await storm(use)
            assert ended.total() == 2_000
            await eventually(lambda: pool.get_idle_size() == pool.get_size(), "the pool's rest")
            assert (tracker.used, tracker.waiting, len(tracker.open)) == (0, 0, 0)
            assert tracker.gauges() == Gauges(pool.get_size(), pool.get_idle_size(), 5, 1)
        totals = tracker.snapshot().totals
        assert totals.taken == totals.returned > 0
        assert (totals.unmatched, totals.internal_errors, totals.timeouts) == (0, 0, 0)
        assert totals.created - totals.closed == pool.get_size() - 1
        held = [await pool.acquire(timeout=5) for _ in range(5)]
        assert (tracker.used, len(tracker.open)) == (5, 5)
        for each in held:
            await pool.release(each)
        loop.set_exception_handler(None)


async def test_a_cursor_that_streams_is_nothing(pool: Any) -> None:
    """Rows that are read for an hour are no leak."""
    clock = TurnedClock()
    tracker = watched(instrument, pool, clock)
    async with pool.acquire() as connection, connection.transaction():
        cursor = connection.cursor("SELECT generate_series(1, 1000)", prefetch=10)
        seen = 0
        async for _ in cursor:
            seen += 1
            if seen % 100 == 0:
                clock.turned += HOUR / 10
                assert look(tracker) == []
    assert (seen, clock.turned) == (1000, HOUR)


async def test_a_pool_closes_while_leases_are_out(postgresql: PostgreSQL) -> None:
    """Closing waits for the leases, terminating ends them; the book has none left either way."""
    for way in ("close", "terminate"):
        pool = await asyncpg.create_pool(postgresql.url(), min_size=1, max_size=2)
        tracker = watched(instrument, pool)
        connection = await pool.acquire()
        if way == "close":
            closing = asyncio.ensure_future(pool.close())
            await eventually(pool.is_closing, "closing")
            assert (tracker.used, len(tracker.open)) == (1, 1)
            await pool.release(connection)
            await closing
        else:
            pool.terminate()
        with pytest.raises(asyncpg.InterfaceError, match="pool is closed"):
            await pool.acquire()
        assert (tracker.gauges(), len(tracker.open), tracker.waiting) == (Gauges(0, 0, 2, 1), 0, 0)
        assert (tracker.closed_total, tracker.unmatched, tracker.faults) == (1, 0, 0)


async def test_a_broken_connection_ends_its_lease(pool: Any, postgresql: PostgreSQL) -> None:
    """A connection that the server ends is back when the driver sees it, and its return changes nothing."""
    tracker = watched(instrument, pool, held=0)
    connection = await pool.acquire()
    ended = connection.get_server_pid()
    postgresql.sql(f"SELECT pg_terminate_backend({ended})")
    await eventually(lambda: not tracker.open, "the return")
    await pool.release(connection)
    assert (look(tracker), tracker.used, tracker.closed_total) == ([], 0, 1)
    assert (tracker.unmatched, tracker.snapshot().totals.returned) == (0, 1)
    async with pool.acquire() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    assert tracker.gauges().size == 1 + tracker.created_total - tracker.closed_total


async def test_what_is_returned_twice_is_counted_once(pool: Any) -> None:
    """Asyncpg takes a second return for none, and so does the book."""
    tracker = watched(instrument, pool)
    connection = await pool.acquire()
    await pool.release(connection)
    await pool.release(connection)
    totals = tracker.snapshot().totals
    assert (totals.taken, totals.returned, totals.unmatched, tracker.used) == (1, 1, 0, 0)


async def test_a_cancellation_amid_a_return_loses_no_connection(
    pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever ends the noting of a connection that comes back, the pool has it nevertheless."""
    await cancel_a_return(watched(instrument, pool), pool.acquire, pool.release, monkeypatch)


async def test_connections_that_expire_are_counted(pool: Any) -> None:
    """Those that are replaced were closed and opened."""
    tracker = watched(instrument, pool)
    async with pool.acquire():
        await pool.expire_connections()
    async with pool.acquire():
        pass
    assert tracker.gauges().size == pool.get_size()
    assert tracker.closed_total == 1
    assert tracker.created_total == pool.get_size()


async def test_it_may_be_instrumented_before_it_is_opened(postgresql: PostgreSQL) -> None:
    """A pool that is instrumented first has all its connections counted; the address is known before."""
    pool = asyncpg.create_pool(postgresql.url(database="postgres"), min_size=2, max_size=3)
    tracker = watched(instrument, pool)
    assert (tracker.driver.address, tracker.driver.database) == (f"127.0.0.1:{postgresql.port}", "postgres")
    assert tracker.gauges() == Gauges(size=0, idle=0, limit=3, least=2)
    async with pool:
        assert tracker.created_total == 2
        async with pool.acquire():
            assert (tracker.used, len(tracker.open)) == (1, 1)
    assert (tracker.gauges().size, tracker.closed_total, tracker.faults) == (0, 2, 0)


async def test_a_lease_from_before_is_no_fault(pool: Any) -> None:
    """A connection that was out before the pool was watched is used, and its return is none of the book's."""
    connection = await pool.acquire()
    tracker = watched(instrument, pool)
    assert (tracker.used, len(tracker.open)) == (1, 0)
    async with pool.acquire():
        pass
    await pool.release(connection)
    assert (tracker.used, len(tracker.open), tracker.unmatched, tracker.faults) == (0, 0, 0, 0)


async def test_faults_of_ours_never_reach_the_application(pool: Any) -> None:
    """Whatever breaks in the hooks, the pool works on, and tracking goes off after 20 faults."""
    tracker = watched(instrument, pool)
    break_hooks(tracker)
    for _ in range(20):
        async with pool.acquire() as connection:
            assert await connection.fetchval("SELECT 1") == 1
        await pool.expire_connections()
    with pytest.raises(TimeoutError):
        async with pool.acquire(), pool.acquire():
            await pool.acquire(timeout=0.01)
    assert (tracker.active, tracker.faults >= 20) == (False, True)
    assert (pool.get_size(), pool.get_idle_size()) == (2, 2)


async def test_stopped_it_tracks_nothing(pool: Any) -> None:
    """While tracking is stopped nothing is counted, and what is out then comes back unnoticed."""
    tracker = watched(instrument, pool)
    early = await pool.acquire()
    tracker.stop()
    late = await pool.acquire()
    await pool.release(early)
    tracker.start()
    await pool.release(late)
    totals = tracker.snapshot().totals
    assert (totals.taken, totals.returned, totals.unmatched, tracker.waiting) == (1, 1, 0, 0)


async def test_pool_that_is_opened_after_a_fork_is_counted(postgresql: PostgreSQL) -> None:
    """A pool that was made before a fork and opened after it is the child's own."""
    async with asyncio.timeout(20):
        pool = asyncpg.create_pool(postgresql.url(), min_size=1, max_size=2)
        tracker = watched(instrument, pool)
        tracker.forked()
        async with pool:
            assert tracker.gauges() == Gauges(size=1, idle=1, limit=2, least=1)
