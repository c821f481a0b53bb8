"""PgBouncer: a real one in front of the real PostgreSQL."""

from __future__ import annotations

import asyncio
import struct
from contextlib import ExitStack
from typing import Any

import pytest

from mooring.core.failure import InputError
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.net.trail import Trail
from mooring.probes._pgbouncer import cause
from mooring.probes._registry import Kinds
from mooring.probes.pgbouncer import PgBouncer as Kind
from mooring.targets import TargetReader
from tests.integration.entries import target_of
from tests.integration.kinds.pgbouncer import somebody_waits
from tests.servers.pgbouncer import ADMIN, USER, PgBouncer, StartPgBouncer
from tests.servers.played import playing
from tests.servers.process import eventually
from tests.servers.tls import Certificates


async def check(url: str, **settings: Any) -> CheckResult:
    """Check a pooler once."""
    async with Network() as net:
        return await Runner(net).run(target_of("pgbouncer", {"url": url, **settings}, 5), Trigger.CLI)


@pytest.mark.integration
async def test_good_pooler_tells_its_pools(start_pgbouncer: StartPgBouncer) -> None:
    """A check that passes says how many clients and servers there are, ours not counted."""
    with start_pgbouncer() as server, server.client() as client:
        client.execute("SELECT 1")
        result = await check(server.url())
    assert (result.status, result.failure) == (Status.UP, None)
    assert result.observation.details["pool_mode"] == "transaction"
    assert result.observation.details["server_version"].count(".") == 2
    assert result.observation.numbers == {
        "clients_used": 1,
        "clients_max": 100,
        "clients_active": 1,
        "clients_waiting": 0,
        "wait_seconds": 0,
        "servers_active": 1,
        "servers_idle": 0,
    }


@pytest.mark.integration
@pytest.mark.parametrize("tail", ["", "/", "/pgbouncer", "/?sslmode=disable"])
async def test_address_may_name_the_console(pgbouncer: PgBouncer, tail: str) -> None:
    """The console's database may be named or left out, and an administrator may look as well."""
    url = pgbouncer.url(ADMIN).removesuffix("/pgbouncer") + tail
    assert (await check(url)).status is Status.UP


@pytest.mark.integration
async def test_waiting_client_warns(start_pgbouncer: StartPgBouncer) -> None:
    """Somebody who waits for a server is told, with whose pool it is, and only for databases that count."""
    with start_pgbouncer(default_pool_size=1) as server, somebody_waits(server):
        result = await check(server.url(), wait_warning=0)
        patient = await check(server.url(), wait_warning=60)
        other = await check(server.url(), wait_warning=0, databases=["stock"])
    [warning] = result.observation.warnings
    assert warning.startswith("1 clients wait for a server, the first for 0.")
    assert warning.endswith(f" s: orders of {ADMIN[0]}")
    assert result.observation.numbers["clients_waiting"] == 1
    assert [each.status for each in (patient, other)] == [Status.UP, Status.UP]


@pytest.mark.integration
async def test_few_clients_left_warns(start_pgbouncer: StartPgBouncer) -> None:
    """From four fifths of max_client_conn on it warns."""
    with start_pgbouncer(max_client_conn=5) as server, ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(server.client())
        result = await check(server.url())
    assert result.observation.warnings == ("4 of 5 clients are connected",)


@pytest.mark.integration
async def test_tls_is_used_and_verified(start_pgbouncer: StartPgBouncer, certificates: Certificates) -> None:
    """The TLS settings demand a certificate that is trusted; without them TLS is used where it is offered."""
    with start_pgbouncer(certificate=certificates.good) as server:
        verified = await check(server.url(), tls={"ca": certificates.ca})
        preferred = await check(server.url())
    assert [each.status for each in (verified, preferred)] == [Status.UP, Status.UP]
    assert [each.observation.details["tls_verified"] for each in (verified, preferred)] == [True, False]


@pytest.mark.integration
async def test_user_who_may_not_look_has_not_logged_in(pgbouncer: PgBouncer) -> None:
    """The pooler refuses by the name alone, so the password is not told to be right."""
    result = await check(pgbouncer.url((USER[0], "any-password")))
    stages = {stage.stage: stage.status for stage in result.stages}
    assert (stages[Stage.AUTH], stages[Stage.PERMISSION]) == (StageStatus.SKIPPED, StageStatus.FAILED)


