"""A real memcached.

`memcached` is one server with an auth file for the whole session, `open_memcached` one that asks for no
login: only ask them. `start_memcached()` starts one that a test may fill, pause or kill.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.servers.process import ServerProcess, binary, private_folder
from tests.servers.tls import Certificate, Certificates

USER, PASSWORD = "mon", "s3cret-of-memcached"
MOST_CONNECTIONS = 64
"""Fewer are not worth asking for: memcached takes its own descriptors from that number."""


class Memcached(ServerProcess):
    """One server. `options` are further words of its command line, such as `-M`."""

    def __init__(
        self, folder: Path, *options: str, login: bool = False, certificate: Certificate | None = None
    ) -> None:
        super().__init__(folder)
        self._options, self._login, self._certificate = list(options), login, certificate
        (folder / "auth").write_text(f"{USER}:{PASSWORD}\n")

    def command(self) -> list[str]:
        words = [binary("memcached", "memcached"), "-l", "127.0.0.1", "-p", str(self.port), "-U", "0"]
        words += ["-m", "16", "-c", str(MOST_CONNECTIONS), "-t", "1"]
        words += ["-u", "root"] if os.geteuid() == 0 else []
        words += ["-Y", str(self.folder / "auth")] if self._login else []
        if self._certificate is not None:
            words += ["-Z", "-o", f"ssl_chain_cert={self._certificate.cert},ssl_key={self._certificate.key}"]
        return [*words, *self._options]

    def ready(self) -> bool:
        if self._certificate is not None:
            with self._connected():
                return True
        return "VERSION" in self.ask("version") or self._login

    def ask(self, *lines: str) -> str:
        """Return what the server answers to a few lines, as the administrator."""
        with self._connected() as client:
            if self._login:
                said = f"{USER} {PASSWORD}"
                client.sendall(f"set auth 0 0 {len(said)}\r\n{said}\r\n".encode())
                assert client.recv(100) == b"STORED\r\n"
            client.sendall("".join(f"{line}\r\n" for line in (*lines, "quit")).encode())
            return b"".join(iter(lambda: client.recv(65536), b"")).decode()

    def hold(self) -> list[socket.socket]:
        """Take every connection that is left, and return them."""
        held = []
        while True:
            client = self._connected()
            held.append(client)
            client.sendall(b"version\r\n")
            if b"Too many" in client.recv(100):
                return held

    def url(self, login: str = "", scheme: str = "memcached") -> str:
        """Return an address of this server."""
        at = "@" if login else ""
        return f"{scheme}://{login}{at}{'localhost' if self._certificate else '127.0.0.1'}:{self.port}"

    def sessions(self) -> int:
        """Return how many clients the server has on its books, our own question not counted."""
        told = self.ask("stats")
        return int(told.partition("STAT curr_connections ")[2].partition("\r")[0]) - 1

    def _connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)


StartMemcached: TypeAlias = Callable[..., AbstractContextManager[Memcached]]
"""`with start_memcached("-M") as server:`"""


@pytest.fixture(scope="session")
def start_memcached() -> StartMemcached:
    """Starts a server that the test may mistreat."""

    @contextmanager
    def start(
        *options: str, login: bool = False, certificate: Certificate | None = None
    ) -> Iterator[Memcached]:
        with (
            private_folder() as folder,
            Memcached(folder, *options, login=login, certificate=certificate) as server,
        ):
            yield server

    return start


@pytest.fixture(scope="session")
def memcached(start_memcached: StartMemcached) -> Iterator[Memcached]:
    """One server with a login for the session; only ask it."""
    with start_memcached(login=True) as server:
        yield server


@pytest.fixture(scope="session")
def open_memcached(start_memcached: StartMemcached) -> Iterator[Memcached]:
    """One server without a login for the session; only ask it."""
    with start_memcached() as server:
        yield server


@pytest.fixture(scope="session")
def tls_memcached(start_memcached: StartMemcached, certificates: Certificates) -> Iterator[Memcached]:
    """One server over TLS for the session; only ask it."""
    with start_memcached(certificate=certificates.good) as server:
        yield server
