"""WebSocket against a real server; broken by a wrong token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Response

from tests.integration.kinds import Example
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
