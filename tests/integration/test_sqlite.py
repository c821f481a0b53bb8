"""The kind sqlite against real files."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import mooring
from mooring.core.reason import Reason
from mooring.core.result import CheckResult
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.probes.sqlite import SQLite
from mooring.testing.leaks import no_leaks
from tests.servers.process import eventually, somebody_else

pytestmark = pytest.mark.integration


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with one table of a thousand rows."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE jobs (id INTEGER PRIMARY KEY, state TEXT)")
        connection.executemany("INSERT INTO jobs (state) VALUES (?)", [("done" * 50,)] * 1000)
        connection.commit()
    return path


async def check(path: Path | str, **settings: Any) -> CheckResult:
    """Check a file once."""
    return await mooring.check(f"sqlite:///{path}", **{"timeout": 5, **settings})


def told(result: CheckResult) -> tuple[Reason, Stage | None, str, str]:
    """Return reason, stage, code and message of a failure."""
    assert result.failure is not None
    return result.failure.reason, result.failure.stage, result.failure.code, result.failure.message


async def test_good_database_is_described(database: Path) -> None:
    """A file that works tells its tables, journal and size, and is not changed."""
    before = database.stat().st_mtime_ns
    result = await check(database, query="SELECT count(*) FROM jobs", expect=1000, quick_check=True)
    assert (result.status, result.failure) == (Status.UP, None)
    assert result.observation.details["tables"] == 1
    assert result.observation.details["journal_mode"] == "delete"
    assert result.observation.numbers == {"size_bytes": database.stat().st_size}
    assert [stage.stage for stage in result.stages if stage.status is StageStatus.PASSED] == [
        Stage.PERMISSION,
        Stage.PROTOCOL,
        Stage.FUNCTION,
    ]
    assert database.stat().st_mtime_ns == before
    assert list(database.parent.iterdir()) == [database]


async def test_what_stands_in_the_write_ahead_log_counts(database: Path) -> None:
    """The size is that of the database and its log: much of a busy one stands there for long."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("INSERT INTO jobs (state) VALUES ('more')")
        connection.commit()
        log = database.with_name(f"{database.name}-wal").stat().st_size
        assert log > 0
        result = await check(database)
        assert result.observation.numbers == {"size_bytes": database.stat().st_size + log}


