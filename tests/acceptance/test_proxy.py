"""Behind a real nginx, set up as the how-to says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.pages import DOCS, blocks
from tests.servers.mooring import StartMooring
from tests.servers.process import ServerProcess, binary, private_folder

pytestmark = pytest.mark.integration

_PAGE = dict(blocks(DOCS / "how-to" / "behind-a-proxy.md"))
_CONFIG = """
daemon off; pid %(folder)s/pid; error_log stderr; worker_processes 1; %(user)s
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path %(folder)s/b; proxy_temp_path %(folder)s/p; fastcgi_temp_path %(folder)s/f;
  uwsgi_temp_path %(folder)s/u; scgi_temp_path %(folder)s/s;
  server { listen 127.0.0.1:%(port)s; %(location)s }
}
"""


class Proxy(ServerProcess):
    """An nginx with the location of the how-to."""

    def __init__(self, folder: Path, upstream: int) -> None:
        super().__init__(folder)
        location = _PAGE["nginx"].replace(":8321", f":{upstream}")
        user = "user root;" if os.geteuid() == 0 else ""
        config = _CONFIG % {"folder": folder, "port": self.port, "location": location, "user": user}
        (folder / "nginx.conf").write_text(config)

    def command(self) -> list[str]:
        program = binary("nginx", "nginx-light", "/usr/sbin")
        return [program, "-e", "stderr", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]

    def ready(self) -> bool:
        return httpx.get(f"http://127.0.0.1:{self.port}/", timeout=5).status_code == 404


@pytest.fixture
def proxied(start_mooring: StartMooring) -> Iterator[httpx.Client]:
    """An admin who reaches a server with the how-to's configuration through the proxy, by another name."""
    with (
        start_mooring(config=_PAGE["toml"]) as server,
        private_folder() as folder,
        Proxy(folder, server.port) as proxy,
        httpx.Client(
            base_url=f"http://127.0.0.1:{proxy.port}/mooring",
            headers={"Host": "monitor.example", "Authorization": f"Bearer {server.token}"},
            timeout=20,
        ) as client,
    ):
        yield client


def test_the_api_answers_below_the_path(proxied: httpx.Client) -> None:
    """Through the proxy the server answers below its path, whatever name it was asked under."""
    assert proxied.get("/readyz").json() == {"status": "ok"}
    added = proxied.post(
        "/api/v1/targets", json={"name": "port", "url": "tcp://127.0.0.1:1", "enabled": False}
    )
    assert added.status_code == 201, added.text
    assert proxied.get("/openapi.json").json()["servers"] == [{"url": "/mooring"}]


def test_events_are_not_held_back(proxied: httpx.Client) -> None:
    """The first event of a stream comes through at once: the proxy buffers nothing."""
    with proxied.stream("GET", "/api/v1/events") as answer:
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith("event:")) == "event: snapshot"
