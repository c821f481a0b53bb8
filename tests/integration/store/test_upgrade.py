"""Migrations."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, text

from mooring.core import histogram
from mooring.core.clock import SystemClock
from mooring.core.failure import InputError, StoreError
from mooring.store import history, schema, targets, upgrade
from mooring.store.engines import opened, store_url
from mooring.store.sole import sole_watcher
from mooring.store.store import Store
from tests.servers.postgresql import PostgreSQL
from tests.sources import ROOT
from tests.stored import add_target

NEXT = '''"""The next migration."""

import os
import signal

from alembic import op

revision = "9999"
down_revision = "%s"


def upgrade() -> None:
    op.execute("ALTER TABLE targets ADD COLUMN flavour TEXT")
    op.execute("UPDATE targets SET flavour = 'sour'")
    %s
    op.execute("CREATE TABLE flavours (id INTEGER)")
'''
RUN = """
import sys
from pathlib import Path
from mooring.store import upgrade
from mooring.store.engines import store_url
upgrade._FOLDER, upgrade.HEAD = Path(sys.argv[1]), "9999"
upgrade.upgrade(store_url(sys.argv[2]))
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables, of either kind in turn."""
    if request.param == "sqlite":
        (tmp_path / "empty.db").touch()
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    with server.database() as name:
        yield server.url(database=name)


def with_next(folder: Path, halt: str = "") -> Path:
    """Return a folder with the real migrations and one more."""
    shutil.copytree(upgrade._FOLDER, folder / "migrations")
    path = folder / "migrations" / "versions" / "9999_next.py"
    path.write_text(NEXT % (schema.HEAD, halt))
    return folder / "migrations"


def run(folder: Path, url: str) -> int:
    """Upgrade in a process of its own; return how it ended."""
    return subprocess.run([sys.executable, "-c", RUN, str(folder), url], cwd=ROOT, check=False).returncode


def looks(url: str) -> tuple[set[str], set[str]]:
    """Return the tables, and the columns of targets."""
    with opened(store_url(url)) as engine, engine.connect() as conn:
        seen = inspect(conn)
        return set(seen.get_table_names()), {column["name"] for column in seen.get_columns("targets")}


async def fill(url: str) -> None:
    """Store a target."""
    store = await Store.open(url, clock=SystemClock(), migrate=False)
    await store.write(add_target)
    await store.close()


def test_head_is_the_newest_migration() -> None:
    """The version that the code expects is the last in the folder, and there is one line of them."""
    assert ScriptDirectory(str(upgrade._FOLDER)).get_heads() == [schema.HEAD]


async def test_schema_is_what_the_migrations_make(url: str) -> None:
    """The tables in the code and those of a migrated database are the same, indexes and all."""
    with opened(store_url(url)) as engine, engine.connect() as conn:
        ours = {"compare_type": True, "include_name": lambda name, *_: name != upgrade.VERSION_TABLE}
        assert compare_metadata(MigrationContext.configure(conn, opts=ours), schema.metadata) == []


def test_sqlite_tables_are_made_as_the_schema_says(sqlite_template: Path, tmp_path: Path) -> None:
    """What no comparison sees is the same too: AUTOINCREMENT, WITHOUT ROWID, the partial index."""
    with opened(store_url(f"sqlite:///{tmp_path / 'made.db'}")) as engine:
        (tmp_path / "made.db").touch()
        schema.metadata.create_all(engine)
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'mooring_version'"
    found = []
    for path in (sqlite_template, tmp_path / "made.db"):
        with closing(sqlite3.connect(path)) as connection:
            found.append({name: "".join(sql.split()) for name, sql in connection.execute(query)})
    assert {name: sorted(sql) for name, sql in found[0].items()} == {
        name: sorted(sql) for name, sql in found[1].items()
    }


async def test_empty_database_without_migrating(empty_url: str) -> None:
    """A database that was never set up asks for the command and is left alone."""
    with pytest.raises(InputError) as caught:
        await Store.open(empty_url, clock=SystemClock(), migrate=False)
    assert str(caught.value) == (
        "store.url: is an empty database; run `mooring db upgrade` to make its tables"
    )


async def test_empty_database_with_migrating(empty_url: str) -> None:
    """A new database is made ready when it is opened, and is then up to date."""
    store = await Store.open(empty_url, clock=SystemClock(), migrate=True)
    assert await store.read(targets.all_targets) == []
    await store.close()
    assert upgrade.upgrade(store_url(empty_url)) is upgrade.State.CURRENT


async def test_older_database_without_migrating(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database of an older Mooring asks for the command."""
    monkeypatch.setattr(upgrade, "HEAD", "9999")
    with pytest.raises(InputError) as caught:
        await Store.open(url, clock=SystemClock(), migrate=False)
    assert str(caught.value) == "store.url: is a database of an older Mooring; run `mooring db upgrade`"


