"""A SQLite database file."""

from __future__ import annotations

import os
import shlex
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr, model_validator

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.trail import Trail
from mooring.probes._base import Probe
from mooring.probes._url import Url

SHARE_OF_TIME = 0.8
"""Part of the deadline that SQLite gets, so that it ends by itself and says what it waited for."""
STEPS_BETWEEN_LOOKS = 10_000
MOST_FINDINGS = 5


class SQLite(Probe):
    """SQLite: open the file read-only, read its schema, run one query."""

    kind: Literal["sqlite"] = "sqlite"
    schemes: ClassVar[tuple[str, ...]] = ("sqlite",)
    drivers: ClassVar[bool] = True
    local: ClassVar[bool] = True
    proves: ClassVar = {
        Stage.PERMISSION: "the file is there, and this process may open it",
        Stage.PROTOCOL: "it is a SQLite database whose schema can be read",
        Stage.FUNCTION: "`query` succeeds and answers `expect`, and `quick_check` finds no damage",
    }

    url: SecretStr = Field(
        description="sqlite:///relative/path or sqlite:////absolute/path",
        examples=["sqlite:////var/lib/app/app.db"],
    )
    query: str | None = Field(None, description="One statement that has to succeed.")
    expect: str | int | float | None = Field(
        None, description="The value that the query's first row has to hold in its first column."
    )
    read_only: bool = Field(True, description="False: the query may write, and the file has to be writable.")
    quick_check: bool = Field(
        False, description="Also run PRAGMA quick_check, which reads the whole file and finds damage."
    )

    @model_validator(mode="after")
    def _has_path(self) -> SQLite:
        if Url.parse(self.url.get_secret_value()).host:
            raise ValueError("url: three slashes stand before a relative path, four before an absolute one")
        if self._path in ("", ":memory:"):
            raise ValueError("url: names no file; a database in memory cannot be tested from outside")
        if self.expect is not None and self.query is None:
            raise ValueError("expect: is of no use without query, whose answer it is compared with")
        return self

    @property
    def _path(self) -> str:
        return Url.parse(self.url.get_secret_value()).path.removeprefix("/")

    @property
    def address(self) -> str:
        return self._path

    async def check(self, trail: Trail) -> Observation:
        async with trail.stage(Stage.PERMISSION):
            size = await trail.in_thread(self._stat)
        ends = time.monotonic() + trail.remaining * SHARE_OF_TIME
        async with trail.stage(Stage.PROTOCOL):
            details = await trail.in_thread(lambda: self._use(ends, _schema))
        async with trail.stage(Stage.FUNCTION):
            await trail.in_thread(lambda: self._use(ends, self._work))
        return Observation(details, {"size_bytes": size})

    def _stat(self) -> int:
        seen = Path(self._path).stat()
        if not stat.S_ISREG(seen.st_mode):
            text = f"{self._path} is no regular file"
            raise CheckError(Reason.NOT_FOUND, text, code="NOT_A_FILE", hint=_PATH)
        wanted = os.R_OK if self.read_only else os.R_OK | os.W_OK
        if not os.access(self._path, wanted, effective_ids=os.access in os.supports_effective_ids):
            raise PermissionError
        return seen.st_size + self._log_size()

    def _log_size(self) -> int:
        """Return how much of the database still stands in its write-ahead log."""
        try:
            return Path(f"{self._path}-wal").stat().st_size
        except FileNotFoundError:
            return 0

    def _use(self, ends: float, work: Any) -> Any:
        """Open the database, do some work and close it, all of it ending at a moment of time.monotonic."""
        mode = "ro" if self.read_only else "rw"
        busy = max(0.0, ends - time.monotonic())
        uri = f"file:{quote(str(Path(self._path).absolute()))}?mode={mode}"
        with closing(sqlite3.connect(uri, uri=True, timeout=busy, isolation_level=None)) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > ends, STEPS_BETWEEN_LOOKS)
            return work(connection)

    def _work(self, connection: sqlite3.Connection) -> None:
        if self.quick_check:
            found = [row[0] for row in connection.execute(f"PRAGMA quick_check({MOST_FINDINGS})")]
            if found != ["ok"]:
                told = cut("; ".join(map(str, found)))
                raise CheckError(
                    Reason.ASSERTION,
                    f"the database is damaged: {told}",
                    code="CORRUPT",
                    hint=_KNOWN[sqlite3.SQLITE_CORRUPT][2],
                    fix=_fix(sqlite3.SQLITE_CORRUPT, self._path),
                )
        if self.query is None:
            return
        row = connection.execute(self.query).fetchone()
        if self.expect is None:
            return
        value = None if row is None else row[0]
        if str(value) != str(self.expect):
            raise CheckError(
                Reason.ASSERTION,
                f"the query answers {cut(str(value))!r}, expected {str(self.expect)!r}",
                code="UNEXPECTED_ANSWER",
                hint=_QUERY,
            )

    def reason(self, error: Exception) -> Reason | Cause | None:
        path = self._path
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return Cause(Reason.NOT_FOUND, "FILE_MISSING", f"there is no file {path}", _PATH)
        if isinstance(error, PermissionError):
            hint = Prose(
                "Give the user that Mooring runs as the right to read it, and to enter the folders above."
            )
            return Cause(Reason.PERMISSION, "EACCES", f"this process may not open {path}", hint)
        if isinstance(error, sqlite3.Error):
            return _explained(error, path)
        return None


