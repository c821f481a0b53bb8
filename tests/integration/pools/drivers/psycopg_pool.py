"""psycopg_pool's pool for tasks, against PostgreSQL; it ends no connection that is out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg_pool
import pytest

from mooring.pools.psycopg_pool import instrument
from tests.integration.pools.drivers import Awaited


@asynccontextmanager
async def _opened(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    url = request.getfixturevalue("postgresql").url()
    async with psycopg_pool.AsyncConnectionPool(url, min_size=1, max_size=2, open=False) as pool:
        await pool.wait()
        yield pool


async def _begin(connection: Any) -> Callable[[], Awaitable[Any]]:
    await connection.execute("SELECT 1")
    return connection.rollback  # type: ignore[no-any-return]


DRIVER = Awaited(
    instrument=instrument,
    opened=_opened,
    server="postgresql",
    database="postgres",
    take="getconn",
    give="putconn",
    in_vain=lambda pool: pool.getconn(timeout=0.01),
    late=psycopg_pool.PoolTimeout,
    timeouts=1,
    sleep=lambda connection: connection.execute("SELECT pg_sleep(60)"),
    begin=_begin,
    kind=psycopg_pool.AsyncConnectionPool,
    idle=lambda pool: pool.get_stats()["pool_available"],
    terminates=False,
)