@pytest.mark.parametrize("migrate", [True, False])
async def test_newer_database(url: str, *, migrate: bool) -> None:
    """A database of a newer Mooring is refused, with and without migrating, and left alone."""
    store = await Store.open(url, clock=SystemClock(), migrate=False)
    await store.write(lambda conn: conn.exec_driver_sql("UPDATE mooring_version SET version_num = '9999'"))
    await store.close()
    with pytest.raises(InputError) as caught:
        await Store.open(url, clock=SystemClock(), migrate=migrate)
    assert str(caught.value) == (
        "store.url: is a database of a newer Mooring; install that version, or restore a backup of before"
    )


async def test_database_of_something_else(empty_url: str) -> None:
    """Tables of another program are never touched."""
    with opened(store_url(empty_url)) as engine, engine.begin() as conn:
        conn.exec_driver_sql("CREATE TABLE targets (id INTEGER)")
    with pytest.raises(InputError) as caught:
        await Store.open(empty_url, clock=SystemClock(), migrate=True)
    assert str(caught.value) == (
        "store.url: is a database with tables of something else; give Mooring one of its own"
    )
    assert looks(empty_url) == ({"targets"}, {"id"})


async def test_upgrade_of_a_database_with_data(url: str, tmp_path: Path) -> None:
    """An upgrade keeps what is there; an SQLite file is copied beside itself before."""
    await fill(url)
    assert run(with_next(tmp_path), url) == 0
    tables, columns = looks(url)
    assert "flavours" in tables
    assert "flavour" in columns
    copies = [each.name for each in tmp_path.glob("*.before-*")]
    assert copies == (["mooring.db.before-9999"] if url.startswith("sqlite") else [])
    for copy in tmp_path.glob("*.before-*"):
        store = await Store.open(f"sqlite:///{copy}", clock=SystemClock(), migrate=False)
        assert [each.name for each in await store.read(targets.all_targets)] == ["orders"]
        await store.close()


async def test_upgrade_killed_in_the_middle(url: str, tmp_path: Path) -> None:
    """Killed in the middle of a step, nothing of it has happened, and it can be run again."""
    await fill(url)
    before = looks(url)
    killed = with_next(tmp_path / "killed", "os.kill(os.getpid(), signal.SIGKILL)")
    assert run(killed, url) == -signal.SIGKILL
    assert looks(url) == before
    store = await Store.open(url, clock=SystemClock(), migrate=False)
    assert [each.name for each in await store.read(targets.all_targets)] == ["orders"]
    await store.close()
    assert run(with_next(tmp_path / "whole"), url) == 0
    assert "flavours" in looks(url)[0]


def test_new_file_opened_by_many_at_once(tmp_path: Path) -> None:
    """Who opens a new file while others do takes turns with them, and nobody is told that it is locked."""

    def use(number: int) -> None:
        begin.wait()
        with opened(store_url(f"sqlite:///{path}")) as engine, engine.begin() as conn:
            conn.execute(text(f"CREATE TABLE of_{number} (id INTEGER)"))

    for attempt in range(20):
        path, begin = tmp_path / f"{attempt}.db", Barrier(4)
        path.touch()
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(use, range(4)))


def test_upgrade_by_two_at_once(empty_url: str, tmp_path: Path) -> None:
    """Two servers that start at the same time take turns, and both find the database ready."""
    command = [sys.executable, "-c", RUN, str(with_next(tmp_path)), empty_url]
    both = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    assert [each.wait() for each in both] == [0, 0]
    assert "flavours" in looks(empty_url)[0]


