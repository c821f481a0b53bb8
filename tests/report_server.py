"""A real HTTP server that takes reports of pools, and misbehaves as a test says."""

from __future__ import annotations

import gzip
import json
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from threading import Event, Thread
from typing import Any, Self, TypeAlias

TOKEN = "mrg_a-token-that-nobody-may-see"

Answering: TypeAlias = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One report."""

    server: _Http

    def do_POST(self) -> None:
        """Keep what came, and answer as the test says."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        owner = self.server.owner
        owner.paths.append(self.path)
        owner.headers.append(dict(self.headers))
        owner.reports.append(json.loads(gzip.decompress(body)))
        with suppress(OSError):
            owner.answer(self)

    def say(self, status: int, body: bytes, **headers: str) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base's
        """Say nothing."""


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    owner: ReportServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients go away while they are answered."""


def yes(*wishes: dict[str, Any], interval: float = 30) -> Answering:
    """Take the report."""
    return lambda handler: handler.say(
        200, json.dumps({"interval": interval, "wishes": list(wishes)}).encode()
    )


def no(status: int, detail: str = "", **headers: str) -> Answering:
    """Refuse the report."""
    return lambda handler: handler.say(status, json.dumps({"detail": detail}).encode(), **headers)


def reset(handler: Handler) -> None:
    """Reset the connection."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def drip(handler: Handler) -> None:
    """Send a byte now and then, for ever."""
    pace = Event()
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not pace.wait(0.05):
        handler.wfile.write(b"x")


def hang(_: Handler) -> None:
    """Say nothing, for longer than anybody waits."""
    Event().wait(60)


class ReportServer:
    """`with ReportServer() as server:`; it may be stopped and started again on its port."""

    def __init__(self, tls: SSLContext | None = None) -> None:
        self.answer: Answering = yes()
        self.reports: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self._tls = tls
        self._port = 0
        self._http: _Http | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Its address."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen, on the port of before where there was one."""
        self._http = _Http(("127.0.0.1", self._port), Handler)
        self._http.owner = self
        self._port = self._http.server_address[1]
        if self._tls is not None:
            self._http.socket = self._tls.wrap_socket(self._http.socket, server_side=True)
        Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None
