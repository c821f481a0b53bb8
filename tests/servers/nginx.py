"""A real nginx, over HTTP, HTTPS and HTTPS that demands a client certificate.

`nginx` is one server for the whole session: only ask it. `start_nginx()` starts one that a test may
stop, pause or kill.

    /            200 "ok", with X-Answer: 42         /json       {"status": "ok", ...}
    /page        HTML                                /big        2 MiB
    /drip        a body without end in sight          /private    asks for LOGIN
    /status/503  any of these codes                  /to/...     redirects
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias
from urllib.request import urlopen

import pytest

from tests.servers.process import ServerProcess, binary, free_port, private_folder
from tests.servers.tls import Certificate, Certificates

LOGIN = ("mon", "s3cret-of-nginx")
BIG = 2 * 1024 * 1024
DOCUMENT = {"status": "ok", "db": {"connected": True, "lag": 3}, "nodes": [{"name": "a", "load": 0.5}]}
STATUS_CODES = (204, 301, 304, 400, 401, 403, 404, 407, 410, 418, 429, 500, 502, 503, 504)

_LOCATIONS = """
  add_header X-Answer 42 always;
  location = / { return 200 "ok\\n"; }
  location = /json { default_type application/json; return 200 '%(document)s'; }
  location = /page { default_type text/html; return 200 "<!doctype html><title>Sign in</title>"; }
  location = /big { root %(folder)s; }
  location = /drip { root %(folder)s; limit_rate_after 1k; limit_rate 100; }
  location = /private { auth_basic "for the tests"; auth_basic_user_file %(folder)s/logins; root %(folder)s; }
  location = /books { stub_status; }
  location = /to/ok { return 302 /; }
  location = /to/private { return 307 /private; }
  location = /to/itself { return 302 /to/itself; }
  location = /to/elsewhere { return 307 http://localhost:$arg_port/private; }
  location = /to/ftp { return 302 ftp://localhost/; }
  location = /to/nowhere { return 302 http://127.0.0.1:1/; }
  location = /to/metadata { return 302 http://169.254.169.254/latest/; }
"""
_CONFIG = """
daemon off; pid %(folder)s/pid; error_log stderr; worker_processes 1; worker_rlimit_nofile 8192;
%(user)s
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path %(folder)s/b; proxy_temp_path %(folder)s/p; fastcgi_temp_path %(folder)s/f;
  uwsgi_temp_path %(folder)s/u; scgi_temp_path %(folder)s/s;
  server { listen 127.0.0.1:%(port)s backlog=4096; %(locations)s }
  %(secure)s
}
"""
_SECURE = """
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_certificate %(cert)s; ssl_certificate_key %(key)s; ssl_client_certificate %(ca)s;
  server { listen 127.0.0.1:%(tls_port)s ssl; %(locations)s }
  server { listen 127.0.0.1:%(mtls_port)s ssl; ssl_verify_client on; %(locations)s }
"""


class Nginx(ServerProcess):
    """One server. With a certificate it also listens on `tls_port` and, asking for ours, on `mtls_port`."""

    def __init__(self, folder: Path, certificate: Certificate | None = None, client_ca: str = "") -> None:
        super().__init__(folder)
        self.tls_port = free_port()
        self.mtls_port = free_port()
        folder.chmod(0o755)  # its worker may be another user
        (folder / "big").write_bytes(b"0123456789abcdef" * (BIG // 16))
        (folder / "drip").write_bytes(b"drop " * 1000)
        (folder / "private").write_bytes(b"welcome\n")
        (folder / "logins").write_text(f"{LOGIN[0]}:{{PLAIN}}{LOGIN[1]}\n")
        (folder / "nginx.conf").write_text(self._config(certificate, client_ca))

    def command(self) -> list[str]:
        return [binary("nginx", "nginx-light"), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]

    def ready(self) -> bool:
        with urlopen(self.url("/"), timeout=5) as answer:
            return bool(answer.read() == b"ok\n")

    def url(
        self, path: str = "/", *, user: str | None = None, password: str = "", scheme: str = "http"
    ) -> str:
        """Return an address of this server."""
        login = "" if user is None else f"{user}:{password}@"
        return f"{scheme}://{login}127.0.0.1:{self.tls_port if scheme == 'https' else self.port}{path}"

    def sessions(self) -> int:
        """Return how many connections the server has on its books, our own question not counted."""
        with urlopen(self.url("/books"), timeout=5) as answer:
            return int(answer.readline().split(b":")[1]) - 1

    def _config(self, certificate: Certificate | None, client_ca: str) -> str:
        names = {
            "folder": self.folder,
            "port": self.port,
            "tls_port": self.tls_port,
            "mtls_port": self.mtls_port,
            "document": json.dumps(DOCUMENT),
            "user": "user root;" if os.geteuid() == 0 else "",
            "ca": client_ca,
        }
        codes = "".join(f"location = /status/{code} {{ return {code}; }}\n" for code in STATUS_CODES)
        names["locations"] = _LOCATIONS % names + codes
        if certificate is not None:
            names |= {"cert": certificate.cert, "key": certificate.key}
        names["secure"] = "" if certificate is None else _SECURE % names
        return _CONFIG % names


StartNginx: TypeAlias = Callable[..., AbstractContextManager[Nginx]]
"""`with start_nginx(certificates.expired) as server:`"""


@pytest.fixture(scope="session")
def start_nginx(certificates: Certificates) -> StartNginx:
    """Starts a server that the test may mistreat."""

    @contextmanager
    def start(certificate: Certificate | None = None) -> Iterator[Nginx]:
        with private_folder() as folder, Nginx(folder, certificate, certificates.ca) as server:
            yield server

    return start


@pytest.fixture(scope="session")
def nginx(start_nginx: StartNginx, certificates: Certificates) -> Iterator[Nginx]:
    """One server for the session; only ask it."""
    with start_nginx(certificates.good) as server:
        yield server
