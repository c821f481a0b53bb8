"""RabbitMQ: what a check says of a real server beyond its faults, and that it changes nothing there."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import pytest
from pamqp import commands, frame
from pamqp.base import Frame
from pamqp.common import FieldTable
from pamqp.exceptions import UnmarshalingException

from mooring.core.failure import CheckError
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.net.trail import Trail
from mooring.probes._amqp import Amqp, Closed
from mooring.probes._rabbitmq import explain, look_at
from mooring.probes._registry import Kinds
from mooring.probes.rabbitmq import RabbitMQ as Kind
from mooring.targets import TargetReader
from tests.servers.played import playing
from tests.servers.process import eventually
from tests.servers.rabbitmq import (
    EXCHANGE,
    ODD_EXCHANGE,
    ODD_QUEUE,
    ODD_VHOST,
    PASSWORD,
    QUEUE,
    READER,
    USER,
    RabbitMQ,
)
from tests.servers.tls import Certificates

pytestmark = pytest.mark.integration
READER_OF_TARGETS = TargetReader(Kinds())
AT_ONCE = struct.pack("ii", 1, 0)
WORK = commands.Queue.Declare(queue="work", auto_delete=True)


async def check(url: str, **settings: Any) -> CheckResult:
    """Check an address once."""
    target = READER_OF_TARGETS.from_url(url, **{"timeout": 5, **settings})
    async with Network() as net:
        return await Runner(net).run(target, Trigger.CLI)


async def test_good_server_says_who_it_is(rabbitmq: RabbitMQ) -> None:
    """A check that passes names the server, and runs every stage but TLS."""
    result = await check(rabbitmq.url(), queue=QUEUE, exchange=EXCHANGE)
    assert (result.status, result.failure) == (Status.UP, None)
    details = result.observation.details
    assert (details["address"], details["server_product"]) == (f"127.0.0.1:{rabbitmq.port}", "RabbitMQ")
    assert str(details["server_version"]).count(".") == 2
    assert result.observation.numbers == {"messages": 0, "consumers": 0}
    assert [stage.stage for stage in result.stages if stage.status is StageStatus.PASSED] == [
        Stage.DNS,
        Stage.TCP,
        Stage.PROTOCOL,
        Stage.AUTH,
        Stage.PERMISSION,
        Stage.FUNCTION,
    ]


async def test_rights_are_tested_and_nothing_is_taken(rabbitmq: RabbitMQ) -> None:
    """Messages and consumers are counted, and a test of all rights leaves them as they were."""
    rights = ["read", "write", "configure"]
    with rabbitmq.client() as client:
        client.ask(WORK, commands.Queue.DeclareOk)
        client.ask(
            commands.Queue.Bind(queue="work", exchange=EXCHANGE, routing_key="#"), commands.Queue.BindOk
        )
        client.publish("", "work")
        for _ in range(2):
            result = await check(rabbitmq.url(), queue="work", exchange=EXCHANGE, rights=rights)
            assert (result.status, result.observation.numbers) == (
                Status.UP,
                {"messages": 1, "consumers": 0},
            )
        assert client.take("work") == (False, 0)
        client.ask(commands.Queue.Delete(queue="work"), commands.Queue.DeleteOk)


async def test_any_name_is_asked_for(rabbitmq: RabbitMQ) -> None:
    """Names that AMQP's grammar does not know, and RabbitMQ takes, are asked for as they are."""
    rights = ["read", "write", "configure"]
    odd = {"queue": ODD_QUEUE, "exchange": ODD_EXCHANGE, "rights": rights}
    result = await check(rabbitmq.url(vhost=ODD_VHOST), **odd)
    assert (result.status, result.failure) == (Status.UP, None)


@pytest.mark.parametrize(
    ("vhost", "settings", "code"),
    [
        ("shop", {"queue": "ü" * 127}, "NO_SUCH_QUEUE"),
        ("shop", {"queue": "$" + "é" * 127}, "NO_SUCH_QUEUE"),
        ("shop", {"exchange": "ü" * 127}, "NO_SUCH_EXCHANGE"),
        ("shop", {"exchange": "$" + "é" * 127}, "NO_SUCH_EXCHANGE"),
        ("$" + "é" * 100, {}, "NO_SUCH_VHOST"),
    ],
)
async def test_any_name_that_is_not_there_is_told(
    rabbitmq: RabbitMQ, vhost: str, settings: dict[str, str], code: str
) -> None:
    """So are those so long that the server has to cut its answer short."""
    result = await check(rabbitmq.url(vhost=vhost), **settings)
    assert result.failure is not None
    assert (result.failure.reason, result.failure.code) == (Reason.NOT_FOUND, code)


