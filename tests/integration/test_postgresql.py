"""PostgreSQL against real servers: each failure with its exact stage, reason and code."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest

import mooring
from mooring.core.failure import InputError
from mooring.core.result import CheckResult
from mooring.core.status import Status
from mooring.testing.faults import Cut, Fault, HalfClose, Reset, Silence, StallTLS, fault_proxy
from tests.servers.nginx import Nginx
from tests.servers.postgresql import (
    PASSWORD,
    PostgreSQL,
    StartPostgreSQL,
    unprivileged,
)
from tests.servers.process import eventually, private_folder
from tests.servers.tls import Certificates

pytestmark = pytest.mark.integration

PW = "pw-of-role"
HBA_TLS_ONLY = """\
hostssl all all 127.0.0.1/32 scram-sha-256
hostnossl all postgres 127.0.0.1/32 scram-sha-256
"""
HBA_CLIENT_CERT = """\
hostssl all shop 127.0.0.1/32 scram-sha-256 clientcert=verify-ca
host all all 127.0.0.1/32 scram-sha-256
"""


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


@pytest.fixture
def role(postgresql: PostgreSQL) -> Iterator[str]:
    """A role without privileges of its own."""
    with postgresql.role() as name:
        yield name


@pytest.fixture
def database(postgresql: PostgreSQL) -> Iterator[str]:
    """An empty database."""
    with postgresql.database() as name:
        yield name


async def test_good_login_passes_every_stage(postgresql: PostgreSQL) -> None:
    """A login that works runs through all stages, each with a time, and tells version, role and head-room."""
    result = await mooring.check(postgresql.url())
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
    assert str(result.observation.details["server_version"]).startswith("15")
    assert result.observation.details["address"] == f"127.0.0.1:{postgresql.port}"
    assert result.observation.numbers["sessions_max"] == 97
    assert result.observation.numbers["sessions_used"] >= 1


@pytest.mark.parametrize("scheme", ["postgres", "postgresql+asyncpg", "postgresql+psycopg", "postgis"])
async def test_spellings_of_others_are_understood(postgresql: PostgreSQL, scheme: str) -> None:
    """SQLAlchemy's, Heroku's and Django's schemes mean PostgreSQL, and what they add is passed over."""
    result = await mooring.check(postgresql.url(scheme=scheme, application_name="shop", connect_timeout="3"))
    assert (result.target.kind, result.failure) == ("postgresql", None)


# Logging in


async def test_wrong_password(postgresql: PostgreSQL) -> None:
    """A wrong password fails at auth, with what to type."""
    result = await mooring.check(postgresql.url(password="not-this-one"))
    assert said(result) == ("auth", "auth", "28P01")
    assert result.failure is not None
    assert result.failure.message == 'password authentication failed for user "postgres"'
    assert hint(result).startswith("The password is wrong, there is no such role, or")
    assert fix(result) == 'ALTER ROLE "postgres" PASSWORD <new password>;'


async def test_password_beside_the_address(postgresql: PostgreSQL) -> None:
    """The password may stand in a setting of its own."""
    result = await mooring.check(postgresql.url(password=None), password=PASSWORD)
    assert result.failure is None


async def test_no_connect_privilege(postgresql: PostgreSQL, role: str, database: str) -> None:
    """Without CONNECT the login is accepted and the permission is what fails."""
    postgresql.sql(f"REVOKE CONNECT ON DATABASE {database} FROM PUBLIC")
    result = await mooring.check(postgresql.url(role, PW, database))
    assert said(result) == ("permission", "permission", "42501")
    assert stages(result)["auth"] == "passed"
    assert fix(result) == f'GRANT CONNECT ON DATABASE "{database}" TO "{role}";'


# Grants


async def test_missing_table_grant(postgresql: PostgreSQL, role: str, database: str) -> None:
    """A privilege that is not granted fails at permission; the fix is the GRANT."""
    postgresql.sql("CREATE TABLE orders (n int)", database=database)
    postgresql.sql(f"GRANT SELECT ON orders TO {role}", database=database)
    url = postgresql.url(role, PW, database)
    assert said(await mooring.check(url, tables=["public.orders"])) is None
    result = await mooring.check(url, tables=["public.orders"], privileges=["SELECT", "INSERT", "DELETE"])
    assert said(result) == ("permission", "permission", "42501")
    assert result.failure is not None
    assert result.failure.message == "the role lacks INSERT on public.orders, DELETE on public.orders"
    assert fix(result) == (
        f'GRANT INSERT ON public.orders TO "{role}"; GRANT DELETE ON public.orders TO "{role}";'
    )


