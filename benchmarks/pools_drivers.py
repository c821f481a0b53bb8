"""What watching costs a pool of each driver: `python -m benchmarks pools_drivers`.

A connection is acquired from a warm pool and released, once with nothing and once with `SELECT 1` between,
watched and not, in turns within one run, so that the ratio means something on any machine. The time is this
thread's own CPU: what the server takes is not counted, which would make watching look cheaper.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import thread_time
from typing import Any

import aiomysql
import asyncpg
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from mooring.pools.instrument import instrument
from mooring.pools.watch import Watch
from tests.servers import mariadb, postgresql
from tests.servers.process import private_folder

ROUNDS = 15
PAIRS = 1_000
GOAL = 1.3
"""Times what is taken unwatched, with a statement; with none, psycopg_pool does next to nothing."""


Pair = Callable[[bool], Awaitable[float]]
"""Acquires and releases many times, with a statement or none, and returns the seconds that one pair took."""


def main() -> int:
    """Measure each driver's pool; 1 where one costs more than the goal."""
    with (
        postgresql.new_template() as template,
        private_folder() as folder,
        postgresql.PostgreSQL(folder, template) as server,
        mariadb.new_template() as other_template,
        private_folder() as other_folder,
        mariadb.MariaDB(other_folder, other_template) as other,
    ):
        login = {"host": "127.0.0.1", "port": other.port, "user": "root", "password": mariadb.PASSWORD}
        return asyncio.run(_main(server.url(), login))


async def _main(url: str, login: dict[str, Any]) -> int:
    missed = False
    for name, pairs in (
        ("psycopg_pool", threads(url)),
        ("psycopg_pool, asyncio", tasks(url)),
        ("asyncpg", of_asyncpg(url)),
        ("aiomysql", of_aiomysql(login)),
    ):
        async with pairs as (bare, watched):
            for statement in (False, True):
                plain, tracked = await in_turns(bare, watched, statement=statement)
                missed = missed or (statement and tracked > GOAL * plain)
                goal = f" (goal: at most {GOAL:g} times)" if statement else ""
                print(
                    f"{name:22}{'with SELECT 1' if statement else 'alone':14}"
                    f"{plain * 1e6:7.2f} us bare,{tracked * 1e6:7.2f} us watched:"
                    f"{tracked / plain:5.2f} times,{(tracked - plain) * 1e6:6.2f} us more{goal}"
                )
    return int(missed)


async def in_turns(bare: Pair, watched: Pair, *, statement: bool) -> tuple[float, float]:
    """Return the shortest times of both, measured in turns."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        times[0].append(await bare(statement))
        times[1].append(await watched(statement))
    return min(times[0]), min(times[1])  # what else the machine does only adds to them


def watch(pool: Any) -> None:
    """Watch a pool, without a thread that looks at it meanwhile."""
    instrument(pool, watch=Watch(threaded=False))


@asynccontextmanager
async def threads(url: str) -> AsyncIterator[tuple[Pair, Pair]]:
    """Two pools of psycopg_pool for threads."""

    def pair(pool: Any) -> Pair:
        async def run(statement: bool) -> float:
            began = thread_time()
            for _ in range(PAIRS):
                connection = pool.getconn()
                if statement:
                    connection.execute("SELECT 1")
                    connection.commit()
                pool.putconn(connection)
            return (thread_time() - began) / PAIRS

        return run

    with (
        ConnectionPool(url, min_size=2, open=False) as one,
        ConnectionPool(url, min_size=2, open=False) as other,
    ):
        one.wait()
        other.wait()
        watch(other)
        yield pair(one), pair(other)


@asynccontextmanager
async def tasks(url: str) -> AsyncIterator[tuple[Pair, Pair]]:
    """Two pools of psycopg_pool for tasks."""

    def pair(pool: Any) -> Pair:
        async def run(statement: bool) -> float:
            began = thread_time()
            for _ in range(PAIRS):
                connection = await pool.getconn()
                if statement:
                    await connection.execute("SELECT 1")
                    await connection.commit()
                await pool.putconn(connection)
            return (thread_time() - began) / PAIRS

        return run

    async with (
        AsyncConnectionPool(url, min_size=2, open=False) as one,
        AsyncConnectionPool(url, min_size=2, open=False) as other,
    ):
        await one.wait()
        await other.wait()
        watch(other)
        yield pair(one), pair(other)


@asynccontextmanager
async def of_asyncpg(url: str) -> AsyncIterator[tuple[Pair, Pair]]:
    """Two pools of asyncpg."""
    async with (
        asyncpg.create_pool(url, min_size=2, max_size=2) as one,
        asyncpg.create_pool(url, min_size=2, max_size=2) as other,
    ):
        watch(other)

        async def ask(connection: Any) -> None:
            await connection.execute("SELECT 1")

        yield _acquired(one, ask), _acquired(other, ask)


@asynccontextmanager
async def of_aiomysql(login: dict[str, Any]) -> AsyncIterator[tuple[Pair, Pair]]:
    """Two pools of aiomysql."""
    async with (
        aiomysql.create_pool(**login, minsize=2, maxsize=2) as one,
        aiomysql.create_pool(**login, minsize=2, maxsize=2) as other,
    ):
        watch(other)

        async def ask(connection: Any) -> None:
            async with connection.cursor() as cursor:
                await cursor.execute("SELECT 1")

        yield _acquired(one, ask), _acquired(other, ask)


def _acquired(pool: Any, ask: Callable[[Any], Awaitable[Any]]) -> Pair:
    async def run(statement: bool) -> float:
        began = thread_time()
        for _ in range(PAIRS):
            async with pool.acquire() as connection:
                if statement:
                    await ask(connection)
        return (thread_time() - began) / PAIRS

    return run


if __name__ == "__main__":
    sys.exit(main())
