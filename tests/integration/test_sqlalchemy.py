"""SQLAlchemy: real PostgreSQL, MariaDB and SQLite, and what other databases' drivers say."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest
from sqlalchemy.dialects import registry
from sqlalchemy.engine.default import DefaultDialect

from mooring.core.failure import InputError
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage
from mooring.core.status import Status
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.net.trail import Trail
from mooring.probes._registry import Kinds
from mooring.probes._relay import MOST_HEARD
from mooring.probes._sqlalchemy_errors import Asked, cause
from mooring.probes.sqlalchemy import SQLAlchemy
from mooring.targets import TargetReader
from mooring.testing.faults import Cut, Drip, Fault, Reset, Silence, fault_proxy
from mooring.testing.leaks import no_leaks
from tests.integration.entries import target_of
from tests.integration.kinds.sqlalchemy import PSYCOPG, PYMYSQL
from tests.servers.mariadb import MariaDB
from tests.servers.played import saying
from tests.servers.postgresql import PASSWORD, ROLE_PASSWORD, PostgreSQL
from tests.servers.process import eventually


async def check(url: str, *, seconds: float = 5, **settings: Any) -> CheckResult:
    """Check a database once."""
    async with Network() as net:
        target = target_of("sqlalchemy", {"url": url, **settings}, seconds)
        return await Runner(net).run(target, Trigger.CLI)


def probe(url: str, **settings: Any) -> SQLAlchemy:
    """Return a probe of an address."""
    return SQLAlchemy.model_validate({"url": url, **settings})


class Trino(DefaultDialect):
    """A dialect whose driver fails as soon as it is to dial."""

    driver = "rest"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        """Return SQLite's module, which takes no host."""
        return sqlite3


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A SQLite file with one row."""
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        connection.executescript("CREATE TABLE jobs (id INTEGER); INSERT INTO jobs VALUES (7);")
    return tmp_path / "app.db"


@pytest.mark.integration
async def test_good_postgresql_is_up(postgresql: PostgreSQL) -> None:
    """A check that passes says what it talked to, by which dialect and driver."""
    result = await check(
        postgresql.url(scheme=PSYCOPG),
        tables=["pg_class"],
        grant_query="SELECT has_table_privilege('pg_class', 'SELECT')",
        query="SELECT 10.50 WHERE 'a%b' LIKE 'a%'",
        expect=10.5,
    )
    assert (result.status, result.failure) == (Status.UP, None)
    details = result.observation.details
    assert (details["dialect"], details["driver"]) == ("postgresql", "psycopg")
    assert details["address"] == f"127.0.0.1:{postgresql.port}"
    assert [stage.stage for stage in result.stages if stage.seconds is not None] == [
        Stage.DNS,
        Stage.TCP,
        Stage.AUTH,
        Stage.PERMISSION,
        Stage.FUNCTION,
    ]


@pytest.mark.integration
async def test_good_mariadb_is_up(mariadb: MariaDB) -> None:
    """MariaDB through PyMySQL; the password may stand beside the address, a percent sign means itself."""
    url = mariadb.url(scheme=PYMYSQL).replace(":s3cret-of-root@", "@")
    result = await check(
        url, password="s3cret-of-root", query="SELECT count(*) FROM db WHERE db LIKE '%none%'", expect=0
    )
    assert (result.status, result.failure) == (Status.UP, None)


@pytest.mark.integration
async def test_good_file_is_up(database: Path) -> None:
    """A SQLite file has neither name nor port, so the login is its first stage."""
    result = await check(f"sqlalchemy+sqlite:///{database}", query="SELECT id FROM jobs", expect=7)
    assert (result.status, result.target.address) == (Status.UP, str(database))
    ran = [stage.stage for stage in result.stages if stage.seconds is not None]
    assert ran == [Stage.AUTH, Stage.PERMISSION, Stage.FUNCTION]


@pytest.mark.integration
async def test_check_makes_no_file(tmp_path: Path) -> None:
    """A database that is not there is not made by looking for it."""
    await check(f"sqlalchemy+sqlite:///{tmp_path / 'nowhere.db'}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.integration
async def test_nothing_that_a_query_writes_is_kept(postgresql: PostgreSQL) -> None:
    """The query's transaction is never committed."""
    with postgresql.database() as name:
        postgresql.sql("CREATE TABLE jobs (id int)", database=name)
        url = postgresql.url(database=name, scheme=PSYCOPG)
        result = await check(url, query="INSERT INTO jobs VALUES (1) RETURNING id", expect=1)
        assert (result.status, postgresql.sql("SELECT * FROM jobs", database=name)) == (Status.UP, [])


