"""`openssl s_server`: a TLS server that can be as old or as strict as a test wants."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.servers.process import ServerProcess, binary, private_folder
from tests.servers.tls import Certificate


class OpenSSL(ServerProcess):
    """One server. `options` are those of `openssl s_server`."""

    def __init__(self, folder: Path, certificate: Certificate, *options: str) -> None:
        super().__init__(folder)
        self._options = ["-cert", certificate.cert, "-key", certificate.key, *options]

    def command(self) -> list[str]:
        place = ["-accept", f"127.0.0.1:{self.port}", "-quiet"]
        return [binary("openssl", "openssl"), "s_server", *place, *self._options]

    def ready(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True


StartOpenSSL: TypeAlias = Callable[..., AbstractContextManager[int]]
"""`with start_openssl(certificates.good, version="-tls1_2") as port:`"""


@pytest.fixture(scope="session")
def start_openssl() -> StartOpenSSL:
    """Starts a server and yields its port; with `client_ca` it demands a certificate of that authority."""

    @contextmanager
    def start(
        certificate: Certificate, *options: str, client_ca: str | None = None, version: str = "-tls1_3"
    ) -> Iterator[int]:
        ask = () if client_ca is None else ("-Verify", "1", "-verify_return_error", "-CAfile", client_ca)
        with private_folder() as folder, OpenSSL(folder, certificate, version, *ask, *options) as server:
            yield server.port

    return start
