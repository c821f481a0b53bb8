"""Importing: addresses are found in a text, tested side by side, picked and saved."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.axe import barriers
from tests.servers.chromium import OpenPage
from tests.servers.mooring import Mooring
from tests.servers.process import free_port

pytestmark = [pytest.mark.integration, pytest.mark.slow]
SECRET = "s3cret-of-the-shop"


def env(server: Mooring) -> str:
    """Return an environment file: two that work, one that does not, one that lacks something, one unknown."""
    return f"""
WEB_URL=http://127.0.0.1:{server.port}/livez
PORT_URL=tcp://127.0.0.1:{server.port}
ORDERS_URL=postgresql://app:{SECRET}@127.0.0.1:{free_port()}/orders
DB_ENGINE=mysql
DB_HOST=db.example
GOPHER_URL=gopher://old.example
"""


def find(page: Page, text: str) -> None:
    """Paste a text and have it looked through."""
    page.get_by_label("Paste or drop it here").fill(text)
    page.get_by_role("button", name="Find addresses").click()


def row(page: Page, text: str) -> Locator:
    """Return the row of the variable that an address stood in."""
    return page.get_by_role("region", name="Found addresses").get_by_role("listitem").filter(has_text=text)


def names(server: Mooring) -> set[str]:
    """Return what is stored."""
    with server.client() as client:
        items: list[dict[str, Any]] = client.get("/api/v1/targets").json()["items"]
    return {each["name"] for each in items}


def test_an_environment_file_becomes_targets(server: Mooring, open_page: OpenPage) -> None:
    """What is usable is picked, tested with its stage and reason, and those that work are saved."""
    with open_page(server, "/import") as page:
        find(page, env(server))
        expect(row(page, "DB_*")).to_contain_text("Missing: user, password")
        expect(row(page, "GOPHER_URL")).to_contain_text("gopher is not supported yet")
        expect(row(page, "DB_*").get_by_role("checkbox")).to_be_disabled()
        expect(row(page, "ORDERS_URL")).to_contain_text("postgresql://app:***@127.0.0.1")
        assert SECRET not in page.content()
        page.get_by_role("button", name="Test 3").click()
        expect(row(page, "ORDERS_URL")).to_contain_text("tcp: the connection was refused")
        expect(row(page, "WEB_URL")).to_contain_text("Up")
        expect(row(page, "PORT_URL")).to_contain_text("Up")
        expect(page.get_by_text("1 of the picked does not work.")).to_be_visible()
        page.get_by_role("button", name="Pick those that work").click()
        page.get_by_label("Name of WEB_URL").fill("the web")
        page.get_by_role("button", name="Save 2").click()
        expect(row(page, "WEB_URL")).to_contain_text("Saved.")
        expect(row(page, "PORT_URL")).to_contain_text("Saved.")
        expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()
        expect(page.get_by_role("link", name="See them in the overview")).to_be_visible()
        assert SECRET not in page.url
        assert barriers(page) == []
        assert {"the web", "port"} <= names(server)
        assert "orders" not in names(server)


def test_what_was_passed_over_is_told(server: Mooring, open_page: OpenPage) -> None:
    """A broken Compose file is read line by line, which is said; so are lines that gave no row."""
    port = server.port
    text = f"services:\n  web:\n    url: tcp://127.0.0.1:{port}\n    or: tcp://127.0.0.1:{port}\n  - broken\n"
    with open_page(server, "/import") as page:
        find(page, text)
        told = page.get_by_role("status").filter(has_text="Not all of it was taken")
        expect(told).to_contain_text(
            "The Compose file is no valid YAML: line 5, column 3, so its lines were read one by one."
        )
        expect(told).to_contain_text("3 lines held no address to test.")
        expect(told).to_contain_text("1 address stood there before and is listed once: line 4.")


def test_after_all_is_saved_the_overview_is_next(server: Mooring, open_page: OpenPage) -> None:
    """With nothing left to test or to save the page leads to where the new targets stand."""
    with open_page(server, "/import") as page:
        find(page, f"tcp://127.0.0.1:{server.port}")
        page.get_by_role("button", name="Save 1").click()
        expect(page.get_by_role("button", name=re.compile("^(Test|Save)( [0-9]+)?$"))).to_have_count(0)
        page.get_by_role("link", name="See it in the overview").click()
        expect(page.get_by_role("heading", level=1, name="Overview")).to_be_attached()
        expect(page.get_by_role("row").filter(has_text=f"127.0.0.1:{server.port}").first).to_be_visible()


def test_a_part_that_fails_leaves_the_rest_to_be_mended(server: Mooring, open_page: OpenPage) -> None:
    """A name that is taken gets the API's words at its row; renamed it is saved, and nothing twice."""
    with server.client() as client:
        client.post("/api/v1/targets", json={"name": "web", "url": "tcp://127.0.0.1:1"})
    with open_page(server, "/import") as page:
        find(page, env(server))
        page.get_by_role("button", name="Save 3").click()
        expect(page.get_by_text("2 saved. 1 not saved: see each.")).to_be_visible()
        expect(row(page, "WEB_URL").get_by_role("alert")).to_be_visible()
        before = names(server)
        page.get_by_label("Name of WEB_URL").fill("web 2")
        page.get_by_role("button", name="Save 1").click()
        expect(row(page, "WEB_URL")).to_contain_text("Saved.")
        assert names(server) == before | {"web 2"}