@pytest.mark.integration
@pytest.mark.parametrize(
    "fault",
    [Silence(), Silence(after=60), Drip(pause=0.05), Reset(after=60), Cut(after=60)],
    ids=["silent", "silent in mid-answer", "dripping", "reset in mid-answer", "cut in mid-answer"],
)
async def test_broken_way_to_mariadb_is_no_login_fault(mariadb: MariaDB, fault: Fault) -> None:
    """PyMySQL, too, ends in time, leaves nothing, and a broken network is told as that."""
    before = mariadb.sessions()
    async with no_leaks(), Network() as net, fault_proxy(mariadb.port, fault) as proxy:
        target = target_of("sqlalchemy", {"url": mariadb.url(scheme=PYMYSQL, port=proxy.port)}, 0.4)
        result = await Runner(net).run(target, Trigger.CLI)
    assert result.failure is not None
    assert result.failure.reason in {Reason.TIMEOUT, Reason.NETWORK}
    await eventually(lambda: mariadb.sessions() <= before, "the server's forgetting us")


@pytest.mark.integration
async def test_query_in_a_file_is_interrupted(database: Path) -> None:
    """A query without end is ended with the check, though no connection can be cut under it."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    async with no_leaks():
        result = await check(f"sqlalchemy+sqlite:///{database}", seconds=0.3, query=endless)
    assert result.failure is not None
    assert (result.failure.stage, result.failure.reason) == (Stage.FUNCTION, Reason.TIMEOUT)


@pytest.mark.integration
async def test_cancelled_check_leaves_nothing(postgresql: PostgreSQL) -> None:
    """A check that is cancelled in the middle of a query leaves no thread and no session."""
    before = postgresql.sessions()
    target = target_of("sqlalchemy", {"url": postgresql.url(scheme=PSYCOPG), "query": "SELECT pg_sleep(9)"})
    async with no_leaks(), Network() as net:
        task = asyncio.ensure_future(Runner(net).run(target, Trigger.MANUAL))
        await eventually(lambda: postgresql.sessions() > before, "the session")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await eventually(lambda: postgresql.sessions() <= before, "the server's forgetting us", 20)


@pytest.mark.integration
async def test_session_can_be_held(postgresql: PostgreSQL) -> None:
    """A session answers again and again, and is off the server's books once it is left."""
    with postgresql.role() as role:
        kind = probe(postgresql.url(role, ROLE_PASSWORD, scheme=PSYCOPG))
        async with Network() as net:
            async with kind.session(Trail(net, timeout=5)) as session:
                for _ in range(3):
                    await kind.ping(session)
                assert postgresql.sessions(role) == 1
            await eventually(lambda: postgresql.sessions(role) == 0, "the server's forgetting us")


@pytest.mark.parametrize(
    ("url", "reads"),
    [
        ("sqlalchemy+postgresql+psycopg://app:pw@host/orders?sslmode=require", False),
        ("sqlalchemy+snowflake://app:pw@account/orders?warehouse=small&role=reader", False),
        ("sqlalchemy+bigquery://project/dataset", False),
        ("sqlalchemy+sqlite:////var/lib/app.db", True),
        ("sqlalchemy+duckdb:////var/lib/app.db", True),
        ("sqlalchemy+duckdb://host/app.db", True),
        ("sqlalchemy+postgresql+psycopg:///orders", True),
        ("sqlalchemy+postgresql+psycopg://app@host/orders?host=/run/postgresql", True),
        ("sqlalchemy+postgresql+psycopg://app@host/orders?passfile=/var/lib/app/.pgpass", True),
        ("sqlalchemy+mysql+pymysql://app@host/orders?unix_socket=/run/mysqld.sock", True),
        ("sqlalchemy+bigquery://project?credentials_path=/etc/key.json", True),
        ("sqlalchemy+unheard://host/orders", True),
    ],
)
def test_address_that_may_read_this_machine_is_local(url: str, reads: bool) -> None:
    """Only what is surely elsewhere may be named by everybody; the kind as such reads nothing here."""
    assert probe(url).reads_machine is reads
    assert SQLAlchemy.local is False


