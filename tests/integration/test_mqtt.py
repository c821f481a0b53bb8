"""MQTT: what a check says of a real broker beyond its faults."""

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
from mooring.net.trail import Trail
from mooring.probes._mqtt import MOST_MESSAGES, REASON_STRING, SERVER_REFERENCE, Refused
from mooring.probes._mqtt_codes import explain
from mooring.probes._registry import Kinds
from mooring.probes.mqtt import Mqtt as Kind
from mooring.targets import TargetReader
from tests.servers.mosquitto import Mosquitto
from tests.servers.played import saying
from tests.servers.process import eventually
from tests.servers.tls import Certificates

pytestmark = pytest.mark.integration
READER_OF_TARGETS = TargetReader(Kinds())


async def check(url: str, **settings: Any) -> CheckResult:
    """Check an address once."""
    target = READER_OF_TARGETS.from_url(url, **{"timeout": 5, **settings})
    async with Network() as net:
        return await Runner(net).run(target, Trigger.CLI)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_message_comes_back(mosquitto: Mosquitto, protocol: str) -> None:
    """In both versions what is published is heard, and its way is measured."""
    result = await check(mosquitto.url(), topic="mooring/check", protocol=protocol)
    assert (result.status, result.failure) == (Status.UP, None)
    assert result.observation.details == {
        "address": f"127.0.0.1:{mosquitto.port}",
        "protocol": f"MQTT {protocol}",
    }
    assert list(result.observation.numbers) == ["round_trip_seconds"]
    assert [stage.stage for stage in result.stages if stage.status is StageStatus.PASSED] == [
        Stage.DNS,
        Stage.TCP,
        Stage.AUTH,
        Stage.PERMISSION,
        Stage.FUNCTION,
    ]


async def test_flood_leaves_others_their_turn() -> None:
    """Messages that have arrived already are read one by one, with the loop's other work in between."""
    turns = 0

    async def wait() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    flood = b"\x20\x03\0\0\0\x90\x04\0\1\0\0\x40\x02\0\1" + b"\x30\x05\0\1a\0x" * MOST_MESSAGES
    with saying(flood) as port:
        other = asyncio.create_task(wait())
        result = await check(f"mqtt://127.0.0.1:{port}", topic="a")
        other.cancel()
    assert (result.failure and result.failure.code) == "TOPIC_BUSY"
    assert turns >= MOST_MESSAGES


async def test_without_a_topic_nothing_is_published(mosquitto: Mosquitto) -> None:
    """A login alone is answered by a ping, and no right is needed."""
    result = await check(mosquitto.url(), client_id="mooring-of-a-test")
    assert (result.status, result.observation.numbers) == (Status.UP, {})
    assert {s.stage: s.status for s in result.stages}[Stage.PERMISSION] is StageStatus.SKIPPED


async def test_tls_is_used_and_verified(mosquitto: Mosquitto, certificates: Certificates) -> None:
    """mqtts:// verifies the certificate, and shows our own where the broker demands it."""
    good = await check(mosquitto.url(port=mosquitto.tls_port), tls={"ca": certificates.ca})
    assert (good.status, good.observation.details["tls_version"]) == (Status.UP, "TLSv1.3")
    tls = {"ca": certificates.ca, "cert": certificates.client.cert, "key": certificates.client.key}
    assert (await check(mosquitto.url(port=mosquitto.verifying_port), tls=tls)).status is Status.UP


async def test_session_is_held_and_left(mosquitto: Mosquitto) -> None:
    """A session answers pings, and is off the books once left."""
    await eventually(lambda: mosquitto.sessions() == 0, "the server's forgetting others")
    kind = Kind(url=mosquitto.url())
    async with Network() as net, kind.session(Trail(net, timeout=5)) as session:
        await kind.ping(session)
        await kind.ping(session)
        await eventually(lambda: mosquitto.sessions() == 1, "one session on its books")
    await eventually(lambda: mosquitto.sessions() == 0, "the broker's forgetting us")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (0x84, (Reason.PROTOCOL, "PROTOCOL_VERSION", "the broker does not speak this version of MQTT")),
        (0x85, (Reason.AUTH, "CLIENT_ID_REFUSED", "the client's identifier is not valid here")),
        (0x86, (Reason.AUTH, "BAD_LOGIN", "bad user name or password")),
        (0x88, (Reason.UNAVAILABLE, "SERVER_UNAVAILABLE", "the broker is not available")),
        (0x89, (Reason.OVERLOADED, "SERVER_BUSY", "the broker is busy")),
        (0x8A, (Reason.AUTH, "BANNED", "this client is banned")),
        (0x8B, (Reason.UNAVAILABLE, "SHUTTING_DOWN", "the broker is shutting down")),
        (0x97, (Reason.OVERLOADED, "QUOTA_EXCEEDED", "a quota is used up")),
        (0xEE, (Reason.ASSERTION, "CODE_238", "the broker refuses")),
    ],
)
def test_every_code_is_told(code: int, told: tuple[Reason, str, str]) -> None:
    """The codes with which brokers refuse are told, known or not."""
    cause = explain(Refused(code, "connect", {}), "", with_login=True)
    assert cause is not None
    assert (cause.reason, cause.code, cause.message) == told


def test_what_the_broker_adds_is_told() -> None:
    """Its own words, or the server to use instead, stand behind ours."""
    busy = explain(Refused(0x89, "connect", {REASON_STRING: b"later"}), "", with_login=True)
    moved = explain(Refused(0x9D, "connect", {SERVER_REFERENCE: b"b.example"}), "", with_login=True)
    assert busy is not None
    assert moved is not None
    assert (busy.message, moved.message) == ("the broker is busy: later", "the broker has moved: b.example")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "mqtt://"}, "url: an address names a host: mqtt://user:password@host:port"),
        ({"url": "mqtt://:pw@h"}, "url: a password without a user: mqtt://user:password@host"),
        ({"url": "mqtt://h/topic"}, "url: ends after the port; a topic goes into `topic`"),
        ({"url": "mqtt://h", "tls": {"ca": "/a"}}, "write mqtts:// instead of mqtt://"),
        (
            {"url": "mqtt://h", "topic": "all/#"},
            "has to be one topic, such as mooring/check, without # and +",
        ),
        ({"url": "mqtt://h", "topic": "$share/group/all"}, "$ begins the broker's own"),
        ({"url": "mqtt://h", "topic": "$SYS/broker/uptime"}, "$ begins the broker's own"),
    ],
)
def test_settings_that_cannot_be_used_say_why(settings: dict[str, Any], message: str) -> None:
    """What is wrong with the settings is said before anything is connected."""
    with pytest.raises(ValueError) as caught:
        Kind(**settings)
    assert message in str(caught.value)
