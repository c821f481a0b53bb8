"""What names a pool by default holds no password, however the driver was told."""

from __future__ import annotations

import asyncpg
import psycopg_pool
import pytest

import mooring
from mooring.pools import Watch

PASSWORD = "hunter2"


@pytest.mark.parametrize(
    "dbname", [f"host=db password={PASSWORD} dbname=orders", f"postgresql://app:{PASSWORD}@db/orders"]
)
def test_database_of_libpq_that_is_a_whole_address_is_not_told(dbname: str) -> None:
    """Where libpq expands the name of a database, it may hold a login."""
    pool = psycopg_pool.ConnectionPool(kwargs={"dbname": dbname}, open=False)
    tracker = mooring.instrument(pool, watch=Watch(threaded=False))
    assert (tracker.name, tracker.driver.database, tracker.driver.address) == ("psycopg_pool", None, None)


async def test_address_that_asyncpg_will_refuse_is_not_told() -> None:
    """What is no address of PostgreSQL is neither the pool's name nor its database."""
    pool = asyncpg.create_pool(f"host=db password={PASSWORD} dbname=orders")
    tracker = mooring.instrument(pool, watch=Watch(threaded=False))
    assert (tracker.name, tracker.driver.database, tracker.driver.address) == ("asyncpg", None, None)
