"""MQTT against a real Mosquitto; broken by a wrong password."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration import tls_faults
from tests.integration.kinds import Arrangement, Example, Fault, asking, asking_paused, asking_played
from tests.integration.over_tls import asking_over_tls, certified
from tests.servers.mosquitto import HEARER, PASSWORD, SPEAKER, Mosquitto, StartMosquitto

DIALS = True
TOPIC = "mooring/check"
_REJECTED = (
    "The broker rejects the login: compare user and password with its own; it may want a certain `client_id`."
)
_ALLOW = "Allow it in the broker's access list; this line does it for Mosquitto, below the user's name."
_HUNG_UP = "It may have no room (max_connections), or not speak MQTT 5."
_SILENT = (
    "Brokers drop in silence what a user has no right to: this one may not {}. Allow it in the access list; "
    "this line does it for Mosquitto, below the user's name."
)


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's server, talked through."""
    server: Mosquitto = request.getfixturevalue("mosquitto")
    yield Example(
        settings={"url": server.url(), "topic": TOPIC},
        broken={"url": server.url(password="wrong-password")},
        port=server.port,
        sessions=server.sessions,
        secret=PASSWORD,
        server=server,
    )


def _started(*options: str, dynamic: bool = False, **settings: Any) -> Arrangement:
    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        start: StartMosquitto = request.getfixturevalue("start_mosquitto")
        with start(*options, dynamic=dynamic) as server:
            yield {"url": server.url(), **settings}

    return arrange


