"""What is counted, without a word of the application, where a statement on a pool's connection fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple

import aiomysql
import asyncpg
import psycopg
import psycopg_pool
import pytest
from pymysql.err import MySQLError  # not pymysql.err.…: Django's MySQLdb puts a second copy there

from mooring.pools import PoolTracker
from mooring.pools import aiomysql as for_aiomysql
from mooring.pools import asyncpg as for_asyncpg
from mooring.pools import psycopg_pool as for_psycopg
from tests.integration.pools.watched import watched
from tests.servers.mariadb import USER_PASSWORD, MariaDB
from tests.servers.postgresql import PostgreSQL

pytestmark = pytest.mark.integration
BROKEN = "SELECT nothing_of_the_kind"
DEFERRED = "CREATE TEMPORARY TABLE once (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)"


class Bench(NamedTuple):
    """How one driver is used in a program with asyncio."""

    instrument: Any
    make: Callable[[], Any]
    """Returns what opens a pool of two connections."""
    block: Callable[[Any], Any]
    """Returns the block of one connection."""
    run: Callable[[Any, str], Awaitable[Any]]
    """Runs a statement."""
    error: type[Exception]
    """What all of the driver's errors are of."""


@asynccontextmanager
async def of_psycopg(url: str) -> AsyncIterator[Any]:
    """Open one of psycopg_pool's."""
    async with psycopg_pool.AsyncConnectionPool(url, min_size=1, max_size=2, open=False) as pool:
        await pool.wait()
        yield pool


async def run_on_mysql(connection: Any, statement: str) -> None:
    """Run a statement by a cursor."""
    async with connection.cursor() as cursor:
        await cursor.execute(statement)
        await cursor.fetchall()


def execute(connection: Any, statement: str) -> Awaitable[Any]:
    """Run a statement as the drivers of PostgreSQL do."""
    return connection.execute(statement)  # type: ignore[no-any-return]


def acquired(pool: Any) -> Any:
    """Return the block of a connection of asyncpg and aiomysql."""
    return pool.acquire()


def psycopg_bench(url: str) -> Bench:
    """Use psycopg_pool."""
    make = partial(of_psycopg, url)
    return Bench(for_psycopg.instrument, make, lambda pool: pool.connection(), execute, psycopg.Error)


def asyncpg_bench(url: str) -> Bench:
    """Use asyncpg."""
    make = partial(asyncpg.create_pool, url, min_size=1, max_size=2)
    return Bench(for_asyncpg.instrument, make, acquired, execute, asyncpg.PostgresError)


@pytest.fixture(params=["psycopg", "asyncpg", "aiomysql"])
def bench(request: pytest.FixtureRequest, postgresql: PostgreSQL, mariadb: MariaDB) -> Iterator[Bench]:
    """One of three drivers."""
    if request.param == "psycopg":
        yield psycopg_bench(postgresql.url())
    elif request.param == "asyncpg":
        yield asyncpg_bench(postgresql.url())
    else:
        with mariadb.user() as user:
            login = {"host": "127.0.0.1", "port": mariadb.port, "user": user, "password": USER_PASSWORD}
            make = partial(aiomysql.create_pool, minsize=1, maxsize=2, **login)
            yield Bench(for_aiomysql.instrument, make, acquired, run_on_mysql, MySQLError)


@asynccontextmanager
async def watched_pool(bench: Bench) -> AsyncIterator[tuple[Any, PoolTracker]]:
    """Open a pool, and yield it with its tracker."""
    async with bench.make() as pool:
        yield pool, watched(bench.instrument, pool)


def counts(tracker: PoolTracker) -> tuple[int, int]:
    """Return how many errors there are, and how many of them of a session."""
    totals = tracker.snapshot().totals
    assert (tracker.faults, len(tracker.open)) == (0, 0)
    return totals.errors, totals.session_errors


async def fail(bench: Bench, pool: Any) -> None:
    """Let a statement fail whose error leaves the block."""
    async with bench.block(pool) as connection:
        await bench.run(connection, BROKEN)


async def test_what_leaves_the_block_is_one_error(bench: Bench) -> None:
    """A statement that fails is one error, and one that works or whose error is caught inside is none."""
    async with watched_pool(bench) as (pool, tracker):
        async with bench.block(pool) as connection:
            await bench.run(connection, "SELECT 1")
        assert counts(tracker) == (0, 0)
        with pytest.raises(bench.error) as raised:
            await fail(bench, pool)
        assert counts(tracker) == (1, 0)
        assert [error.name for error in tracker.errors.kept] == [type(raised.value).__name__]
        async with bench.block(pool) as connection:
            with pytest.raises(bench.error):
                await bench.run(connection, BROKEN)
        assert counts(tracker) == (1, 0)


async def test_what_is_done_while_an_error_is_handled_is_none(bench: Bench) -> None:
    """A connection that is taken and returned in an `except` does not count that error again."""
    async with watched_pool(bench) as (pool, tracker):
        try:
            await fail(bench, pool)
        except bench.error as error:
            for _ in range(2):
                async with bench.block(pool) as connection:
                    await bench.run(connection, "SELECT 1")
            tracker.record_error(error)
        assert counts(tracker) == (1, 0)


