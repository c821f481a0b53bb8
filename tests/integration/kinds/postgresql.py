"""PostgreSQL against a real server; broken by a wrong password."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration import tls_faults
from tests.integration.kinds import Arrangement, Example, Fault, asking, asking_paused, asking_played
from tests.integration.over_tls import Ours, another_ca, another_pin, certified, stranger, trusted
from tests.servers.postgresql import PASSWORD, ROLE_PASSWORD, PostgreSQL, StartPostgreSQL
from tests.servers.process import poll_until, private_folder

DIALS = True
DRIVER_ERRORS = ("asyncpg", "asyncpg.exceptions")
BARE = {"url": "postgresql://app@host/orders"}
_WRONG = (
    "The password is wrong, there is no such role, or its VALID UNTIL is over: the server does not "
    "tell which. Correct it here, or give the role a new one."
)
_ANOTHER_VALUE = "Run the query by hand: correct the data, or this target's query and expect."
_SESSIONS = (
    "SELECT usename, application_name, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 "
    "ORDER BY 4 DESC;"
)
_STATE = "The server is starting, stopping or recovering; its log says how far it is."
_READ_ONLY = "The server is read-only: a replica, or default_transaction_read_only is on."
_ROLE = "After a failover the address may have to follow; else change this target's role."
_TOO_LARGE = "Have the query return one row, such as by LIMIT 1; or what answers is no such database."
_PORT = "Something else may listen on that port: compare the address with the service's own."


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's server."""
    server: PostgreSQL = request.getfixturevalue("postgresql")
    yield Example(
        settings={"url": server.url()},
        broken={"url": server.url(password="wrong-password")},
        port=server.port,
        sessions=server.sessions,
        secret=PASSWORD,
        server=server,
    )


def as_app(
    *statements: str, options: str = "LOGIN", database: str = "orders", **settings: Any
) -> Arrangement:
    """Return the arrangement of the role `app` and the database `orders`, after these statements in it."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        with server.role(options, name="app") as role, server.database("orders"):
            for statement in statements:
                server.sql(statement, database="orders")
            yield {"url": server.url(role, ROLE_PASSWORD, database), **settings}
            server.sql("DROP OWNED BY app", database="orders")

    return arrange


def owned(**settings: Any) -> Arrangement:
    """Return the arrangement of the session's server, asked by its owner."""
    return asking("postgresql", lambda server: {"url": server.url(), **settings})


def strictly(user: str, ours: Ours | None = None, **query: str) -> Arrangement:
    """Return the arrangement of the strict server, asked by one of its roles."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        server: PostgreSQL = request.getfixturevalue("strict_postgresql")
        url = server.url(user, ROLE_PASSWORD, **query)
        tls = {"tls": ours(request.getfixturevalue("certificates"))} if ours else {}
        yield {"url": url, **tls}

    return arrange


def _certified(name: str) -> Arrangement:
    return certified("start_postgresql", name, lambda server: {"url": server.url()})


@contextmanager
def _closed(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    server: PostgreSQL = request.getfixturevalue("postgresql")
    with server.database("orders"):
        server.sql("ALTER DATABASE orders ALLOW_CONNECTIONS false")
        yield {"url": server.url(database="orders")}


@contextmanager
def _full(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartPostgreSQL = request.getfixturevalue("start_postgresql")
    with start(settings={"max_connections": 4}) as server, ExitStack() as held:
        for _ in range(4):
            held.enter_context(psycopg.connect(server.url()))
        yield {"url": server.url()}


def _is_starting(server: PostgreSQL) -> bool:
    try:
        return not server.ready()
    except psycopg.OperationalError as error:
        return "starting up" in str(error)


@contextmanager
def _starting(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    """A server that recovers from an archive that takes its time."""
    template = request.getfixturevalue("postgresql_template")
    with private_folder() as folder:
        server = PostgreSQL(folder, template, settings={"restore_command": "sleep 60"}, signal="recovery")
        server.spawn()
        try:
            poll_until(lambda: _is_starting(server), "the recovery")
            yield {"url": server.url()}
        finally:
            server.kill()


@contextmanager
def _stopping(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartPostgreSQL = request.getfixturevalue("start_postgresql")
    with start() as server, psycopg.connect(server.url()):
        os.kill(server.pid, signal.SIGTERM)
        poll_until(lambda: "smart shutdown" in server.log, "the shutdown")
        yield {"url": server.url()}


def standby(**settings: Any) -> Arrangement:
    """Return the arrangement of a standby, which follows nobody for now."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        start: StartPostgreSQL = request.getfixturevalue("start_postgresql")
        with start(signal="standby") as server:
            yield {"url": server.url(), **settings}

    return arrange


