"""A real nginx before a real Orthanc, as hospitals have one: other logins, TLS, sign-in pages.

`pacs_gateway` is one server for the whole session: only ask it.

    /dicom-web  passed on as it comes       /open       everybody is let in
    /bearer     wants TOKEN                 /key        wants KEY in X-Pacs-Key
    /read-only  takes no POST               /gone       what it passes on to is not there
    /viewer     an HTML page                /api        JSON of something else
    /text       no JSON                     /empty      204, as the standard has it
    /two        two studies, whatever limit /sign-in    redirects
    /status/503 any of these codes          /shy/503    any of these where no login is shown, else 204
    /deep       JSON in 3000 brackets
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias
from urllib.request import urlopen

import pytest

from tests.servers.orthanc import ADMIN, Orthanc
from tests.servers.process import ServerProcess, binary, free_port, private_folder
from tests.servers.tls import Certificate, Certificates

TOKEN, KEY = "s3cret-token-of-gateway", "s3cret-key-of-gateway"
STATUS_CODES = (406, 429, 503)
SHY_CODES = (302, 401, 403, 404, 503)
_STUDIES = json.dumps([{"0020000D": {"vr": "UI", "Value": [uid]}} for uid in ("1.2.3", "1.2.4")])
_LOCATIONS = """
  location = /ready { return 200; }
  location /dicom-web/ { proxy_pass %(orthanc)s; }
  location /open/ { proxy_set_header Authorization "%(login)s"; proxy_pass %(orthanc)s; }
  location /bearer/ {
    if ($http_authorization != "Bearer %(token)s") { return 401; }
    proxy_set_header Authorization "%(login)s"; proxy_pass %(orthanc)s;
  }
  location /key/ {
    if ($http_x_pacs_key != "%(key)s") { return 401; }
    proxy_set_header Authorization "%(login)s"; proxy_pass %(orthanc)s;
  }
  location /read-only/ { if ($request_method = POST) { return 405; } proxy_pass %(orthanc)s; }
  location /gone/ { proxy_pass http://127.0.0.1:%(nobody)s/; }
  location /viewer/ { default_type text/html; return 200 "<!doctype html><title>Viewer</title>"; }
  location /api/ { default_type application/json; return 200 '{"status": "ok"}'; }
  location /text/ { default_type text/plain; return 200 "welcome"; }
  location /empty/ { return 204; }
  location /deep/ { default_type application/json; return 200 '%(deep)s'; }
  location /two/ { default_type application/dicom+json; return 200 '%(studies)s'; }
  location /sign-in/ { return 302 https://login.example/realms/hospital?client=pacs; }
"""
_CONFIG = """
daemon off; pid %(folder)s/pid; error_log stderr; worker_processes 1;
%(user)s
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path %(folder)s/b; proxy_temp_path %(folder)s/p; fastcgi_temp_path %(folder)s/f;
  uwsgi_temp_path %(folder)s/u; scgi_temp_path %(folder)s/s;
  ssl_certificate %(cert)s; ssl_certificate_key %(cert_key)s; ssl_client_certificate %(ca)s;
  server { listen 127.0.0.1:%(port)s; %(locations)s }
  server { listen 127.0.0.1:%(tls_port)s ssl; %(locations)s }
  server { listen 127.0.0.1:%(mtls_port)s ssl; ssl_verify_client on; %(locations)s }
}
"""


class PacsGateway(ServerProcess):
    """One server: plain on `port`, TLS on `tls_port`, and with a certificate of ours on `mtls_port`."""

    def __init__(self, folder: Path, orthanc: Orthanc, certificate: Certificate, ca: str) -> None:
        super().__init__(folder)
        self.tls_port, self.mtls_port = free_port(), free_port()
        folder.chmod(0o755)  # its worker may be another user
        names = {
            "folder": folder,
            "port": self.port,
            "tls_port": self.tls_port,
            "mtls_port": self.mtls_port,
            "nobody": free_port(),
            "orthanc": f"http://127.0.0.1:{orthanc.http_port}/dicom-web/",
            "login": "Basic " + base64.b64encode(":".join(ADMIN).encode()).decode(),
            "token": TOKEN,
            "key": KEY,
            "studies": _STUDIES,
            "deep": "[" * 3000,
            "cert": certificate.cert,
            "cert_key": certificate.key,
            "ca": ca,
            "user": "user root;" if os.geteuid() == 0 else "",
        }
        codes = "".join(f"location /status/{code}/ {{ return {code}; }}\n" for code in STATUS_CODES)
        shy = "".join(
            f'location /shy/{code}/ {{ if ($http_authorization = "") {{ return {code}; }} return 204; }}\n'
            for code in SHY_CODES
        )
        names["locations"] = _LOCATIONS % names + codes + shy
        (folder / "nginx.conf").write_text(_CONFIG % names)

    def command(self) -> list[str]:
        return [binary("nginx", "nginx-light"), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]

    def ready(self) -> bool:
        with urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=5) as answer:
            return bool(answer.status == 200)

    def web(self, path: str, *, login: tuple[str, str] | None = None, port: int | None = None) -> str:
        """Return a DICOMweb address of this server; over TLS where the port is one of these."""
        who = "" if login is None else f"{login[0]}:{login[1]}@"
        if port is None:
            return f"dicomweb+http://{who}127.0.0.1:{self.port}{path}"
        return f"dicomweb+https://{who}localhost:{port}{path}"


StartGateway: TypeAlias = Callable[..., AbstractContextManager[PacsGateway]]
"""`with start_gateway(certificates.expired) as server:`"""


@pytest.fixture(scope="session")
def start_gateway(orthanc: Orthanc, certificates: Certificates) -> StartGateway:
    """Starts a server before the session's Orthanc."""

    @contextmanager
    def start(certificate: Certificate) -> Iterator[PacsGateway]:
        with (
            private_folder() as folder,
            PacsGateway(folder, orthanc, certificate, certificates.ca) as server,
        ):
            yield server

    return start


@pytest.fixture(scope="session")
def pacs_gateway(start_gateway: StartGateway, certificates: Certificates) -> Iterator[PacsGateway]:
    """One server for the session; only ask it."""
    with start_gateway(certificates.good) as server:
        yield server
