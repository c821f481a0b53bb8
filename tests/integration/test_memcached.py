"""memcached: what a real server tells, and what it must never be told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.probes._registry import Kinds
from mooring.probes.memcached import OPEN_DOOR
from mooring.probes.memcached import Memcached as Kind
from mooring.targets import TargetReader
from tests.servers.memcached import MOST_CONNECTIONS, PASSWORD, USER, Memcached, StartMemcached
from tests.servers.played import playing
from tests.servers.tls import Certificates

pytestmark = pytest.mark.integration
READER_OF_TARGETS = TargetReader(Kinds())


async def check(url: str, **settings: Any) -> CheckResult:
    """Check an address once."""
    target = READER_OF_TARGETS.from_url(url, **{"timeout": 5, **settings})
    async with Network() as net:
        return await Runner(net).run(target, Trigger.CLI)


async def test_good_server_tells_its_state(memcached: Memcached) -> None:
    """A check that passes says which version answers, and how full it is."""
    result = await check(memcached.url(f"{USER}:{PASSWORD}"), write_key="mooring:check:")
    assert (result.status, result.failure) == (Status.UP, None)
    assert result.observation.details["server_version"].count(".") == 2
    numbers = result.observation.numbers
    assert numbers["connections_used"] >= 1
    assert numbers["connections_max"] == MOST_CONNECTIONS
    assert numbers["memory_max_bytes"] == 16 * 1024 * 1024
    assert numbers.keys() >= {"memory_used_bytes", "items", "evictions", "hits", "misses", "uptime_seconds"}
    assert [stage.stage for stage in result.stages if stage.status is StageStatus.PASSED] == [
        Stage.DNS,
        Stage.TCP,
        Stage.PROTOCOL,
        Stage.AUTH,
        Stage.FUNCTION,
    ]


async def test_what_was_written_is_removed(start_memcached: StartMemcached) -> None:
    """After a check with `write_key` the server holds nothing of ours."""
    with start_memcached() as server:
        assert (await check(server.url(), write_key="mooring:check:")).status is Status.UP
        assert "STAT curr_items 0\r" in server.ask("stats")
        assert "STAT cmd_set 1\r" in server.ask("stats")


async def test_login_is_never_sent_to_a_server_that_asks_for_none(start_memcached: StartMemcached) -> None:
    """The login of memcached is a `set`: sent to a server without logins it would be readable by all."""
    with start_memcached() as server:
        result = await check(server.url(f"{USER}:{PASSWORD}"))
        told = server.ask("stats", "get auth")
    assert (result.status, result.observation.warnings) == (Status.DEGRADED, (OPEN_DOOR,))
    assert [stage.stage for stage in result.stages if stage.status is StageStatus.WARNING] == [Stage.AUTH]
    assert "STAT cmd_set 0\r" in told
    assert PASSWORD not in told


@pytest.mark.parametrize(
    ("answer", "reason", "code"),
    [
        (b"CLIENT_ERROR authentication failure", Reason.AUTH, "AUTHENTICATION_FAILURE"),
        (b"SERVER_ERROR out of memory storing object", Reason.OVERLOADED, "OUT_OF_MEMORY"),
        (b"SERVER_ERROR busy", Reason.UNAVAILABLE, "SERVER_ERROR"),
        (b"welcome", Reason.PROTOCOL, "NOT_MEMCACHED"),
    ],
)
async def test_only_a_refusal_is_a_rejected_login(answer: bytes, reason: Reason, code: str) -> None:
    """A server that has no memory for the login has not looked at it."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"CLIENT_ERROR unauthenticated\r\n")
        await reader.readline()
        await reader.readline()
        writer.write(answer + b"\r\n")
        await reader.read()

    async with playing(play) as port:
        result = await check(f"memcached://u:pw@127.0.0.1:{port}")
    assert result.failure is not None
    assert (result.failure.stage, result.failure.reason, result.failure.code) == (Stage.AUTH, reason, code)


async def test_few_connections_left_are_warned_about(start_memcached: StartMemcached) -> None:
    """From `warn_used` on a check warns, and still passes."""
    with start_memcached() as server:
        result = await check(server.url(), warn_used=0.01)
    assert result.status is Status.DEGRADED
    assert result.observation.warnings[0].endswith(f" of {MOST_CONNECTIONS} connections are open")


async def test_full_memory_is_no_warning_where_it_evicts(start_memcached: StartMemcached) -> None:
    """A cache is meant to be full; only where nothing may be evicted that is said."""
    value = f"set key 0 0 400000\r\n{'x' * 400_000}"
    with start_memcached() as evicting, start_memcached("-M") as keeping:
        assert evicting.ask(value) == keeping.ask(value) == "STORED\r\n"
        first = await check(evicting.url(), warn_used=0.02 * 1)
        second = await check(keeping.url(), warn_used=0.02 * 1)
    assert [w for w in first.observation.warnings if "memory" in w] == []
    assert [w for w in second.observation.warnings if "memory" in w] == [
        "2% of its memory is used, and nothing may be evicted (-M)"
    ]


async def test_tls_is_used_and_verified(tls_memcached: Memcached, certificates: Certificates) -> None:
    """memcacheds:// speaks TLS and says until when the certificate is good."""
    result = await check(tls_memcached.url(scheme="memcacheds"), tls={"ca": certificates.ca})
    assert (result.status, result.observation.details["tls_version"]) == (Status.UP, "TLSv1.3")
    assert result.observation.numbers["certificate_days_left"] > 600


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "memcached://"}, "url: a memcached address names a host: memcached://host:11211"),
        ({"url": "memcached://u@h"}, "url: a user without a password"),
        ({"url": "memcached://:pw@h"}, "url: a password without a user"),
        ({"url": "memcached://h/0"}, "url: memcached has no databases"),
        ({"url": "memcached://h", "tls": {"ca": "/ca.pem"}}, "write memcacheds:// instead of memcached://"),
        ({"url": "memcached://h", "write_key": "a b"}, "String should match pattern"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], message: str) -> None:
    """What is wrong is said by its field, with what would be right."""
    with pytest.raises(ValueError) as caught:
        Kind.model_validate(settings)
    assert message in str(caught.value)


def test_address_shows_no_login() -> None:
    """The address tells host and port."""
    assert Kind(url="memcached://u:pw@h").address == "h:11211"
    assert Kind(url="memcacheds://u:pw@[::1]:1/").address == "[::1]:1"
