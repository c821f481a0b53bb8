"""SQLAlchemy against the real PostgreSQL, MariaDB and a SQLite file; broken by a wrong password."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.probes._relay import MOST_HEARD
from tests.integration.kinds import Arrangement, Example, Fault, asking, asking_played
from tests.servers.postgresql import PASSWORD, PostgreSQL, StartPostgreSQL
from tests.servers.tls import Certificates

DIALS = True
DRIVER_ERRORS = ("sqlalchemy.exc", "psycopg.errors", "pymysql.err")
BARE = {"url": "sqlalchemy+postgresql+psycopg://app@host/orders"}
PSYCOPG, PYMYSQL = "sqlalchemy+postgresql+psycopg", "sqlalchemy+mysql+pymysql"
_REJECTED = (
    "The password is wrong, there is no such role, or its VALID UNTIL is over: the server does not tell "
    "which. Correct it here, or give the role a new one."
)
_UNTRUSTED = (
    "It has expired, or its issuer is not the one that the address names: the driver does not tell which. "
    "The kind tls does."
)
_INSTALL = "Install the driver where Mooring runs, and start Mooring anew."


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's PostgreSQL, through psycopg in a thread."""
    server: PostgreSQL = request.getfixturevalue("postgresql")
    yield Example(
        settings={
            "url": server.url(scheme=PSYCOPG),
            "tables": ["pg_class"],
            "query": "SELECT 7",
            "expect": 7,
        },
        broken={"url": server.url(scheme=PSYCOPG, password="wrong-password")},
        port=server.port,
        sessions=server.sessions,
        secret=PASSWORD,
        server=server,
    )


def _psycopg(settings: Mapping[str, Any] | None = None, **url: Any) -> Arrangement:
    return asking("postgresql", lambda server: {"url": server.url(scheme=PSYCOPG, **url), **(settings or {})})


@contextmanager
def _as_role(
    request: pytest.FixtureRequest, options: str, *before: str, **settings: Any
) -> Iterator[Mapping[str, Any]]:
    """Yield the settings of a role with few rights, called `shop`, on a database called `orders`."""
    server: PostgreSQL = request.getfixturevalue("postgresql")
    try:
        for statement in ("CREATE DATABASE orders", f"CREATE ROLE shop {options} PASSWORD 'pw'", *before):
            server.sql(statement)
        server.sql("CREATE TABLE stock (id int)", database="orders")
        yield {"url": server.url("shop", "pw", "orders", scheme=PSYCOPG), **settings}
    finally:
        server.sql("DROP DATABASE IF EXISTS orders WITH (FORCE)")
        server.sql("DROP ROLE IF EXISTS shop")


def _role(options: str, *before: str, **settings: Any) -> Arrangement:
    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        with _as_role(request, options, *before, **settings) as made:
            yield made

    return arrange


def _file(content: str | None, name: str = "app.db", **settings: Any) -> Arrangement:
    """Return the arrangement of a file: a database made by these statements, or no database."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        path: Path = request.getfixturevalue("tmp_path") / "app.db"
        if content is None:
            path.write_text("no database at all, but a text that is long enough to be looked at" * 20)
        else:
            with closing(sqlite3.connect(path)) as connection:
                connection.executescript(content)
        yield {"url": f"sqlalchemy+sqlite:///{path.with_name(name)}", **settings}

    return arrange


def _tls(certificate: str, issuer: str) -> Arrangement:
    """Return the arrangement of a PostgreSQL with one of the certificates, verified by the driver."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        start: StartPostgreSQL = request.getfixturevalue("start_postgresql")
        known: Certificates = request.getfixturevalue("certificates")
        with start(certificate=getattr(known, certificate)) as server:
            yield {
                "url": server.url(
                    scheme=PSYCOPG,
                    host="localhost",
                    sslmode="verify-full",
                    sslrootcert=getattr(known, issuer),
                )
            }

    return arrange


