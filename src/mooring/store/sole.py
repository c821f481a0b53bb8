"""One server watches a database: two would check everything twice and take each other's end for theirs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, func, select

from mooring.core.failure import InputError, Problem, StoreError

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

_LOCK = 0x6D6F6F72_77617463
"""PostgreSQL's advisory lock for watching what stands in the database."""


_WATCHED = "the database is watched by another Mooring already; stop that one, or give this one its own"


_SERVED = "the database is watched by a running Mooring; stop that one first, then upgrade"


class WatchedError(StoreError):
    """Somebody else watches the database; trying again helps once he has stopped."""


def claim_each_connection(engine: Engine, forget: Callable[[Any], None]) -> None:
    """Have each connection that is made from now on take the right to watch a PostgreSQL store.

    It ends with the connection, however that ends; a new one after a restart of the database takes it
    again, or fails with WatchedError: who was replaced meanwhile cannot write any more. `forget` is
    called with each connection that was closed because it may not.
    """
    event.listen(engine, "connect", _Claim(forget))


class _Claim:
    """Takes the right for one connection after the other; the one before has been given up."""

    def __init__(self, forget: Callable[[Any], None]) -> None:
        self._forget = forget
        self._session: tuple[int, datetime] | None = None

    def __call__(self, connection: Any, _record: object) -> None:
        with ExitStack() as undo:
            undo.callback(self._forget, connection)
            undo.callback(connection.close)  # the pool does not do it, nor does it tell anybody
            with connection.cursor() as cursor:
                self._take(cursor)
                self._session = cursor.execute(_SESSION).fetchone()
            connection.rollback()  # of the transaction, not of the lock
            undo.pop_all()

    def _take(self, cursor: Any) -> None:
        """Take the lock, from ourselves too: a session that was cut holds it until it is done."""
        if self._session is not None and cursor.execute(_END, self._session).fetchone():
            cursor.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))  # for lock_timeout at the most
        elif not cursor.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()[0]:
            raise WatchedError(_WATCHED)


_SESSION = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE (pid, backend_start) = (%s, %s)"
"""Both, because the numbers of sessions are given out again."""


def claim_transaction(conn: Connection) -> None:
    """Take the right to watch a PostgreSQL store until the transaction ends. Raises WatchedError."""
    if not conn.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
        raise WatchedError(_WATCHED)


def claim_upgrade(conn: Connection) -> None:
    """Take the right to change a PostgreSQL store's tables until the transaction ends. Raises WatchedError.

    Two upgrades at once take turns by a lock of their own; here they only have to be without a server.
    """
    if not conn.scalar(select(func.pg_try_advisory_xact_lock_shared(_LOCK))):
        raise WatchedError(_SERVED)


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