async def test_a_watched_file_is_not_migrated(tmp_path: Path) -> None:
    """A newer Mooring that is started by mistake leaves the file of a running older one as it is."""
    path = tmp_path / "old.db"
    path.touch()
    with opened(store_url(f"sqlite:///{path}")) as engine, engine.begin() as conn:
        config = upgrade._config()
        config.attributes["connection"] = conn
        command.upgrade(config, "0001")
    with sole_watcher(path), pytest.raises(InputError, match="is watched by another Mooring already"):
        await Store.open(f"sqlite:///{path}", clock=SystemClock(), migrate=True, watch=True)
    with opened(store_url(f"sqlite:///{path}")) as engine, engine.connect() as conn:
        assert upgrade.state(conn) is upgrade.State.BEHIND


@pytest.mark.integration
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_watched_database_is_not_upgraded(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing changes the tables under a running server; once it has stopped, the upgrade goes through."""
    url = store_url(request.getfixturevalue(f"{kind}_store_url"))
    server = await Store.open(url.render_as_string(False), clock=SystemClock(), migrate=False, watch=True)
    monkeypatch.setattr(upgrade, "_FOLDER", with_next(tmp_path))
    monkeypatch.setattr(upgrade, "HEAD", "9999")
    with pytest.raises((InputError, StoreError)) as refused:
        await asyncio.to_thread(upgrade.upgrade, url)
    words = {
        "postgresql": "the database is watched by a running Mooring; stop that one first, then upgrade",
        "sqlite": f"store.url: {url.database} is watched by another Mooring already; "
        "stop that one, or give this one its own",
    }
    assert str(refused.value) == words[kind]
    with opened(url) as engine, engine.connect() as conn:
        assert upgrade.state(conn) is upgrade.State.BEHIND
    assert await server.read(targets.all_targets) == []
    await server.close()
    assert await asyncio.to_thread(upgrade.upgrade, url) is upgrade.State.BEHIND
    with opened(url) as engine, engine.connect() as conn:
        assert upgrade.state(conn) is upgrade.State.CURRENT


@pytest.mark.integration
async def test_a_server_upgrades_what_it_watches(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The right to watch does not stand in the way of the upgrade by the one who has it."""
    monkeypatch.setattr(upgrade, "_FOLDER", with_next(tmp_path))
    monkeypatch.setattr(upgrade, "HEAD", "9999")
    server = await Store.open(url, clock=SystemClock(), migrate=True, watch=True)
    assert await server.read(upgrade.state) is upgrade.State.CURRENT
    await server.close()


def history_of(url: str) -> list[dict[str, object]]:
    """Return all that is kept of a target's past, row by row."""
    with opened(store_url(url)) as engine, engine.connect() as conn:
        names = ("targets", "results", "notes", "health", "rollups", "pending", "transitions", "revision")
        return [
            dict(row._mapping)
            for name in names
            for row in conn.execute(text(f"SELECT * FROM {name} ORDER BY 1, 2, 3"))
        ]


async def test_a_database_of_the_first_release_keeps_everything(empty_url: str) -> None:
    """From 0001 to now: every row stays, roll-ups have no stages yet, and new ones have."""
    with opened(store_url(empty_url)) as engine, engine.begin() as conn:
        config = upgrade._config()
        config.attributes["connection"] = conn
        command.upgrade(config, "0001")
        conn.execute(insert(schema.targets).values(**FIRST_TARGET))
        for seconds, slot in ((600, 30), (3600, 5)):
            row = f"({seconds}, {slot}, 1, 20, 1, 190, 5, 15, :histogram)"
            conn.execute(text(f"INSERT INTO rollups VALUES {row}"), {"histogram": histogram.pack({9: 19})})
    before = history_of(empty_url)
    assert upgrade.upgrade(store_url(empty_url)) is upgrade.State.BEHIND
    assert history_of(empty_url) == [each | ({"stages": None} if "checks" in each else {}) for each in before]
    store = await Store.open(empty_url, clock=SystemClock(), migrate=False)
    at = datetime(1970, 1, 1, 5, 59, tzinfo=UTC)
    told = await store.read(lambda conn: history.window(conn, 1, "24h", at))
    assert [(each.count, each.stages) for each in told.buckets if each.count] == [(20, {})]
    await store.close()


FIRST_TARGET = {
    "id": 1,
    "name": "orders",
    "kind": "tcp",
    "address": "h:1",
    "settings": "sealed",
    "labels": "{}",
    "enabled": True,
    "origin": "api",
    "version": 1,
    "updated_at": 0,
}