# The real operation


async def test_query_returns_what_is_expected(postgresql: PostgreSQL) -> None:
    """The query's first value is compared as text."""
    assert said(await mooring.check(postgresql.url(), query="SELECT 40 + 2, 'x'", expect=42)) is None
    assert said(await mooring.check(postgresql.url(), query="SELECT true", expect=True)) is None


async def test_query_returns_something_else(postgresql: PostgreSQL) -> None:
    """Another value than the expected one fails at function."""
    result = await mooring.check(postgresql.url(), query="SELECT 'stale'", expect="fresh")
    assert said(result) == ("function", "assertion", "UNEXPECTED_VALUE")
    assert result.failure is not None
    assert result.failure.message == "the query returned 'stale', not 'fresh'"


async def test_query_is_no_sql(postgresql: PostgreSQL) -> None:
    """A query that cannot be read is ours to correct and says nothing of the server."""
    result = await mooring.check(postgresql.url(), query="SELEC 1")
    assert said(result) == ("function", "config", "42601")
    assert result.status is Status.UNKNOWN


async def test_query_changes_nothing(postgresql: PostgreSQL, database: str) -> None:
    """What the query writes is rolled back."""
    postgresql.sql("CREATE TABLE orders (n int)", database=database)
    url = postgresql.url(database=database)
    assert said(await mooring.check(url, query="INSERT INTO orders VALUES (1) RETURNING n", expect=1)) is None
    assert postgresql.sql("SELECT count(*) FROM orders", database=database) == [(0,)]


async def test_query_that_hangs_is_ended_on_the_server(postgresql: PostgreSQL, role: str) -> None:
    """A query that outlives the check times out, and the server ends it soon after by itself."""
    result = await mooring.check(
        postgresql.url(role, PW, "postgres"), query="SELECT pg_sleep(60)", timeout=0.5
    )
    assert said(result) == ("function", "timeout", "TIMEOUT")
    await eventually(lambda: postgresql.sessions(role) == 0, "the end of the query")


# Head-room


async def test_few_sessions_left_is_a_warning(start_postgresql: StartPostgreSQL) -> None:
    """From 80 % of the usable sessions on the target is degraded."""
    with start_postgresql(settings={"max_connections": 8}) as server, ExitStack() as held:
        for _ in range(3):
            held.enter_context(psycopg.connect(server.url()))
        result = await mooring.check(server.url())
    assert result.status is Status.DEGRADED
    assert result.observation.warnings == ("4 of 5 sessions are in use",)
    assert result.observation.numbers["sessions_max"] == 5


# The server itself


async def test_stopped_server(start_postgresql: StartPostgreSQL) -> None:
    """A server that is stopped refuses at tcp, and is up again once it is started."""
    with start_postgresql() as server:
        server.stop()
        assert said(await mooring.check(server.url())) == ("tcp", "refused", "ECONNREFUSED")
        server.start()
        assert said(await mooring.check(server.url())) is None


async def test_paused_server(start_postgresql: StartPostgreSQL) -> None:
    """A server that is frozen accepts and never answers: a timeout at its first word."""
    with start_postgresql() as server:
        with server.paused():
            result = await mooring.check(server.url(), timeout=0.4)
        assert said(result) == ("protocol", "timeout", "TIMEOUT")
        await eventually(lambda: server.sessions() == 0, "the server's forgetting us")


async def test_server_that_shuts_down(start_postgresql: StartPostgreSQL) -> None:
    """A server that waits for its clients to leave says that it is shutting down: unavailable."""
    with start_postgresql() as server, psycopg.connect(server.url()):
        os.kill(server.pid, signal.SIGTERM)
        await eventually(lambda: "smart shutdown" in server.log, "the shutdown")
        result = await mooring.check(server.url())
    assert said(result) == ("auth", "unavailable", "57P03")
    assert result.failure is not None
    assert result.failure.message == "the database system is shutting down"


async def test_http_server_on_the_port_without_tls(nginx: Nginx) -> None:
    """Without TLS the login itself finds out."""
    result = await mooring.check(f"postgresql://u:p@127.0.0.1:{nginx.port}/db?sslmode=disable", timeout=2)
    assert said(result) == ("auth", "protocol", "NOT_POSTGRESQL")
    assert result.failure is not None
    assert "HTTP/1.1 400" in result.failure.message


# TLS


@pytest.fixture(scope="module")
def tls_server(start_postgresql: StartPostgreSQL, certificates: Certificates) -> Iterator[PostgreSQL]:
    """A server with a good certificate."""
    with start_postgresql(certificate=certificates.good) as server:
        yield server


