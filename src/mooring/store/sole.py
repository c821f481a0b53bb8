"""One server watches a database: two would check everything twice and take each other's end for theirs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.pool import ConnectionPoolEntry

from mooring.core.failure import InputError, Problem, StoreError

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

_LOCK = 0x6D6F6F72_77617463
"""PostgreSQL's advisory lock for watching what stands in the database."""


_WATCHED = "the database is watched by another Mooring already; stop that one, or give this one its own"


class WatchedError(StoreError):
    """Somebody else watches the database; trying again helps once he has stopped."""


def claim_each_connection(engine: Engine) -> None:
    """Have each connection that is made from now on take the right to watch a PostgreSQL store.

    It ends with the connection, however that ends; a new one after a restart of the database takes it
    again, or fails with WatchedError: who was replaced meanwhile cannot write any more.
    """
    event.listen(engine, "connect", _claim)


def claim_transaction(conn: Connection) -> None:
    """Take the right to watch a PostgreSQL store until the transaction ends. Raises WatchedError."""
    if not conn.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
        raise WatchedError(_WATCHED)


def _claim(connection: Any, record: ConnectionPoolEntry) -> None:
    try:
        with connection.cursor() as cursor:
            claimed = cursor.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()[0]
        connection.rollback()  # of the transaction, not of the lock
        if not claimed:
            raise WatchedError(_WATCHED)
    except BaseException:
        record.invalidate()  # closes it, and has the pool's listeners told: nobody else would
        raise


@contextmanager
def sole_watcher(path: Path) -> Iterator[None]:
    """Hold the right to watch an SQLite store, until the process ends however it ends.

    Raises InputError while another process has it. The file beside the database stays: to delete it
    would take it from whoever opened it meanwhile.
    """
    if fcntl is None:
        yield
        return
    beside = path.with_name(f"{path.name}-watched")
    try:
        lock = os.open(beside, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StoreError(f"{beside} cannot be opened: {error.strerror}") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            words = f"{path} is watched by another Mooring already; stop that one, or give this one its own"
            raise InputError([Problem("store.url", words)]) from None
        yield
    finally:
        os.close(lock)