def _refused(code: str) -> tuple[Stage, Reason, str]:
    return Stage.AUTH, Reason.AUTH, code


def _denied(code: str, stage: Stage = Stage.PERMISSION) -> tuple[Stage, Reason, str]:
    return stage, Reason.PERMISSION, code


def _played(words: bytes) -> Arrangement:
    return asking_played(
        words, lambda port: {"url": f"postgresql://app@127.0.0.1:{port}/orders?sslmode=disable"}, after=b"app"
    )


_LOGINS = (
    Fault(
        "the password is wrong",
        _refused("28P01"),
        asking("postgresql", lambda server: {"url": server.url(password="wrong")}),
        hint=_WRONG,
        fix='ALTER ROLE "postgres" PASSWORD <new password>;',
    ),
    Fault(
        "the role does not exist",
        _refused("28P01"),
        asking("postgresql", lambda server: {"url": server.url("nobody", "any")}),
        hint=_WRONG,
        fix='ALTER ROLE "nobody" PASSWORD <new password>;',
    ),
    Fault(
        "no password is given and one is needed",
        _refused("28P01"),
        asking("postgresql", lambda server: {"url": server.url(password=None)}),
        hint="The server asks for a password: put one behind the user in the address, or set password.",
    ),
    Fault(
        "the role may not log in",
        _refused("28000"),
        as_app(options="NOLOGIN"),
        hint="The role exists and may not log in: allow it.",
        fix='ALTER ROLE "app" LOGIN;',
    ),
    Fault(
        "the role's password is valid no more",
        _refused("28P01"),
        as_app(options="LOGIN VALID UNTIL '2001-01-01'"),
        hint=_WRONG,
        fix='ALTER ROLE "app" PASSWORD <new password>;',
    ),
    Fault(
        "no line of pg_hba.conf lets the role in from here",
        _refused("28000"),
        strictly("stranger"),
        hint="No line of pg_hba.conf lets this user in from here: add one, and have the server read it "
        "again.",
        fix='hostssl "postgres" "stranger" 127.0.0.1/32 scram-sha-256',
    ),
    Fault(
        "the server lets the role in over TLS alone, and the address switches TLS off",
        _refused("28000"),
        strictly("secure", sslmode="disable"),
        hint="If the server wants TLS, ask for it with sslmode=require in the address; else let pg_hba.conf "
        "allow this login, and have the server read it again.",
        fix='host "postgres" "secure" 127.0.0.1/32 scram-sha-256',
    ),
    Fault(
        "a line of pg_hba.conf rejects the role",
        _refused("28000"),
        strictly("banned"),
        hint="A line of pg_hba.conf says reject for this login: put one that allows it above that line, and "
        "have the server read it again.",
    ),
    Fault(
        "the server wants Kerberos of the role",
        _refused("AUTH_METHOD"),
        strictly("kerberos"),
        hint="Let pg_hba.conf ask this user for a password: scram-sha-256.",
    ),
    Fault(
        "the server wants a client certificate of the role",
        _refused("28000"),
        strictly("known", trusted),
        hint="Set tls.cert and tls.key to a certificate that the server accepts.",
    ),
    Fault(
        "the database does not exist",
        (Stage.AUTH, Reason.NOT_FOUND, "3D000"),
        asking("postgresql", lambda server: {"url": server.url(database="no-such-one")}),
        hint="There is no such database: create it, or correct the name in the address.",
        fix='CREATE DATABASE "no-such-one";',
    ),
)
_RIGHTS = (
    Fault(
        "the role may not connect to the database",
        _denied("42501"),
        as_app("REVOKE CONNECT ON DATABASE orders FROM PUBLIC"),
        hint="The role lacks a privilege on this database: grant it.",
        fix='GRANT CONNECT ON DATABASE "orders" TO "app";',
    ),
    Fault(
        "the database takes no connections",
        _denied("55000"),
        _closed,
        hint="The database is set to take no connections at all: allow them.",
        fix='ALTER DATABASE "orders" ALLOW_CONNECTIONS true;',
    ),
    Fault(
        "the role lacks a privilege on a table",
        _denied("42501"),
        as_app(
            "CREATE TABLE items (n int)",
            "GRANT SELECT ON items TO app",
            tables=["public.items"],
            privileges=["SELECT", "INSERT"],
        ),
        hint="Grant the role what this target's tables and privileges ask for.",
        fix='GRANT INSERT ON public.items TO "app";',
    ),
    Fault(
        "the role may not use the schema",
        _denied("42501"),
        as_app("CREATE SCHEMA shop", "CREATE TABLE shop.items (n int)", tables=["shop.items"]),
        hint="The role lacks a privilege on this schema: grant it.",
        fix='GRANT USAGE ON SCHEMA "shop" TO "app";',
    ),
    Fault(
        "the table does not exist",
        (Stage.PERMISSION, Reason.NOT_FOUND, "42P01"),
        owned(tables=["public.no_such_table"]),
        hint="Create the table or correct its name; write the schema too: public.orders.",
    ),
    Fault(
        "the query reads a table that the role may not read",
        _denied("42501", Stage.FUNCTION),
        as_app("CREATE TABLE items (n int)", query="SELECT count(*) FROM items"),
        hint="The role lacks a privilege on this table: grant it.",
        fix='GRANT SELECT ON "items" TO "app";',
    ),
    Fault(
        "the query uses a sequence that the role may not use",
        _denied("42501", Stage.FUNCTION),
        as_app("CREATE SEQUENCE numbers", query="SELECT nextval('numbers')"),
        hint="The role lacks a privilege on this sequence: grant it.",
        fix='GRANT USAGE ON SEQUENCE "numbers" TO "app";',
    ),
    Fault(
        "the query calls a function that the role may not call",
        _denied("42501", Stage.FUNCTION),
        as_app(
            "CREATE FUNCTION report() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "REVOKE EXECUTE ON FUNCTION report FROM PUBLIC",
            query="SELECT report()",
        ),
        hint="The role lacks a privilege on this function: grant it.",
        fix='GRANT EXECUTE ON FUNCTION "report" TO "app";',
    ),
)
_QUERIES = (
    Fault(
        "the query returns another value",
        (Stage.FUNCTION, Reason.ASSERTION, "UNEXPECTED_VALUE"),
        owned(query="SELECT 'stale'", expect="fresh"),
        hint=_ANOTHER_VALUE,
    ),
    Fault(
        "the query returns nothing",
        (Stage.FUNCTION, Reason.ASSERTION, "NO_ROW"),
        owned(query="SELECT 1 WHERE false", expect=1),
        hint=_ANOTHER_VALUE,
    ),
    Fault(
        "the query is no SQL",
        (Stage.FUNCTION, Reason.CONFIG, "42601"),
        owned(query="SELEC 1"),
        hint="Correct the target's query: the server cannot read it.",
    ),
    Fault(
        "the query writes and the role may only read",
        (Stage.FUNCTION, Reason.ASSERTION, "25006"),
        as_app(
            "ALTER ROLE app SET default_transaction_read_only = on",
            "CREATE TABLE items (n int)",
            "GRANT ALL ON items TO app",
            query="INSERT INTO items VALUES (1) RETURNING n",
        ),
        hint=_READ_ONLY,
    ),
    Fault(
        "the query does not end",
        (Stage.FUNCTION, Reason.TIMEOUT, "TIMEOUT"),
        owned(query="SELECT pg_sleep(2)"),
        hint="Nothing came back in time: a firewall that drops packets, or a service that hangs.",
        timeout=0.5,
    ),
    Fault(
        "an administrator ends the session",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "57P01"),
        owned(query="SELECT pg_terminate_backend(pg_backend_pid())"),
        hint="The server was stopped, or an administrator ended the session.",
    ),
)
_SERVERS = (
    Fault(
        "the server has no session left",
        (Stage.AUTH, Reason.OVERLOADED, "53300"),
        _full,
        hint="Look who holds the sessions in pg_stat_activity, or raise max_connections.",
        fix=_SESSIONS,
    ),
    Fault(
        "the role is at its own limit of sessions",
        (Stage.AUTH, Reason.OVERLOADED, "53300"),
        as_app(options="LOGIN CONNECTION LIMIT 0"),
        hint="The role's own limit is reached: find who holds its sessions, or lift the limit.",
        fix='ALTER ROLE "app" CONNECTION LIMIT -1;',
    ),
    Fault(
        "the database is at its own limit of sessions",
        (Stage.AUTH, Reason.OVERLOADED, "53300"),
        as_app("ALTER DATABASE orders CONNECTION LIMIT 0"),
        hint="The database's own limit is reached: find who holds its sessions, or lift the limit.",
        fix='ALTER DATABASE "orders" CONNECTION LIMIT -1;',
    ),
    Fault("the server is starting", (Stage.AUTH, Reason.UNAVAILABLE, "57P03"), _starting, hint=_STATE),
    Fault("the server is shutting down", (Stage.AUTH, Reason.UNAVAILABLE, "57P03"), _stopping, hint=_STATE),
    Fault(
        "the server hangs",
        (Stage.PROTOCOL, Reason.TIMEOUT, "TIMEOUT"),
        asking_paused("postgresql"),
        hint="Nothing came back in time: a firewall that drops packets, or a service that hangs.",
        timeout=0.3,
    ),
    Fault(
        "the server is a primary and a replica is expected",
        (Stage.FUNCTION, Reason.ASSERTION, "WRONG_ROLE"),
        owned(role="replica"),
        hint=_ROLE,
    ),
    Fault(
        "the server is a replica and a primary is expected",
        (Stage.FUNCTION, Reason.ASSERTION, "WRONG_ROLE"),
        standby(role="primary"),
        hint=_ROLE,
    ),
    Fault(
        "the query writes and the server is a replica",
        (Stage.FUNCTION, Reason.ASSERTION, "25006"),
        standby(query="CREATE TABLE items ()"),
        hint=_READ_ONLY,
    ),
    Fault(
        "something else listens on the port",
        (Stage.PROTOCOL, Reason.PROTOCOL, "NOT_POSTGRESQL"),
        asking("nginx", lambda server: {"url": f"postgresql://app@127.0.0.1:{server.port}/orders"}),
        hint=_PORT,
    ),
    Fault(
        "something else listens on the port, and the address switches TLS off",
        (Stage.AUTH, Reason.PROTOCOL, "NOT_POSTGRESQL"),
        asking(
            "nginx",
            lambda server: {"url": f"postgresql://app@127.0.0.1:{server.port}/orders?sslmode=disable"},
        ),
        hint=_PORT,
    ),
)
_ENDLESS = (
    Fault(
        "what answers announces more than a check can want (played)",
        (Stage.AUTH, Reason.PROTOCOL, "TOO_LARGE"),
        _played(b"R\0\0\0\x08\0\0\0\0" + b"E\x3f\xff\xff\xff"),
        hint=_TOO_LARGE,
        timeout=2,
    ),
    Fault(
        "what answers sends small things without end (played)",
        (Stage.AUTH, Reason.PROTOCOL, "TOO_LARGE"),
        _played(b"R\0\0\0\x08\0\0\0\0" + b"S\0\0\0\x08a\0b\0" * 100_000),
        hint=_TOO_LARGE,
        timeout=2,
    ),
    Fault(
        "what answers wants the password hashed ten million times (played)",
        (Stage.AUTH, Reason.PROTOCOL, "SCRAM_ITERATIONS"),
        _played(b"R\0\0\0\x23\0\0\0\x0br=abc,s=c2FsdA==,i=10000000"),
        hint="Lower scram_iterations and set the password anew; or something else listens on the port.",
        timeout=2,
    ),
    Fault(
        "the query returns more than what a check reads",
        (Stage.FUNCTION, Reason.PROTOCOL, "TOO_LARGE"),
        owned(query="SELECT repeat('x', 20000000)"),
        hint=_TOO_LARGE,
    ),
)
_ENCRYPTION = (
    Fault(
        "TLS is required and the server offers none",
        (Stage.TLS, Reason.TLS, "TLS_NOT_OFFERED"),
        asking("postgresql", lambda server: {"url": server.url(sslmode="require")}),
        hint="Switch TLS on in the server, or ask for none with sslmode=disable in the address.",
    ),
    tls_faults.cert_expired(_certified("expired")),
    tls_faults.cert_host_mismatch(_certified("wrong_host")),
    tls_faults.cert_of_another_ca(strictly("secure", another_ca), sent=True),
    tls_faults.pin_mismatch(strictly("secure", another_pin)),
    tls_faults.client_cert_refused(strictly("known", stranger)),
)
FAULTS = (*_LOGINS, *_RIGHTS, *_QUERIES, *_SERVERS, *_ENDLESS, *_ENCRYPTION)
