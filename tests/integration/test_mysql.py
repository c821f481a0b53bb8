"""MySQL against real MariaDB servers: each failure with its exact stage, reason and code."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import pymysql
import pytest

import mooring
from mooring.core.failure import InputError
from mooring.core.result import CheckResult
from mooring.core.status import Status
from mooring.testing.faults import Cut, Fault, HalfClose, Reset, Silence, StallTLS, fault_proxy
from tests.servers.mariadb import PASSWORD, MariaDB, StartMariaDB
from tests.servers.played import playing
from tests.servers.process import eventually
from tests.servers.tls import Certificates

pytestmark = pytest.mark.integration

PW = "pw-of-user"


def said(result: CheckResult) -> tuple[str | None, str, str] | None:
    """Return stage, reason and code of a failure."""
    failure = result.failure
    return None if failure is None else (failure.stage, failure.reason.value, failure.code)


def stages(result: CheckResult) -> dict[str, str]:
    """Return the verdict on each stage."""
    return {stage.stage.value: stage.status.value for stage in result.stages}


def fix(result: CheckResult) -> str:
    """Return what can be pasted."""
    assert result.failure is not None
    assert result.failure.fix is not None
    return result.failure.fix


def hint(result: CheckResult) -> str:
    """Return what the failure tells to do."""
    assert result.failure is not None
    assert result.failure.hint is not None
    return result.failure.hint


def hold(server: MariaDB, stack: ExitStack, count: int) -> None:
    """Take sessions of a server."""
    for _ in range(count):
        stack.enter_context(
            pymysql.connect(host="127.0.0.1", port=server.port, user="root", password=PASSWORD)
        )


@asynccontextmanager
async def saying(greeting: bytes) -> AsyncIterator[int]:
    """Yield the port of something that says a few bytes to whoever connects."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await reader.read()

    async with playing(serve) as port:
        yield port


@pytest.fixture
def user(mariadb: MariaDB) -> Iterator[str]:
    """A user without grants."""
    with mariadb.user() as name:
        yield name


@pytest.fixture
def database(mariadb: MariaDB) -> Iterator[str]:
    """A database with one table, `orders`."""
    with mariadb.database() as name:
        mariadb.sql(f"CREATE TABLE {name}.orders (n int)")
        yield name


async def test_good_login_passes_every_stage(mariadb: MariaDB) -> None:
    """A login that works runs through all stages, each with a time, and tells version, role and head-room."""
    result = await mooring.check(mariadb.url())
    assert result.status is Status.UP
    assert stages(result) == {
        "dns": "passed",
        "tcp": "passed",
        "protocol": "passed",
        "tls": "skipped",
        "auth": "passed",
        "permission": "passed",
        "function": "passed",
    }
    assert all(stage.seconds for stage in result.stages if stage.stage != "tls")
    assert result.observation.details["role"] == "primary"
    assert "MariaDB" in str(result.observation.details["server_version"])
    assert result.observation.details["address"] == f"127.0.0.1:{mariadb.port}"
    assert result.observation.numbers["sessions_max"] == 151
    assert result.observation.numbers["sessions_used"] >= 1


@pytest.mark.parametrize("scheme", ["mariadb", "mysql+pymysql", "mariadb+mariadbconnector", "mysql2"])
async def test_spellings_of_others_are_understood(mariadb: MariaDB, scheme: str) -> None:
    """SQLAlchemy's, Rails' and Django's schemes mean MySQL, and what they add is passed over."""
    result = await mooring.check(mariadb.url(scheme=scheme, charset="utf8mb4"))
    assert (result.target.kind, result.failure) == ("mysql", None)


async def test_address_without_a_database(mariadb: MariaDB) -> None:
    """Without a database the server alone is tested."""
    result = await mooring.check(mariadb.url(database=""))
    assert (said(result), result.target.address) == (None, f"127.0.0.1:{mariadb.port}")


# Logging in


async def test_wrong_password(mariadb: MariaDB) -> None:
    """A wrong password fails at auth, with what to look at."""
    result = await mooring.check(mariadb.url(password="not-this-one"))
    assert said(result) == ("auth", "auth", "1045")
    assert result.failure is not None
    assert result.failure.message == "Access denied for user 'root'@'127.0.0.1' (using password: YES)"
    assert fix(result) == "SELECT user, host, plugin, ssl_type FROM mysql.user WHERE user = 'root';"