async def test_tls_is_used_where_it_is_offered(tls_server: PostgreSQL) -> None:
    """Without a word on TLS it is used, unverified, without a warning, and the details say so."""
    result = await mooring.check(tls_server.url())
    assert (result.status, stages(result)["tls"]) == (Status.UP, "passed")
    assert result.observation.details["tls_version"] == "TLSv1.3"
    assert result.observation.details["tls_verified"] is False
    assert 690 < result.observation.numbers["certificate_days_left"] < 701


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
async def test_tls_verified(tls_server: PostgreSQL, certificates: Certificates, mode: str) -> None:
    """A certificate of the named authority passes."""
    result = await mooring.check(tls_server.url(sslmode=mode, sslrootcert=certificates.ca))
    assert said(result) is None
    assert result.observation.details["tls_verified"] is True


async def test_tls_switched_off(tls_server: PostgreSQL) -> None:
    """sslmode=disable asks for none."""
    result = await mooring.check(tls_server.url(sslmode="disable"))
    assert (said(result), stages(result)["tls"]) == (None, "skipped")


async def test_tls_unverified_on_purpose_warns(tls_server: PostgreSQL) -> None:
    """`verify = false` works and leaves a standing warning."""
    result = await mooring.check(tls_server.url(), tls={"verify": False})
    assert (result.status, stages(result)["tls"]) == (Status.DEGRADED, "warning")


async def test_tls_pinned(tls_server: PostgreSQL, certificates: Certificates) -> None:
    """The pinned certificate passes, any other fails at tls."""
    right = await mooring.check(tls_server.url(), tls={"pin": certificates.good.pin})
    wrong = await mooring.check(tls_server.url(), tls={"pin": certificates.expired.pin})
    assert (said(right), said(wrong)) == (None, ("tls", "tls", "PIN_MISMATCH"))


async def test_tls_by_name(tls_server: PostgreSQL, certificates: Certificates) -> None:
    """The certificate is compared with the name of the address, though an address is dialled."""
    result = await mooring.check(tls_server.url(host="localhost"), tls={"ca": certificates.ca})
    assert said(result) is None


async def test_tls_expiring_warns(start_postgresql: StartPostgreSQL, certificates: Certificates) -> None:
    """A certificate with five days left is degraded."""
    with start_postgresql(certificate=certificates.expiring) as server:
        result = await mooring.check(server.url(), tls={"ca": certificates.ca})
    assert (result.status, stages(result)["tls"]) == (Status.DEGRADED, "warning")
    assert result.observation.warnings[0].startswith("the certificate expires in 5 days")


async def test_tls_for_another_host(start_postgresql: StartPostgreSQL, certificates: Certificates) -> None:
    """A certificate for another host fails, but where only its authority is asked for, or that name."""
    with start_postgresql(certificate=certificates.wrong_host) as server:
        full = await mooring.check(server.url(sslmode="verify-full", sslrootcert=certificates.ca))
        chain = await mooring.check(server.url(sslmode="verify-ca", sslrootcert=certificates.ca))
        named = await mooring.check(server.url(), tls={"ca": certificates.ca, "server_name": "other.example"})
    assert (said(full), said(chain), said(named)) == (("tls", "tls", "CERT_HOST_MISMATCH"), None, None)


async def test_tls_required_by_the_server(
    start_postgresql: StartPostgreSQL, certificates: Certificates
) -> None:
    """A server that takes no plain login refuses one at auth and the hint asks for TLS."""
    with start_postgresql(certificate=certificates.good, hba=HBA_TLS_ONLY) as server:
        server.sql("CREATE ROLE shop LOGIN PASSWORD 'x'")
        plain = await mooring.check(server.url("shop", "x", "postgres", sslmode="disable"))
        secure = await mooring.check(server.url("shop", "x", "postgres"))
    assert (said(plain), said(secure)) == (("auth", "auth", "28000"), None)
    assert "sslmode=require" in hint(plain)


async def test_client_certificate(start_postgresql: StartPostgreSQL, certificates: Certificates) -> None:
    """A server that demands a client certificate takes the right one and refuses none and another."""
    with start_postgresql(
        certificate=certificates.good, client_ca=certificates.ca, hba=HBA_CLIENT_CERT
    ) as server:
        server.sql("CREATE ROLE shop LOGIN PASSWORD 'x'")
        url = server.url("shop", "x", "postgres")
        ours, theirs = certificates.client, certificates.unknown_client
        right = await mooring.check(url, tls={"ca": certificates.ca, "cert": ours.cert, "key": ours.key})
        none = await mooring.check(url, tls={"ca": certificates.ca})
        wrong = await mooring.check(url, tls={"ca": certificates.ca, "cert": theirs.cert, "key": theirs.key})
    assert (said(right), said(none)) == (None, ("auth", "auth", "28000"))
    assert said(wrong) == ("tls", "tls", "CLIENT_CERT_REFUSED")


