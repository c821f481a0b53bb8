"""aiomysql, against MariaDB; it has no time-outs of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiomysql
import pytest

from mooring.pools.aiomysql import instrument
from tests.integration.pools.drivers import Awaited
from tests.servers.mariadb import PASSWORD


@asynccontextmanager
async def _opened(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    login = {"host": "127.0.0.1", "user": "root", "password": PASSWORD, "db": "mysql"}
    port = request.getfixturevalue("mariadb").port
    async with aiomysql.create_pool(**login, port=port, minsize=1, maxsize=2) as pool:
        yield pool


async def _in_vain(pool: Any) -> None:
    async with asyncio.timeout(0.01), pool.acquire():
        pass


async def _sleep(connection: Any) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT sleep(60)")
        await cursor.fetchall()


async def _begin(connection: Any) -> Callable[[], Awaitable[Any]]:
    await connection.begin()
    return connection.rollback  # type: ignore[no-any-return]


DRIVER = Awaited(
    instrument=instrument,
    opened=_opened,
    server="mariadb",
    database="mysql",
    take="acquire",
    give="release",
    in_vain=_in_vain,
    late=TimeoutError,
    timeouts=0,
    sleep=_sleep,
    begin=_begin,
    kind=aiomysql.Pool,
    idle=lambda pool: pool.freesize,
)
