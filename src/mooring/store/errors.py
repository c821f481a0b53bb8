"""What went wrong with the database, in words that help and hold no secret."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mooring.core.failure import StoreError
from mooring.core.redact import Redactor

_SQLITE = {
    sqlite3.SQLITE_BUSY: "the database is locked by another program; close that program or wait for it",
    sqlite3.SQLITE_LOCKED: "the database is locked by another program; close that program or wait for it",
    sqlite3.SQLITE_PROTOCOL: "the database is locked by another program; close that program or wait for it",
    sqlite3.SQLITE_FULL: "the disk that holds the database is full; make room on it",
    sqlite3.SQLITE_IOERR: "the disk that holds the database fails; check it and its free space",
    sqlite3.SQLITE_READONLY: "the database cannot be written; let us write the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened; check its folder and who may write it",
    sqlite3.SQLITE_PERM: "the database file may not be opened; let us read and write it",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged; restore a backup with `mooring db restore`",
    sqlite3.SQLITE_NOTADB: "the file is no Mooring database; check the address, or restore a backup",
    sqlite3.SQLITE_NOMEM: "there was no memory for the database's work",
    sqlite3.SQLITE_INTERRUPT: "the database did not answer in time",
}
_PRIMARY_CODE = 0xFF
"""SQLite's extended codes keep the plain one in their low byte."""

_SQLSTATE = {
    "53100": "the disk of the database server is full; make room on it",
    "53300": "the database server has no room for another client; raise max_connections or close clients",
    "25006": "the database server only lets us read; is it a standby?",
    "28P01": "the database server rejects the password; correct it in the store's address",
    "28000": "the database server does not let this user in; check the user and pg_hba.conf",
    "3D000": "there is no such database on the server; create it with createdb",
    "42P01": "the database has lost its tables; restore a backup, or run `mooring db upgrade`",
    "42501": "the database server does not let this user do that; grant it the schema's tables",
    "57P01": "the database server is shutting down",
    "57P02": "the database server is restarting after a crash",
    "57P03": "the database server is starting up or shutting down",
    "40001": "another server changed the same rows at the same time",
    "40P01": "another server changed the same rows at the same time",
    "55P03": "the database is locked by another program; close that program or wait for it",
}
_GONE = "the database server cannot be reached; check that it runs and that the store's address is right"


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Turn a database's errors into StoreError; a fault of our own statement stays what it is."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        known = _store_error(error, Redactor([url.password] if isinstance(url.password, str) else []))
        if known is None:
            raise
        raise known from None  # the driver's own error may hold the address it was given


def _store_error(error: Exception, redact: Redactor) -> StoreError | None:
    if isinstance(error, PoolTimeoutError):
        return StoreError("the database is too busy: no connection came free in time")
    origin = error.orig if isinstance(error, DBAPIError) else error
    said = redact(" ".join(str(origin).split()))
    words = _words(origin, said, gone=isinstance(error, DBAPIError) and error.connection_invalidated)
    return None if words is None else StoreError(f"{words} ({said})")


def _words(error: BaseException | None, said: str, *, gone: bool) -> str | None:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:
            return None
        if code == sqlite3.SQLITE_ERROR and said.startswith("no such table"):
            return "the database has lost its tables; restore a backup"
        return _SQLITE.get(code & _PRIMARY_CODE)
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate is None:
        # libpq gives no SQLSTATE while connecting, only the server's text
        known = (words for state, words in _SQLSTATE.items() if _TEXT.get(state, "\0") in said)
        return next(known, _GONE if gone or type(error).__name__ == "OperationalError" else None)
    if sqlstate in _SQLSTATE:
        return _SQLSTATE[sqlstate]
    return _GONE if gone or sqlstate.startswith("08") else None


_TEXT = {
    "28P01": "password authentication failed",
    "28000": "no pg_hba.conf entry",
    "3D000": "does not exist",
    "53300": "too many clients",
    "57P03": "the database system is",
}
