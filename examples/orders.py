"""A small shop, one of whose routes never gives its connection back: docs/how-to/watch-pools.md."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

import mooring
from mooring.contrib.asgi import PoolsMiddleware

ORDERS = 10

engine = create_async_engine(os.environ["ORDERS_DATABASE_URL"], pool_size=5, max_overflow=5, pool_timeout=2)
mooring.instrument(engine, name="orders", service="shop")

app = FastAPI(title="Orders")
app.add_middleware(PoolsMiddleware)
begun: list[AsyncConnection] = []


async def connection() -> AsyncIterator[AsyncConnection]:
    """Lend a connection for one request, and take it back, also after an error."""
    async with engine.connect() as lent:
        yield lent


Connection = Annotated[AsyncConnection, Depends(connection)]


@app.get("/orders")
async def orders(database: Connection) -> list[int]:
    """List the orders."""
    return list(await database.scalars(text("SELECT * FROM generate_series(1, :n)"), {"n": ORDERS}))


@app.get("/orders/{number}")
async def order(number: int, database: Connection) -> dict[str, int]:
    """Show one order, which the database takes its time to find."""
    await database.execute(text("SELECT pg_sleep(0.05)"))
    if number > ORDERS:
        raise HTTPException(404, f"there is no order {number}")
    return {"number": number}


@app.get("/report")
async def report() -> dict[str, int]:
    """Begin a report, and keep its connection for the pages to come. Nobody ever gives it back."""
    database = await engine.connect()
    begun.append(database)
    return {"orders": await database.scalar(text("SELECT 10")), "report": len(begun)}
