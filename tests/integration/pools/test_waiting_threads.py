"""Threads that wait, for their database or for something else, where no driver tells which."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Engine, create_engine, text

from mooring.core.pool import LeakKind
from mooring.pools.sqlalchemy import instrument
from tests.integration.pools.watched import TurnedClock, kinds, look, watched
from tests.servers.process import poll_until

pytestmark = pytest.mark.integration
PATIENT = 30
"""Seconds that SQLite waits for a lock, and the pool for a connection."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database in a file, whose driver is written in C and tells of no statement that runs."""
    engine = create_engine(
        f"sqlite:///{tmp_path / 'file.db'}",
        pool_size=2,
        max_overflow=0,
        pool_timeout=PATIENT,
        connect_args={"timeout": PATIENT},
    )
    yield engine
    engine.dispose()


def test_a_thread_in_its_drivers_code_is_busy(engine: Engine) -> None:
    """A thread whose statement waits for a lock holds its connection rightly; then nothing is found."""
    clock = TurnedClock()
    tracker = watched(instrument, engine, clock)

    def write() -> None:
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE one (id int)"))

    with sqlite3.connect(engine.url.database or "") as other:
        other.execute("BEGIN EXCLUSIVE")
        thread = Thread(target=write)
        thread.start()
        poll_until(lambda: len(tracker.open) == 1, "the checkout")
        clock.turned += 600
        poll_until(lambda: kinds(tracker) == [LeakKind.BUSY], "busy")
        other.rollback()
        thread.join()
    other.close()
    assert look(tracker) == []


def test_a_thread_that_waits_for_a_second_connection_is_a_suspect(engine: Engine) -> None:
    """To hold a connection and wait for the pool is no work of the database's: it may wait for itself."""
    clock = TurnedClock()
    tracker = watched(instrument, engine, clock)

    def wait() -> None:
        with engine.connect(), engine.connect():
            pass

    with engine.connect():
        thread = Thread(target=wait)
        thread.start()
        poll_until(lambda: (len(tracker.open), tracker.waiting) == (2, 1), "waiting")
        clock.turned += 600
        assert kinds(tracker) == [LeakKind.SUSPECT, LeakKind.SUSPECT]
        [leak] = [leak for leak in tracker.leaks() if leak.function.endswith(".wait")]
        assert leak.now[0].endswith("wait")
    thread.join()
    assert look(tracker) == []
