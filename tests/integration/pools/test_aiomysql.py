"""Pools of aiomysql that are watched, against a real MariaDB."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiomysql
import pytest

from mooring.pools.aiomysql import instrument
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
from tests.servers.mariadb import PASSWORD, MariaDB
from tests.servers.process import eventually

pytestmark = pytest.mark.integration
HOUR = 3600


def login(mariadb: MariaDB) -> dict[str, Any]:
    """Return what a pool is given to log in."""
    return {"host": "127.0.0.1", "port": mariadb.port, "user": "root", "password": PASSWORD, "db": "mysql"}


@pytest.fixture
async def pool(mariadb: MariaDB) -> AsyncIterator[Any]:
    """An open pool of one to two connections."""
    async with aiomysql.create_pool(**login(mariadb), minsize=1, maxsize=2) as pool:
        yield pool


async def answer(connection: Any, statement: str = "SELECT 1") -> Any:
    """Run a statement, and return its rows."""
    async with connection.cursor() as cursor:
        await cursor.execute(statement)
        return await cursor.fetchall()


async def test_every_way_to_acquire_names_the_applications_line(pool: Any) -> None:
    """Each way to get a connection is one lease of the line that asked, also from a task of its own."""
    tracker = watched(instrument, pool)
    async with pool.acquire():
        with_block = line() - 1
    await pool.release(await pool.acquire())
    awaited = line() - 1
    connection = await in_a_task(pool.acquire())
    apart = line() - 1
    await pool.release(connection)
    assert sites(tracker) == {(__file__, each): 1 for each in (with_block, awaited, apart)}


@pytest.mark.slow
async def test_cancelled_tasks_leave_nothing_behind(mariadb: MariaDB) -> None:
    """10 times 2,000 tasks, each cancelled after 0 to 20 ms, 200 at once on five connections: all counted."""
    async with aiomysql.create_pool(**login(mariadb), minsize=1, maxsize=5) as pool:
        tracker = watched(instrument, pool)

        async def use() -> None:
            async with pool.acquire() as connection:
                await answer(connection)

        for _ in range(10):
            ended = await storm(use)
            assert ended.total() == 2_000
            await eventually(lambda: pool.size == pool.freesize, "the pool's rest")
            assert (tracker.used, tracker.waiting, len(tracker.open)) == (0, 0, 0)
            assert tracker.gauges() == Gauges(pool.freesize, pool.freesize, 5, 1)
        totals = tracker.snapshot().totals
        assert totals.taken == totals.returned > 0
        assert (totals.unmatched, totals.internal_errors, totals.timeouts) == (0, 0, 0)
        assert totals.created - totals.closed == pool.freesize - 1
        held = [await pool.acquire() for _ in range(5)]
        assert (tracker.used, len(tracker.open)) == (5, 5)
        for each in held:
            await pool.release(each)


async def test_a_cursor_that_streams_is_nothing(pool: Any) -> None:
    """Rows that are read for an hour are no leak."""
    clock = TurnedClock()
    tracker = watched(instrument, pool, clock)
    async with pool.acquire() as connection, connection.cursor(aiomysql.SSCursor) as cursor:
        await cursor.execute("SELECT repeat('x', 20000) FROM seq_1_to_1000")
        for number in range(1, 1001):
            assert await cursor.fetchone() is not None
            if number % 100 == 0:
                clock.turned += HOUR / 10
                assert look(tracker) == []
    assert clock.turned == HOUR


async def test_a_pool_closes_while_leases_are_out(mariadb: MariaDB) -> None:
    """Closing waits for the leases, terminating ends them; the book has none left either way."""
    for way in ("close", "terminate"):
        pool = await aiomysql.create_pool(**login(mariadb), minsize=1, maxsize=2)
        tracker = watched(instrument, pool)
        connection = await pool.acquire()
        getattr(pool, way)()
        closing = asyncio.ensure_future(pool.wait_closed())
        with pytest.raises(RuntimeError, match="after closing pool"):
            await pool.acquire()
        out = 1 if way == "close" else 0
        assert (tracker.used, len(tracker.open)) == (out, out)
        await pool.release(connection)
        await closing
        assert (tracker.gauges(), len(tracker.open), tracker.waiting) == (Gauges(0, 0, 2, 1), 0, 0)
        assert (tracker.closed_total, tracker.unmatched, tracker.faults) == (1, 0, 0)


@pytest.mark.parametrize("by", ["server", "program"])
async def test_a_broken_connection_ends_its_lease(pool: Any, mariadb: MariaDB, by: str) -> None:
    """A connection that is broken when it is returned is a lease like others, and another takes its place."""
    tracker = watched(instrument, pool, held=0)
    connection = await pool.acquire()
    if by == "server":
        mariadb.sql(f"KILL {connection.thread_id()}")
        with pytest.raises(aiomysql.OperationalError):
            await answer(connection)
    connection.close()
    look(tracker, 25)  # held on, though nothing can be asked of it
    await pool.release(connection)
    assert (tracker.used, len(tracker.open), tracker.unmatched) == (0, 0, 0)
    async with pool.acquire() as connection:
        assert await answer(connection) == ((1,),)
    assert tracker.gauges() == Gauges(size=1, idle=1, limit=2, least=1)
    assert (tracker.created_total, tracker.closed_total, tracker.faults) == (1, 1, 0)


async def test_a_cancellation_amid_a_return_loses_no_connection(
    pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever ends the noting of a connection that comes back, the pool has it nevertheless."""
    await cancel_a_return(watched(instrument, pool), pool.acquire, pool.release, monkeypatch)


