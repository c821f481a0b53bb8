"""MySQL against a real MariaDB; broken by a wrong password."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import pymysql
import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration import tls_faults
from tests.integration.kinds import Arrangement, Example, Fault, asking, asking_paused, asking_played
from tests.integration.over_tls import Ours, another_ca, another_pin, certified, stranger, trusted
from tests.servers.mariadb import PASSWORD, USER_PASSWORD, MariaDB, StartMariaDB

DIALS = True
DRIVER_ERRORS = ("pymysql.err",)
BARE = {"url": "mysql://app@host/orders"}
_WRONG = (
    "The password is wrong, there is no such account, or it demands TLS: the server does not tell which. "
    "An administrator can look what the account demands."
)
_EXPIRED = (
    "The account's password has expired: give it a new one, by the host that the account was made for "
    "(% is any)."
)
_LIMIT = (
    "The account's own limit is reached: find who holds its sessions, or lift the limit, by the host that "
    "the account was made for (% is any)."
)
_TABLE = "The account lacks a privilege on this table: grant it."
_ANOTHER_VALUE = "Run the query by hand: correct the data, or this target's query and expect."
_ROLE = "After a failover the address may have to follow; else change this target's role."
_FIRST = "MySQL speaks first: the server hangs, or what listens there is something else."


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's server."""
    server: MariaDB = request.getfixturevalue("mariadb")
    yield Example(
        settings={"url": server.url()},
        broken={"url": server.url(password="wrong-password")},
        port=server.port,
        sessions=server.sessions,
        secret=PASSWORD,
        server=server,
    )


def as_app(
    *grants: str, options: str = "", database: str = "orders", fixture: str = "mariadb", **settings: Any
) -> Arrangement:
    """Return the arrangement of the user `app` and, in `orders`, the table `items`, after these grants."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        server: MariaDB = request.getfixturevalue(fixture)
        with server.user(options, host="%", name="app") as user, server.database("orders"):
            server.sql("CREATE TABLE orders.items (n int)")
            for grant in grants:
                server.sql(grant)
            yield {"url": server.url(user, USER_PASSWORD, database), **settings}

    return arrange


def owned(fixture: str = "mariadb", **settings: Any) -> Arrangement:
    """Return the arrangement of a shared server, asked by its owner."""
    return asking(fixture, lambda server: {"url": server.url(), **settings})


def strictly(options: str, ours: Ours | None = None, **query: str) -> Arrangement:
    """Return the arrangement of the strict server, asked by a user with these options."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        server: MariaDB = request.getfixturevalue("strict_mariadb")
        with server.user(options, host="%", name="app") as user:
            url = server.url(user, USER_PASSWORD, "", **query)
            tls = {"tls": ours(request.getfixturevalue("certificates"))} if ours else {}
            yield {"url": url, **tls}

    return arrange


def _certified(name: str) -> Arrangement:
    return certified("start_mariadb", name, lambda server: {"url": server.url()})