def test_secret_behind_the_question_mark_is_known() -> None:
    """Keys, tokens and the password within a connection string of ODBC's are masked like a password."""
    url = "sqlalchemy+mssql+pyodbc://?odbc_connect=DRIVER%3Dx%3BPWD%3Dhunter22%3B&private_key=k3y&token=t0k"
    assert {"hunter22", "k3y", "t0k"} <= set(probe(url).secrets())


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlalchemy+postgresql+psycopg://app:pw@host/orders", "host:5432/orders"),
        ("sqlalchemy+snowflake://app:pw@account/orders/public", "account/orders/public"),
        ("sqlalchemy+mssql+pyodbc://app:pw@name", "name"),
        ("sqlalchemy+sqlite:////var/lib/app.db", "/var/lib/app.db"),
    ],
)
def test_address_shows_no_secret(url: str, shown: str) -> None:
    """The address is host, port where it is known, and database, or the file."""
    assert probe(url).address == shown


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"url": "sqlalchemy+://host"}, "url: begins with sqlalchemy+ and a dialect"),
        ({"url": "sqlalchemy+mysql+pymysql://host", "expect": 1}, "expect: is of no use without query"),
    ],
)
def test_mistake_says_what_would_be_right(settings: dict[str, Any], told: str) -> None:
    """What cannot work is refused, and says what would be right."""
    with pytest.raises(InputError) as caught:
        TargetReader(Kinds()).read({"name": "warehouse", "kind": "sqlalchemy", **settings})
    assert told in str(caught.value)


class OperationalError(Exception):
    """What some driver raises."""

    def __init__(self, *words: object, **facts: object) -> None:
        super().__init__(*words)
        vars(self).update(facts)


class ProgrammingError(OperationalError):
    """What some driver raises for a mistake."""


_LATE = (
    "250001: Could not connect to Snowflake backend after 2 attempt(s). Aborting (login request timed out)"
)
_UNREACHED = "could not connect to login.example.com:443: Connection refused"
_REJECTED = "250001 (08001): Failed to connect to DB: a.example:443. Incorrect username or password"


@pytest.mark.parametrize(
    ("dialect", "error", "reason", "code"),
    [
        ("snowflake", OperationalError("refused", sqlstate="28000"), Reason.AUTH, "28000"),
        (
            "snowflake",
            OperationalError("Incorrect username or password", errno=250001),
            Reason.AUTH,
            "250001",
        ),
        ("oracle", OperationalError("ORA-01017: invalid username/password"), Reason.AUTH, "OperationalError"),
        ("mssql", OperationalError("28000", "[28000] Login failed for user"), Reason.AUTH, "28000"),
        ("mssql", OperationalError("HYT00", "Login timeout expired"), Reason.TIMEOUT, "HYT00"),
        ("mssql", ProgrammingError("42S02", "Invalid object name"), Reason.NOT_FOUND, "42S02"),
        ("bigquery", OperationalError("403 Access Denied: Table x"), Reason.PERMISSION, "OperationalError"),
        ("bigquery", OperationalError("Quota exceeded"), Reason.OVERLOADED, "OperationalError"),
        ("trino", ProgrammingError("line 1:1: mismatched input"), Reason.CONFIG, "ProgrammingError"),
        ("trino", OperationalError("no nodes available"), Reason.UNAVAILABLE, "OperationalError"),
        ("trino", OperationalError("Connection reset by peer"), Reason.NETWORK, "CONNECTION_LOST"),
        (
            "postgresql",
            OperationalError("FATAL:  the database system is starting up"),
            Reason.UNAVAILABLE,
            "57P03",
        ),
        (
            "postgresql",
            OperationalError("FATAL:  sorry, too many clients already"),
            Reason.OVERLOADED,
            "53300",
        ),
        (
            "postgresql",
            OperationalError("SSL SYSCALL error: EOF detected"),
            Reason.NETWORK,
            "CONNECTION_LOST",
        ),
        ("snowflake", OperationalError(_LATE, errno=250001), Reason.TIMEOUT, "250001"),
        ("snowflake", OperationalError(_UNREACHED), Reason.REFUSED, "OperationalError"),
        ("snowflake", OperationalError(_REJECTED, errno=250001, sqlstate="08001"), Reason.AUTH, "08001"),
        ("mssql", OperationalError("08001", "[08001] Login refused"), Reason.NETWORK, "08001"),
        ("trino", OperationalError("Unable to connect to auth.example"), Reason.NETWORK, "OperationalError"),
        ("mysql", pymysql.OperationalError(2013, "Lost connection"), Reason.NETWORK, "CONNECTION_LOST"),
        ("mysql", pymysql.OperationalError(1142, "SELECT command denied"), Reason.PERMISSION, "1142"),
    ],
)
def test_error_of_a_driver_means_one_reason(
    dialect: str, error: Exception, reason: Reason, code: str
) -> None:
    """A refused login is never told as a broken network, nor the reverse, whatever driver says it."""
    known = cause(error, Asked(dialect, "app", "orders"))
    assert (known.reason, known.code) == (reason, code)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OperationalError("no such table: logins"), Reason.NOT_FOUND),
        (OperationalError("no such column: password"), Reason.NOT_FOUND),
        (OperationalError("no such table: user_permission"), Reason.NOT_FOUND),
        (OperationalError("no such table: timeout"), Reason.NOT_FOUND),
        (OperationalError("no such table: eof"), Reason.NOT_FOUND),
        (OperationalError("no such function: typeof_login"), Reason.NOT_FOUND),
        (
            ProgrammingError(
                "SQL compilation error: Object 'LOGIN_HISTORY' does not exist or not authorized"
            ),
            Reason.NOT_FOUND,
        ),
        (ProgrammingError('syntax error near "credentials"'), Reason.CONFIG),
        (OperationalError("Access denied: needs the privilege FILE", sqlstate="28000"), Reason.PERMISSION),
        (OperationalError("permission denied for table logins"), Reason.PERMISSION),
        (OperationalError("authentication failed for a foreign server"), Reason.UNAVAILABLE),
    ],
    ids=str,
)
def test_query_is_never_told_as_a_refused_login(error: Exception, reason: Reason) -> None:
    """What people call their tables and columns says nothing, and a query that runs was let in."""
    assert cause(error, Asked("snowflake", "app", "orders", connecting=False)).reason is reason