async def test_no_grant_on_the_database(mariadb: MariaDB, user: str, database: str) -> None:
    """Without a grant on the database the login is accepted and the permission is what fails."""
    result = await mooring.check(mariadb.url(user, PW, database))
    assert said(result) == ("permission", "permission", "1044")
    assert stages(result)["auth"] == "passed"
    assert fix(result) == f"GRANT SELECT ON `{database}`.* TO '{user}'@'127.0.0.1';"


async def test_password_in_clear_text_is_not_sent() -> None:
    """A server that asks for the password in clear text without TLS does not get it."""
    heard = bytearray()

    async def ask_for_it(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeting = (
            b"\x0a8.0.0\x00"
            b"\x01\x00\x00\x00"
            b"12345678\x00"
            b"\xff\xf7\x2d\x02\x00\xff\x81\x15"
            + b"\x00" * 10
            + b"123456789012\x00"
            + b"mysql_native_password\x00"
        )
        writer.write(len(greeting).to_bytes(3, "little") + b"\x00" + greeting)
        heard.extend(await reader.read(1000))
        switch = b"\xfemysql_clear_password\x00"
        writer.write(len(switch).to_bytes(3, "little") + b"\x02" + switch)
        heard.extend(await reader.read())

    async with playing(ask_for_it) as port:
        result = await mooring.check(f"mysql://u:in-clear@127.0.0.1:{port}/?sslmode=disable")
    assert said(result) == ("auth", "auth", "CLEAR_PASSWORD")
    assert heard
    assert b"in-clear" not in heard


# Grants


@pytest.mark.parametrize("privilege", ["SELECT", "INSERT", "UPDATE", "DELETE"])
async def test_missing_table_grant(mariadb: MariaDB, user: str, database: str, privilege: str) -> None:
    """A privilege that is not granted fails at permission with the GRANT as fix, and works once granted."""
    others = {"SELECT", "INSERT", "UPDATE", "DELETE"} - {privilege}
    mariadb.sql(f"GRANT {', '.join(others)} ON {database}.orders TO {user}@'127.0.0.1'")
    url, asked = mariadb.url(user, PW, database), {"tables": ["orders"], "privileges": [privilege]}
    result = await mooring.check(url, **asked)
    assert said(result) == ("permission", "permission", "1142")
    assert fix(result) == f"GRANT {privilege} ON `{database}`.`orders` TO '{user}'@'127.0.0.1';"
    mariadb.sql(fix(result))
    assert said(await mooring.check(url, **asked)) is None


async def test_privileges_are_tried_and_never_used(mariadb: MariaDB, database: str) -> None:
    """Asking whether rows may be deleted deletes none."""
    mariadb.sql(f"INSERT INTO {database}.orders VALUES (1)")
    asked = {"tables": [f"{database}.orders"], "privileges": ["INSERT", "UPDATE", "DELETE"]}
    assert said(await mooring.check(mariadb.url(), **asked)) is None
    assert mariadb.sql(f"SELECT n FROM {database}.orders") == [(1,)]


# The real operation


async def test_query_returns_what_is_expected(mariadb: MariaDB) -> None:
    """The query's first value is compared as text, numbers as numbers."""
    assert said(await mooring.check(mariadb.url(), query="SELECT 40 + 2, 'x'", expect=42)) is None
    assert said(await mooring.check(mariadb.url(), query="SELECT avg(4), 'x'", expect=4)) is None
    assert said(await mooring.check(mariadb.url(), query="SELECT 0.10", expect=0.1)) is None
    result = await mooring.check(mariadb.url(), query="SELECT 1", expect=True)
    assert said(result) == ("function", "assertion", "UNEXPECTED_VALUE")


async def test_login_may_stand_behind_the_question_mark(mariadb: MariaDB, user: str) -> None:
    """JDBC has no other place for it; it is as secret there."""
    url = f"jdbc:mariadb://127.0.0.1:{mariadb.port}/?user={user}&password="
    assert said(await mooring.check(url + PW)) is None
    result = await mooring.check(url + "wr0ng-pw")
    assert said(result) == ("auth", "auth", "1045")
    assert "wr0ng-pw" not in repr(result)


async def test_query_returns_nothing(mariadb: MariaDB) -> None:
    """No row where a value is expected fails at function, and a statement without rows has none."""
    empty = await mooring.check(mariadb.url(), query="SELECT 1 FROM dual WHERE false", expect=1)
    statement = await mooring.check(mariadb.url(), query="SET @x = 1", expect=1)
    assert said(empty) == said(statement) == ("function", "assertion", "NO_ROW")


async def test_query_returns_very_much(mariadb: MariaDB) -> None:
    """The first row of a large answer is looked at, the rest is not waited for."""
    result = await mooring.check(mariadb.url(), query="SELECT seq FROM seq_1_to_100000000", expect=1)
    assert said(result) is None
    await eventually(lambda: mariadb.sessions() == 0, "the end of the query")


async def test_query_is_no_sql(mariadb: MariaDB) -> None:
    """A query that cannot be read is ours to correct and says nothing of the server."""
    result = await mooring.check(mariadb.url(), query="SELEC 1")
    assert said(result) == ("function", "config", "1064")
    assert result.status is Status.UNKNOWN


async def test_query_changes_nothing(mariadb: MariaDB, database: str) -> None:
    """What the query writes is rolled back."""
    url = mariadb.url(database=database)
    assert said(await mooring.check(url, query="INSERT INTO orders VALUES (1)")) is None
    assert mariadb.sql(f"SELECT count(*) FROM {database}.orders") == [(0,)]


async def test_query_that_hangs_is_ended_on_the_server(mariadb: MariaDB, user: str) -> None:
    """A query that outlives the check times out, and the server ends it soon after by itself."""
    result = await mooring.check(mariadb.url(user, PW, ""), query="SELECT sleep(60)", timeout=0.5)
    assert said(result) == ("function", "timeout", "TIMEOUT")
    await eventually(lambda: mariadb.sessions(user) == 0, "the end of the query")


# Head-room


async def test_few_sessions_left_is_a_warning(start_mariadb: StartMariaDB) -> None:
    """From 80 % of the sessions on the target is degraded."""
    with start_mariadb(settings={"max-connections": 10}) as server, ExitStack() as held:
        hold(server, held, 7)
        result = await mooring.check(server.url())
    assert result.status is Status.DEGRADED
    assert result.observation.warnings == ("8 of 10 sessions are in use",)


# The server itself


async def test_stopped_server(start_mariadb: StartMariaDB) -> None:
    """A server that is stopped refuses at tcp, and is up again once it is started."""
    with start_mariadb() as server:
        server.stop()
        assert said(await mooring.check(server.url())) == ("tcp", "refused", "ECONNREFUSED")
        server.start()
        assert said(await mooring.check(server.url())) is None


async def test_paused_server(start_mariadb: StartMariaDB) -> None:
    """A server that is frozen accepts and never greets."""
    with start_mariadb() as server:
        with server.paused():
            result = await mooring.check(server.url(), timeout=0.4)
        assert said(result) == ("protocol", "timeout", "NO_GREETING")
        await eventually(lambda: server.sessions() == 0, "the server's forgetting us")


async def test_something_else_on_the_port() -> None:
    """What greets otherwise is told as such, with what it said."""
    async with saying(b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        result = await mooring.check(f"mysql://u:p@127.0.0.1:{port}/db", timeout=2)
    assert said(result) == ("protocol", "protocol", "NOT_MYSQL")
    assert result.failure is not None
    assert result.failure.message == "what answers is no MySQL: 'SSH-2'"


# TLS


@pytest.fixture(scope="module")
def tls_server(start_mariadb: StartMariaDB, certificates: Certificates) -> Iterator[MariaDB]:
    """A server with a good certificate."""
    with start_mariadb(certificate=certificates.good) as server:
        yield server


async def test_tls_is_used_where_it_is_offered(tls_server: MariaDB) -> None:
    """Without a word on TLS it is used, unverified, without a warning, and the details say so."""
    result = await mooring.check(tls_server.url())
    assert (result.status, stages(result)["tls"]) == (Status.UP, "passed")
    assert result.observation.details["tls_verified"] is False
    assert 690 < result.observation.numbers["certificate_days_left"] < 701


@pytest.mark.parametrize(
    "words",
    [
        {"ssl-mode": "VERIFY_CA", "ssl-ca": "CA"},
        {"ssl-mode": "VERIFY_IDENTITY", "ssl-ca": "CA"},
        {"ssl_ca": "CA"},
        {"ssl_ca": "CA", "ssl_verify_identity": "false"},
    ],
    ids=str,
)
async def test_tls_verified(tls_server: MariaDB, certificates: Certificates, words: dict[str, str]) -> None:
    """A certificate of the named authority passes, in the spelling of any driver."""
    query = {key: certificates.ca if value == "CA" else value for key, value in words.items()}
    result = await mooring.check(tls_server.url(**query))
    assert said(result) is None
    assert result.observation.details["tls_verified"] is True


async def test_tls_pinned(tls_server: MariaDB, certificates: Certificates) -> None:
    """The pinned certificate passes, any other fails at tls."""
    right = await mooring.check(tls_server.url(), tls={"pin": certificates.good.pin})
    wrong = await mooring.check(tls_server.url(), tls={"pin": certificates.expired.pin})
    assert (said(right), said(wrong)) == (None, ("tls", "tls", "PIN_MISMATCH"))


async def test_tls_unverified_on_purpose_warns(tls_server: MariaDB) -> None:
    """`verify = false` works and leaves a standing warning."""
    result = await mooring.check(tls_server.url(), tls={"verify": False})
    assert (result.status, stages(result)["tls"]) == (Status.DEGRADED, "warning")


async def test_tls_for_another_host(start_mariadb: StartMariaDB, certificates: Certificates) -> None:
    """A certificate for another host fails, but where only its authority is asked for, or that name."""
    with start_mariadb(certificate=certificates.wrong_host) as server:
        full = await mooring.check(server.url(sslmode="verify-full", sslrootcert=certificates.ca))
        chain = await mooring.check(server.url(sslmode="verify-ca", sslrootcert=certificates.ca))
        named = await mooring.check(server.url(), tls={"ca": certificates.ca, "server_name": "other.example"})
    assert (said(full), said(chain), said(named)) == (("tls", "tls", "CERT_HOST_MISMATCH"), None, None)


async def test_tls_required_by_the_account(tls_server: MariaDB) -> None:
    """An account that demands TLS refuses a plain login, and the hint thinks of that."""
    with tls_server.user("REQUIRE SSL") as user:
        plain = await mooring.check(tls_server.url(user, PW, "", sslmode="disable"))
        secure = await mooring.check(tls_server.url(user, PW, ""))
    assert (said(plain), said(secure)) == (("auth", "auth", "1045"), None)
    assert "it demands TLS" in hint(plain)


async def test_client_certificate(start_mariadb: StartMariaDB, certificates: Certificates) -> None:
    """An account that demands a client certificate takes the right one and refuses none and another."""
    with (
        start_mariadb(certificate=certificates.good, client_ca=certificates.ca) as server,
        server.user("REQUIRE X509") as user,
    ):
        url = server.url(user, PW, "")
        ours, theirs = certificates.client, certificates.unknown_client
        right = await mooring.check(url, tls={"ca": certificates.ca, "cert": ours.cert, "key": ours.key})
        none = await mooring.check(url, tls={"ca": certificates.ca})
        wrong = await mooring.check(url, tls={"ca": certificates.ca, "cert": theirs.cert, "key": theirs.key})
    assert (said(right), said(none)) == (None, ("auth", "auth", "1045"))
    assert said(wrong) == ("tls", "tls", "CLIENT_CERT_REFUSED")


# The network


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Silence(), ("protocol", "timeout", "NO_GREETING")),
        (Silence(after=20), ("protocol", "timeout", "NO_GREETING")),
        (Cut(), ("protocol", "network", "EOF")),
        (Cut(after=20), ("protocol", "network", "EOF")),
        (HalfClose(), ("protocol", "network", "EOF")),
        (Reset(after=20), ("protocol", "network", "ECONNRESET")),
    ],
    ids=str,
)
async def test_fault_of_the_network(
    mariadb: MariaDB, user: str, fault: Fault, expected: tuple[str, str, str]
) -> None:
    """A broken network is told at the stage it struck, never as a refused login, and no session is left."""
    async with fault_proxy(mariadb.port, fault) as proxy:
        result = await mooring.check(mariadb.url(user, PW, "", port=proxy.port), timeout=2)
        assert said(result) == expected
    await eventually(lambda: mariadb.sessions(user) == 0, "the server's forgetting us")


