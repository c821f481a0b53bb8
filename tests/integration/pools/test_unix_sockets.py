"""Pools whose connections are Unix sockets, of which the kernel does not say when they were used last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from mooring.core.pool import LeakKind
from mooring.pools import PoolTracker
from mooring.pools.driver import Activity
from mooring.pools.sqlalchemy import instrument
from tests.integration.pools.watched import TurnedClock, kinds, look, watched
from tests.servers.mariadb import USER_PASSWORD, MariaDB
from tests.servers.postgresql import PASSWORD, StartPostgreSQL
from tests.servers.process import eventually, poll_until, private_folder

pytestmark = pytest.mark.integration

POSTGRESQL = {"psycopg": "postgresql+psycopg", "asyncpg": "postgresql+asyncpg"}
MARIADB = {"pymysql": "mysql+pymysql", "aiomysql": "mysql+aiomysql"}
TURNS = 5
"""Statements, nine seconds from one to the next."""


@pytest.fixture(scope="module")
def pg_tail(start_postgresql: StartPostgreSQL) -> Iterator[str]:
    """What follows the scheme in the address of a PostgreSQL that listens on a Unix socket."""
    with private_folder() as folder:
        folder.chmod(0o777)  # the server may be somebody else
        with start_postgresql(settings={"unix_socket_directories": str(folder)}) as server:
            yield f"postgres:{PASSWORD}@/postgres?host={folder}&port={server.port}"


@pytest.fixture(scope="module")
def my_tail(mariadb: MariaDB) -> Iterator[str]:
    """The same of a MariaDB."""
    socket: Path = mariadb.folder / "s.sock"
    with mariadb.user(host="localhost") as user, mariadb.database() as name:
        mariadb.sql(f"GRANT ALL ON {name}.* TO {user}@'localhost'")
        yield f"{user}:{USER_PASSWORD}@/{name}?unix_socket={socket}"


def url(driver: str, pg_tail: str, my_tail: str) -> str:
    """Return the address for a driver."""
    if driver in POSTGRESQL:
        return f"{POSTGRESQL[driver]}://{pg_tail}"
    return f"{MARIADB[driver]}://{my_tail}"


@pytest.fixture(params=["psycopg", "pymysql"])
def engine(request: pytest.FixtureRequest, pg_tail: str, my_tail: str) -> Iterator[Engine]:
    """An engine of each driver for threads."""
    engine = create_engine(url(request.param, pg_tail, my_tail))
    yield engine
    engine.dispose()


@pytest.fixture(params=["psycopg", "asyncpg", "aiomysql"])
async def aio(request: pytest.FixtureRequest, pg_tail: str, my_tail: str) -> AsyncIterator[AsyncEngine]:
    """An engine of each driver for tasks."""
    engine = create_async_engine(url(request.param, pg_tail, my_tail))
    yield engine
    await engine.dispose()


def statements(engine: Engine) -> tuple[str, str]:
    """Return what begins a transaction, and what takes a while."""
    if engine.dialect.name == "postgresql":
        return "SELECT 1", "SELECT pg_sleep(1)"
    return "START TRANSACTION", "SELECT SLEEP(1)"


def becomes(tracker: PoolTracker, clock: TurnedClock, kind: LeakKind) -> None:
    """Let nothing happen for as long as a lease may be held, and for as long again."""
    assert found_after(tracker, clock, 11) == [kind]


def found_after(tracker: PoolTracker, clock: TurnedClock, seconds: float) -> list[LeakKind]:
    """Return what is found so long after a look: nothing while the server still fills the socket's buffer."""
    look(tracker)
    clock.turned += seconds
    return kinds(tracker)


def test_a_long_query_is_busy_and_a_transaction_idles(engine: Engine) -> None:
    """A statement that runs is told as one, however long; after it the transaction idles."""
    clock = TurnedClock()
    tracker = watched(instrument, engine, clock)
    begin, slow = statements(engine)
    with engine.connect() as connection:
        connection.execute(text(begin))
        clock.turned += 600
        thread = Thread(target=lambda: connection.execute(text(slow)))
        thread.start()
        poll_until(lambda: kinds(tracker) == [LeakKind.BUSY], "busy")
        thread.join()
        becomes(tracker, clock, LeakKind.IDLE_IN_TRANSACTION)
    assert look(tracker) == []