@pytest.mark.integration
async def test_session_can_be_held(pgbouncer: PgBouncer) -> None:
    """A session answers again and again, and is off the pooler's books once it is left."""
    await eventually(lambda: pgbouncer.sessions() == 0, "the server's forgetting others")
    probe = Kind.model_validate({"url": pgbouncer.url()})
    async with Network() as net, probe.session(Trail(net, timeout=5)) as session:
        for _ in range(3):
            await probe.ping(session)
        await eventually(lambda: pgbouncer.sessions() == 1, "one session on its books")
    await eventually(lambda: pgbouncer.sessions() == 0, "the server's forgetting us")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("pgbouncer://host", "url: names no host or no user; write pgbouncer://user:password@host:6432"),
        ("pgbouncer://stats@host/orders", "url: the console is the database pgbouncer; leave 'orders' out"),
        ("pgbouncer://stats@host/?sslmode=maybe", "url: sslmode=maybe is not one of disable, prefer"),
    ],
)
def test_mistake_says_what_would_be_right(url: str, told: str) -> None:
    """What cannot work is refused, and says what would be right."""
    with pytest.raises(InputError) as caught:
        TargetReader(Kinds()).read({"name": "pooler", "kind": "pgbouncer", "url": url})
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("sqlstate", "message", "reason", "code"),
    [
        ("08P01", "not allowed", Reason.PERMISSION, "NOT_ALLOWED"),
        ("08P01", "admin access needed", Reason.PERMISSION, "ADMIN_NEEDED"),
        ("08P01", "SASL authentication failed", Reason.AUTH, "LOGIN_FAILED"),
        ("08P01", "no such user: shop", Reason.AUTH, "LOGIN_FAILED"),
        ("28P01", "password authentication failed", Reason.AUTH, "LOGIN_FAILED"),
        ("08P01", "no more connections allowed (max_client_conn)", Reason.OVERLOADED, "CLIENTS_FULL"),
        ("08P01", "pgbouncer is shutting down", Reason.UNAVAILABLE, "SHUTTING_DOWN"),
        ("57P01", "terminating connection", Reason.UNAVAILABLE, "57P01"),
        ("08P01", "invalid command", Reason.PROTOCOL, "08P01"),
        ("3D000", 'database "pgbouncer" does not exist', Reason.PROTOCOL, "NOT_PGBOUNCER"),
        ("42704", 'unrecognized configuration parameter "version"', Reason.PROTOCOL, "NOT_PGBOUNCER"),
        ("XX000", "something new", Reason.ASSERTION, "XX000"),
    ],
)
def test_error_means_one_reason(sqlstate: str, message: str, reason: Reason, code: str) -> None:
    """PgBouncer has one SQLSTATE for nearly all that goes wrong: its words decide."""
    known = cause(sqlstate, message, "shop")
    assert (known.reason, known.code) == (reason, code)


def test_right_is_granted_beside_those_of_others() -> None:
    """What is proposed throws nobody out whom the configuration names already."""
    known = cause("08P01", "not allowed", "shop")
    assert known.fix is None
    assert known.hint == (
        "Add shop to stats_users in pgbouncer.ini, after those that it names already, and RELOAD."
    )


# A scripted pooler


def part(kind: bytes, body: bytes) -> bytes:
    """Return a message of PostgreSQL's protocol."""
    return kind + struct.pack(">I", len(body) + 4) + body


def rows(*given: dict[str, str]) -> bytes:
    """Return an answer of these rows."""
    columns = b"".join(name.encode() + bytes(19) for name in given[0])
    values = (b"".join(struct.pack(">i", len(v)) + v.encode() for v in row.values()) for row in given)
    described = part(b"T", struct.pack(">H", len(given[0])) + columns)
    return described + b"".join(part(b"D", struct.pack(">H", len(given[0])) + row) for row in values)


async def answered(said: bytes, **answers: bytes) -> CheckResult:
    """Check a pooler that lets everybody in, says this of itself, and answers SHOW so."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ready = part(b"Z", b"I")
        await reader.readexactly(8)
        writer.write(b"N")
        await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big") - 4)
        writer.write(part(b"R", bytes(4)) + said + ready)
        while head := await reader.readexactly(5):
            query = (await reader.readexactly(int.from_bytes(head[1:], "big") - 4)).decode().strip("\0")
            writer.write(answers.get(query.removeprefix("SHOW "), rows({"version": "PgBouncer 1.7"})))
            writer.write(ready)

    async with playing(play) as port:
        return await check(f"pgbouncer://stats:pw@127.0.0.1:{port}")


VERSION = part(b"S", b"server_version\x001.7/bouncer\0")


@pytest.mark.parametrize(
    ("said", "answers", "stage", "message"),
    [
        (b"", {}, Stage.AUTH, "what answers does not say its version as PostgreSQL does"),
        (VERSION, {}, Stage.FUNCTION, "the console's answer cannot be read: 'key'"),
        (
            VERSION,
            {
                "CONFIG": rows(
                    {"key": "max_client_conn", "value": "many"}, {"key": "pool_mode", "value": ""}
                ),
                "LISTS": rows({"list": "used_clients", "items": "1"}),
            },
            Stage.FUNCTION,
            "the console's answer cannot be read: invalid literal for int() with base 10: 'many'",
        ),
        (
            VERSION,
            {"POOLS": part(b"D", b"\0\1\0\0\0\1x")},
            Stage.PERMISSION,
            "the console's answer cannot be read: zip() argument 2 is longer than argument 1",
        ),
    ],
    ids=["no version", "no such column", "no number", "no columns"],
)
async def test_answer_that_makes_no_sense_is_the_pooler_s(
    said: bytes, answers: dict[str, bytes], stage: Stage, message: str
) -> None:
    """Whatever stands in its rows, or does not, is no fault of ours."""
    failure = (await answered(said, **answers)).failure
    assert failure is not None
    assert (failure.reason, failure.stage, failure.code) == (Reason.PROTOCOL, stage, "UNREADABLE")
    assert failure.message == message


@pytest.mark.parametrize(
    "endless",
    [b"D\x3f\xff\xff\xff", rows(*[{"database": "x"}] * 40_000)],
    ids=["one row", "many rows"],
)
async def test_answer_of_the_console_without_end_is_cut_off(endless: bytes) -> None:
    """No more rows are kept, nor a longer one waited for, than a check can want."""
    failure = (await answered(VERSION, POOLS=endless)).failure
    assert failure is not None
    assert (failure.reason, failure.stage, failure.code) == (Reason.PROTOCOL, Stage.PERMISSION, "TOO_LARGE")