# The network


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Silence(), ("protocol", "timeout", "TIMEOUT")),
        (Silence(after=1), ("auth", "timeout", "TIMEOUT")),
        (Cut(), ("protocol", "network", "EOF")),
        (Cut(after=1), ("auth", "network", "CONNECTION_LOST")),
        (Cut(after=20), ("auth", "network", "CONNECTION_LOST")),
        (HalfClose(), ("protocol", "network", "EOF")),
        (Reset(after=1), ("auth", "network", "ECONNRESET")),
    ],
    ids=str,
)
async def test_fault_of_the_network(
    postgresql: PostgreSQL, role: str, fault: Fault, expected: tuple[str, str, str]
) -> None:
    """A broken network is told at the stage it struck, never as a refused login, and no session is left."""
    async with fault_proxy(postgresql.port, fault) as proxy:
        url = postgresql.url(role, PW, "postgres", port=proxy.port)
        assert said(await mooring.check(url, timeout=0.5)) == expected
    await eventually(lambda: postgresql.sessions(role) == 0, "the server's forgetting us")


async def test_tls_handshake_that_stalls(tls_server: PostgreSQL) -> None:
    """A handshake that is never answered is a timeout at tls, and no TLS fault."""
    async with fault_proxy(tls_server.port, StallTLS()) as proxy:
        result = await mooring.check(tls_server.url(port=proxy.port), timeout=0.4)
    assert said(result) == ("tls", "timeout", "TIMEOUT")


async def test_tls_handshake_that_is_cut(tls_server: PostgreSQL) -> None:
    """A handshake that is cut is a network fault at tls."""
    async with fault_proxy(tls_server.port, Cut(after=100)) as proxy:
        result = await mooring.check(tls_server.url(port=proxy.port), timeout=2)
    assert result.failure is not None
    assert (result.failure.stage, result.failure.reason) == ("tls", "network")


# Roles


@contextmanager
def standby_of(primary: PostgreSQL, start: StartPostgreSQL) -> Iterator[PostgreSQL]:
    """A real streaming replica."""
    with private_folder() as folder:
        subprocess.run(
            [
                *unprivileged(folder),
                *("/usr/bin/env", "PGPASSWORD=" + PASSWORD, "pg_basebackup", "-h", "127.0.0.1"),
                *("-p", str(primary.port), "-U", "postgres", "-D", str(folder / "data"), "-R", "-c", "fast"),
            ],
            check=True,
            capture_output=True,
        )
        with start(template=folder / "data") as standby:
            yield standby


async def test_replica_tells_its_role_and_lag(start_postgresql: StartPostgreSQL) -> None:
    """A streaming replica is told as such with its lag; a primary that is asked for fails at function."""
    hba = "host all,replication all 127.0.0.1/32 scram-sha-256\n"
    with start_postgresql(hba=hba) as primary, standby_of(primary, start_postgresql) as standby:
        good = await mooring.check(standby.url(), role="replica")
        wrong = await mooring.check(standby.url(), role="primary")
        writing = await mooring.check(standby.url(), query="CREATE TABLE x ()")
    assert said(good) is None
    assert good.observation.details["role"] == "replica"
    assert good.observation.numbers["replica_lag"] >= 0
    assert said(wrong) == ("function", "assertion", "WRONG_ROLE")
    assert said(writing) == ("function", "assertion", "25006")


# What is refused before anything is tested


@pytest.mark.parametrize(
    ("url", "settings", "field"),
    [
        ("postgresql:///orders", {}, "url"),
        ("postgresql://db.example/orders", {}, "url"),
        ("postgresql://u@h/d?sslmode=sometimes", {}, "url"),
        ("postgresql://u@h/d?sslmode=disable", {"tls": {}}, "tls"),
        ("postgresql://u@h/d", {"privileges": ["READ"]}, "privileges.0"),
        ("postgresql://u@h/d", {"query": ""}, "query"),
        ("postgresql://u@h/d", {"role": "leader"}, "role"),
    ],
)
async def test_settings_that_cannot_be_used(url: str, settings: dict[str, Any], field: str) -> None:
    """A mistake names the setting."""
    with pytest.raises(InputError) as caught:
        await mooring.check(url, **settings)
    assert [problem.field for problem in caught.value.problems] == [field]