async def test_an_error_that_leaves_two_blocks_is_one_of_its_own_connection(bench: Bench) -> None:
    """Of connections of one pool and of two, the error is that of the one on which the statement ran."""
    async with watched_pool(bench) as (pool, tracker), watched_pool(bench) as (other, outer):
        with pytest.raises(bench.error):
            async with bench.block(other), bench.block(pool) as connection:
                await bench.run(connection, BROKEN)
        assert (counts(tracker), counts(outer)) == ((1, 0), (0, 0))
        with pytest.raises(bench.error):
            async with bench.block(other) as connection, bench.block(pool), bench.block(pool):
                await bench.run(connection, BROKEN)
        assert (counts(tracker), counts(outer)) == ((1, 0), (1, 0))


async def test_an_error_of_the_program_is_none(bench: Bench) -> None:
    """None is an error of the program's own, one that it raises in the driver's name, a cancellation."""
    async with watched_pool(bench) as (pool, tracker):
        for error in (LookupError("no order"), bench.error("made up"), asyncio.CancelledError()):
            with suppress(type(error)):
                async with bench.block(pool) as connection:
                    await bench.run(connection, "SELECT 1")
                    raise error
        assert counts(tracker) == (0, 0)


async def test_no_connection_in_time_is_no_error_of_another_one(postgresql: PostgreSQL) -> None:
    """What psycopg_pool raises then is of its driver's class, and may leave the block of a connection."""
    async with watched_pool(psycopg_bench(postgresql.url())) as (pool, tracker):
        with pytest.raises(psycopg_pool.PoolTimeout):
            async with pool.connection(), pool.connection():
                await pool.getconn(timeout=0.01)
        assert (counts(tracker), tracker.timeouts) == ((0, 0), 1)


async def test_a_broken_session_is_an_error_of_the_session(postgresql: PostgreSQL) -> None:
    """Where the server ends the connection the error is of the session, though the pool lost it meanwhile."""
    for bench in (asyncpg_bench(postgresql.url()), psycopg_bench(postgresql.url())):
        async with watched_pool(bench) as (pool, tracker):
            with pytest.raises(bench.error):
                async with bench.block(pool) as connection:
                    await bench.run(connection, "SELECT pg_terminate_backend(pg_backend_pid())")
            assert counts(tracker) == (1, 1)


async def divided_by_zero(pool: Any) -> None:
    """Let a prepared statement of asyncpg fail."""
    async with pool.acquire() as connection:
        divide = await connection.prepare("SELECT 1 / $1::int")
        await divide.fetchval(0)


async def test_short_methods_of_asyncpg_count(postgresql: PostgreSQL) -> None:
    """What `pool.fetch` and a prepared statement raise is one error each."""
    async with asyncpg.create_pool(postgresql.url(), min_size=1, max_size=2) as pool:
        tracker = watched(for_asyncpg.instrument, pool)
        with pytest.raises(asyncpg.PostgresError):
            await pool.fetch(BROKEN)
        assert counts(tracker) == (1, 0)
        with pytest.raises(asyncpg.PostgresError):
            await divided_by_zero(pool)
        assert counts(tracker) == (2, 0)
        connection = await pool.acquire()
        try:
            with pytest.raises(asyncpg.PostgresError):
                await connection.execute(BROKEN)
        finally:
            await pool.release(connection)
        assert counts(tracker) == (2, 0)


@pytest.mark.parametrize("kind", [psycopg_pool.ConnectionPool, psycopg_pool.NullConnectionPool])
def test_threads_of_psycopg_count(postgresql: PostgreSQL, kind: Any) -> None:
    """By threads it is the same: of a statement, a cursor, and the commit at the end of the block."""
    with kind(postgresql.url(), min_size=0, max_size=2, open=False) as pool:
        tracker = watched(for_psycopg.instrument, pool)
        with pytest.raises(psycopg.errors.UndefinedColumn), pool.connection() as connection:
            connection.execute(BROKEN)
        assert counts(tracker) == (1, 0)
        with (
            pytest.raises(psycopg.errors.DivisionByZero),
            pool.connection() as connection,
            connection.transaction(),
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT 1 / %s", (0,))
        assert counts(tracker) == (2, 0)
        with pytest.raises(psycopg.errors.UniqueViolation), pool.connection() as connection:
            connection.execute(f"{DEFERRED}; INSERT INTO once VALUES (1), (1)")
        assert counts(tracker) == (3, 0)


def test_what_is_done_by_hand_with_psycopg_is_not_seen(postgresql: PostgreSQL) -> None:
    """Of `getconn` and `putconn` nobody knows whether an error is handled or goes on."""
    with psycopg_pool.ConnectionPool(postgresql.url(), min_size=1, max_size=2, open=False) as pool:
        tracker = watched(for_psycopg.instrument, pool)

        @contextmanager
        def block() -> Any:
            connection = pool.getconn()
            try:
                yield connection
            finally:
                pool.putconn(connection)

        with pytest.raises(psycopg.Error), block() as connection:
            connection.execute(BROKEN)
        assert counts(tracker) == (0, 0)


async def test_a_fault_of_ours_never_reaches_the_application(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where counting breaks the driver's error is raised all the same, and the fault is counted."""
    async with watched_pool(bench) as (pool, tracker):

        def broken(*_: Any, **__: Any) -> None:
            raise RuntimeError("a fault of ours")

        monkeypatch.setattr(tracker.errors, "add", broken)
        with pytest.raises(bench.error):
            await fail(bench, pool)
        assert (tracker.faults, tracker.errors.total, len(tracker.open)) == (1, 0, 0)
