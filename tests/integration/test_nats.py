"""NATS: what a check says of a real server beyond its faults."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.net.trail import Trail
from mooring.probes import _jetstream
from mooring.probes._nats import MOST_MESSAGES, Refused
from mooring.probes._nats_errors import explain
from mooring.probes._registry import Kinds
from mooring.probes.nats import Nats as Kind
from mooring.targets import TargetReader
from tests.servers.nats import PUPIL, TOKEN_LOGIN, Nats, StartNats
from tests.servers.played import saying
from tests.servers.process import eventually
from tests.servers.tls import Certificates

pytestmark = pytest.mark.integration
READER_OF_TARGETS = TargetReader(Kinds())
STREAM = {"name": "orders", "subjects": ["orders.>"], "storage": "memory", "max_bytes": 100_000}


async def check(url: str, **settings: Any) -> CheckResult:
    """Check an address once."""
    target = READER_OF_TARGETS.from_url(url, **{"timeout": 5, **settings})
    async with Network() as net:
        return await Runner(net).run(target, Trigger.CLI)


async def told(port: int, **settings: Any) -> tuple[Stage | None, Reason, str]:
    """Check a server that is played once, and return what is told of its fault."""
    result = await check(f"nats://127.0.0.1:{port}", **settings)
    assert result.failure is not None
    return result.failure.stage, result.failure.reason, result.failure.code


def asked(sock: socket.socket, subject: str, payload: str) -> None:
    """Send a request as a client that is logged in, and wait for its answer."""
    sock.sendall(f"SUB answer 1\r\nPUB {subject} answer {len(payload)}\r\n{payload}\r\n".encode())
    with sock.makefile("rb") as file:
        while not file.readline().startswith(b"MSG answer"):
            pass
        assert "error" not in json.loads(file.readline())


async def test_good_server_says_who_it_is(nats: Nats) -> None:
    """A check that passes names the server, and runs every stage but TLS."""
    result = await check(nats.url(), subject="mooring.check", request="$JS.API.INFO", jetstream=True)
    assert (result.status, result.failure) == (Status.UP, None)
    details, numbers = result.observation.details, result.observation.numbers
    assert details["address"] == f"127.0.0.1:{nats.port}"
    assert (details["server_name"], details["jetstream"]) == ("reef", True)
    assert (details["server_version"].count("."), details["max_payload_bytes"]) == (2, 1024 * 1024)
    assert (numbers["memory_max_bytes"], numbers["storage_max_bytes"]) == (1_000_000, 1_000_000)
    assert [stage.stage for stage in result.stages if stage.status is StageStatus.PASSED] == [
        Stage.DNS,
        Stage.TCP,
        Stage.PROTOCOL,
        Stage.AUTH,
        Stage.PERMISSION,
        Stage.FUNCTION,
    ]


async def test_stream_is_counted(nats: Nats) -> None:
    """A stream of JetStream that is there is up, with what it holds, and keeps it."""
    with nats.client() as sock:
        asked(sock, "$JS.API.STREAM.CREATE.orders", json.dumps(STREAM))
        asked(sock, "orders.new", "{}")
        for _ in range(2):
            result = await check(nats.url(), stream="orders")
            assert (result.status, result.observation.numbers["messages"]) == (Status.UP, 1)
        asked(sock, "$JS.API.STREAM.DELETE.orders", "")
    assert result.observation.numbers["consumers"] == 0
    assert result.observation.numbers["stream_bytes"] > 0


async def test_rights_below_a_subject_are_enough(nats: Nats) -> None:
    """Who may only hear and publish on one subject is up on that one."""
    assert (await check(nats.url(*PUPIL), subject="school.read")).status is Status.UP


async def test_tls_is_used_where_the_server_demands_it(nats_tls: Nats, certificates: Certificates) -> None:
    """TLS comes after the greeting, is verified by the settings, and comes before the login."""
    url = nats_tls.url(host="localhost")
    good = await check(url, tls={"ca": certificates.ca})
    assert (good.status, good.observation.details["tls_version"]) == (Status.UP, "TLSv1.3")
    passed = [stage.stage for stage in good.stages if stage.status is StageStatus.PASSED]
    assert passed[2:5] == [Stage.PROTOCOL, Stage.TLS, Stage.AUTH]
    assert (await check(url, tls={"verify": False})).status is Status.DEGRADED


async def test_client_certificate_lets_in(start_nats: StartNats, certificates: Certificates) -> None:
    """A server that demands a client certificate is up with one."""
    client = certificates.client
    with start_nats(certificate=certificates.good, verify=True) as server:
        tls = {"ca": certificates.ca, "cert": client.cert, "key": client.key}
        assert (await check(server.url(host="localhost"), tls=tls)).status is Status.UP


async def test_token_lets_in_and_is_shown_nowhere(start_nats: StartNats) -> None:
    """A user without a password is a token, which is a secret."""
    with start_nats(login=TOKEN_LOGIN) as server:
        url = f"nats://s3cret-token@127.0.0.1:{server.port}"
        assert (await check(url)).status is Status.UP
    kind = Kind(url=url)
    assert (list(kind.secrets()), kind.address) == (["s3cret-token"], f"127.0.0.1:{server.port}")


async def test_session_is_held_and_left(nats: Nats) -> None:
    """A session answers pings, and is off the books once left."""
    await eventually(lambda: nats.sessions() == 0, "the server's forgetting others")
    kind = Kind(url=nats.url())
    async with Network() as net, kind.session(Trail(net, timeout=5)) as session:
        await kind.ping(session)
        await kind.ping(session)
        await eventually(lambda: nats.sessions() == 1, "one session on its books")
    await eventually(lambda: nats.sessions() == 0, "the server's forgetting us")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("User Authentication Expired", (Reason.AUTH, "AUTHENTICATION_EXPIRED")),
        ("User Authentication Revoked", (Reason.AUTH, "AUTHENTICATION_REVOKED")),
        ("Authentication Timeout", (Reason.TIMEOUT, "AUTHENTICATION_TIMEOUT")),
        ("Bearer JWT not allowed", (Reason.AUTH, "BEARER_NOT_ALLOWED")),
        ("Invalid Client Protocol", (Reason.PROTOCOL, "CLIENT_PROTOCOL")),
        ("Parser Error", (Reason.PROTOCOL, "PARSER_ERROR")),
        ("maximum subscriptions exceeded", (Reason.OVERLOADED, "MAX_SUBSCRIPTIONS")),
        ("Secure Connection - TLS Required", (Reason.TLS, "TLS_REQUIRED")),
        ("Attempted To Connect To Route Port", (Reason.PROTOCOL, "WRONG_PORT")),
        ("Server Shutdown", (Reason.UNAVAILABLE, "SHUTDOWN")),
        ("Stale Connection", (Reason.NETWORK, "STALE")),
        ("what nobody knows", (Reason.ASSERTION, "REFUSED")),
    ],
)
def test_every_refusal_is_told(text: str, told: tuple[Reason, str]) -> None:
    """What the server complains of is told, known or not."""
    cause = explain(Refused(text), with_login=True)
    assert cause is not None
    assert (cause.reason, cause.code, cause.message) == (*told, text)


def test_late_login_is_no_firewall() -> None:
    """A server that waited for the login too long says so: packets do arrive."""
    cause = explain(Refused("Authentication Timeout"), with_login=True)
    assert cause is not None
    assert cause.hint == (
        "The login came too late for the server: look at its load, or raise authorization.timeout."
    )


GREETING = b'INFO {"version":"2"}\r\n'
SUBSCRIBED = GREETING + b"PONG\r\nPONG\r\n"


@pytest.mark.parametrize(
    "greeting",
    [b"INFO []\r\n", b"INFO 5\r\n", b"INFO " + b"[" * 60_000 + b"\r\n", b"INFO {\r\n"],
    ids=["list", "number", "deep", "cut"],
)
async def test_greeting_that_makes_no_sense_is_the_servers_fault(greeting: bytes) -> None:
    """What a server says of itself is an object of JSON, or cannot be read."""
    with saying(greeting) as port:
        assert await told(port) == (Stage.PROTOCOL, Reason.PROTOCOL, "UNREADABLE")


async def test_line_without_an_end_is_not_nats() -> None:
    """What greets with more than a line holds is something else."""
    with saying(b"x" * 200_000) as port:
        assert await told(port) == (Stage.PROTOCOL, Reason.PROTOCOL, "NOT_NATS")


@pytest.mark.parametrize(
    "answer",
    [
        b"[1]",
        b'{"memory":"x"}',
        b'{"memory":1e999}',
        b'{"limits":null}',
        b'{"error":"boom"}',
        b'{"error":{"err_code":"x"}}',
        b"[" * 100_000,
    ],
)
async def test_jetstream_that_makes_no_sense_is_the_servers_fault(answer: bytes) -> None:
    """Each part of an answer is as JetStream sends it, or cannot be read."""
    words = SUBSCRIBED + b"PONG\r\nMSG _INBOX.a 1 %d\r\n%s\r\nPONG\r\n" % (len(answer), answer)
    with saying(words) as port:
        assert await told(port, jetstream=True) == (Stage.FUNCTION, Reason.PROTOCOL, "UNREADABLE")


async def test_message_of_a_stranger_is_no_answer() -> None:
    """What somebody else sends on the subject is taken neither for ours nor for JetStream's answer."""
    word_of_other = b"MSG mooring.check 1 5\r\nother\r\n"
    with saying(SUBSCRIBED + word_of_other + b"PONG\r\n") as port:
        silent = await told(port, subject="mooring.check")
    assert silent == (Stage.FUNCTION, Reason.ASSERTION, "NOT_HEARD")
    answer = b'{"memory":7}'
    words = SUBSCRIBED + word_of_other.replace(b"check 1", b"check 9") + b"PONG\r\n"
    words += word_of_other.replace(b"check 1", b"check 9")
    with saying(words + b"MSG _INBOX.a 1 %d\r\n%s\r\nPONG\r\n" % (len(answer), answer)) as port:
        result = await check(f"nats://127.0.0.1:{port}", jetstream=True)
    assert result.observation.numbers == {"memory_used_bytes": 7}


