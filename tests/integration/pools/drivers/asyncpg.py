"""asyncpg, against PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from mooring.pools.asyncpg import instrument
from tests.integration.pools.drivers import Awaited


@asynccontextmanager
async def _opened(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    server = request.getfixturevalue("postgresql")
    async with asyncpg.create_pool(server.url(), min_size=1, max_size=2) as pool:
        yield pool


async def _begin(connection: Any) -> Callable[[], Awaitable[Any]]:
    transaction = connection.transaction()
    await transaction.start()
    return transaction.rollback  # type: ignore[no-any-return]


DRIVER = Awaited(
    instrument=instrument,
    opened=_opened,
    server="postgresql",
    database="postgres",
    take="acquire",
    give="release",
    in_vain=lambda pool: pool.acquire(timeout=0.01),
    late=TimeoutError,
    timeouts=1,
    sleep=lambda connection: connection.fetchval("SELECT pg_sleep($1)", 60),
    begin=_begin,
    kind=asyncpg.Pool,
    idle=asyncpg.Pool.get_idle_size,
)
