"""SQLite against a real file; broken by a table that is not there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration.kinds import Arrangement, Example, Fault
from tests.servers.process import somebody_else

DIALS = False


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """A database with one row."""
    folder: Path = request.getfixturevalue("tmp_path")
    with closing(sqlite3.connect(folder / "app.db")) as connection:
        connection.executescript("CREATE TABLE jobs (id INTEGER); INSERT INTO jobs VALUES (7);")
    url = f"sqlite:///{folder / 'app.db'}"
    yield Example(
        settings={"url": url, "query": "SELECT id FROM jobs", "expect": 7, "quick_check": True},
        broken={"url": url, "query": "SELECT id FROM jbos"},
    )


_PATH = "Correct the path; it is one on the machine where Mooring runs."
_QUERY = "Run the query by hand: correct the data, or this target's query and expect."
_LONG = "Something holds a write transaction open for long; find it, or let the timeout be longer."
_ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


@contextmanager
def made(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Make a database with a table of a thousand rows."""
    path: Path = request.getfixturevalue("tmp_path") / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE jobs (id INTEGER PRIMARY KEY, state TEXT)")
        connection.executemany("INSERT INTO jobs (state) VALUES (?)", [("done" * 50,)] * 1000)
        connection.commit()
    yield path


def using(**settings: Any) -> Arrangement:
    """Return the arrangement of a good database."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        with made(request) as path:
            yield {"url": f"sqlite:///{path}", **settings}

    return arrange


def found(file: str, text: str | None = None) -> Arrangement:
    """Return the arrangement of a file of this text, or of none."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        path: Path = request.getfixturevalue("tmp_path") / file
        if text is not None:
            path.write_text(text)
        yield {"url": f"sqlite:///{path}"}

    return arrange


@contextmanager
def _forbidden(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    with made(request) as path:
        path.chmod(0)
        with somebody_else():
            yield {"url": f"sqlite:///{path}"}


@contextmanager
def _locked(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    with made(request) as path, closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        yield {"url": f"sqlite:///{path}"}


FAULTS = (
    Fault(
        "the file does not exist",
        (Stage.PERMISSION, Reason.NOT_FOUND, "FILE_MISSING"),
        found("none.db"),
        hint=_PATH,
    ),
    Fault(
        "the path is a folder",
        (Stage.PERMISSION, Reason.NOT_FOUND, "NOT_A_FILE"),
        found(""),
        hint=_PATH,
    ),
    Fault(
        "the file may not be read",
        (Stage.PERMISSION, Reason.PERMISSION, "EACCES"),
        _forbidden,
        hint="Give the user that Mooring runs as the right to read it, and to enter the folders above.",
    ),
    Fault(
        "the file is no database",
        (Stage.PROTOCOL, Reason.PROTOCOL, "SQLITE_NOTADB"),
        found("notes.txt", "these are notes, and not a database at all\n" * 100),
        hint="Is the path right?",
    ),
    Fault(
        "another process holds a lock",
        (Stage.PROTOCOL, Reason.UNAVAILABLE, "SQLITE_BUSY"),
        _locked,
        hint=_LONG,
        timeout=2,
    ),
    Fault(
        "the query does not end",
        (Stage.FUNCTION, Reason.TIMEOUT, "SQLITE_INTERRUPT"),
        using(query=_ENDLESS),
        hint="Nothing came back in time: a firewall that drops packets, or a service that hangs.",
        timeout=0.5,
    ),
    Fault(
        "the query names a table that does not exist",
        (Stage.FUNCTION, Reason.ASSERTION, "SQLITE_ERROR"),
        using(query="SELECT * FROM jbos"),
        hint=_QUERY,
    ),
    Fault(
        "the query writes and the database is open read-only",
        (Stage.FUNCTION, Reason.PERMISSION, "SQLITE_READONLY"),
        using(query="DELETE FROM jobs"),
        hint="Let the target write, where its query is meant to.",
        fix="read_only = false",
    ),
    Fault(
        "the query is more than one statement",
        (Stage.FUNCTION, Reason.CONFIG, "SQLITE_MISUSE"),
        using(query="SELECT 1; SELECT 2"),
        hint=_QUERY,
    ),
    Fault(
        "the query returns another value",
        (Stage.FUNCTION, Reason.ASSERTION, "UNEXPECTED_ANSWER"),
        using(query="SELECT count(*) FROM jobs", expect=7),
        hint=_QUERY,
    ),
)