def test_right_that_has_the_number_of_a_refused_login_is_a_right() -> None:
    """MySQL refuses a query that reads a file with the number of a refused login."""
    error = pymysql.OperationalError(1045, "Access denied for user 'app'@'%' (using password: YES)")
    known = cause(error, Asked("mysql", "app", "orders", connecting=False))
    assert (known.reason, known.code, known.fix) == (Reason.PERMISSION, "1045", None)
    assert cause(error, Asked("mysql", "app", "orders")).reason is Reason.AUTH


def test_place_of_the_relay_is_not_told(postgresql: PostgreSQL) -> None:
    """Where the driver was sent is nobody's business, and would mislead."""
    text = 'connection failed: connection to server at "127.0.0.1", port 40123 failed: something odd'
    known = cause(OperationalError(text), Asked("postgresql", "app", "orders"))
    assert known.message == "something odd"
    assert PASSWORD not in str(known)


@pytest.mark.integration
async def test_endless_answer_is_not_kept() -> None:
    """A server that announces a huge answer, and sends it, is cut off before it has filled the memory."""
    huge = b"R\0\0\0\x08\0\0\0\0E\x3f\xff\xff\xff"
    with saying(huge + bytes(2 * MOST_HEARD), after=b"user") as port:
        result = await check(f"{PSYCOPG}://u:p@127.0.0.1:{port}/x?sslmode=disable")
    assert result.failure is not None
    assert (result.failure.reason, result.failure.code) == (Reason.PROTOCOL, "TOO_LARGE")


@pytest.mark.parametrize(("host", "told"), [("169.254.169.254", "EGRESS_DENIED"), ("127.0.0.1", "TypeError")])
async def test_driver_of_no_known_port_is_not_sent_past_the_egress_policy(
    monkeypatch: pytest.MonkeyPatch, host: str, told: str
) -> None:
    """Where the port is the driver's to know, it dials by itself: its host is judged before it does."""
    monkeypatch.setitem(registry.impls, "trino", lambda: Trino)
    result = await check(f"sqlalchemy+trino://app@{host}/orders")
    assert result.failure is not None
    assert result.failure.code == told


@pytest.mark.integration
@pytest.mark.parametrize(
    ("scheme", "words", "code"),
    [
        (PYMYSQL, b"220-mail.example ESMTP\r\n", "NOT_MYSQL"),
        (PSYCOPG, b"R\x7f\xff\xff\xff" + bytes(1000), "NOT_POSTGRESQL"),
    ],
)
async def test_what_is_no_such_database_is_not_told_as_one_that_is_starting(
    scheme: str, words: bytes, code: str
) -> None:
    """Words that make no sense in the database's own language are of something else on that port."""
    with saying(words, after=b"user" if scheme == PSYCOPG else b"") as port:
        result = await check(f"{scheme}://u:p@127.0.0.1:{port}/x" + "?sslmode=disable" * (scheme == PSYCOPG))
    assert result.failure is not None
    assert (result.failure.reason, result.failure.code) == (Reason.PROTOCOL, code)