async def test_connection_that_is_cut_while_logging_in(mariadb: MariaDB, user: str) -> None:
    """A connection that is cut right after the greeting is a network fault at auth, no refused login."""
    with socket.create_connection(("127.0.0.1", mariadb.port)) as client:
        greeting = 4 + int.from_bytes(client.recv(3), "little")
    async with fault_proxy(mariadb.port, Cut(after=greeting)) as proxy:
        result = await mooring.check(mariadb.url(user, PW, "", port=proxy.port))
    assert result.failure is not None
    assert (result.failure.stage, result.failure.reason) == ("auth", "network")


async def test_tls_handshake_that_stalls(tls_server: MariaDB) -> None:
    """A handshake that is never answered is a timeout at tls, and no TLS fault."""
    async with fault_proxy(tls_server.port, StallTLS()) as proxy:
        result = await mooring.check(tls_server.url(port=proxy.port), timeout=0.4)
    assert said(result) == ("tls", "timeout", "TIMEOUT")


# Roles


async def test_read_only_server_is_a_replica(start_mariadb: StartMariaDB) -> None:
    """A read-only server is told as a replica; a primary that is asked for fails at function."""
    with start_mariadb(settings={"read-only": "ON"}) as server, server.user() as user:
        good = await mooring.check(server.url(), role="replica")
        wrong = await mooring.check(server.url(), role="primary")
        server.sql(f"GRANT ALL ON mysql.* TO {user}@'127.0.0.1'")
        writing = await mooring.check(server.url(user, PW), query="CREATE TABLE x (n int)")
    assert (said(good), good.observation.details["role"]) == (None, "replica")
    assert said(wrong) == ("function", "assertion", "WRONG_ROLE")
    assert said(writing) == ("function", "assertion", "1290")


