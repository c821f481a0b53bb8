"""What is counted, without a word of the application, where a watched pool cannot connect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiomysql
import asyncpg
import psycopg
import psycopg_pool
import pytest
import redis
import redis.asyncio

from mooring.pools import (
    PoolTracker,
)
from mooring.pools import (
    aiomysql as for_aiomysql,
)
from mooring.pools import (
    asyncpg as for_asyncpg,
)
from mooring.pools import (
    psycopg_pool as for_psycopg,
)
from mooring.pools import redis as for_redis
from tests.integration.pools.watched import watched
from tests.servers.mariadb import MariaDB
from tests.servers.played import playing
from tests.servers.postgresql import PostgreSQL
from tests.servers.process import eventually, poll_until
from tests.servers.redis import PASSWORD, Redis

pytestmark = pytest.mark.integration


@pytest.fixture(params=["nobody listens", "login", "database"])
def unusable(request: pytest.FixtureRequest, postgresql: PostgreSQL, refusing_port: int) -> Any:
    """The URL of a PostgreSQL that no connection can be opened to, for each of three reasons."""
    if request.param == "nobody listens":
        yield postgresql.url(port=refusing_port)
    elif request.param == "database":
        yield postgresql.url(database="nowhere")
    else:
        with postgresql.role() as user:
            yield postgresql.url(user, "wrong")


def counts(tracker: PoolTracker) -> tuple[int, int, int]:
    """Return how many errors there are, how many of them of a session, and how many time-outs."""
    totals = tracker.snapshot().totals
    assert tracker.faults == 0
    return totals.errors, totals.session_errors, totals.timeouts


async def failures(act: Callable[[], Any], times: int = 2) -> list[str]:
    """Act so often; return what it raises."""
    raised = []
    for _ in range(times):
        try:
            told = act()
            if hasattr(told, "__await__"):
                await told
        except Exception as error:
            raised.append(type(error).__name__)
    return raised


async def test_asyncpg_counts_what_connecting_raises(unusable: str) -> None:
    """Each checkout that cannot connect is one error of the session, by each way to ask."""
    pool = asyncpg.create_pool(unusable, min_size=0, max_size=2)
    async with pool:
        tracker = watched(for_asyncpg.instrument, pool)
        assert len(await failures(pool.acquire)) == 2
        assert counts(tracker) == (2, 2, 0)
        assert len(await failures(lambda: pool.fetch("SELECT 1"))) == 2
        assert counts(tracker) == (4, 4, 0)
        assert (tracker.waiting, len(tracker.open)) == (0, 0)


async def test_asyncpg_counts_no_time_out(postgresql: PostgreSQL) -> None:
    """That a pool had none in time is no error of its connections."""
    async with asyncpg.create_pool(postgresql.url(), min_size=0, max_size=1) as pool:
        tracker = watched(for_asyncpg.instrument, pool)
        async with pool.acquire():
            assert await failures(lambda: pool.acquire(timeout=0.01), times=1) == ["TimeoutError"]
        assert counts(tracker) == (0, 0, 1)


async def test_asyncpg_takes_a_connect_without_answer_for_an_error_of_the_session() -> None:
    """A host that accepts and says nothing ends in a plain TimeoutError, which by itself tells nothing."""
    async with silence() as port:
        url = f"postgresql://mooring@127.0.0.1:{port}/shop?sslmode=disable"
        async with asyncpg.create_pool(url, min_size=0, timeout=0.05) as pool:
            tracker = watched(for_asyncpg.instrument, pool)
            assert await failures(pool.acquire, times=1) == ["TimeoutError"]
            assert counts(tracker) == (1, 1, 1)


async def test_asyncpg_counts_no_cancellation() -> None:
    """A request that is cancelled while its connection is opened, or times out, is no error."""
    async with silence() as port:
        url = f"postgresql://mooring@127.0.0.1:{port}/shop?sslmode=disable"
        async with asyncpg.create_pool(url, min_size=0) as pool:
            tracker = watched(for_asyncpg.instrument, pool)
            connecting = asyncio.ensure_future(pool.fetchval("SELECT 1"))
            await eventually(lambda: tracker.waiting == 1, "waiting")
            connecting.cancel()
            with suppress(asyncio.CancelledError):
                await connecting
            assert await failures(lambda: pool.acquire(timeout=0.05), times=1) == ["TimeoutError"]
            assert counts(tracker) == (0, 0, 1)


@asynccontextmanager
async def silence() -> AsyncIterator[int]:
    """Accept connections at a port, and say nothing."""
    held = asyncio.Event()

    async def hold(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await held.wait()

    async with playing(hold) as port:
        yield port
        held.set()


@pytest.mark.parametrize("kind", [psycopg_pool.ConnectionPool, psycopg_pool.NullConnectionPool])
def test_psycopg_counts_what_its_workers_meet(kind: Any, unusable: str) -> None:
    """A pool that cannot connect says only that none came in time; what its workers met is counted."""
    with kind(unusable, min_size=0, max_size=2, timeout=0.2, open=False) as pool:
        tracker = watched(for_psycopg.instrument, pool)
        with pytest.raises(psycopg.OperationalError):
            pool.getconn()
        poll_until(lambda: tracker.errors.total > 0, "an error")
        errors, session, _ = counts(tracker)
        assert (errors, tracker.errors.kept[0].name, tracker.waiting) == (session, "OperationalError", 0)
        assert errors == pool.get_stats()["connections_errors"]


@pytest.mark.parametrize("kind", [psycopg_pool.AsyncConnectionPool, psycopg_pool.AsyncNullConnectionPool])
async def test_async_psycopg_counts_what_its_workers_meet(kind: Any, unusable: str) -> None:
    """The same with asyncio."""
    async with kind(unusable, min_size=0, max_size=2, timeout=0.2, open=False) as pool:
        tracker = watched(for_psycopg.instrument, pool)
        with pytest.raises(psycopg.OperationalError):
            await pool.getconn()
        await eventually(lambda: tracker.errors.total > 0, "an error")
        errors, session, _ = counts(tracker)
        assert (errors, tracker.errors.kept[0].name, tracker.waiting) == (session, "OperationalError", 0)
        assert errors == pool.get_stats()["connections_errors"]


def test_time_outs_of_a_pool_that_cannot_connect_are_laid_to_that(postgresql: PostgreSQL) -> None:
    """The alert says that connections cannot be opened and why, and blames nobody who would hold them."""
    url = postgresql.url(database="nowhere")
    with psycopg_pool.ConnectionPool(url, min_size=0, max_size=2, open=False) as pool:
        tracker = watched(for_psycopg.instrument, pool)
        with pytest.raises(psycopg_pool.PoolTimeout):
            pool.getconn(timeout=0.2)
        poll_until(lambda: tracker.errors.total > 0, "an error")
        tracker.watch.look()
        (alert,) = tracker.alerts
        assert alert.message == "shop/main: 1 request got no connection in time"
        advice, _, newest = alert.recommendation.partition("; the newest error is ")
        assert advice == "Connections cannot be opened: look at the login and the network"
        assert newest.startswith("OperationalError: ")
        assert 'database "nowhere" does not exist' in newest


def test_psycopg_counts_no_time_out(postgresql: PostgreSQL) -> None:
    """That a pool had none in time is no error of the application's connections."""
    with psycopg_pool.ConnectionPool(postgresql.url(), min_size=1, max_size=1, open=False) as pool:
        tracker = watched(for_psycopg.instrument, pool)
        with pool.connection(), pytest.raises(psycopg_pool.PoolTimeout):
            pool.getconn(timeout=0.01)
        assert counts(tracker) == (0, 0, 1)


