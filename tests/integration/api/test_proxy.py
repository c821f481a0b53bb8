"""Behind a real nginx, under a base path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import httpx
import pytest

from mooring.api.guard import Role
from tests.http_api import running
from tests.servers.process import ServerProcess, binary, private_folder
from tests.sse import events

pytestmark = pytest.mark.integration
_CONFIG = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1; {user}
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location = /alive {{ return 200 "ok"; }}
    location /mooring/ {{
      proxy_pass http://127.0.0.1:{behind}{cut};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto https;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
}}
"""


class Proxy(ServerProcess):
    """An nginx that has Mooring under /mooring/; with `cut` it takes that off the path."""

    def __init__(self, folder: Path, behind: int, *, cut: bool) -> None:
        super().__init__(folder)
        folder.chmod(0o755)
        user = "user root;" if os.geteuid() == 0 else ""
        text = _CONFIG.format(folder=folder, port=self.port, behind=behind, cut="/" if cut else "", user=user)
        (folder / "nginx.conf").write_text(text)

    def command(self) -> list[str]:
        return [binary("nginx", "nginx-light"), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]

    def ready(self) -> bool:
        with urlopen(f"http://127.0.0.1:{self.port}/alive", timeout=5) as answer:
            return bool(answer.read() == b"ok")


@contextmanager
def proxied(url: str, *, cut: bool = False) -> Iterator[str]:
    """Put an nginx in front and give the address of Mooring through it."""
    with private_folder() as folder, Proxy(folder, httpx.URL(url).port or 0, cut=cut) as proxy:
        yield f"http://127.0.0.1:{proxy.port}/mooring"


@pytest.mark.parametrize("cut", [False, True], ids=["kept", "cut off"])
async def test_everything_works_under_a_base_path(tmp_path: Path, cut: bool) -> None:
    """Pages, links, OpenAPI's server, Location, cookie path and the event stream stand under /mooring."""
    settings = {"base_path": "/mooring", "trusted_proxies": ("127.0.0.1",)}
    async with running(tmp_path, **settings) as api:
        with proxied(api.url, cut=cut) as url:
            login = {"Authorization": f"Bearer {api.tokens[Role.OPERATOR]}"}
            async with httpx.AsyncClient(base_url=url, headers=login) as client:
                assert (await client.get("/openapi.json")).json()["servers"] == [{"url": "/mooring"}]
                assert 'href="/mooring/openapi.json"' in (await client.get("/docs")).text
                assert 'href="/mooring/openapi.json"' in (await client.get("/docs")).text
                added = await client.post("/api/v1/targets", json={"name": "web", "kind": "scripted"})
                assert added.headers["location"] == f"/mooring/api/v1/targets/{added.json()['id']}"
                job = await client.post("/api/v1/targets", json={"name": "job", "kind": "push"})
                assert job.json()["report_to"].startswith("/mooring/api/v1/push/")
                async with events(client) as stream:
                    assert len((await stream.next("snapshot")).data["targets"]) == 2
                    await client.post("/api/v1/targets/1/check")
                    assert (await stream.next("changes")).data["results"][0]["status"] == "up"
                assert (await client.get("/api/v1/nothing")).status_code == 404


async def test_a_trusted_proxy_says_how_the_client_came(tmp_path: Path) -> None:
    """Behind TLS the cookie is Secure and bound to the base path; any name the proxy answers is right."""
    settings = {"base_path": "/mooring", "trusted_proxies": ("127.0.0.0/8",)}
    async with running(tmp_path, **settings) as api:
        with proxied(api.url) as url:
            host = {"Host": "status.example"}
            async with httpx.AsyncClient(base_url=url, headers=host) as client:
                answer = await client.post("/api/v1/session", json={"token": api.tokens[Role.VIEWER]})
                parts = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
                assert {"secure", "httponly", "samesite=strict", "path=/mooring"} <= parts


async def test_nobody_else_is_believed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """From an address that is no trusted proxy X-Forwarded headers change nothing."""
    caplog.set_level("INFO", "mooring.access")
    claims = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "status.example",
        "X-Forwarded-For": "203.0.113.9",
    }
    async with running(tmp_path) as api:
        answer = await api.nobody.post(
            "/api/v1/session", json={"token": api.tokens[Role.VIEWER]}, headers=claims
        )
        assert "secure" not in answer.headers["set-cookie"].lower()
        assert "203.0.113.9" not in caplog.text
        claims["Host"] = "evil.example"
        assert (await api.viewer.get("/api/v1/targets", headers=claims)).status_code == 421


async def test_the_nearest_foreign_address_is_the_client(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a chain of proxies only the trusted part is believed: what a client adds on the left is not."""
    caplog.set_level("INFO", "mooring.access")
    async with running(tmp_path, trusted_proxies=("127.0.0.1", "10.0.0.0/8")) as api:
        chain = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9, 10.0.0.7"}
        await api.viewer.get("/api/v1/targets", headers=chain)
    assert "203.0.113.9 GET /api/v1/targets 200" in caplog.text
