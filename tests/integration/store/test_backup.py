"""Backup and restore, within a database and across."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from mooring.core.clock import SystemClock
from mooring.core.failure import InputError, StoreError
from mooring.core.health import Health
from mooring.core.status import Status
from mooring.store import backup, health, revisions, targets, tokens
from mooring.store.schema import metadata
from mooring.store.store import Store
from tests.stored import BEGAN, add_target, after, append, change, down, roll_up, steady, up


def fill(conn: Connection) -> None:
    """Put something into every table."""
    ref = add_target(conn, "orders")
    gone = add_target(conn, "gone")
    append(conn, [*steady(ref, after(), after(hours=2), every=60), down(ref, after(minutes=1, seconds=7))])
    change(conn, ref, Status.UNKNOWN, Status.UP, after())
    health.save(conn, {ref.id or 0: Health(Status.UP, after(), last=up(ref, after(hours=2)))})
    roll_up(conn, after(hours=1, minutes=30))
    token, _ = tokens.create(conn, "ci", "admin", BEGAN)
    tokens.open_session(conn, token.id, BEGAN, after(days=7))
    tokens.make_code(conn, token.id, after(days=7))
    targets.delete(conn, gone.id or 0)


def rows(conn: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables, but for the revision."""
    tables = [table for table in metadata.sorted_tables if table.name != "revision"]
    return {table.name: sorted(map(tuple, conn.execute(select(table)))) for table in tables}