async def test_many_messages_are_warned_of(rabbitmq: RabbitMQ) -> None:
    """A queue that holds as many messages as were set degrades the target."""
    with rabbitmq.client() as client:
        client.ask(WORK, commands.Queue.DeclareOk)
        client.publish("", "work")
        result = await check(rabbitmq.url(), queue="work", warn_messages=1)
        client.ask(commands.Queue.Delete(queue="work"), commands.Queue.DeleteOk)
    assert (result.status, result.observation.warnings) == (
        Status.DEGRADED,
        ("1 messages wait in the queue, 1 are to be warned of",),
    )


async def test_consumers_are_counted(rabbitmq: RabbitMQ) -> None:
    """A queue with as many consumers as were asked for is up."""
    with rabbitmq.client() as client:
        client.ask(WORK, commands.Queue.DeclareOk)
        client.ask(commands.Basic.Consume(queue="work"), commands.Basic.ConsumeOk)
        result = await check(rabbitmq.url(), queue="work", consumers=1)
    assert (result.status, result.observation.numbers["consumers"]) == (Status.UP, 1)


async def test_user_who_may_not_publish_is_up(rabbitmq: RabbitMQ) -> None:
    """Who may not publish is not stopped by an alarm, so that not being able to ask is no failure."""
    assert (await check(rabbitmq.url(*READER), queue=QUEUE)).status is Status.UP


async def test_alarm_that_does_not_matter_is_passed_over(rabbitmq: RabbitMQ) -> None:
    """Without `alarms` nothing is published, and a server that stops publishers is up."""
    with rabbitmq.alarm():
        result = await check(rabbitmq.url(), queue=QUEUE, alarms=False)
    assert result.status is Status.UP


async def test_tls_is_used_and_verified(rabbitmq: RabbitMQ, certificates: Certificates) -> None:
    """amqps:// verifies the certificate, by settings or by the words of the AMQP clients."""
    url = rabbitmq.url(scheme="amqps")
    good = await check(url, tls={"ca": certificates.ca})
    assert (good.status, good.observation.details["tls_version"]) == (Status.UP, "TLSv1.3")
    assert (await check(f"{url}?cacertfile={certificates.ca}&verify=verify_peer")).status is Status.UP
    assert (await check(f"{url}?verify=verify_none")).status is Status.DEGRADED


async def test_session_is_held_and_left(rabbitmq: RabbitMQ) -> None:
    """A session answers pings, also after the server closed its channel, and is off the books once left."""
    await eventually(lambda: rabbitmq.sessions() == 0, "the server's forgetting others")
    kind = Kind(url=rabbitmq.url())
    async with Network() as net, kind.session(Trail(net, timeout=5)) as session:
        await kind.ping(session)
        with pytest.raises(Closed):
            await session.ask(commands.Queue.Declare(queue="none", passive=True), commands.Queue.DeclareOk)
        await kind.ping(session)
        await eventually(lambda: rabbitmq.sessions() == 1, "one session on its books")
    await eventually(lambda: rabbitmq.sessions() == 0, "the server's forgetting us")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no queue 'q' in vhost 'shop'", (Reason.NOT_FOUND, "NO_SUCH_QUEUE")),
        (
            "home node 'rabbit@two' of durable queue 'q' in vhost 'shop' is down or inaccessible",
            (Reason.UNAVAILABLE, "QUEUE_DOWN"),
        ),
        (
            "queue 'q' in vhost 'shop' process is stopped by supervisor",
            (Reason.UNAVAILABLE, "QUEUE_DOWN"),
        ),
    ],
)
async def test_queue_that_is_down_is_there(text: str, told: tuple[Reason, str]) -> None:
    """404 is said of a queue that is not there, and of one whose node does not run."""

    class Refusing(Amqp):
        async def ask(self, request: Frame, answer: type[Any]) -> NoReturn:
            raise Closed(404, f"NOT_FOUND - {text}", connection=False)

    with pytest.raises(CheckError) as caught:
        await look_at(object.__new__(Refusing), "q")
    assert (caught.value.cause.reason, caught.value.cause.code) == told


@asynccontextmanager
async def hanging_up(capabilities: FieldTable, then: str) -> AsyncIterator[int]:
    """Yield the port of a server that says what it is able to, hears the login, and hangs up."""
    start = commands.Connection.Start(0, 9, {"capabilities": capabilities}, "PLAIN", "en_US")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(frame.marshal(start, 0))
        await reader.readuntil(PASSWORD.encode())
        await reader.readuntil(b"\xce")
        if then == "reset":
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)

    async with playing(serve) as port:
        yield port