FAULTS = (
    Fault(
        "the password is wrong, on PostgreSQL",
        (Stage.AUTH, Reason.AUTH, "28P01"),
        _psycopg(password="wrong-password"),
        hint=_REJECTED,
        fix='ALTER ROLE "postgres" PASSWORD <new password>;',
    ),
    Fault(
        "the role may not log in",
        (Stage.AUTH, Reason.AUTH, "28000"),
        _role("NOLOGIN"),
        hint="The role exists and may not log in: allow it.",
        fix='ALTER ROLE "shop" LOGIN;',
    ),
    Fault(
        "the role's connection limit is reached",
        (Stage.AUTH, Reason.OVERLOADED, "53300"),
        _role("LOGIN CONNECTION LIMIT 0"),
        hint="The role's own limit is reached: find who holds its sessions, or lift the limit.",
        fix='ALTER ROLE "shop" CONNECTION LIMIT -1;',
    ),
    Fault(
        "the role may not connect to the database",
        (Stage.PERMISSION, Reason.PERMISSION, "42501"),
        _role("LOGIN", "REVOKE CONNECT ON DATABASE orders FROM PUBLIC"),
        hint="The role lacks a privilege on this database: grant it.",
        fix='GRANT CONNECT ON DATABASE "orders" TO "shop";',
    ),
    Fault(
        "a table may not be read, on PostgreSQL",
        (Stage.PERMISSION, Reason.PERMISSION, "42501"),
        _role("LOGIN", tables=["public.stock"]),
        hint="The role lacks a privilege on this table: grant it.",
        fix='GRANT SELECT ON "stock" TO "shop";',
    ),
    Fault(
        "the database does not exist, on PostgreSQL",
        (Stage.AUTH, Reason.NOT_FOUND, "3D000"),
        _psycopg(database="nowhere"),
        hint="There is no such database: create it, or correct the name in the address.",
        fix='CREATE DATABASE "nowhere";',
    ),
    Fault(
        "a table does not exist, on PostgreSQL",
        (Stage.PERMISSION, Reason.NOT_FOUND, "42P01"),
        _psycopg({"tables": ["public.nowhere"]}),
        hint="Create the table or correct its name; write the schema too: public.orders.",
    ),
    Fault(
        "the grant query says no",
        (Stage.PERMISSION, Reason.PERMISSION, "MISSING_GRANT"),
        _role("LOGIN", grant_query="SELECT has_table_privilege('stock', 'INSERT')"),
        hint="Grant the account what this target's grant query asks for.",
    ),
    Fault(
        "the query returns another value",
        (Stage.FUNCTION, Reason.ASSERTION, "UNEXPECTED_VALUE"),
        _psycopg({"query": "SELECT 5", "expect": 7}),
        hint=None,
    ),
    Fault(
        "the query returns no row",
        (Stage.FUNCTION, Reason.ASSERTION, "NO_ROW"),
        _psycopg({"query": "SELECT 5 WHERE false", "expect": 5}),
        hint=None,
    ),
    Fault(
        "the query cannot be read, on PostgreSQL",
        (Stage.FUNCTION, Reason.CONFIG, "42601"),
        _psycopg({"query": "SELEC 5"}),
        hint="Correct the target's query: the server cannot read it.",
    ),
    Fault(
        "the query takes too long",
        (Stage.FUNCTION, Reason.TIMEOUT, "TIMEOUT"),
        _psycopg({"query": "SELECT pg_sleep(20)"}),
        hint="Nothing came back in time: a firewall that drops packets, or a service that hangs.",
        timeout=0.5,
    ),
    Fault(
        "the server offers no TLS and it is required",
        (Stage.TLS, Reason.TLS, "TLS_NOT_OFFERED"),
        _psycopg(sslmode="require"),
        hint="Switch TLS on in the server.",
    ),
    Fault(
        "the certificate is of an unknown issuer",
        (Stage.TLS, Reason.TLS, "CERT_INVALID"),
        _tls("good", "unknown_ca"),
        hint=_UNTRUSTED,
    ),
    Fault(
        "the certificate has expired",
        (Stage.TLS, Reason.TLS, "CERT_INVALID"),
        _tls("expired", "ca"),
        hint=_UNTRUSTED,
    ),
    Fault(
        "the certificate is for another host",
        (Stage.TLS, Reason.TLS, "CERT_HOST_MISMATCH"),
        _tls("wrong_host", "ca"),
        hint="Use a host name that the certificate carries.",
    ),
    Fault(
        "something else listens on the port",
        (Stage.AUTH, Reason.PROTOCOL, "NOT_POSTGRESQL"),
        asking("nginx", lambda server: {"url": f"{PSYCOPG}://app:pw@127.0.0.1:{server.port}/orders"}),
        hint="Something else may listen on that port: compare the address with the service's own.",
    ),
    Fault(
        "what answers is no PostgreSQL, and claims a huge message (played)",
        (Stage.AUTH, Reason.PROTOCOL, "NOT_POSTGRESQL"),
        asking_played(
            b"R\x7f\xff\xff\xff" + bytes(1000),
            lambda port: {"url": f"{PSYCOPG}://app:pw@127.0.0.1:{port}/orders?sslmode=disable"},
            after=b"user",
        ),
        hint="Something else may listen on that port: compare the address with the service's own.",
    ),
    Fault(
        "the server answers without end (played)",
        (Stage.AUTH, Reason.PROTOCOL, "TOO_LARGE"),
        asking_played(
            b"R\0\0\0\x08\0\0\0\0E\x3f\xff\xff\xff" + bytes(2 * MOST_HEARD),
            lambda port: {"url": f"{PSYCOPG}://app:pw@127.0.0.1:{port}/orders?sslmode=disable"},
            after=b"user",
        ),
        hint="Have the query return one row, such as by LIMIT 1; or what answers is no such database.",
    ),
    Fault(
        "a mail server listens where MySQL is expected (played)",
        (Stage.AUTH, Reason.PROTOCOL, "NOT_MYSQL"),
        asking_played(
            b"220-mail.example ESMTP\r\n", lambda port: {"url": f"{PYMYSQL}://app:pw@127.0.0.1:{port}/orders"}
        ),
        hint="Something else may listen on that port: compare the address with the service's own.",
    ),
    Fault(
        "the password is wrong, on MariaDB",
        (Stage.AUTH, Reason.AUTH, "1045"),
        asking("mariadb", lambda server: {"url": server.url(password="wrong", scheme=PYMYSQL)}),
        hint="The password is wrong, there is no such account, or it demands TLS: the server does not tell "
        "which. An administrator can look what the account demands.",
        fix="SELECT user, host, plugin, ssl_type FROM mysql.user WHERE user = 'root';",
    ),
    Fault(
        "the database does not exist, on MariaDB",
        (Stage.AUTH, Reason.NOT_FOUND, "1049"),
        asking("mariadb", lambda server: {"url": server.url(database="nowhere", scheme=PYMYSQL)}),
        hint="There is no such database: create it, or correct the name in the address.",
        fix="CREATE DATABASE `nowhere`;",
    ),
    Fault(
        "the file does not exist",
        (Stage.AUTH, Reason.NOT_FOUND, "FILE_MISSING"),
        _file("CREATE TABLE jobs (id INTEGER)", "nowhere.db"),
        hint="Correct the path; it is one on the machine where Mooring runs.",
    ),
    Fault(
        "the file is no database",
        (Stage.FUNCTION, Reason.PROTOCOL, "SQLITE_NOTADB"),
        _file(None, query="SELECT * FROM jobs"),
        hint="Is the path right?",
    ),
    Fault(
        "a table does not exist, in a file",
        (Stage.PERMISSION, Reason.NOT_FOUND, "SQLITE_ERROR"),
        _file("CREATE TABLE jobs (id INTEGER)", tables=["jbos"]),
        hint="Correct the name, or create what is missing.",
    ),
    Fault(
        "a column called password does not exist, in a file",
        (Stage.FUNCTION, Reason.NOT_FOUND, "SQLITE_ERROR"),
        _file("CREATE TABLE logins (id INTEGER)", query="SELECT password FROM logins"),
        hint="Correct the name, or create what is missing.",
    ),
    Fault(
        "the dialect is not installed",
        (None, Reason.DRIVER, "DIALECT_MISSING"),
        asking("tmp_path", lambda _: {"url": "sqlalchemy+snowflake://app:pw@account/orders"}),
        hint="Install what brings the dialect where Mooring runs, and start Mooring anew.",
        fix="pip install 'snowflake-sqlalchemy'",
    ),
    Fault(
        "the dialect's driver is not installed",
        (None, Reason.DRIVER, "DRIVER_MISSING"),
        asking("tmp_path", lambda _: {"url": "sqlalchemy+mssql+pymssql://app:pw@host/orders"}),
        hint=_INSTALL,
        fix="pip install 'pymssql'",
    ),
    Fault(
        "the driver works only with asyncio",
        (None, Reason.CONFIG, "ASYNC_DRIVER"),
        asking("tmp_path", lambda _: {"url": "sqlalchemy+postgresql+asyncpg://app:pw@host/orders"}),
        hint="Name another driver behind the dialect: postgresql+psycopg, mysql+pymysql.",
    ),
)