async def everything(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of a store that nobody has open."""
    store = await Store.open(url, clock=SystemClock(), migrate=False)
    found = await store.read(rows)
    await store.close()
    return found


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a second, empty store, of either database in turn."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "other.db")
        return f"sqlite:///{tmp_path / 'other.db'}"
    return str(request.getfixturevalue("second_postgresql_store_url"))


async def test_backup_restores_into_either_database(store: Store, other_url: str, tmp_path: Path) -> None:
    """A backup of either database restores into either, every row, ids going on where they were."""
    url = store.url.render_as_string(hide_password=False)
    await store.write(fill)
    expected = await store.read(rows)
    backup.backup(url, tmp_path / "backup.db")
    await store.write(lambda conn: add_target(conn, "later"))
    backup.restore(other_url, tmp_path / "backup.db")
    assert await everything(other_url) == expected
    other = await Store.open(other_url, clock=SystemClock(), migrate=False)
    ref = await other.write(lambda conn: add_target(conn, "new"))
    await other.close()
    assert ref.id == 3


async def test_backup_while_a_server_writes(store: Store, tmp_path: Path) -> None:
    """A backup is one consistent state, and nobody is kept from writing meanwhile."""
    url = store.url.render_as_string(hide_password=False)
    ref = await store.write(add_target)
    copying = asyncio.create_task(asyncio.to_thread(backup.backup, url, tmp_path / "backup.db"))
    minute = 0
    while not copying.done():
        batch = steady(ref, after(minutes=minute), after(minutes=minute + 1), every=1)
        await store.write(lambda conn, batch=batch: append(conn, batch))
        minute += 1
    await copying
    with closing(sqlite3.connect(tmp_path / "backup.db")) as connection:
        revision = connection.execute("SELECT value FROM revision").fetchone()[0]
        assert connection.execute("SELECT count(*) FROM results").fetchone()[0] == (revision - 1) * 60
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_backup_file_is_private_and_alone(store: Store, tmp_path: Path) -> None:
    """A backup is one file that its owner alone can read."""
    folder = tmp_path / "backups"
    folder.mkdir()
    await store.write(fill)
    backup.backup(store.url.render_as_string(hide_password=False), folder / "backup.db")
    assert {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {"backup.db": 0o600}


async def test_backup_over_a_file(store: Store, tmp_path: Path) -> None:
    """A backup never overwrites anything, its own database least of all."""
    path = tmp_path / "precious"
    path.write_text("precious")
    with pytest.raises(InputError) as caught:
        backup.backup(store.url.render_as_string(hide_password=False), path)
    assert str(caught.value) == f"file: {path} exists already; a backup never overwrites anything"
    assert path.read_text() == "precious"


async def test_restore_over_targets(store: Store, other_url: str, tmp_path: Path) -> None:
    """Targets that are there are only replaced by force, and revisions go on growing."""
    await store.write(fill)
    backup.backup(store.url.render_as_string(hide_password=False), tmp_path / "backup.db")
    other = await Store.open(other_url, clock=SystemClock(), migrate=False)
    for number in range(20):
        await other.write(lambda conn, number=number: add_target(conn, f"mine {number}"))
    before = await other.read(revisions.current)
    await other.close()
    with pytest.raises(InputError) as caught:
        backup.restore(other_url, tmp_path / "backup.db")
    assert str(caught.value) == (
        "store.url: holds 20 targets already; give --force to replace everything in it"
    )
    assert len((await everything(other_url))["targets"]) == 20
    backup.restore(other_url, tmp_path / "backup.db", force=True)
    assert [row[1] for row in (await everything(other_url))["targets"]] == ["orders"]
    other = await Store.open(other_url, clock=SystemClock(), migrate=False)
    assert await other.read(revisions.current) > before
    assert await other.read(revisions.of_targets) > before
    await other.close()


async def test_restore_while_a_server_has_the_file_open(sqlite_store_url: str, tmp_path: Path) -> None:
    """An SQLite store that is in use is not replaced, not even by force."""
    store = await Store.open(sqlite_store_url, clock=SystemClock(), migrate=False)
    await store.write(fill)
    expected = await store.read(rows)
    backup.backup(sqlite_store_url, tmp_path / "backup.db")
    with pytest.raises(StoreError) as caught:
        backup.restore(sqlite_store_url, tmp_path / "backup.db", force=True)
    assert "the database is locked by another program; close that program" in str(caught.value)
    assert await store.read(rows) == expected
    await store.close()
    backup.restore(sqlite_store_url, tmp_path / "backup.db", force=True)
    assert await everything(sqlite_store_url) == expected
    assert {each.name for each in tmp_path.iterdir()} == {"mooring.db", "backup.db"}


@pytest.mark.integration
async def test_restore_while_a_server_watches(postgresql_store_url: str, tmp_path: Path) -> None:
    """A watched PostgreSQL store is not replaced under its server; one that is only open is."""
    url = postgresql_store_url
    backup.backup(url, tmp_path / "backup.db")
    server = await Store.open(url, clock=SystemClock(), migrate=False)
    await server.watch()
    await server.write(lambda conn: add_target(conn, "kept"))
    with pytest.raises(StoreError, match=r"^the database is watched by another Mooring already; stop that"):
        backup.restore(url, tmp_path / "backup.db", force=True)
    assert [each.name for each in await server.read(targets.all_targets)] == ["kept"]
    await server.close()
    visitor = await Store.open(url, clock=SystemClock(), migrate=False)
    backup.restore(url, tmp_path / "backup.db", force=True)
    assert await visitor.read(targets.all_targets) == []
    await visitor.close()


async def test_restore_of_a_damaged_store(sqlite_store_url: str, tmp_path: Path) -> None:
    """A file that is beyond repair is replaced by force."""
    store = await Store.open(sqlite_store_url, clock=SystemClock(), migrate=False)
    await store.write(fill)
    expected = await store.read(rows)
    await store.close()
    backup.backup(sqlite_store_url, tmp_path / "backup.db")
    path = Path(sqlite_store_url.removeprefix("sqlite:///"))
    path.write_bytes(b"\xff" * 8192)
    with pytest.raises(StoreError):
        backup.restore(sqlite_store_url, tmp_path / "backup.db")
    backup.restore(sqlite_store_url, tmp_path / "backup.db", force=True)
    assert await everything(sqlite_store_url) == expected


async def test_restore_into_a_new_file(sqlite_store_url: str, tmp_path: Path) -> None:
    """A store that does not exist yet is made, private to its owner."""
    store = await Store.open(sqlite_store_url, clock=SystemClock(), migrate=False)
    await store.write(fill)
    expected = await store.read(rows)
    await store.close()
    backup.backup(sqlite_store_url, tmp_path / "backup.db")
    new = tmp_path / "state" / "new.db"
    backup.restore(f"sqlite:///{new}", tmp_path / "backup.db")
    assert await everything(f"sqlite:///{new}") == expected
    assert stat.S_IMODE(new.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no file"),
        (b"", "is no backup of Mooring's"),
        (b"\xff" * 8192, "is no Mooring database"),
    ],
)
async def test_restore_of_something_else(
    url: str, tmp_path: Path, content: bytes | None, message: str
) -> None:
    """What is no backup is refused, and the store stays as it is."""
    source = tmp_path / "something"
    if content is not None:
        source.write_bytes(content)
    with pytest.raises((InputError, StoreError)) as caught:
        backup.restore(url, source)
    assert message in str(caught.value)
    assert (await everything(url))["targets"] == []


async def test_restore_of_a_damaged_backup(url: str, sqlite_template: Path, tmp_path: Path) -> None:
    """A backup with damaged pages is refused before anything is replaced."""
    source = tmp_path / "backup.db"
    shutil.copy(sqlite_template, source)
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.executemany("INSERT INTO notes VALUES (?, 0, ?)", [(n, "x" * 500) for n in range(200)])
        connection.commit()
    with source.open("r+b") as file:
        file.seek(source.stat().st_size - 3 * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises((InputError, StoreError)) as caught:
        backup.restore(url, source)
    assert "damaged" in str(caught.value)
    assert (await everything(url))["targets"] == []
    assert not list(tmp_path.glob("*.restoring*"))


async def test_backup_in_memory() -> None:
    """A store in memory cannot be backed up or restored, and says so."""
    with pytest.raises(InputError) as caught:
        backup.backup("sqlite://", Path("nowhere"))
    assert str(caught.value) == "store.url: is a database in memory, which cannot be backed up"