@pytest.mark.parametrize("reason", ["nobody listens", "login", "database"])
async def test_aiomysql_counts_what_connecting_raises(
    mariadb: MariaDB, refusing_port: int, reason: str
) -> None:
    """Each checkout that cannot connect is one error of the session; a cancelled one is none."""
    with mariadb.user() as user:
        login: dict[str, Any] = {"host": "127.0.0.1", "port": mariadb.port, "user": user, "password": "wrong"}
        if reason == "nobody listens":
            login["port"] = refusing_port
        elif reason == "database":
            login |= {"user": "root", "password": "", "db": "nowhere"}
        async with aiomysql.create_pool(minsize=0, maxsize=1, **login) as pool:
            tracker = watched(for_aiomysql.instrument, pool)
            assert await failures(pool.acquire) == ["OperationalError", "OperationalError"]
            assert counts(tracker) == (2, 2, 0)


def client_of(module: Any, **settings: Any) -> Any:
    """Return a client of redis-py that does not try again."""
    return module.Redis(host="127.0.0.1", retry=None, **settings)


async def shut(client: Any) -> None:
    """Close a client of either kind."""
    await client.aclose() if hasattr(client, "aclose") else client.close()


@pytest.mark.parametrize("module", [redis, redis.asyncio])
@pytest.mark.parametrize("kind", ["ConnectionPool", "BlockingConnectionPool"])
async def test_redis_counts_what_connecting_raises(
    module: Any, kind: str, redis_server: Redis, refusing_port: int
) -> None:
    """A port where nobody listens and a refused login are one error of the session for each command."""
    for port, password in ((refusing_port, None), (redis_server.port, "wrong"), (redis_server.port, None)):
        pool = getattr(module, kind)(host="127.0.0.1", port=port, password=password, retry=None)
        client = module.Redis(connection_pool=pool)
        tracker = watched(for_redis.instrument, client)
        assert len(await failures(client.ping)) == 2
        assert counts(tracker) == (2, 2, 0)
        assert (tracker.waiting, len(tracker.open)) == (0, 0)
        await shut(client)


