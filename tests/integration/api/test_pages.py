"""The dashboard's page and files, and what stands in for it where it was not built."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest

from mooring.api.dashboard import BASE, NONCE, Dashboard
from tests.http_api import Api, running

pytestmark = pytest.mark.integration
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SCRIPT = b"console.log('moored')" * 100
INDEX = f'<head>{BASE}<script nonce="{NONCE}">0</script></head><body>The dashboard</body>'


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What a build leaves behind."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "secret.txt").write_text("not an asset")
    (folder / "assets" / "index-1a2b.js").write_bytes(SCRIPT)
    (folder / "assets" / "index-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / "assets" / "mark.svg").write_text("<svg/>")
    return folder


@pytest.fixture
def dressed(api: Api, built: Path) -> Api:
    """An API whose dashboard is that build."""
    api.context.dashboard = Dashboard(built)
    return api


@pytest.mark.parametrize("slash", ["", "/"], ids=["plain", "slash"])
@pytest.mark.parametrize(
    "path",
    ["", "/add", "/import", "/tokens", "/sign-in", "/targets/7", "/targets/7/edit", "/pools", "/pools/4"],
)
async def test_each_view_has_an_address(dressed: Api, path: str, slash: str) -> None:
    """Whoever opens or reloads the address of a view gets the page, signed in or not, slash or not."""
    for client in (dressed.nobody, dressed.viewer):
        answer = await client.get(f"{path}{slash}", params={"code": "x"})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "The dashboard" in answer.text


async def test_an_unknown_address_shows_the_page_to_people_alone(dressed: Api) -> None:
    """A browser gets the page with status 404; a program gets the problem, or has to sign in."""
    for client in (dressed.nobody, dressed.viewer):
        shown = await client.get("/nothing/here", headers=BROWSER)
        assert shown.status_code == 404
        assert "The dashboard" in shown.text
    assert (await dressed.viewer.get("/nothing/here")).json()["title"] == "Not Found"
    assert (await dressed.nobody.get("/nothing/here")).status_code == 401
    assert (await dressed.viewer.get("/api/v1/nothing", headers=BROWSER)).json()["title"] == "Not Found"
    assert (await dressed.nobody.post("/nothing/here", headers=BROWSER)).status_code == 401


async def test_a_browser_opens_nothing_that_takes_a_login(dressed: Api) -> None:
    """To ask for a page does not open what takes a login."""
    for path in ("/metrics", "/probe?target=x", "/api/v1/overview"):
        assert (await dressed.nobody.get(path, headers=BROWSER)).status_code == 401


async def test_the_page_allows_only_what_came_with_it(dressed: Api) -> None:
    """Each answer has its own nonce, in the page and in a policy that names no other source."""
    pages = [await dressed.nobody.get("/") for _ in range(2)]
    nonces = [re.findall(r'nonce="([\w-]{16,})"', page.text) for page in pages]
    assert nonces[0] != nonces[1]
    for page, (nonce,) in zip(pages, nonces, strict=True):
        assert NONCE not in page.text
        assert page.headers["content-security-policy"] == (
            f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
            "img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
            "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
        )
        assert page.headers["cache-control"] == "no-store"


async def test_the_page_knows_its_base_path(tmp_path: Path, built: Path) -> None:
    """Behind a proxy the page's addresses start at the base path, whether the proxy has cut it off or not."""
    async with running(tmp_path, base_path="/moor") as api:
        api.context.dashboard = Dashboard(built)
        assert (await api.nobody.get(api.url)).status_code == 200
        for url in (api.url, api.url.removesuffix("/moor")):
            assert '<base href="/moor/" />' in (await api.nobody.get(f"{url}/targets/7")).text
            assert (await api.nobody.get(f"{url}/assets/mark.svg")).text == "<svg/>"


async def test_files_are_kept_for_ever_and_packed(dressed: Api) -> None:
    """A file is named after its content; who takes gzip gets it packed, who refuses gets it plain."""
    packed = await dressed.nobody.get("/assets/index-1a2b.js", headers={"Accept-Encoding": "br, gzip"})
    assert packed.content == SCRIPT
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(SCRIPT)
    for refused in ("identity", "gzip;q=0, br", "gzip; q=0.0"):
        plain = await dressed.nobody.get("/assets/index-1a2b.js", headers={"Accept-Encoding": refused})
        assert plain.content == SCRIPT
        assert "content-encoding" not in plain.headers
    for answer in (packed, plain):
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/gone.js",
        "/assets/../secret.txt",
        "/assets/..%2fsecret.txt",
        "/assets/%2e%2e/secret.txt",
        "/assets/..%5csecret.txt",
        "/assets/%2fetc%2fpasswd",
        "/assets/index-1a2b.js.gz",
        "/assets/index-1a2b.js%00",
        "/assets/",
    ],
)
async def test_no_path_leads_out_of_the_files(dressed: Api, path: str) -> None:
    """What is not one of the build's files is not there, however it is spelt."""
    answer = await dressed.viewer.get(path)
    assert answer.status_code == 404
    assert "not an asset" not in answer.text


async def test_a_new_build_is_given_out_at_once(dressed: Api, built: Path) -> None:
    """A server that runs while the dashboard is built anew gives out the new page and files."""
    assert "The dashboard" in (await dressed.nobody.get("/")).text
    index = built / "index.html"
    index.write_text(INDEX.replace("The dashboard", "The next one"))
    os.utime(index, ns=(1, 1))
    (built / "assets" / "index-3c4d.js").write_bytes(SCRIPT)
    assert "The next one" in (await dressed.nobody.get("/")).text
    assert (await dressed.nobody.get("/assets/index-3c4d.js")).status_code == 200


async def test_without_a_build_the_page_says_how_to_make_one(api: Api, tmp_path: Path) -> None:
    """A checkout without the dashboard still answers, and says what builds it."""
    api.context.dashboard = Dashboard(tmp_path / "none")
    answer = await api.nobody.get("/")
    assert answer.status_code == 200
    assert "<code>make serve</code> builds it" in answer.text
    assert (await api.nobody.get("/assets/index.js")).status_code == 404


async def test_the_list_of_operations_says_what_each_does(api: Api) -> None:
    """A sentence each, words of the wire set apart."""
    page = (await api.nobody.get("/docs")).text
    row = "<td><code>/api/v1/targets</code></td><td>viewer</td>"
    assert f"{row}<td>List the targets in the order in which they were added.</td>" in page
    assert "<code>Authorization: Bearer TOKEN</code>" in page
    assert "`" not in page
