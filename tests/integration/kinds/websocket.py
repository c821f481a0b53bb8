"""WebSocket against a real server; broken by a wrong token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Response

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration import tls_faults
from tests.integration.kinds import Arrangement, Example, Fault, asking, asking_cut
from tests.integration.over_tls import certified
from tests.servers.websocket import TOKEN, WebSocketServer

DIALS = True
DRIVER_ERRORS = ("websockets.exceptions",)
MADE_OF = {
    name: [Response(426, "Upgrade Required", Headers())] for name in ("InvalidStatus", "InvalidProxyStatus")
}


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """A path that wants a token, and an echo."""
    server: WebSocketServer = request.getfixturevalue("websocket_server")
    settings = {"url": server.url("/private"), "send": "ahoy", "expect": "ahoy", "hold": 0.02}
    yield Example(
        settings={**settings, "token": TOKEN},
        broken={**settings, "token": "wrong"},
        port=server.port,
        sessions=server.sessions,
        secret=TOKEN,
        server=server,
    )


_REJECTED = "The server answers and rejects the login: compare it with the service's own."
_CLOSED = "The server upgrades first and closes then: look at login, origin and path."
_DOWN = "The service says that it is not ready: starting, stopping or overwhelmed."
_CUT = "The peer hung up: it may speak TLS or something else on that port, or a proxy cuts connections."
_MESSAGE = "Compare what the server sends with expect; it may answer to another message than send."


def asked_for(path: str, **settings: Any) -> Arrangement:
    """Return the arrangement of the session's server, asked for a path."""
    return asking("websocket_server", lambda server: {"url": server.url(path), **settings})


def _fails(reason: Reason, code: str, stage: Stage = Stage.FUNCTION) -> tuple[Stage, Reason, str]:
    return stage, reason, code


FAULTS = (
    Fault(
        "no token is given and one is needed",
        _fails(Reason.AUTH, "HTTP_401", Stage.AUTH),
        asked_for("/private"),
        hint="The server asks for a login: put user:password into the address, or set token.",
    ),
    Fault(
        "the token is rejected",
        _fails(Reason.AUTH, "HTTP_401", Stage.AUTH),
        asked_for("/private", token="wrong"),
        hint=_REJECTED,
    ),
    Fault(
        "the token is rejected after the upgrade",
        _fails(Reason.AUTH, "CLOSE_4401", Stage.AUTH),
        asked_for("/close/4401", token="wrong"),
        hint="The server upgrades first and rejects the login then: compare it with the service's own.",
    ),
    Fault(
        "the login may not ask for this",
        _fails(Reason.PERMISSION, "HTTP_403", Stage.PERMISSION),
        asked_for("/status/403", token="any"),
        hint="The server does not allow this to whoever asks: look at the rights on this path.",
    ),
    Fault(
        "the server closes because of its policy",
        _fails(Reason.PERMISSION, "CLOSE_1008", Stage.PERMISSION),
        asked_for("/close/1008"),
        hint=_CLOSED,
    ),
    Fault(
        "the path does not exist",
        _fails(Reason.NOT_FOUND, "HTTP_404"),
        asked_for("/status/404"),
        hint="Compare the path with the service's own; a reverse proxy may route it elsewhere.",
    ),
    Fault(
        "the server is not ready",
        _fails(Reason.UNAVAILABLE, "HTTP_503"),
        asked_for("/status/503"),
        hint=_DOWN,
    ),
    Fault(
        "the server restarts", _fails(Reason.UNAVAILABLE, "CLOSE_1012"), asked_for("/late/1012"), hint=_DOWN
    ),
    Fault(
        "the server has no room",
        _fails(Reason.OVERLOADED, "CLOSE_1013"),
        asked_for("/close/1013"),
        hint="The service has no room for another client.",
    ),
    Fault(
        "the connection is cut after the upgrade",
        _fails(Reason.NETWORK, "CLOSE_1006"),
        asked_for("/cut"),
        hint=_CUT,
    ),
    Fault(
        "the server sends what is no message",
        _fails(Reason.PROTOCOL, "BAD_FRAME"),
        asked_for("/garbage"),
        hint="Something else may listen on that port: compare the address with the service's own.",
    ),
    Fault(
        "the server answers no ping",
        _fails(Reason.TIMEOUT, "TIMEOUT"),
        asked_for("/mute"),
        hint="Nothing came back in time: a firewall that drops packets, or a service that hangs.",
        timeout=0.4,
    ),
    Fault(
        "another message comes than expected",
        _fails(Reason.ASSERTION, "UNEXPECTED_MESSAGE"),
        asked_for("/", send="one", expect="two"),
        hint=_MESSAGE,
        timeout=0.5,
    ),
    Fault(
        "the server knows none of the subprotocols",
        _fails(Reason.ASSERTION, "NO_SUBPROTOCOL"),
        asked_for("/", subprotocols=["other"]),
        hint="Name in subprotocols one that the server knows.",
    ),
    Fault(
        "an ordinary web server answers, or a proxy that passes no upgrade on",
        _fails(Reason.PROTOCOL, "HTTP_200"),
        asking("nginx", lambda server: {"url": f"ws://127.0.0.1:{server.port}/"}),
        hint="Compare the path; a proxy in between has to pass the headers Upgrade and Connection on.",
    ),
    tls_faults.cert_of_another_ca(
        certified("start_websocket_server", "unknown", lambda server: {"url": server.url()}), sent=False
    ),
    Fault(
        "wss is asked of a port in plain text",
        _fails(Reason.TLS, "PLAIN_TEXT", Stage.TLS),
        asking("nginx", lambda server: {"url": f"wss://127.0.0.1:{server.port}/"}),
        hint="Write the address with ws://, or ask the port that speaks TLS.",
    ),
    Fault(
        "ws is asked of a port with TLS",
        _fails(Reason.PROTOCOL, "TLS_EXPECTED", Stage.PROTOCOL),
        asking("nginx", lambda server: {"url": f"ws://127.0.0.1:{server.tls_port}/"}),
        hint="Write the address with https:// (wss:// for a websocket).",
    ),
    Fault(
        "ws is asked of a port with TLS that hangs up",
        _fails(Reason.PROTOCOL, "TLS_EXPECTED", Stage.PROTOCOL),
        asking_cut(lambda port: {"url": f"ws://localhost:{port}/"}),
        hint="Write the address with https:// (wss:// for a websocket).",
    ),
)