async def test_replica_tells_its_lag(start_mariadb: StartMariaDB) -> None:
    """A real replica tells how far it is behind; one whose replication has stopped warns."""
    with (
        start_mariadb(settings={"log-bin": "bin", "server-id": 1}) as primary,
        start_mariadb(settings={"server-id": 2, "read-only": "ON"}) as replica,
    ):
        replica.sql(
            f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={primary.port}, MASTER_USER='root',"
            f" MASTER_PASSWORD='{PASSWORD}', MASTER_USE_GTID=slave_pos"
        )
        replica.sql("START SLAVE")
        primary.sql("CREATE DATABASE copied")
        await eventually(lambda: ("copied",) in replica.sql("SHOW DATABASES"), "the replication")
        good = await mooring.check(replica.url(), role="replica")
        replica.sql("STOP SLAVE")
        stopped = await mooring.check(replica.url(), role="replica")
    assert (said(good), good.status) == (None, Status.UP)
    assert good.observation.numbers["replica_lag"] >= 0
    assert (stopped.status, stopped.observation.warnings) == (
        Status.DEGRADED,
        ("replication does not run",),
    )


# What is refused before anything is tested


@pytest.mark.parametrize(
    ("url", "settings", "field"),
    [
        ("mysql:///orders", {}, "url"),
        ("mysql://db.example/orders", {}, "url"),
        ("mysql://u@h/d?ssl-mode=sometimes", {}, "url"),
        ("mysql://u@h/d", {"privileges": ["TRUNCATE"]}, "privileges.0"),
    ],
)
async def test_settings_that_cannot_be_used(url: str, settings: dict[str, Any], field: str) -> None:
    """A mistake names the setting."""
    with pytest.raises(InputError) as caught:
        await mooring.check(url, **settings)
    assert [problem.field for problem in caught.value.problems] == [field]
