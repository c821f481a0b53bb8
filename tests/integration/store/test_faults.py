"""An SQLite store whose file is locked, full, gone, replaced, read-only, damaged or something else."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from mooring.core.clock import SystemClock
from mooring.core.failure import InputError, StoreError
from mooring.store import engines, results, revisions, targets
from mooring.store.store import Store
from tests.stored import add_target, after, append, steady

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""
FOR_EVER = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def path(sqlite_store_url: str) -> Path:
    """The file of an empty store."""
    return Path(sqlite_store_url.removeprefix("sqlite:///"))


@pytest.fixture
async def sqlite_store(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """An open SQLite store that does not wait long for a lock."""
    monkeypatch.setattr(engines, "BUSY_TIMEOUT", 0.05)
    store = await Store.open(f"sqlite:///{path}", clock=SystemClock(), migrate=False)
    yield store
    await store.close()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let another process hold the write lock."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        yield
        other.communicate()


async def refused(store: Store) -> str:
    """Return how the store refuses to write."""
    with pytest.raises(StoreError) as caught:
        await store.write(revisions.next_revision)
    assert store.failing_since is not None
    return str(caught.value)


async def works(store: Store) -> bool:
    """Whether the store takes writes and knows that it does."""
    return await store.write(revisions.next_revision) > 0 and store.failing_since is None


async def test_database_locked_by_another_process(sqlite_store: Store, path: Path) -> None:
    """A lock is named, reading goes on, and writing works again when it is gone."""
    with locked(path):
        assert await refused(sqlite_store) == (
            "the database is locked by another program; close that program or wait for it "
            "(database is locked)"
        )
        assert await sqlite_store.read(revisions.current) == 0
    assert await works(sqlite_store)


async def test_database_without_room(sqlite_store: Store) -> None:
    """A full disk is named, nothing of the batch is kept, and writing works again when there is room."""

    def fill(conn: Connection) -> None:
        pages = conn.execute(text("PRAGMA page_count")).scalar_one()
        conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        append(conn, steady(add_target(conn), after(), after(days=1), every=60))

    with pytest.raises(StoreError) as caught:
        await sqlite_store.write(fill)
    assert str(caught.value) == (
        "the disk that holds the database is full; make room on it (database or disk is full)"
    )
    await sqlite_store.write(lambda conn: conn.exec_driver_sql("PRAGMA max_page_count = 1000000"))
    assert await sqlite_store.read(targets.all_targets) == []
    assert await works(sqlite_store)


async def test_database_gone_and_back(sqlite_store: Store, path: Path) -> None:
    """A file that was moved away is never replaced by an empty one; put back, all is there."""
    ref = await sqlite_store.write(add_target)
    away = path.with_name("elsewhere.db")
    path.rename(away)
    assert await refused(sqlite_store) == (
        f"the database file {path} is gone; put it back, or restart Mooring to begin a new one"
    )
    with pytest.raises(StoreError):
        await sqlite_store.read(targets.all_targets)
    assert not path.exists()
    away.rename(path)
    assert await works(sqlite_store)
    assert [each.name for each in await sqlite_store.read(targets.all_targets)] == [ref.name]


async def test_folder_gone_and_back(sqlite_store: Store, path: Path) -> None:
    """The same holds when the whole folder vanishes, as an unmounted disk does."""
    away = path.parent.with_name("unmounted")
    path.parent.rename(away)
    assert "is gone; put it back" in await refused(sqlite_store)
    away.rename(path.parent)
    assert await works(sqlite_store)


async def test_database_replaced_by_another(sqlite_store: Store, path: Path, sqlite_template: Path) -> None:
    """A file that takes the place of the first is used from then on, not the one that is gone."""
    await sqlite_store.write(lambda conn: add_target(conn, "old"))
    new = path.with_name("new.db")
    shutil.copy(sqlite_template, new)
    other = await Store.open(f"sqlite:///{new}", clock=SystemClock(), migrate=False)
    await other.write(lambda conn: add_target(conn, "new"))
    await other.close()
    for each in path.parent.glob("mooring.db-*"):
        each.unlink()
    new.replace(path)
    assert [each.name for each in await sqlite_store.read(targets.all_targets)] == ["new"]
    assert await works(sqlite_store)


async def test_database_replaced_by_an_empty_one(sqlite_store: Store, path: Path) -> None:
    """A file without tables is named as what it is."""
    new = path.with_name("new.db")
    new.touch()
    new.replace(path)
    assert "the database has lost its tables; restore a backup" in await refused(sqlite_store)


async def test_database_that_may_not_be_written(sqlite_store: Store) -> None:
    """A read-only database is named."""
    await sqlite_store.write(lambda conn: conn.exec_driver_sql("PRAGMA query_only = ON"))
    assert await refused(sqlite_store) == (
        "the database cannot be written; let us write the file and its folder "
        "(attempt to write a readonly database)"
    )


async def test_database_that_is_damaged(path: Path) -> None:
    """Damage is named, with what to do about it."""
    store = await Store.open(f"sqlite:///{path}", clock=SystemClock(), migrate=False)
    await store.write(lambda conn: append(conn, steady(add_target(conn), after(), after(days=1), every=60)))
    await store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(StoreError) as caught:
        await Store.open(f"sqlite:///{path}", clock=SystemClock(), migrate=False)
    assert "the database file is damaged; restore a backup with `mooring db restore`" in str(caught.value)


async def test_file_that_is_no_database(tmp_path: Path) -> None:
    """Another file is refused and left alone."""
    path = tmp_path / "notes.txt"
    path.write_text("Not a database at all, but long enough to be taken for one." * 20)
    before = path.read_bytes()
    with pytest.raises(StoreError) as caught:
        await Store.open(f"sqlite:///{path}", clock=SystemClock(), migrate=True)
    assert "the file is no Mooring database; check the address, or restore a backup" in str(caught.value)
    assert path.read_bytes() == before


async def test_folder_that_is_missing(tmp_path: Path) -> None:
    """A folder that is not there is named, not made."""
    path = tmp_path / "missing" / "mooring.db"
    with pytest.raises(StoreError) as caught:
        await Store.open(f"sqlite:///{path}", clock=SystemClock(), migrate=True)
    assert str(caught.value) == (
        f"the database file {path} cannot be opened: No such file or directory; "
        "check that its folder exists and may be written"
    )


async def test_new_database_is_private(tmp_path: Path) -> None:
    """The file, and what SQLite keeps beside it, can be read by its owner alone."""
    store = await Store.open(f"sqlite:///{tmp_path / 'new.db'}", clock=SystemClock(), migrate=True)
    await store.write(add_target)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    await store.close()
    assert modes == dict.fromkeys(("new.db", "new.db-wal", "new.db-shm"), 0o600)


async def test_store_in_memory() -> None:
    """A store in memory works like one in a file, and is empty each time."""
    for _ in range(2):
        store = await Store.open("sqlite://", clock=SystemClock(), migrate=True)
        ref = await store.write(add_target)
        await store.write(lambda conn, ref=ref: append(conn, steady(ref, after(), after(minutes=1))))
        assert len(await store.read(lambda conn, ref=ref: results.recent(conn, ref.id or 0))) == 2
        assert await store.read(revisions.current) == 2
        await store.close()


UNREADABLE = "cannot be read; a password with / ? # or @ has to be percent-encoded"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://root:s3cret@host/db", "is mysql; a store is sqlite:///FILE or postgresql://HOST/DATABASE"),
        ("s3cret", UNREADABLE),
    ],
)
async def test_address_that_cannot_be_used(url: str, message: str) -> None:
    """What is wrong with an address is told without showing what stands in it."""
    with pytest.raises(InputError) as caught:
        await Store.open(url, clock=SystemClock(), migrate=True)
    assert str(caught.value) == f"store.url: {message}"


async def test_work_that_never_ends(sqlite_store: Store) -> None:
    """Work that takes longer than its patience is cut, and the writer is free again."""
    with pytest.raises(StoreError) as caught:
        await sqlite_store.write(lambda conn: conn.execute(text(FOR_EVER)), patience=0.05)
    assert str(caught.value) == ("the database did not answer within 0.05 s; is it stopped, or overloaded?")
    assert await works(sqlite_store)


async def test_work_that_waited_too_long_is_not_done(sqlite_store: Store) -> None:
    """Work that was given up while it waited for the writer is never done behind the caller's back."""
    begun, release = threading.Event(), threading.Event()
    first = asyncio.create_task(sqlite_store.write(lambda _: begun.set() or release.wait()))
    await asyncio.to_thread(begun.wait)
    with pytest.raises(StoreError):
        await sqlite_store.write(add_target, patience=0.05)
    release.set()
    assert await first
    assert await works(sqlite_store)
    assert await sqlite_store.read(targets.all_targets) == []