async def test_relative_path_is_taken_from_where_mooring_runs(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three slashes stand before a relative path, four before an absolute one."""
    monkeypatch.chdir(database.parent)
    result = await mooring.check("sqlite:///app.db", timeout=5)
    assert (result.status, result.target.address) == (Status.UP, "app.db")


async def test_name_with_odd_signs_is_found(tmp_path: Path) -> None:
    """A file name may hold whatever file names hold."""
    path = tmp_path / "a ?#%ü&mode=rwc.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a)")
    result = await check(quote(str(path)))
    assert (result.status, result.target.address) == (Status.UP, str(path))


async def test_missing_file_is_not_made(tmp_path: Path) -> None:
    """A file that is not there is not found, and still not there afterwards."""
    path = tmp_path / "none.db"
    assert told(await check(path, read_only=False)) == (
        Reason.NOT_FOUND,
        Stage.PERMISSION,
        "FILE_MISSING",
        f"there is no file {path}",
    )
    assert not path.exists()
    assert told(await check(path / "deeper.db"))[:3] == (Reason.NOT_FOUND, Stage.PERMISSION, "FILE_MISSING")


async def test_folder_is_no_database(tmp_path: Path) -> None:
    """A folder, or whatever else is no file, is told as such."""
    message = f"{tmp_path} is no regular file"
    assert told(await check(tmp_path)) == (Reason.NOT_FOUND, Stage.PERMISSION, "NOT_A_FILE", message)


async def test_other_file_is_no_database(tmp_path: Path) -> None:
    """A file that holds something else is a protocol error."""
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, and not a database at all\n" * 100)
    assert told(await check(path)) == (
        Reason.PROTOCOL,
        Stage.PROTOCOL,
        "SQLITE_NOTADB",
        "the file is no SQLite database",
    )


async def test_file_that_may_not_be_read_is_told(database: Path) -> None:
    """A missing right is told from a missing file."""
    database.chmod(0)
    with somebody_else():
        result = await check(database)
    assert told(result) == (
        Reason.PERMISSION,
        Stage.PERMISSION,
        "EACCES",
        f"this process may not open {database}",
    )


async def test_damaged_file_is_told(database: Path) -> None:
    """quick_check finds damage that reading the schema does not."""
    content = bytearray(database.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    database.write_bytes(content)
    assert (await check(database)).status is Status.UP
    reason, stage, code, message = told(await check(database, quick_check=True))
    assert (reason, stage) == (Reason.ASSERTION, Stage.FUNCTION)
    assert code in {"CORRUPT", "SQLITE_CORRUPT"}
    assert message.startswith("the database is damaged")


async def test_repairing_works_from_any_folder(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be pasted names the whole path: no name is taken for an option."""
    monkeypatch.chdir(database.parent)
    content = bytearray(database.read_bytes())
    content[-4096:] = b"\xff" * 4096
    Path("-cmd x.db").write_bytes(content)
    failure = (await check("-cmd%20x.db", quick_check=True)).failure
    assert failure is not None
    path = Path("-cmd x.db").absolute()
    assert failure.fix == f"sqlite3 '{path}' .recover | sqlite3 '{path}.recovered'"


async def test_locked_database_is_told_by_the_deadline(database: Path) -> None:
    """A lock that is held is waited for, and named as such before the deadline."""
    with closing(sqlite3.connect(database, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        result = await check(database, timeout=2)
    assert told(result) == (
        Reason.UNAVAILABLE,
        Stage.PROTOCOL,
        "SQLITE_BUSY",
        "the database is locked by another process",
    )


async def test_lock_that_is_freed_is_waited_for(database: Path) -> None:
    """A lock that ends within the deadline is no failure."""
    holder = sqlite3.connect(database, isolation_level=None)
    with closing(holder):
        holder.execute("BEGIN EXCLUSIVE")
        checking = asyncio.create_task(check(database))
        await eventually(lambda: any(t.name == "mooring-blocking" for t in threading.enumerate()), "a look")
        assert not checking.done()
        holder.execute("COMMIT")
        assert (await checking).status is Status.UP


async def test_endless_query_is_ended(database: Path) -> None:
    """A query that takes too long is stopped, in its thread as well."""
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    async with no_leaks():
        result = await check(database, query=endless, timeout=0.3)
    assert told(result) == (
        Reason.TIMEOUT,
        Stage.FUNCTION,
        "SQLITE_INTERRUPT",
        "the query took too long and was ended",
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "SELECT * FROM jbos",
            (Reason.ASSERTION, "SQLITE_ERROR", "the query fails: no such table: jbos"),
        ),
        (
            "DELETE FROM jobs",
            (Reason.PERMISSION, "SQLITE_READONLY", "the query writes, and the database is open read-only"),
        ),
        ("SELECT 1; SELECT 2", (Reason.CONFIG, "SQLITE_MISUSE", None)),
    ],
)
async def test_query_that_fails_is_told(
    database: Path, query: str, expected: tuple[Reason, str, str | None]
) -> None:
    """A query that is wrong, that writes, or that is two of them: each has its reason."""
    reason, stage, code, message = told(await check(database, query=query))
    assert (reason, stage, code) == (expected[0], Stage.FUNCTION, expected[1])
    assert message == expected[2] or expected[2] is None


async def test_unexpected_answer_is_told(database: Path) -> None:
    """The first column of the first row is compared as text."""
    query = "SELECT count(*) FROM jobs"
    assert (await check(database, query=query, expect="1000")).status is Status.UP
    assert told(await check(database, query=query, expect=7)) == (
        Reason.ASSERTION,
        Stage.FUNCTION,
        "UNEXPECTED_ANSWER",
        "the query answers '1000', expected '7'",
    )
    nothing = await check(database, query="SELECT id FROM jobs WHERE id < 0", expect=7)
    assert told(nothing)[3] == "the query answers 'None', expected '7'"


async def test_query_may_write_where_that_is_asked_for(database: Path) -> None:
    """With read_only = false the query is a real write."""
    query = "UPDATE jobs SET state = 'seen' WHERE id = 1"
    assert (await check(database, query=query, read_only=False)).status is Status.UP
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT state FROM jobs WHERE id = 1").fetchone() == ("seen",)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "sqlite://app.db"}, "url: three slashes stand before a relative path, four before"),
        ({"url": "sqlite:///:memory:"}, "url: names no file; a database in memory cannot be tested"),
        ({"url": "sqlite://"}, "url: names no file; a database in memory cannot be tested"),
        ({"url": "sqlite:///a", "expect": 1}, "expect: is of no use without query"),
    ],
)
def test_settings_that_cannot_be_used_say_why(settings: dict[str, Any], message: str) -> None:
    """What is wrong is said before any file is touched."""
    with pytest.raises(ValueError) as caught:
        SQLite.model_validate(settings)
    assert message in str(caught.value)


def test_it_reads_this_machine() -> None:
    """The kind is local: its targets come from the configuration file or an admin."""
    assert SQLite.local is True
