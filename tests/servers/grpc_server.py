"""A real gRPC server, of grpcio, in a process of its own; and nginx where it stands in front of one.

`grpc_server` is one for the whole session, `tls_grpc_server` one over TLS: only ask them.
`start_grpc_server()` starts one that a test may mistreat.

    (nothing), shop.Orders      SERVING          shop.Stopping  NOT_SERVING     shop.Starting  UNKNOWN
    private.Orders              with TOKEN or LIMITED                private.Payments  with TOKEN alone
    shop.Full, .Away, .Broken   fail as they are called
    shop.Proxied, .Rejecting    fail in words that sound like a lost connection
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import psutil
import pytest

from tests.servers.process import ServerProcess, binary, free_port, poll_until, private_folder
from tests.servers.tls import Certificate, Certificates

TOKEN, LIMITED = "s3cret-of-grpc", "s3cret-of-limited"
_PROGRAM = Path(__file__).with_name("_grpc_server.py")
_NGINX = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1; {user} events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port} http2; location / {{ grpc_pass grpc://127.0.0.1:{closed}; }} }}
  server {{ listen 127.0.0.1:{web} http2; location / {{ return 404; }} }}
}}
"""


class GRPCServer(ServerProcess):
    """One server; with a certificate it speaks TLS only."""

    def __init__(
        self,
        folder: Path,
        certificate: Certificate | None = None,
        *,
        client_ca: str | None = None,
        health: bool = True,
    ) -> None:
        super().__init__(folder)
        self._health = "health" if health else "none"
        self._secure = certificate is not None
        self._files = [] if certificate is None else [certificate.cert, certificate.key]
        self._files += [client_ca] if client_ca else []

    def command(self) -> list[str]:
        return [sys.executable, str(_PROGRAM), str(self.port), self._health, *self._files]

    def ready(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5):
            return True

    def pause(self) -> None:
        """Freeze the server, and wait until every one of its threads stands still."""
        super().pause()
        tasks = list(Path(f"/proc/{self.pid}/task").glob("*/stat"))
        poll_until(lambda: all(") T " in task.read_text() for task in tasks), "standing still")

    def url(self, service: str = "") -> str:
        """Return an address of this server."""
        scheme, host = ("grpcs", "localhost") if self._secure else ("grpc", "127.0.0.1")
        return f"{scheme}://{host}:{self.port}/{service}"

    def sessions(self) -> int:
        """Return how many clients are connected, as the kernel knows them."""
        held = psutil.Process(self.pid).net_connections("tcp")
        return sum(each.status == psutil.CONN_ESTABLISHED for each in held)


class Front(ServerProcess):
    """nginx, speaking HTTP/2: on `port` a proxy whose service is gone, on `web` a plain web server."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.web = free_port()
        folder.chmod(0o755)  # its worker may be another user
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            _NGINX.format(folder=folder, port=self.port, web=self.web, closed=free_port(), user=user)
        )

    def command(self) -> list[str]:
        return [binary("nginx", "nginx-light"), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]

    def ready(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.web), timeout=5):
            return True


StartGRPCServer: TypeAlias = Callable[..., AbstractContextManager[GRPCServer]]
"""`with start_grpc_server(certificates.expired) as server:`"""


@pytest.fixture(scope="session")
def start_grpc_server() -> StartGRPCServer:
    """Starts a server that the test may mistreat."""

    @contextmanager
    def start(
        certificate: Certificate | None = None, *, client_ca: str | None = None, health: bool = True
    ) -> Iterator[GRPCServer]:
        with (
            private_folder() as folder,
            GRPCServer(folder, certificate, client_ca=client_ca, health=health) as server,
        ):
            yield server

    return start


@pytest.fixture(scope="session")
def grpc_server(start_grpc_server: StartGRPCServer) -> Iterator[GRPCServer]:
    """One server for the session; only ask it."""
    with start_grpc_server() as server:
        yield server


@pytest.fixture(scope="session")
def tls_grpc_server(start_grpc_server: StartGRPCServer, certificates: Certificates) -> Iterator[GRPCServer]:
    """One server over TLS for the session; only ask it."""
    with start_grpc_server(certificates.good) as server:
        yield server


@pytest.fixture(scope="session")
def grpc_front() -> Iterator[Front]:
    """One nginx for the session; only ask it."""
    with private_folder() as folder, Front(folder) as server:
        yield server