@contextmanager
def _at_its_limit(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    server: MariaDB = request.getfixturevalue("mariadb")
    with (
        server.user("WITH MAX_USER_CONNECTIONS 1", host="%", name="app") as user,
        pymysql.connect(host="127.0.0.1", port=server.port, user=user, password=USER_PASSWORD),
    ):
        yield {"url": server.url(user, USER_PASSWORD, "")}


@contextmanager
def _full(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartMariaDB = request.getfixturevalue("start_mariadb")
    with start(settings={"max-connections": 10}) as server, ExitStack() as held:
        for _ in range(11):  # one more is kept for administrators
            connection = pymysql.connect(host="127.0.0.1", port=server.port, user="root", password=PASSWORD)
            held.enter_context(connection)
        yield {"url": server.url()}


@contextmanager
def _without_our_host(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartMariaDB = request.getfixturevalue("start_mariadb")
    with start() as server:
        server.sql("DELETE FROM mysql.global_priv WHERE Host IN ('127.0.0.1', '%')")
        server.sql("FLUSH PRIVILEGES")
        yield {"url": server.url("app", "any", "")}


def _packet(number: int, message: str) -> bytes:
    """Return what MySQL sends instead of a greeting."""
    body = b"\xff" + number.to_bytes(2, "little") + message.encode()
    return len(body).to_bytes(3, "little") + b"\x00" + body


def played(words: bytes) -> Arrangement:
    """Return the arrangement of a server that says this: no real one blocks the loopback."""
    return asking_played(words, lambda port: {"url": f"mysql://app:s3cret@127.0.0.1:{port}/"})


def _refused(code: str, stage: Stage = Stage.AUTH) -> tuple[Stage, Reason, str]:
    return stage, Reason.AUTH, code


def _denied(code: str, stage: Stage = Stage.PERMISSION) -> tuple[Stage, Reason, str]:
    return stage, Reason.PERMISSION, code


_LOGINS = (
    Fault(
        "the password is wrong",
        _refused("1045"),
        asking("mariadb", lambda server: {"url": server.url(password="wrong")}),
        hint=_WRONG,
        fix="SELECT user, host, plugin, ssl_type FROM mysql.user WHERE user = 'root';",
    ),
    Fault(
        "the user does not exist",
        _refused("1045"),
        asking("mariadb", lambda server: {"url": server.url("nobody", "any")}),
        hint=_WRONG,
        fix="SELECT user, host, plugin, ssl_type FROM mysql.user WHERE user = 'nobody';",
    ),
    Fault(
        "no password is given and one is needed",
        _refused("1045"),
        asking("mariadb", lambda server: {"url": server.url(password=None)}),
        hint="The server asks for a password: put one behind the user in the address, or set password.",
    ),
    Fault(
        "the account is locked",
        _refused("4151"),
        as_app(options="ACCOUNT LOCK"),
        hint="The account is locked: unlock it, by the host that it was made for (% is any).",
        fix="ALTER USER 'app'@'%' ACCOUNT UNLOCK;",
    ),
    Fault(
        "the account's password has expired",
        _refused("1862"),
        strictly("PASSWORD EXPIRE"),
        hint=_EXPIRED,
        fix="ALTER USER 'app'@'%' IDENTIFIED BY <new password>;",
    ),
    Fault(
        "the account's password has expired, and the server lets it in to change it",
        _refused("1820"),
        as_app(options="PASSWORD EXPIRE", database=""),
        hint=_EXPIRED,
        fix="ALTER USER 'app'@'%' IDENTIFIED BY <new password>;",
    ),
    Fault(
        "the account demands TLS, and the address switches it off",
        _refused("1045"),
        strictly("REQUIRE SSL", sslmode="disable"),
        hint=_WRONG,
        fix="SELECT user, host, plugin, ssl_type FROM mysql.user WHERE user = 'app';",
    ),
    Fault(
        "the account demands a client certificate",
        _refused("1045"),
        strictly("REQUIRE X509", trusted),
        hint=_WRONG,
        fix="SELECT user, host, plugin, ssl_type FROM mysql.user WHERE user = 'app';",
    ),
    Fault(
        "no account may log in from this host",
        _refused("1130", Stage.PROTOCOL),
        _without_our_host,
        hint="No account may log in from this host: make one, or correct the user in the address.",
        fix="CREATE USER 'app'@'127.0.0.1' IDENTIFIED BY <new password>;",
    ),
    Fault(
        "the server blocked this host (played)",
        _refused("1129", Stage.PROTOCOL),
        played(_packet(1129, "Host '10.0.0.1' is blocked because of many connection errors")),
        hint="The server blocked this host after too many broken connections: an administrator can unblock "
        "it.",
        fix="mariadb-admin flush-hosts",
    ),
    Fault(
        "the database does not exist",
        (Stage.AUTH, Reason.NOT_FOUND, "1049"),
        asking("mariadb", lambda server: {"url": server.url(database="no-such-one")}),
        hint="There is no such database: create it, or correct the name in the address.",
        fix="CREATE DATABASE `no-such-one`;",
    ),
)
_RIGHTS = (
    Fault(
        "the account has no right to the database",
        _denied("1044"),
        as_app(),
        hint="The account has no right to this database, or there is none of that name: grant it, or create "
        "it.",
        fix="GRANT SELECT ON `orders`.* TO 'app'@'%';",
    ),
    *(
        Fault(
            f"the account lacks {right} on a table",
            _denied("1142"),
            as_app(
                f"GRANT {other} ON orders.items TO app@'%'",
                tables=["items"],
                privileges=[right],
            ),
            hint=_TABLE,
            fix=f"GRANT {right} ON `orders`.`items` TO 'app'@'%';",
        )
        for right, other in (("SELECT", "INSERT"), ("INSERT", "SELECT"))
    ),
    Fault(
        "the table does not exist",
        (Stage.PERMISSION, Reason.NOT_FOUND, "1146"),
        owned(tables=["orders.no_such_table"]),
        hint="Create the table or correct its name; write the database too: shop.orders.",
    ),
    Fault(
        "the query reads a table that the account may not read",
        _denied("1142", Stage.FUNCTION),
        as_app("GRANT INSERT ON orders.items TO app@'%'", query="SELECT count(*) FROM items"),
        hint=_TABLE,
        fix="GRANT SELECT ON `orders`.`items` TO 'app'@'%';",
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
        owned(query="SELECT 1 FROM dual WHERE false", expect=1),
        hint=_ANOTHER_VALUE,
    ),
    Fault(
        "the query is no SQL",
        (Stage.FUNCTION, Reason.CONFIG, "1064"),
        owned(query="SELEC 1"),
        hint="Correct the target's query: the server cannot read it.",
    ),
    Fault(
        "the query names a column that does not exist",
        (Stage.FUNCTION, Reason.NOT_FOUND, "1054"),
        owned(query="SELECT no_such_column FROM dual"),
        hint="There is no such column: correct the query, or the table.",
    ),
    Fault(
        "the query does not end",
        (Stage.FUNCTION, Reason.TIMEOUT, "TIMEOUT"),
        owned(query="SELECT sleep(2)"),
        hint="Nothing came back in time: a firewall that drops packets, or a service that hangs.",
        timeout=0.5,
    ),
    Fault(
        "an administrator ends the session",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "1927"),
        owned(query="KILL CONNECTION connection_id()"),
        hint="The service says that it is not ready: starting, stopping or overwhelmed.",
    ),
)
_SERVERS = (
    Fault(
        "the server has no session left",
        (Stage.PROTOCOL, Reason.OVERLOADED, "1040"),
        _full,
        hint="Look who holds the sessions, or raise max_connections.",
        fix="SHOW PROCESSLIST;",
    ),
    Fault(
        "the account is at its own limit of sessions",
        (Stage.AUTH, Reason.OVERLOADED, "1226"),
        _at_its_limit,
        hint=_LIMIT,
        fix="ALTER USER 'app'@'%' WITH MAX_USER_CONNECTIONS 0;",
    ),
    Fault(
        "the account is at its own limit of queries",
        (Stage.PERMISSION, Reason.OVERLOADED, "1226"),
        as_app(options="WITH MAX_QUERIES_PER_HOUR 1", database=""),
        hint=_LIMIT,
        fix="ALTER USER 'app'@'%' WITH MAX_QUERIES_PER_HOUR 0;",
    ),
    Fault(
        "the server is a primary and a replica is expected",
        (Stage.FUNCTION, Reason.ASSERTION, "WRONG_ROLE"),
        owned(role="replica"),
        hint=_ROLE,
    ),
    Fault(
        "the server is read-only and a primary is expected",
        (Stage.FUNCTION, Reason.ASSERTION, "WRONG_ROLE"),
        owned("strict_mariadb", role="primary"),
        hint=_ROLE,
    ),
    Fault(
        "the query writes and the server is read-only",
        (Stage.FUNCTION, Reason.ASSERTION, "1290"),
        as_app(
            "GRANT ALL ON orders.* TO app@'%'",
            fixture="strict_mariadb",
            query="INSERT INTO items VALUES (1)",
        ),
        hint="The server is read-only: a replica, or read_only is on.",
    ),
    Fault(
        "the server hangs",
        (Stage.PROTOCOL, Reason.TIMEOUT, "NO_GREETING"),
        asking_paused("mariadb"),
        hint=_FIRST,
        timeout=0.8,
    ),
    Fault(
        "something that waits for us to speak listens on the port",
        (Stage.PROTOCOL, Reason.TIMEOUT, "NO_GREETING"),
        asking("nginx", lambda server: {"url": f"mysql://app@127.0.0.1:{server.port}/orders"}),
        hint=_FIRST,
        timeout=0.8,
    ),
    Fault(
        "something that greets otherwise listens on the port (played)",
        (Stage.PROTOCOL, Reason.PROTOCOL, "NOT_MYSQL"),
        played(b"SSH-2.0-OpenSSH_9.2\r\n"),
        hint="Something else may listen on that port: compare the address with the service's own.",
    ),
)
_ENDLESS = (
    Fault(
        "what answers greets with more than a check can want (played)",
        (Stage.PROTOCOL, Reason.PROTOCOL, "TOO_LARGE"),
        played(b"\xff\xff\xff\x00\x0a"),
        hint="Have the query return one row, such as by LIMIT 1; or what answers is no such database.",
        timeout=2,
    ),
    Fault(
        "the query returns more than what a check reads",
        (Stage.FUNCTION, Reason.PROTOCOL, "TOO_LARGE"),
        owned(query="SELECT REPEAT('x', 1000000) FROM seq_1_to_20"),
        hint="Have the query return one row, such as by LIMIT 1; or what answers is no such database.",
    ),
)
_ENCRYPTION = (
    Fault(
        "TLS is required and the server offers none",
        (Stage.TLS, Reason.TLS, "TLS_NOT_OFFERED"),
        asking("mariadb", lambda server: {"url": server.url(sslmode="require")}),
        hint="Switch TLS on in the server, or ask for none with sslmode=disable in the address.",
    ),
    tls_faults.cert_expired(_certified("expired")),
    tls_faults.cert_host_mismatch(_certified("wrong_host")),
    tls_faults.cert_of_another_ca(strictly("", another_ca), sent=True),
    tls_faults.pin_mismatch(strictly("", another_pin)),
    tls_faults.client_cert_refused(strictly("", stranger)),
)
FAULTS = (*_LOGINS, *_RIGHTS, *_QUERIES, *_SERVERS, *_ENDLESS, *_ENCRYPTION)