def _schema(connection: sqlite3.Connection) -> dict[str, Any]:
    tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
    journal = connection.execute("PRAGMA journal_mode").fetchone()[0]
    return {"sqlite_version": sqlite3.sqlite_version, "tables": tables, "journal_mode": journal}


_PATH = Prose("Correct the path; it is one on the machine where Mooring runs.")
_QUERY = Prose("Run the query by hand: correct the data, or this target's query and expect.")
_KNOWN = {
    sqlite3.SQLITE_BUSY: (
        Reason.UNAVAILABLE,
        Prose("the database is locked by another process"),
        Prose("Something holds a write transaction open for long; find it, or let the timeout be longer."),
    ),
    sqlite3.SQLITE_LOCKED: (Reason.UNAVAILABLE, Prose("a table is locked"), None),
    sqlite3.SQLITE_CORRUPT: (
        Reason.ASSERTION,
        Prose("the database is damaged"),
        Prose("Restore it from a backup, or have the sqlite3 program save into a new file what can be read."),
    ),
    sqlite3.SQLITE_NOTADB: (
        Reason.PROTOCOL,
        Prose("the file is no SQLite database"),
        Prose("Is the path right?"),
    ),
    sqlite3.SQLITE_INTERRUPT: (Reason.TIMEOUT, Prose("the query took too long and was ended"), None),
    sqlite3.SQLITE_READONLY: (
        Reason.PERMISSION,
        Prose("the query writes, and the database is open read-only"),
        Prose("Let the target write, where its query is meant to."),
    ),
    sqlite3.SQLITE_CANTOPEN: (
        Reason.PERMISSION,
        Prose("SQLite cannot open the file, or one that it needs beside it"),
        Prose("In WAL mode the -wal and -shm files have to be readable too."),
    ),
    sqlite3.SQLITE_FULL: (
        Reason.UNAVAILABLE,
        Prose("the disk is full"),
        Prose("Make room on the disk that holds the file."),
    ),
    sqlite3.SQLITE_IOERR: (Reason.UNAVAILABLE, Prose("the disk cannot be read or written"), None),
    sqlite3.SQLITE_ERROR: (Reason.ASSERTION, None, _QUERY),
}
PRIMARY_CODE = 0xFF


def _explained(error: sqlite3.Error, path: str) -> Cause | None:
    """Say what an error of SQLite means; its extended codes keep the primary one in the lowest byte."""
    number = getattr(error, "sqlite_errorcode", None)
    if number is None:  # raised by the module itself: several statements in one, for example
        return Cause(Reason.CONFIG, "SQLITE_MISUSE", f"the query cannot be run: {error}", _QUERY)
    reason, message, hint = _KNOWN.get(number & PRIMARY_CODE, (Reason.ASSERTION, None, None))
    return Cause(
        reason,
        error.sqlite_errorname,
        message or f"the query fails: {error}",
        hint,
        fix=_fix(number & PRIMARY_CODE, path),
    )


def _fix(number: int, path: str) -> str | None:
    if number == sqlite3.SQLITE_CORRUPT:
        path = str(Path(path).absolute())  # wherever it is pasted, and whatever the name begins with
        return f"sqlite3 {shlex.quote(path)} .recover | sqlite3 {shlex.quote(f'{path}.recovered')}"
    return "read_only = false" if number == sqlite3.SQLITE_READONLY else None
