"""A real websocket server, in a process of its own.

`websocket_server` is one server for the whole session: only ask it.

    /              greets "hello" and echoes; offers the subprotocol "chat"
    /private       401 without TOKEN                    /status/403   answers in plain HTTP
    /close/4401    upgrades, then closes at once        /late/1008    ... once its ping was answered
    /cut           upgrades, then cuts                  /mute         upgrades, then reads no more
    /garbage       upgrades, then sends no frame        /header/X-A   400 unless that header is "seen"
"""

from __future__ import annotations

import http.client
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.servers.process import ServerProcess, private_folder
from tests.servers.tls import Certificate

TOKEN = "s3cret-of-websocket"
_PROGRAM = Path(__file__).with_name("_websocket_server.py")


class WebSocketServer(ServerProcess):
    """One server; with a certificate it speaks TLS only."""

    def __init__(self, folder: Path, certificate: Certificate | None = None) -> None:
        super().__init__(folder)
        self._certificate = certificate

    def command(self) -> list[str]:
        files = [] if self._certificate is None else [self._certificate.cert, self._certificate.key]
        return [sys.executable, str(_PROGRAM), str(self.port), *files]

    def ready(self) -> bool:
        if self._certificate is None:
            return self.sessions() >= 0
        return self._accepts()

    def url(self, path: str = "/") -> str:
        """Return an address of this server."""
        return f"{'ws' if self._certificate is None else 'wss'}://127.0.0.1:{self.port}{path}"

    def sessions(self) -> int:
        """Return how many websockets the server has on its books."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/books", headers=_UPGRADE)
            return int(connection.getresponse().read())
        finally:
            connection.close()

    def _accepts(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5):
            return True


_UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}

StartWebSocketServer: TypeAlias = Callable[..., AbstractContextManager[WebSocketServer]]


@pytest.fixture(scope="session")
def start_websocket_server() -> StartWebSocketServer:
    """Starts a server that the test may mistreat; with a certificate it speaks TLS."""

    @contextmanager
    def start(certificate: Certificate | None = None) -> Iterator[WebSocketServer]:
        with private_folder() as folder, WebSocketServer(folder, certificate) as server:
            yield server

    return start


@pytest.fixture(scope="session")
def websocket_server(start_websocket_server: StartWebSocketServer) -> Iterator[WebSocketServer]:
    """One server for the session; only ask it."""
    with start_websocket_server() as server:
        yield server