async def test_what_is_returned_twice_is_counted(pool: Any) -> None:
    """A second return raises what aiomysql raises, and is counted as none of the book's."""
    tracker = watched(instrument, pool)
    connection = await pool.acquire()
    await pool.release(connection)
    with pytest.raises(AssertionError):
        pool.release(connection)
    totals = tracker.snapshot().totals
    assert (totals.taken, totals.returned, totals.unmatched, tracker.used) == (1, 1, 1, 0)


async def test_a_pool_without_a_limit_tells_none(mariadb: MariaDB) -> None:
    """A pool that may grow for ever has no limit, and no utilization."""
    async with aiomysql.create_pool(**login(mariadb), minsize=0, maxsize=0) as pool:
        tracker = watched(instrument, pool)
        async with pool.acquire(), pool.acquire():
            assert (tracker.gauges(), tracker.utilization) == (Gauges(2, 0, None, 0), 0)
        assert tracker.created_total == 2


async def test_connections_that_are_cleared_are_counted(pool: Any) -> None:
    """Those that `clear` closes are closed, and the next ones are opened."""
    tracker = watched(instrument, pool)
    await pool.clear()
    assert (tracker.gauges().size, tracker.closed_total) == (0, 1)
    async with pool.acquire():
        assert tracker.created_total == 1


async def test_a_lease_from_before_is_counted_apart(pool: Any) -> None:
    """A connection that was out before the pool was watched is used, and its return is none of the book's."""
    connection = await pool.acquire()
    tracker = watched(instrument, pool)
    assert (tracker.used, len(tracker.open)) == (1, 0)
    await pool.release(connection)
    assert (tracker.used, len(tracker.open), tracker.unmatched, tracker.faults) == (0, 0, 1, 0)


async def test_faults_of_ours_never_reach_the_application(pool: Any) -> None:
    """Whatever breaks in the hooks, the pool works on, and tracking goes off after 20 faults."""
    tracker = watched(instrument, pool)
    break_hooks(tracker)
    for _ in range(20):
        async with pool.acquire() as connection:
            assert await answer(connection) == ((1,),)
        await pool.clear()
    with pytest.raises(TimeoutError):
        async with pool.acquire(), pool.acquire(), asyncio.timeout(0.01):
            await pool.acquire()
    assert (tracker.active, tracker.faults >= 20) == (False, True)
    assert (pool.size, pool.freesize) == (2, 2)