def test_tests_can_be_cancelled(server: Mooring, open_page: OpenPage, deaf: list[int]) -> None:
    """Cancelling ends all that is running and waiting; what was found stays."""
    with open_page(server, "/import") as page:
        find(page, "\n".join(f"http://127.0.0.1:{port}/" for port in deaf))
        page.get_by_role("button", name="Test 6").click()
        expect(page.get_by_text("Waits for its turn")).to_have_count(2)
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("button", name="Test 6")).to_be_enabled()
        expect(page.get_by_text("Waits for its turn")).to_have_count(0)


def test_a_compose_file_is_dropped(server: Mooring, open_page: OpenPage, tmp_path: Path) -> None:
    """A file is read in the browser and looked through at once; too large a one is refused in words."""
    compose = tmp_path / "compose.yaml"
    compose.write_text(
        "services:\n  cache:\n    image: redis:7\n    ports: ['6379:6379']\n"
        "  db:\n    image: postgres:16\n    environment: {POSTGRES_PASSWORD: " + SECRET + "}\n"
    )
    large = tmp_path / "large.env"
    large.write_text("#" * 3_200_000)
    with open_page(server, "/import") as page:
        page.locator("input[type=file]").set_input_files(large)
        expect(page.get_by_text("large.env is 3.2 MB; at most 1 MB can be read.")).to_be_visible()
        page.locator("input[type=file]").set_input_files(compose)
        expect(row(page, "cache")).to_contain_text("redis://localhost:6379")
        expect(row(page, "db")).to_contain_text("Missing: a published port")


def test_a_text_without_addresses_says_so(server: Mooring, open_page: OpenPage) -> None:
    """Nothing found is said, with what was looked for, and the text stays."""
    with open_page(server, "/import") as page:
        find(page, "nothing here")
        expect(page.get_by_role("heading", name="No address was found")).to_be_visible()
        expect(page.get_by_label("Paste or drop it here")).to_have_value("nothing here")


def test_it_fits_a_phone(server: Mooring, open_page: OpenPage) -> None:
    """At 375 pixels nothing is wider than the window."""
    with open_page(server, "/import", width=375) as page:
        find(page, env(server))
        page.get_by_role("button", name="Test 3").click()
        expect(row(page, "ORDERS_URL")).to_contain_text("refused")
        assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_a_viewer_is_told_why_not(server: Mooring, open_page: OpenPage) -> None:
    """Whoever may only look sees no field to paste into, and who may."""
    with server.client() as client:
        made = client.post("/api/v1/tokens", json={"name": "looker", "role": "viewer"}).json()
    with open_page(server, "/import", token=made["token"]) as page:
        expect(page.get_by_text("You are signed in as viewer")).to_be_visible()
        expect(page.get_by_role("textbox")).to_have_count(0)


@pytest.fixture
def deaf() -> Iterator[list[int]]:
    """Ports that accept and never answer."""
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(6)]
        yield [each.getsockname()[1] for each in made]


def test_an_address_has_the_room_there_is(server: Mooring, open_page: OpenPage) -> None:
    """An address of usual length stands on one line, tested or not; a long one breaks between its parts."""
    usual = "postgresql://app:***@orders-db.internal:5432/orders"
    path = "/".join(["warehouse"] * 20)
    with open_page(server, "/import") as page:
        find(page, f"{usual.replace('***', SECRET)}\nhttps://long.internal/{path}")
        row = page.get_by_role("listitem").filter(has_text="orders-db.internal")
        one_line(row.get_by_text(usual))
        lines = page.get_by_text("https://long.internal").evaluate(
            """(element) => {
                const range = document.createRange()
                const tops = [...element.childNodes].filter((node) => node.length).map((node) => {
                    range.selectNodeContents(node)
                    return range.getClientRects().length
                })
                return tops
            }"""
        )
        assert set(lines) == {1}, lines
        page.get_by_role("button", name="Test 2").click()
        expect(row.get_by_text("Down")).to_be_visible(timeout=30_000)
        one_line(row.get_by_text(usual))


def one_line(place: Locator) -> None:
    """Expect a text to take up one line."""
    expect(place).to_be_visible()
    height = place.evaluate(
        "element => element.clientHeight / parseFloat(getComputedStyle(element).lineHeight)"
    )
    assert height < 1.5
