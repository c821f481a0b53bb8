"""`record_error` sorts what real servers and drivers raise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

import aiomysql
import asyncpg
import psycopg
import pymongo
import pymysql
import pytest
import redis
import sqlalchemy
from sqlalchemy.ext.asyncio import create_async_engine

from mooring.pools import PoolTracker, Watch
from tests.servers.mariadb import MariaDB
from tests.servers.mongodb import MongoDBStandIn
from tests.servers.postgresql import PostgreSQL
from tests.servers.redis import Redis

pytestmark = pytest.mark.integration
BROKEN_SQL = "SELECT nothing FROM nowhere"


@pytest.fixture
def tracker() -> PoolTracker:
    """A tracker that nobody watches."""
    return PoolTracker("errors", watch=Watch(threaded=False))


async def counts(tracker: PoolTracker, act: Callable[[], Any]) -> tuple[int, int]:
    """Record what an act raises, and return how many errors there are, and how many of them of a session."""
    try:
        told = act()
        if isinstance(told, Awaitable):
            await told
    except Exception as error:
        tracker.record_error(error)
    totals = tracker.snapshot().totals
    return totals.errors, totals.session_errors


async def test_psycopg(tracker: PoolTracker, postgresql: PostgreSQL, refusing_port: int) -> None:
    """A refused login, a port where nobody listens and an ended session are told from bad SQL."""
    with closing(psycopg.connect(postgresql.url(), autocommit=True)) as connection:
        assert await counts(tracker, lambda: connection.execute(BROKEN_SQL)) == (1, 0)
        postgresql.sql(f"SELECT pg_terminate_backend({connection.info.backend_pid})")
        assert await counts(tracker, lambda: connection.execute("SELECT 1")) == (2, 1)
        assert await counts(tracker, lambda: connection.execute("SELECT 1")) == (3, 2)
    with postgresql.role() as user:
        assert await counts(tracker, lambda: psycopg.connect(postgresql.url(user, "wrong"))) == (4, 3)
    assert await counts(tracker, lambda: psycopg.connect(postgresql.url(port=refusing_port))) == (5, 4)


async def test_asyncpg(tracker: PoolTracker, postgresql: PostgreSQL, refusing_port: int) -> None:
    """The same with asyncpg."""
    connection = await asyncpg.connect(postgresql.url())
    assert await counts(tracker, lambda: connection.execute(BROKEN_SQL)) == (1, 0)
    postgresql.sql(f"SELECT pg_terminate_backend({connection.get_server_pid()})")
    assert await counts(tracker, lambda: connection.execute("SELECT 1")) == (2, 1)
    assert await counts(tracker, lambda: connection.execute("SELECT 1")) == (3, 2)
    with postgresql.role() as user:
        assert await counts(tracker, lambda: asyncpg.connect(postgresql.url(user, "wrong"))) == (4, 3)
    assert await counts(tracker, lambda: asyncpg.connect(postgresql.url(port=refusing_port))) == (5, 4)


async def test_pymysql(tracker: PoolTracker, mariadb: MariaDB) -> None:
    """The same with PyMySQL."""
    login = {"host": "127.0.0.1", "port": mariadb.port}
    with mariadb.user() as user:
        assert await counts(tracker, lambda: pymysql.connect(user=user, password="wrong", **login)) == (1, 1)
    with closing(engine_of(mariadb, "pymysql").raw_connection()) as connection:
        driver = connection.driver_connection
        assert isinstance(driver, pymysql.Connection)
        assert await counts(tracker, lambda: driver.query(BROKEN_SQL)) == (2, 1)
        mariadb.sql(f"KILL {driver.thread_id()}")
        assert await counts(tracker, lambda: driver.query("SELECT 1")) == (3, 2)
        assert await counts(tracker, lambda: driver.query("SELECT 1")) == (4, 3)
        connection.invalidate()


async def test_aiomysql(tracker: PoolTracker, mariadb: MariaDB) -> None:
    """A refused login is of the session with aiomysql, too."""
    with mariadb.user() as user:
        refused = lambda: aiomysql.connect(  # noqa: E731 -- beside what is expected of it
            host="127.0.0.1", port=mariadb.port, user=user, password="wrong"
        )
        assert await counts(tracker, refused) == (1, 1)


async def test_redis(tracker: PoolTracker, redis_server: Redis, refusing_port: int) -> None:
    """The same with redis-py."""
    with redis.Redis.from_url(redis_server.url()) as client:
        client.set("pools:text", "text")
        assert await counts(tracker, lambda: client.lpush("pools:text", "one")) == (1, 0)
    with redis.Redis.from_url(redis_server.url(password="wrong")) as client:
        assert await counts(tracker, client.ping) == (2, 1)
    with redis.Redis.from_url(redis_server.url(password=None)) as client:
        assert await counts(tracker, client.ping) == (3, 2)
    with redis.Redis(port=refusing_port, retry=None) as client:
        assert await counts(tracker, client.ping) == (4, 3)


async def test_pymongo(tracker: PoolTracker, mongodb_stand_in: MongoDBStandIn, refusing_port: int) -> None:
    """A refused login and a server that is not there are of the session with PyMongo."""
    with pymongo.MongoClient(mongodb_stand_in.url(password="wrong")) as client:  # type: ignore[var-annotated]
        assert await counts(tracker, lambda: client.admin.command("listDatabases")) == (1, 1)
    gone: Any = pymongo.MongoClient(port=refusing_port, serverSelectionTimeoutMS=50)
    with gone:
        assert await counts(tracker, lambda: gone.admin.command("ping")) == (2, 2)


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
async def test_sqlalchemy_postgresql(tracker: PoolTracker, postgresql: PostgreSQL, driver: str) -> None:
    """SQLAlchemy's errors are judged by the driver's: of psycopg, and of asyncpg in its own wrapping."""
    engine = create_async_engine(postgresql.url(scheme=f"postgresql+{driver}"))
    async with engine.connect() as connection:
        [pid] = (await connection.execute(sqlalchemy.text("SELECT pg_backend_pid()"))).one()
        await connection.rollback()
        execute = lambda sql: lambda: connection.execute(sqlalchemy.text(sql))  # noqa: E731 -- one line
        assert await counts(tracker, execute(BROKEN_SQL)) == (1, 0)
        await connection.rollback()
        postgresql.sql(f"SELECT pg_terminate_backend({pid})")
        assert await counts(tracker, execute("SELECT 1")) == (2, 1)
    await engine.dispose()
    with postgresql.role() as user:
        wrong = create_async_engine(postgresql.url(user, "wrong", scheme=f"postgresql+{driver}"))
        assert await counts(tracker, lambda: wrong.connect().start()) == (3, 2)
        await wrong.dispose()


async def test_sqlalchemy_mysql(tracker: PoolTracker, mariadb: MariaDB) -> None:
    """The same with PyMySQL under SQLAlchemy."""
    engine = engine_of(mariadb, "pymysql")
    with engine.connect() as connection:
        assert await counts(tracker, lambda: connection.execute(sqlalchemy.text(BROKEN_SQL))) == (1, 0)
        [pid] = connection.execute(sqlalchemy.text("SELECT connection_id()")).one()
        mariadb.sql(f"KILL {pid}")
        assert await counts(tracker, lambda: connection.execute(sqlalchemy.text("SELECT 1"))) == (2, 1)
    engine.dispose()


def engine_of(server: MariaDB, driver: str) -> sqlalchemy.Engine:
    """Return an engine for a server, by a driver."""
    return sqlalchemy.create_engine(server.url(scheme=f"mysql+{driver}"))