@contextmanager
def _full(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartMosquitto = request.getfixturevalue("start_mosquitto")
    with start("max_connections 1") as server, server.client("one"), server.client("one more"):
        yield {"url": server.url()}


def _played(words: bytes) -> Arrangement:
    """Return the arrangement of a broker that takes login, subscription and message, and says this."""
    before = b"\x20\x03\0\0\0" + b"\x90\x04\0\1\0\0" + b"\x40\x02\0\1"
    return asking_played(before + words, lambda port: {"url": f"mqtt://127.0.0.1:{port}", "topic": TOPIC})


def _over_tls(server: Mosquitto) -> Mapping[str, Any]:
    return {"url": server.url(port=server.tls_port)}


FAULTS = (
    Fault(
        "no login is given and one is needed",
        (Stage.AUTH, Reason.AUTH, "LOGIN_REQUIRED"),
        asking("mosquitto", lambda server: {"url": server.url(password=None)}),
        hint="Put user and password into the address, between the scheme and the host.",
    ),
    Fault(
        "the password is wrong",
        (Stage.AUTH, Reason.AUTH, "NOT_AUTHORIZED"),
        asking("mosquitto", lambda server: {"url": server.url(password="wrong")}),
        hint=_REJECTED,
    ),
    Fault(
        "the user does not exist",
        (Stage.AUTH, Reason.AUTH, "NOT_AUTHORIZED"),
        asking("mosquitto", lambda server: {"url": server.url("nobody", "any")}),
        hint=_REJECTED,
    ),
    Fault(
        "the password is wrong, in MQTT 3.1.1",
        (Stage.AUTH, Reason.AUTH, "NOT_AUTHORIZED"),
        asking("mosquitto", lambda server: {"url": server.url(password="wrong"), "protocol": "3.1.1"}),
        hint=_REJECTED,
    ),
    Fault(
        "the broker does not take the client's identifier",
        (Stage.AUTH, Reason.AUTH, "NOT_AUTHORIZED"),
        _started("clientid_prefixes ready"),
        hint=_REJECTED,
    ),
    Fault(
        "the broker has no room for another client",
        (Stage.AUTH, Reason.NETWORK, "HUNG_UP"),
        _full,
        hint=_HUNG_UP,
    ),
    Fault(
        "the user may not subscribe, and the broker says so",
        (Stage.PERMISSION, Reason.PERMISSION, "SUBSCRIBE_DENIED"),
        _started(dynamic=True, topic=TOPIC),
        hint=_ALLOW,
        fix=f"topic read {TOPIC}",
    ),
    Fault(
        "the user may not subscribe, and the broker says so in MQTT 3.1.1",
        (Stage.PERMISSION, Reason.PERMISSION, "SUBSCRIBE_DENIED"),
        _started(dynamic=True, topic=TOPIC, protocol="3.1.1"),
        hint=_ALLOW,
        fix=f"topic read {TOPIC}",
    ),
    Fault(
        "the user may not publish",
        (Stage.PERMISSION, Reason.PERMISSION, "PUBLISH_DENIED"),
        asking("mosquitto", lambda server: {"url": server.url(*HEARER), "topic": TOPIC}),
        hint=_ALLOW,
        fix=f"topic write {TOPIC}",
    ),
    Fault(
        "the user may not publish, and MQTT 3.1.1 has no word for it",
        (Stage.FUNCTION, Reason.PERMISSION, "NOT_DELIVERED"),
        asking("mosquitto", lambda server: {"url": server.url(*HEARER), "topic": TOPIC, "protocol": "3.1.1"}),
        hint=_SILENT.format("publish on it or hear it"),
        fix=f"topic readwrite {TOPIC}",
        timeout=0.5,
    ),
    Fault(
        "the user may not hear the topic, and the broker is silent",
        (Stage.FUNCTION, Reason.PERMISSION, "NOT_DELIVERED"),
        asking("mosquitto", lambda server: {"url": server.url(*SPEAKER), "topic": TOPIC}),
        hint=_SILENT.format("hear it"),
        fix=f"topic readwrite {TOPIC}",
        timeout=0.5,
    ),
    Fault(
        "others send without end on the topic (played)",
        (Stage.FUNCTION, Reason.ASSERTION, "TOPIC_BUSY"),
        _played(b"\x30\x05\0\1a\0x" * 10_000),
        hint="Give the check a topic of its own, which nobody else uses.",
    ),
    Fault(
        "the broker hangs once it has taken the message (played)",
        (Stage.FUNCTION, Reason.TIMEOUT, "TIMEOUT"),
        _played(b""),
        hint="Nothing came back in time: a firewall that drops packets, or a service that hangs.",
        timeout=0.5,
    ),
    tls_faults.cert_unknown_issuer_sent(asking("mosquitto", _over_tls)),
    tls_faults.cert_expired(certified("start_mosquitto", "expired", _over_tls)),
    tls_faults.cert_host_mismatch(certified("start_mosquitto", "wrong_host", _over_tls)),
    tls_faults.client_cert_required(
        asking_over_tls("mosquitto", lambda server: {"url": server.url(port=server.verifying_port)}),
        "the broker demands a client certificate",
    ),
    Fault(
        "the port expects TLS and the address asks for none",
        (Stage.TLS, Reason.TLS, "TLS_EXPECTED"),
        asking("mosquitto", lambda server: {"url": f"mqtt://127.0.0.1:{server.tls_port}"}),
        hint="Write mqtts:// instead of mqtt://, or use the port without TLS.",
    ),
    tls_faults.plain_text(
        asking("mosquitto", lambda server: {"url": f"mqtts://127.0.0.1:{server.port}"}),
        "the address asks for TLS and the port speaks none",
    ),
    Fault(
        "the broker hangs",
        (Stage.AUTH, Reason.TIMEOUT, "TIMEOUT"),
        asking_paused("mosquitto"),
        hint="Nothing came back in time: a firewall that drops packets, or a service that hangs.",
        timeout=0.5,
    ),
    Fault(
        "something else listens on the port",
        (Stage.AUTH, Reason.PROTOCOL, "NOT_MQTT"),
        asking("nginx", lambda server: {"url": f"mqtt://127.0.0.1:{server.port}"}),
        hint="Something else may listen on that port: compare the address with the service's own.",
    ),
)