def test_many_short_statements_are_nothing(engine: Engine) -> None:
    """A transaction of many statements is in use, also where each look falls between two of them."""
    clock = TurnedClock()
    tracker = watched(instrument, engine, clock)
    with engine.connect() as connection:
        connection.execute(text(statements(engine)[0]))
        for _ in range(TURNS):
            connection.execute(text("SELECT 1"))
            assert look(tracker) == []
            clock.turned += 9
        assert look(tracker) == []
        clock.turned += 2
        assert kinds(tracker) == [LeakKind.IDLE_IN_TRANSACTION]


def test_a_stream_that_is_read_is_nothing(engine: Engine) -> None:
    """A result that is read bit by bit is in use for as long as it is read, and a suspect when it is not."""
    clock = TurnedClock()
    tracker = watched(instrument, engine, clock)
    many = (
        "SELECT repeat('x', 9000) FROM generate_series(1, 20000)"
        if engine.dialect.name == "postgresql"
        else "SELECT repeat('x', 9000) FROM seq_1_to_20000"
    )
    silent = LeakKind.IDLE_IN_TRANSACTION if engine.dialect.name == "postgresql" else LeakKind.SUSPECT
    with (
        engine.connect().execution_options(stream_results=True, max_row_buffer=100) as connection,
        closing(connection.execute(text(many))) as rows,  # one that is left half read warns in a later test
    ):
        for _ in range(TURNS):
            for _ in range(1000):
                assert rows.fetchone() is not None
            assert look(tracker) == []
            clock.turned += 9
        poll_until(lambda: found_after(tracker, clock, 11) == [silent], "silence")


def test_a_leak_is_found_and_what_is_handed_on_is_none(engine: Engine) -> None:
    """What a thread took and another one uses is no leak, and it is one as soon as nobody does."""
    clock = TurnedClock()
    tracker = watched(instrument, engine, clock)
    taken: list[Connection] = []
    thread = Thread(target=lambda: taken.append(engine.connect()))
    thread.start()
    thread.join()
    for _ in range(TURNS):
        assert look(tracker) == []
        taken[0].execute(text("SELECT 1"))
        clock.turned += 0.5
    assert look(tracker) == []
    clock.turned += 0.5
    assert look(tracker) == []  # it was used after it was seen to be nobody's
    taken[0].close()
    assert look(tracker) == []


def test_a_leak_is_told_at_the_second_look(engine: Engine) -> None:
    """A thread that ended with its connection is told as soon as over TCP."""
    clock = TurnedClock()
    tracker = watched(instrument, engine, clock)
    taken: list[Connection] = []

    def leak() -> None:
        taken.append(engine.connect())
        taken[0].execute(text(statements(engine)[0]))

    thread = Thread(target=leak)
    thread.start()
    thread.join()
    assert look(tracker) == []
    clock.turned += 0.5
    assert kinds(tracker) == [LeakKind.ABANDONED]
    taken[0].close()


def test_the_thread_that_waits_for_its_database_is_busy(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a driver tells nothing, that its thread is in the driver's code does."""
    clock = TurnedClock()
    tracker = watched(instrument, engine, clock)
    monkeypatch.setattr(tracker.driver, "activity", lambda _: Activity())
    begun, ends = Event(), Event()

    def work() -> None:
        with engine.connect() as connection:
            begun.set()
            connection.execute(text(statements(engine)[1]))
            ends.wait()

    thread = Thread(target=work)
    thread.start()
    begun.wait()
    clock.turned += 600
    poll_until(lambda: kinds(tracker) == [LeakKind.BUSY], "busy")
    poll_until(lambda: kinds(tracker) == [LeakKind.SUSPECT], "suspect")
    ends.set()
    thread.join()


async def test_tasks_are_judged_the_same(aio: AsyncEngine) -> None:
    """With asyncio: many statements are nothing, a long one is busy, and a transaction idles."""
    clock = TurnedClock()
    tracker = watched(instrument, aio, clock)
    begin, slow = statements(aio.sync_engine)
    async with aio.connect() as connection:
        await connection.execute(text(begin))
        for _ in range(TURNS):
            await connection.execute(text("SELECT 1"))
            assert look(tracker) == []
            clock.turned += 9
        task = asyncio.ensure_future(connection.execute(text(slow)))
        clock.turned += 600
        await eventually(lambda: kinds(tracker) == [LeakKind.BUSY], "busy")
        await task
        becomes(tracker, clock, LeakKind.IDLE_IN_TRANSACTION)
    assert look(tracker) == []
