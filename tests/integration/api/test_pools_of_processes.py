"""Real processes with real pools, as the server sums them and as the database counts them."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mooring.api.guard import Role
from mooring.settings import PoolSettings
from tests.http_api import Api, running
from tests.servers.postgresql import PostgreSQL

pytestmark = pytest.mark.integration

PROGRAM = """
import sys
import sqlalchemy
import mooring

url, server, token, many = sys.argv[1:]
engine = sqlalchemy.create_engine(url, pool_size=4, max_overflow=0)
mooring.instrument(engine, name="main", service="shop", server=server, token=token)
held = [engine.connect() for _ in range(int(many))]
print("ready", flush=True)
sys.stdin.read()
for connection in held:
    connection.close()
"""
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pools_of_processes'"


@asynccontextmanager
async def holding(api: Api, url: str, many: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process that holds so many connections until its input ends."""
    arguments = (url, api.url, api.tokens[Role.REPORTER], str(many))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def totals(api: Api) -> dict[str, Any]:
    """Return what the one pool adds up to."""
    found = (await api.viewer.get("/api/v1/pools")).json()["items"]
    return dict(found[0]["totals"]) if found else {}


async def until_used(api: Api, used: int, instances: int) -> None:
    """Wait until the server says that so many connections are used by so many processes."""
    told: dict[str, Any] = {}
    async with asyncio.timeout(60):
        while (told.get("used"), told.get("instances")) != (used, instances):
            await asyncio.sleep(0.05)
            told = await totals(api)


async def until_sessions(postgresql: PostgreSQL, expected: int) -> None:
    """Wait until the database has so many sessions of them: it notices late that a client was killed."""
    found = -1
    async with asyncio.timeout(60):
        while found != expected:
            await asyncio.sleep(0.05)
            [[found]] = await asyncio.to_thread(postgresql.sql, SESSIONS)


async def test_the_server_sums_what_the_database_counts(tmp_path: Path, postgresql: PostgreSQL) -> None:
    """Three processes are one pool; one that is killed leaves the total, one that ends does at once."""
    url = postgresql.url(database="postgres").replace("postgresql://", "postgresql+psycopg://", 1)
    url += f"{'&' if '?' in url else '?'}application_name=pools_of_processes"
    every_second = PoolSettings(report_interval=1, cleanup_interval=1)
    async with (
        running(tmp_path, watch=True, pools=every_second) as api,
        holding(api, url, 4) as first,
        holding(api, url, 3) as second,
        holding(api, url, 2),
    ):
        await until_used(api, used=9, instances=3)
        await until_sessions(postgresql, 9)
        (found,) = (await api.viewer.get("/api/v1/pools")).json()["items"]
        assert (found["driver"], found["totals"]["limit"]) == ("sqlalchemy", 12)
        assert [each["open"] for each in found["sites"]] == [9]
        first.send_signal(signal.SIGKILL)
        await until_used(api, used=5, instances=2)
        await until_sessions(postgresql, 5)
        assert second.stdin is not None
        second.stdin.close()
        await second.wait()
        await until_used(api, used=2, instances=1)
        await until_sessions(postgresql, 2)
