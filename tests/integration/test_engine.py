"""The engine as a process that is killed, and under many real checks."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from mooring.app import App
from mooring.core.clock import SystemClock
from mooring.core.failure import InputError
from mooring.core.health import Health, settle
from mooring.core.result import CheckResult, Trigger
from mooring.core.status import Status
from mooring.core.target import Origin, Schedule
from mooring.settings import ServerSettings, Settings, StoreSettings
from mooring.store import health as health_rows
from mooring.store import results as result_rows
from mooring.store import transitions as transition_rows
from mooring.store import upgrade
from mooring.store.engines import store_url
from mooring.store.sole import _LOCK
from mooring.store.store import Store
from mooring.testing import no_leaks
from tests.integration.watcher import TARGETS
from tests.servers.played import playing
from tests.servers.postgresql import PostgreSQL
from tests.servers.process import eventually
from tests.sources import ROOT

pytestmark = pytest.mark.integration

KILLS = 20
CHECKS = 10_000


class Watched:
    """The watcher's process, and what it acknowledged until it was killed."""

    def __init__(self, database: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.watcher", str(database)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.acknowledged: set[tuple[int, datetime, str]] = set()

    def kill_after(self, lines: int) -> None:
        """Read so many lines, kill without a warning, and read what was said until then."""
        out = self._process.stdout
        assert out is not None
        for number, line in enumerate(out):
            if number == lines:
                self._process.send_signal(signal.SIGKILL)
            self._take(line)
        assert self._process.wait() == -signal.SIGKILL
        out.close()

    def _take(self, line: str) -> None:
        if not line.endswith("\n") or line == "ready\n":
            return
        _, target_id, at, status = line.split()
        self.acknowledged.add((int(target_id), datetime.fromisoformat(at), status))


async def look(database: Path) -> tuple[dict[int, list[CheckResult]], dict[int, Health]]:
    """Return what a killed watcher left: results by target, the oldest first, and healths."""
    store = await Store.open(f"sqlite:///{database}", clock=SystemClock(), migrate=False)
    ids = range(1, TARGETS + 1)
    found = {
        target_id: (
            await store.read(lambda conn, key=target_id: result_rows.recent(conn, key, limit=100_000))
        )[::-1]
        for target_id in ids
    }
    health = await store.read(health_rows.load)
    await store.close()
    return found, health


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_by_kills(tmp_path: Path) -> None:
    """Killed 20 times at any moment, the database opens, every result that was told or returned is there."""
    database, chance = tmp_path / "killed.db", random.Random(20)
    acknowledged: set[tuple[int, datetime, str]] = set()
    for _ in range(KILLS):
        watched = Watched(database)
        watched.kill_after(chance.randrange(1, 150))
        acknowledged |= watched.acknowledged
        with sqlite3.connect(database) as conn:
            assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        conn.close()
    results, healths = asyncio.run(look(database))
    stored = {(key, each.started_at, each.status.value) for key, rows in results.items() for each in rows}
    assert len(acknowledged) > KILLS
    assert acknowledged <= stored
    for target_id, health in healths.items():
        assert health.last is not None
        assert health.status is settled(results[target_id], health.last)


def settled(results: list[CheckResult], until: CheckResult) -> Status:
    """Return the status that a target's results, up to the one its health knows, make by themselves."""
    health, schedule = Health(), Schedule(interval=1, timeout=1, retry=False)
    for result in results:
        if result.started_at <= until.started_at:
            health = settle(health, result, schedule).health
    return health.status


async def test_postgresql_keeps_what_was_watched(postgresql: PostgreSQL) -> None:
    """Over PostgreSQL a check becomes rows, an edit counts, and a restart knows all of it."""
    with postgresql.database() as name:
        url = postgresql.url(database=name)
        upgrade.upgrade(store_url(url))
        settings = Settings(
            store=StoreSettings(url=SecretStr(url)),
            server=ServerSettings(secret_key_file=postgresql.folder / f"{name}.key"),
        )
        async with App(settings) as app:
            target = await app.catalogue.add({"name": "a", "url": "tcp://127.0.0.1:1", "interval": 60})
            result = await app.monitor.check(target, Trigger.MANUAL)
            await app.catalogue.edit(target.id or 0, {"labels": {"team": "shop"}})
        async with App(settings, watch=False) as app:
            known, health = app.catalogue.by_name("a"), app.catalogue.health[target.id or 0]
            assert (known.version, known.labels) == (2, {"team": "shop"})
            assert health.status is Status.UNKNOWN
            assert health.last is not None
            assert health.last.started_at >= result.started_at
            rows = await app.store.read(lambda conn: transition_rows.of_target(conn, known.id or 0))
            notes = [(row.transition.new, row.transition.note) for row in reversed(rows)]
            assert notes == [(Status.DOWN, None), (Status.UNKNOWN, "Mooring was stopped")]


@pytest.fixture
def stored_in_postgresql(postgresql: PostgreSQL) -> Iterator[Settings]:
    """A new PostgreSQL store."""
    with postgresql.database() as name:
        url = postgresql.url(database=name)
        upgrade.upgrade(store_url(url))
        key = postgresql.folder / f"{name}.key"
        store = StoreSettings(url=SecretStr(url))
        yield Settings(store=store, server=ServerSettings(secret_key_file=key))


async def test_postgresql_store_is_watched_by_one(stored_in_postgresql: Settings) -> None:
    """While one App watches a PostgreSQL store another one is refused; one that only looks is not."""
    async with App(stored_in_postgresql):
        with pytest.raises(
            InputError, match=r"store.url: the database is watched by another Mooring already"
        ):
            async with App(stored_in_postgresql):
                pass
        async with App(stored_in_postgresql, watch=False) as other:
            await other.catalogue.add({"name": "a", "url": "tcp://127.0.0.1:1"})
    async with App(stored_in_postgresql) as app:
        assert app.scheduler.active


async def test_postgresql_store_taken_over(stored_in_postgresql: Settings, postgresql: PostgreSQL) -> None:
    """Who lost the database and finds it watched by another stores nothing, says so, and goes on after it."""
    url = stored_in_postgresql.store.url.get_secret_value()
    claim = f"SELECT pg_try_advisory_lock({_LOCK})"
    lose = "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database d ON d.oid = database "
    lose += "WHERE locktype = 'advisory' AND datname = current_database()"
    async with App(stored_in_postgresql) as app:
        target = await app.catalogue.add({"name": "a", "url": "tcp://127.0.0.1:1", "interval": 3600})
        other = await asyncpg.connect(url)
        while not await other.fetchval(claim):
            await other.execute(lose)
        await app.monitor.check(target, Trigger.MANUAL)
        assert "watched by another Mooring already" in (app.recorder.store_error or "")
        await other.close()
        await eventually(lambda: app.recorder.store_error is None, "the store is written again")
        assert len(await app.store.read(lambda conn: result_rows.recent(conn, target.id or 0))) >= 1


@asynccontextmanager
async def answering() -> AsyncIterator[int]:
    """Serve a port that accepts and hangs up."""

    async def hang_up(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        pass

    async with playing(hang_up) as port:
        yield port


@pytest.mark.slow
async def test_ten_thousand_checks_leave_nothing_behind(tmp_path: Path) -> None:
    """After 10,000 checks, half of them failing, there are no more descriptors, tasks or threads."""
    settings = Settings(store=StoreSettings(url=SecretStr(f"sqlite:///{tmp_path / 'many.db'}")))
    # The loop's own pool grows as timing has it; with one thread, made while warming, every other is a leak.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    async with answering() as port:
        async with App(settings, watch=False) as warm:
            await warm.catalogue.apply([], Origin.API)
        async with no_leaks(), App(settings, watch=False) as app:
            urls = [f"tcp://127.0.0.1:{port if number % 2 else 1}" for number in range(500)]
            wanted = [app.reader.read({"name": f"t{n}", "url": url}) for n, url in enumerate(urls)]
            await app.catalogue.apply(wanted, Origin.API)
            targets = list(app.catalogue.targets.values())
            statuses: list[Status] = []
            for _ in range(CHECKS // len(urls)):
                results = await asyncio.gather(*(app.monitor.check(t, Trigger.API) for t in targets))
                statuses += [result.status for result in results]
        assert (statuses.count(Status.UP), statuses.count(Status.DOWN)) == (CHECKS // 2, CHECKS // 2)
