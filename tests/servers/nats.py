"""A real NATS server with JetStream, in the clear or over TLS.

`nats` is one server for the whole session: only ask it. `start_nats()` starts one with options, that a
test may fill, pause or kill.

    mon      PASSWORD, everything
    pupil    PUPIL, may publish below `school.` and hear `school.read` only
    reader   READER, may publish below `school.` and hear everything
    plain    PLAIN, of an account without JetStream
    full     FULL, of an account with room for one connection
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias
from urllib.request import urlopen

import pytest

from tests.servers.process import ServerProcess, binary, free_port, private_folder
from tests.servers.tls import Certificate, Certificates

USER, PASSWORD = "mon", "s3cret-of-nats"
PUPIL = ("pupil", "s3cret-of-pupil")
READER = ("reader", "s3cret-of-reader")
PLAIN = ("plain", "s3cret-of-plain")
FULL = ("full", "s3cret-of-full")

_CONFIG = """
listen: 127.0.0.1:{port}
http: 127.0.0.1:{books}
server_name: reef
jetstream {{ store_dir: "{folder}/js", max_mem: 8M, max_file: 8M }}
{login}
"""
_ACCOUNTS = f"""
accounts {{
  APP {{
    jetstream: {{ max_mem: 1M, max_file: 1M }}
    users: [
      {{ user: {USER}, password: "{PASSWORD}" }}
      {{ user: {PUPIL[0]}, password: "{PUPIL[1]}", permissions: {{
        publish: ["school.>"], subscribe: ["school.read"]
      }} }}
      {{ user: {READER[0]}, password: "{READER[1]}", permissions: {{
        publish: ["school.>"], subscribe: [">"]
      }} }}
    ]
  }}
  BARE {{ users: [ {{ user: {PLAIN[0]}, password: "{PLAIN[1]}" }} ] }}
  FULL {{ users: [ {{ user: {FULL[0]}, password: "{FULL[1]}" }} ], limits: {{ max_connections: 1 }} }}
}}
"""
TOKEN_LOGIN = 'authorization { token: "s3cret-token" }'
_TLS = """
tls {{ cert_file: "{cert}", key_file: "{key}", ca_file: "{ca}", verify: {verify} }}
"""


class Nats(ServerProcess):
    """One server. `options` are lines of its configuration, `login` who may come in."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        login: str = _ACCOUNTS,
        certificate: Certificate | None = None,
        ca: str = "",
        verify: bool = False,
    ) -> None:
        super().__init__(folder)
        self._books = free_port()
        text = _CONFIG.format(port=self.port, books=self._books, folder=folder, login=login)
        if certificate is not None:
            demanded = str(verify).lower()
            text += _TLS.format(cert=certificate.cert, key=certificate.key, ca=ca, verify=demanded)
        (folder / "nats.conf").write_text("\n".join((text, *options)))

    def command(self) -> list[str]:
        return [binary("nats-server", "nats-server"), "-c", str(self.folder / "nats.conf")]

    def ready(self) -> bool:
        with urlopen(f"http://127.0.0.1:{self._books}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)

    def sessions(self) -> int:
        """Return how many clients the server has on its books."""
        with urlopen(f"http://127.0.0.1:{self._books}/varz", timeout=5) as answer:
            return int(json.load(answer)["connections"])

    def url(self, user: str = USER, password: str | None = PASSWORD, host: str = "127.0.0.1") -> str:
        """Return an address of this server; without a password no login is given."""
        login = "" if password is None else f"{user}:{password}@"
        return f"nats://{login}{host}:{self.port}"

    @contextmanager
    def client(self, user: str = USER, password: str = PASSWORD) -> Iterator[socket.socket]:
        """Hold a connection that is logged in."""
        place = ("127.0.0.1", self.port)
        with socket.create_connection(place, timeout=5) as sock, sock.makefile("rb") as file:
            login = json.dumps({"verbose": False, "user": user, "pass": password})
            sock.sendall(f"CONNECT {login}\r\nPING\r\n".encode())
            while not file.readline().startswith(b"PONG"):
                pass
            yield sock


StartNats: TypeAlias = Callable[..., AbstractContextManager[Nats]]
"""`with start_nats("max_connections: 1") as server:`"""


@pytest.fixture(scope="session")
def start_nats(certificates: Certificates) -> StartNats:
    """Starts a server that the test may mistreat."""

    @contextmanager
    def start(
        *options: str,
        login: str = _ACCOUNTS,
        certificate: Certificate | None = None,
        verify: bool = False,
    ) -> Iterator[Nats]:
        with (
            private_folder() as folder,
            Nats(
                folder, *options, login=login, certificate=certificate, ca=certificates.ca, verify=verify
            ) as server,
        ):
            yield server

    return start


@pytest.fixture(scope="session")
def nats(start_nats: StartNats) -> Iterator[Nats]:
    """One server for the session; only ask it."""
    with start_nats() as server:
        yield server


@pytest.fixture(scope="session")
def nats_tls(start_nats: StartNats, certificates: Certificates) -> Iterator[Nats]:
    """One server for the session that demands TLS; only ask it."""
    with start_nats(certificate=certificates.good) as server:
        yield server