@pytest.mark.parametrize("module", [redis, redis.asyncio])
async def test_redis_counts_what_a_command_raises(module: Any, redis_server: Redis) -> None:
    """A command that fails is one error, alone or in a pipeline, and whatever is done while it is handled."""
    client = client_of(module, port=redis_server.port, password=PASSWORD)
    tracker = watched(for_redis.instrument, client)

    async def done(told: Any) -> Any:
        return await told if hasattr(told, "__await__") else told

    await done(client.set("pools:text", "text"))
    assert counts(tracker) == (0, 0, 0)
    assert await failures(lambda: client.lpush("pools:text", "one")) == ["ResponseError"] * 2
    assert counts(tracker) == (2, 0, 0)
    for transaction in (True, False):
        steps = client.pipeline(transaction=transaction)
        steps.lpush("pools:text", "one")
        assert await failures(steps.execute, times=1) == ["ResponseError"]
    assert counts(tracker) == (4, 0, 0)
    try:
        await done(client.lpush("pools:text", "one"))
    except redis.ResponseError:
        assert await done(client.get("pools:text")) == b"text"
        await done(client.pipeline().get("pools:text").execute())
    assert counts(tracker) == (5, 0, 0)
    await done(client.delete("pools:text"))
    await shut(client)


@pytest.mark.parametrize("module", [redis, redis.asyncio])
async def test_redis_counts_no_limit_no_handled_error_and_no_lost_race(
    module: Any, redis_server: Redis
) -> None:
    """An empty pool, a script that is loaded on demand and a watched key that changed are no errors."""
    client = client_of(module, port=redis_server.port, password=PASSWORD, max_connections=1)
    tracker = watched(for_redis.instrument, client)

    async def done(told: Any) -> Any:
        return await told if hasattr(told, "__await__") else told

    await done(client.script_flush())
    assert await done(client.register_script("return 7")()) == 7
    connection = await done(client.connection_pool.get_connection())
    assert len(await failures(client.ping, times=1)) == 1
    await done(client.connection_pool.release(connection))
    other = client_of(module, port=redis_server.port, password=PASSWORD)
    steps = client.pipeline()
    await done(steps.watch("pools:raced"))
    await done(other.incr("pools:raced"))
    steps.multi()
    steps.get("pools:raced")
    assert await failures(steps.execute, times=1) == ["WatchError"]
    assert counts(tracker) == (0, 0, 1)
    await shut(other)
    await shut(client)