async def test_work_that_was_given_up_is_not_committed(sqlite_store: Store) -> None:
    """Work that goes on after it was given up is rolled back: the caller was told that it failed."""
    release = threading.Event()

    def work(conn: Connection) -> None:
        add_target(conn)
        release.wait()

    with pytest.raises(StoreError):
        await sqlite_store.write(work, patience=0.5)
    release.set()
    assert await works(sqlite_store)
    assert await sqlite_store.read(targets.all_targets) == []


async def test_caller_that_is_cancelled(sqlite_store: Store) -> None:
    """Cancelling a caller leaves the writer usable, and what had begun is whole."""
    begun, release = threading.Event(), threading.Event()

    def work(conn: Connection) -> None:
        add_target(conn, "one")
        begun.set()
        release.wait()
        add_target(conn, "two")

    task = asyncio.create_task(sqlite_store.write(work))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()
    assert await works(sqlite_store)
    assert [each.name for each in await sqlite_store.read(targets.all_targets)] == ["one", "two"]


async def test_error_of_the_work_itself(sqlite_store: Store) -> None:
    """A fault in the work is not called a fault of the store, and is rolled back."""

    def work(conn: Connection) -> None:
        add_target(conn)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await sqlite_store.write(work)
    assert await sqlite_store.read(targets.all_targets) == []
    assert sqlite_store.failing_since is None


async def test_readers_cannot_write(sqlite_store: Store) -> None:
    """Work on a reader that writes is refused, so that only the writer does."""
    with pytest.raises(StoreError):
        await sqlite_store.read(revisions.next_revision)


async def test_close_leaves_one_file(path: Path) -> None:
    """After closing everything is in the one file, with nothing beside it."""
    store = await Store.open(f"sqlite:///{path}", clock=SystemClock(), migrate=False)
    await store.write(add_target)
    await store.read(targets.all_targets)
    await store.close()
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM targets").fetchall() == [("orders",)]
