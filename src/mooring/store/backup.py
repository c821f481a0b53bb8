"""Backup and restore. A backup is one SQLite file, of whichever database: it restores into both."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL, Connection, func, select, text

from mooring.core.failure import InputError, Problem
from mooring.store import bulk, upgrade
from mooring.store.copying import copy_file, exclusive, move, remove_database, stand_alone
from mooring.store.engines import create_file, file_of, opened, sqlite_url, store_url
from mooring.store.errors import explained
from mooring.store.schema import metadata, revision, targets
from mooring.store.sole import claim_transaction

_AT_ONCE = 1000
_NUMBERED = ("targets", "transitions", "tokens")
"""Tables whose ids the database gives out, and never twice."""


def backup(url: str, destination: Path) -> None:
    """Write one consistent state of a store to a new file, also while a server writes to it. Blocks.

    The file appears when it is complete, readable by its owner alone. What it holds stays sealed: keep
    the key file too. Raises InputError or StoreError.
    """
    store = store_url(url)
    path = file_of(store)
    if destination.exists():
        raise _wrong("file", f"{destination} exists already; a backup never overwrites anything")
    if store.get_backend_name() == "sqlite" and path is None:
        raise _wrong("store.url", "is a database in memory, which cannot be backed up")
    with explained(store):
        if path is not None:
            _expect(store, upgrade.State.CURRENT, upgrade.State.BEHIND)
            copy_file(path, destination)
        else:
            _expect(store, upgrade.State.CURRENT)
            _dump(store, destination)


def restore(url: str, source: Path, *, force: bool = False) -> None:
    """Make a store what a backup says, all of it or nothing. Blocks.

    A backup of an older Mooring is brought up to date on the way; the backup itself is not touched.
    Targets that are there are only replaced with `force`. Raises InputError or StoreError, the latter
    also while a server has an SQLite store open, or watches a PostgreSQL one.
    """
    store = store_url(url)
    if not source.is_file():
        raise _wrong("file", f"there is no file {source}")
    path = file_of(store)
    if path is None and store.get_backend_name() == "sqlite":
        raise _wrong("store.url", "is a database in memory, which cannot be restored")
    with explained(store):
        if path is not None:
            _replace(path, source, force=force)
        else:
            with TemporaryDirectory() as folder:
                copy = Path(folder) / "restore.db"
                _check_copy(source, copy)
                _load(store, copy, force=force)


def _replace(path: Path, source: Path, *, force: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    copy = path.with_name(f"{path.name}.restoring")
    try:
        _check_copy(source, copy)
        with exclusive(path, force=force) as connection:
            taken, now = (0, 0) if connection is None else _held(connection)
            if taken and not force:
                raise _taken(taken)
            _number_on(copy, now)
            remove_database(path, but_main=True)
            move(copy, path)
    finally:
        remove_database(copy)


def _check_copy(source: Path, copy: Path) -> None:
    """Make a copy of a backup that is known to be whole and up to date."""
    copy_file(source, copy)
    with explained(url := sqlite_url(copy)), opened(url) as engine, engine.begin() as conn:
        state = upgrade.state(conn)
        sound = conn.execute(text("PRAGMA integrity_check")).scalar_one()
        if sound != "ok":
            raise _wrong("file", f"{source} is damaged: {sound}")
        if state is upgrade.State.NEWER:
            raise _wrong("file", f"{source} {state.advice}")
        if state not in (upgrade.State.CURRENT, upgrade.State.BEHIND):
            raise _wrong("file", f"{source} is no backup of Mooring's")
        if state is upgrade.State.BEHIND:
            upgrade.migrate(conn)


def _dump(store: URL, destination: Path) -> None:
    partial = destination.with_name(f"{destination.name}.partial")
    remove_database(partial)
    create_file(partial)
    try:
        with (
            opened(store) as source,
            opened(sqlite_url(partial)) as file,
            source.connect() as reader,
            file.begin() as writer,
        ):
            upgrade.migrate(writer)
            _copy_rows(reader.execution_options(isolation_level="REPEATABLE READ"), writer)
        with closing(sqlite3.connect(partial)) as alone:
            stand_alone(alone)
        move(partial, destination)
    finally:
        remove_database(partial)


def _load(store: URL, copy: Path, *, force: bool) -> None:
    _expect(store, upgrade.State.CURRENT, upgrade.State.EMPTY)
    with (
        opened(sqlite_url(copy)) as file,
        opened(store) as destination,
        file.connect() as reader,
        destination.begin() as writer,
    ):
        claim_transaction(writer)
        if upgrade.state(writer) is upgrade.State.EMPTY:
            upgrade.migrate(writer)
        taken = writer.execute(select(func.count()).select_from(targets)).scalar_one()
        if taken and not force:
            raise _taken(taken)
        now = writer.execute(select(revision.c.value)).scalar_one()
        _copy_rows(reader, writer)
        later = func.greatest(revision.c.value, now) + 1
        writer.execute(revision.update().values(value=later, targets=later))


def _copy_rows(reader: Connection, writer: Connection) -> None:
    """Make every table of the writer's equal to the reader's, a thousand rows in memory at a time."""
    for table in metadata.sorted_tables:
        writer.execute(table.delete())
        rows = reader.execution_options(yield_per=_AT_ONCE).execute(select(table))
        for part in rows.partitions():
            bulk.insert(writer, table, part)
    for name in _NUMBERED:
        _continue_after(writer, name, _last_id(reader, name))


def _last_id(conn: Connection, table: str) -> int:
    """Return the highest id that a table ever gave out."""
    if conn.dialect.name == "sqlite":
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :name").bindparams(name=table)
    else:
        query = text(f"SELECT last_value FROM {table}_id_seq")  # noqa: S608 -- a name of our schema
    return int(conn.execute(query).scalar_one_or_none() or 0)


def _continue_after(conn: Connection, table: str, last: int) -> None:
    if conn.dialect.name == "sqlite":
        conn.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table})
        conn.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :last)"), {"name": table, "last": last})
    else:
        numbers = {"sequence": f"{table}_id_seq", "last": max(last, 1), "used": last > 0}
        conn.execute(text("SELECT setval(CAST(:sequence AS regclass), :last, :used)"), numbers)


def _held(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return how many targets a file holds, and its revision; zeros where it was never set up."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'revision'").fetchone():
        return 0, 0
    query = "SELECT (SELECT count(*) FROM targets), (SELECT value FROM revision)"
    count, value = connection.execute(query).fetchone()
    return count, value


def _number_on(copy: Path, after: int) -> None:
    """Let revisions go on growing, for viewers who know the old ones."""
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE revision SET value = max(value, ?) + 1", (after,))
        connection.execute("UPDATE revision SET targets = value")
        connection.commit()
        stand_alone(connection)


def _expect(store: URL, *states: upgrade.State) -> None:
    with opened(store) as engine, engine.connect() as conn:
        state = upgrade.state(conn)
    if state not in states:
        raise _wrong("store.url", state.advice)


def _taken(count: int) -> InputError:
    return _wrong("store.url", f"holds {count} targets already; give --force to replace everything in it")


def _wrong(field: str, message: str) -> InputError:
    return InputError([Problem(field, message)])