async def test_flood_of_messages_is_given_up() -> None:
    """Others' messages are not kept, and there is an end to reading them."""
    with saying(SUBSCRIBED + b"MSG a 1 1\r\nx\r\n" * MOST_MESSAGES) as port:
        assert await told(port, subject="a") == (Stage.PERMISSION, Reason.ASSERTION, "SUBJECT_BUSY")


def test_use_near_the_limits_is_warned_of() -> None:
    """Memory and storage are warned of from the part that is set, and no limit (-1) is never near."""
    account = {"memory": 80, "storage": 79, "limits": {"max_memory": 100, "max_storage": 100}}
    assert list(_jetstream.warnings(account, 0.8)) == ["80% of JetStream's memory is used"]
    endless = {"memory": 80, "storage": 79, "limits": {"max_memory": -1, "max_storage": -1}}
    assert list(_jetstream.warnings(endless, 0.8)) == []
    assert _jetstream.numbers(endless) == {"memory_used_bytes": 80, "storage_used_bytes": 79}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "nats://"}, "url: an address names a host: nats://user:password@host:port"),
        ({"url": "nats://:pw@h"}, "url: a password without a user; a token alone is nats://token@host"),
        ({"url": "nats://h", "subject": "orders.>"}, "has to be one subject, words with dots between"),
        ({"url": "nats://h", "request": "two words"}, "has to be one subject, words with dots between"),
        ({"url": "nats://h", "stream": "a.b"}, "has to be a stream's name, without dots, spaces, * and >"),
    ],
)
def test_settings_that_cannot_be_used_say_why(settings: dict[str, Any], message: str) -> None:
    """What is wrong with the settings is said before anything is connected."""
    with pytest.raises(ValueError) as caught:
        Kind(**settings)
    assert message in str(caught.value)