@pytest.mark.parametrize(
    ("capabilities", "then", "told"),
    [
        ({}, "close", (Reason.AUTH, Stage.AUTH, "LOGIN_DROPPED")),
        ({"authentication_failure_close": True}, "close", (Reason.NETWORK, Stage.AUTH, "EOF")),
        ({}, "reset", (Reason.NETWORK, Stage.AUTH, "ECONNRESET")),
    ],
)
async def test_server_that_hangs_up_on_a_login_refuses_it(
    capabilities: FieldTable, then: str, told: tuple[Reason, Stage, str]
) -> None:
    """A server that cannot refuse a login in words hangs up; of one that can it is a broken network."""
    async with hanging_up(capabilities, then) as port:
        result = await check(f"amqp://{USER}:{PASSWORD}@127.0.0.1:{port}")
    failure = result.failure
    assert failure is not None
    assert (failure.reason, failure.stage, failure.code) == told


@pytest.mark.parametrize(
    ("code", "text", "told"),
    [
        (
            320,
            "CONNECTION_FORCED - broker forced connection closure",
            (Reason.UNAVAILABLE, "CONNECTION_FORCED"),
        ),
        (403, "ACCESS_REFUSED - Login was refused", (Reason.AUTH, "ACCESS_REFUSED")),
        (506, "RESOURCE_ERROR", (Reason.OVERLOADED, "RESOURCE_ERROR")),
        (
            530,
            "NOT_ALLOWED - connection refused: node connection limit (9) is reached",
            (Reason.OVERLOADED, "NODE_CONNECTION_LIMIT"),
        ),
        (530, "NOT_ALLOWED - something new", (Reason.PERMISSION, "NOT_ALLOWED")),
        (541, "INTERNAL_ERROR - vhost 'shop' is down", (Reason.UNAVAILABLE, "INTERNAL_ERROR")),
        (599, "what nobody knows", (Reason.ASSERTION, "AMQP_599")),
    ],
)
def test_every_close_of_the_connection_is_told(code: int, text: str, told: tuple[Reason, str]) -> None:
    """The code with which a server closes the connection is told, known or not."""
    cause = explain(Closed(code, text, connection=True), "mon", "shop")
    assert cause is not None
    assert (cause.reason, cause.code) == told
    assert cause.message == text


def test_frame_that_cannot_be_read_is_told() -> None:
    """What pamqp cannot read is the server's fault and not ours."""
    cause = explain(UnmarshalingException("Unknown", "Last byte error"), "mon", "shop")
    assert cause is not None
    assert (cause.reason, cause.code) == (Reason.PROTOCOL, "UNREADABLE")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "amqp://"}, "url: an address names a host: amqp://user:password@host:port/vhost"),
        ({"url": "amqp://h", "queue": "ü" * 128}, "has 256 bytes in UTF-8; AMQP takes names of at most 255"),
        (
            {"url": f"amqp://h/{'%C3%BC' * 128}"},
            "url: the virtual host has 256 bytes in UTF-8; AMQP takes names of at most 255",
        ),
        ({"url": "amqp://user@h"}, "url: a login is user and password: amqp://user:password@host"),
        ({"url": "amqp://:pw@h"}, "url: a login is user and password: amqp://user:password@host"),
        ({"url": "amqps://h?verify=maybe"}, "url: verify has to be verify_peer or verify_none"),
        ({"url": "amqp://h?auth=magic"}, "url: auth_mechanism has to be plain or external"),
        ({"url": "amqp://h", "tls": {"ca": "/a"}}, "write amqps:// instead of amqp://"),
        ({"url": "amqp://h", "rights": ["read"]}, "rights: to read and to configure need `queue`"),
        ({"url": "amqp://h", "rights": ["write"]}, "rights: to write needs `exchange`"),
        ({"url": "amqp://h", "consumers": 1}, "queue: has to be set for consumers and warn_messages"),
    ],
)
def test_settings_that_cannot_be_used_say_why(settings: dict[str, Any], message: str) -> None:
    """What is wrong with the settings is said before anything is connected."""
    with pytest.raises(ValueError) as caught:
        Kind(**settings)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("url", "address", "vhost"),
    [
        ("amqp://u:pw@h", "h:5672", "/"),
        ("amqp://u:pw@h/", "h:5672", "/"),
        ("amqp://u:pw@h//", "h:5672", "/"),
        ("amqps://u:pw@[::1]/%2F", "[::1]:5671", "/"),
        ("amqps://u:pw@h:1/shop", "h:1/shop", "shop"),
        ("amqp://u:pw@h/%2Fshop", "h:5672//shop", "/shop"),
    ],
)
def test_address_shows_no_login(url: str, address: str, vhost: str) -> None:
    """The address tells host, port and virtual host, in the usual spellings, and never a login."""
    kind = Kind(url=url)
    assert (kind.address, kind.vhost) == (address, vhost)
