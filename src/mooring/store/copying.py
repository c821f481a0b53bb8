"""SQLite databases as files: copied whole, replaced whole."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_UNREADABLE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BESIDE = ("-wal", "-shm", "-journal")
_WAIT = 5.0
"""Seconds to wait for another program to let go."""


def copy_file(source: Path, destination: Path) -> None:
    """Copy a database, also while it is written to, as one consistent state. Blocks.

    The copy appears when it is complete, alone in its file, readable by its owner only.
    """
    partial = destination.with_name(f"{destination.name}.partial")
    remove_database(partial)
    os.close(os.open(partial, os.O_CREAT | os.O_WRONLY, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=_WAIT)) as old,
            closing(sqlite3.connect(partial)) as new,
        ):
            old.backup(new)
            stand_alone(new)
        move(partial, destination)
    finally:
        remove_database(partial)


def stand_alone(connection: sqlite3.Connection) -> None:
    """Put everything into the one file, so that it can be moved. The next server turns the log on again."""
    connection.execute("PRAGMA journal_mode = DELETE")


def move(source: Path, destination: Path) -> None:
    """Give a file another name, over what had it; after a power cut too it is the one or the other."""
    source.replace(destination)
    folder = os.open(destination.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_database(path: Path, *, but_main: bool = False) -> None:
    """Delete a database's files; with `but_main` only those beside it."""
    for each in (*(path.with_name(path.name + end) for end in _BESIDE), *(() if but_main else (path,))):
        each.unlink(missing_ok=True)


@contextmanager
def exclusive(path: Path, *, force: bool) -> Iterator[sqlite3.Connection | None]:
    """Hold a database that nobody else has open, all of it in its one file; None where there is none.

    With `force` a damaged one counts as none. Raises sqlite3.OperationalError while somebody has it open.
    """
    if not path.exists():
        yield None
        return
    with closing(sqlite3.connect(path, timeout=_WAIT, isolation_level=None)) as connection:
        damaged = False
        try:
            stand_alone(connection)  # fails while anybody has it open, even when idle
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            damaged = force and error.sqlite_errorcode & 0xFF in _UNREADABLE
            if not damaged:
                raise
        yield None if damaged else connection
