"""kill -9 at any moment."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from mooring.core.clock import SystemClock
from mooring.core.status import Status
from mooring.store import health, history
from mooring.store.schema import results, transitions
from mooring.store.store import Store
from tests.sources import ROOT
from tests.store_writer import INTERVAL, TARGETS
from tests.stored import after, roll_up


def written_until_killed(url: str, rng: random.Random) -> int:
    """Let a process write, kill it at some moment, and return the last batch that was acknowledged."""
    command = [sys.executable, "-m", "tests.store_writer", url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(rng.randrange(1, 40))]
        writer.kill()
        lines += writer.stdout.read().splitlines(keepends=True)
    return int([line for line in lines if line.endswith(b"\n")][-1])


def whole_batches(conn: Connection) -> int:
    """Check that no batch is there by half and that health is right; return how many there are."""
    counts = [
        conn.execute(select(func.count()).select_from(table).group_by(column)).scalars().all()
        for table, column in ((results, results.c.started_at), (transitions, transitions.c.at))
    ]
    assert {*counts[0], *counts[1]} == {TARGETS}
    batches = len(counts[0])
    assert len(counts[1]) == batches
    at, status = after(seconds=batches * INTERVAL), Status.DOWN if batches % 2 else Status.UP
    stands = {(each.status, each.last.started_at) for each in health.load(conn).values() if each.last}
    assert stands == {(status, at)}
    return batches


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database", "kills"),
    [("sqlite", 24), pytest.param("postgresql", 8, marks=pytest.mark.integration)],
)
async def test_kill_in_the_middle_of_writing(
    request: pytest.FixtureRequest, database: str, kills: int
) -> None:
    """Killed at any moment, every acknowledged batch is there whole, and the next process goes on."""
    url = request.getfixturevalue(f"{database}_store_url")
    rng = random.Random(database)
    for _ in range(kills):
        acknowledged = written_until_killed(url, rng)
        store = await Store.open(url, clock=SystemClock(), migrate=False)
        batches = await store.read(whole_batches)
        assert batches >= acknowledged
        await store.close()
    store = await Store.open(url, clock=SystemClock(), migrate=False)
    now = after(days=2)
    await store.write(lambda conn: roll_up(conn, now))
    first, *_ = await store.read(health.load)
    window = await store.read(lambda conn: history.window(conn, first, "7d", now))
    await store.close()
    assert sum(each.count for each in window.buckets) == batches
    if database == "sqlite":
        with closing(sqlite3.connect(Path(url.removeprefix("sqlite:///")))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
