"""Engines: how a connection to either database is made."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from mooring.core.failure import InputError, Problem, StoreError

BUSY_TIMEOUT = 5.0
"""Seconds to wait for another program's lock."""
CONNECT_TIMEOUT = 5
"""Seconds for PostgreSQL to accept."""

_SESSION = (
    "-c timezone=UTC -c lock_timeout=10s "
    # A session whose client vanished without a word would hold its locks for two hours.
    "-c tcp_keepalives_idle=20 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4"
)

_PRAGMAS = (
    "PRAGMA synchronous = FULL",  # a commit is on the disk before anybody is told of it
    "PRAGMA wal_autocheckpoint = 4000",  # 16 MB: pages that many batches touch are copied once
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA cache_size = -8000",
    "PRAGMA temp_store = MEMORY",
    # No memory mapping: a failing disk would end the process with SIGBUS instead of an error.
)


def store_url(text: str) -> URL:
    """Return the address of a store. Raises InputError; never shows what stands in it."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise _wrong("cannot be read; a password with / ? # or @ has to be percent-encoded") from None
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in ("sqlite", "sqlite+pysqlite"):
        return url.set(drivername="sqlite")
    raise _wrong(f"is {url.drivername}; a store is sqlite:///FILE or postgresql://HOST/DATABASE")


def file_of(url: URL) -> Path | None:
    """Return the file of an SQLite store; None for one in memory and for PostgreSQL."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database)).absolute()


def sqlite_url(path: Path) -> URL:
    """Return the address of an SQLite file."""
    return URL.create("sqlite", database=str(path))


def in_memory(url: URL) -> bool:
    """Whether the store lives and dies with one connection."""
    return url.get_backend_name() == "sqlite" and file_of(url) is None


def create_file(path: Path) -> None:
    """Make an empty database file that only its owner can read, where there is none yet."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(
            f"the database file {path} cannot be opened: {error.strerror}; "
            "check that its folder exists and may be written"
        ) from None


def engine_of(url: URL, *, writes: bool, connections: int) -> Engine:
    """Return an engine. With `writes` every transaction takes SQLite's write lock when it begins."""
    shared: dict[str, Any] = {
        "poolclass": QueuePool,
        "pool_size": connections,
        "max_overflow": 0,
        "hide_parameters": True,
    }
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, creator=lambda: connect_sqlite(url), **shared)
        _prepare_sqlite(engine, writes=writes)
        return engine
    try:
        return create_engine(
            url,
            pool_pre_ping=True,  # so that a restarted server costs nobody an error
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT,
                "application_name": "mooring",
                "options": _SESSION,
            },
            **shared,
        )
    except ModuleNotFoundError as error:
        raise _wrong(
            f"needs the driver {error.name}; install it: pip install 'mooring[store-postgresql]'"
        ) from None


@contextmanager
def opened(url: URL) -> Iterator[Engine]:
    """Hold an engine for one task outside the store's own threads."""
    engine = engine_of(url, writes=True, connections=1)
    try:
        yield engine
    finally:
        engine.dispose()


def connect_sqlite(url: URL) -> sqlite3.Connection:
    """Open a database that exists: one that was taken away is never replaced by an empty one."""
    path = file_of(url)
    name = ":memory:" if path is None else f"file:{quote(str(path))}?mode=rw"
    return sqlite3.connect(
        name, uri=path is not None, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
    )


def _prepare_sqlite(engine: Engine, *, writes: bool) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        _log_ahead(connection)
        for pragma in (*_PRAGMAS, *(() if writes else ("PRAGMA query_only = ON",))):
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        # A transaction that reads first and writes later could not wait for the lock: it would fail at once.
        conn.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Switch write-ahead logging on.

    SQLite does not wait for its lock here while another connection is about to write, as when two
    programs open a new file at once; for a transaction it does.
    """
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        else:
            return


def _wrong(message: str) -> InputError:
    return InputError([Problem("store.url", message)])
