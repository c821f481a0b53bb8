"""Adding a target: an address is pasted, tested and saved."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.axe import barriers
from tests.servers.chromium import OpenPage
from tests.servers.lantern import installed
from tests.servers.mooring import Mooring
from tests.servers.process import free_port

pytestmark = [pytest.mark.integration, pytest.mark.slow]
SECRET = "s3cret-of-the-lamp"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mooring]:
    """A server where somebody has installed a kind of their own."""
    packages = installed(tmp_path_factory.mktemp("packages"))
    folder = tmp_path_factory.mktemp("server")
    with Mooring(folder, environ={"PYTHONPATH": str(packages)}) as server:
        yield server


def stored(server: Mooring, name: str) -> dict[str, Any]:
    """Return a target as the API shows it."""
    with server.client() as client:
        items = client.get("/api/v1/targets", params={"q": name}).json()["items"]
    (found,) = (each for each in items if each["name"] == name)
    return dict(found)


def paste(page: Page, address: str) -> None:
    """Paste an address into the big field."""
    page.get_by_label("Paste an address").fill(address)


def button(page: Page, name: str) -> Any:
    """Return a button by its whole name."""
    return page.get_by_role("button", name=name, exact=True)


def choose(page: Page, field: str, option: str) -> None:
    """Choose from a list."""
    page.get_by_role("combobox", name=field).click()
    page.get_by_role("option", name=option).click()


def test_a_pasted_address_is_recognised_tested_and_saved(server: Mooring, open_page: OpenPage) -> None:
    """The kind and a name come from the address; the stages show; saving leads to the target's page."""
    with open_page(server, "/add") as page:
        expect(page.get_by_label("Paste an address")).to_be_focused()
        paste(page, f"http://127.0.0.1:{server.port}/livez")
        expect(page.get_by_role("combobox", name="Kind")).to_have_value("HTTP")
        expect(page.get_by_label("Name")).to_have_value("127.0.0.1/livez")
        expect(button(page, "Save without testing")).to_be_visible()
        button(page, "Test").click()
        stages = page.get_by_role("list", name="Stages of the test")
        expect(stages.get_by_role("listitem").filter(has_text="function")).to_contain_text("passed")
        button(page, "Save").click()
        page.wait_for_url(re.compile(r"/targets/\d+$"))
        expect(page.get_by_role("heading", name="127.0.0.1/livez")).to_be_visible()
    assert stored(server, "127.0.0.1/livez")["kind"] == "http"


def test_what_fails_says_why_and_can_be_saved_all_the_same(server: Mooring, open_page: OpenPage) -> None:
    """A test that fails shows stage and reason; the button says that it is saved anyway."""
    with open_page(server, "/add") as page:
        paste(page, f"tcp://127.0.0.1:{free_port()}")
        page.get_by_label("Name").fill("nobody there")
        button(page, "Test").click()
        expect(page.get_by_role("region", name="Test", exact=True)).to_contain_text("nothing listens there")
        page.get_by_label("Name").fill("nobody at home")
        expect(button(page, "Save without testing")).to_be_visible()
        button(page, "Test").click()
        button(page, "Save anyway").click()
        page.wait_for_url(re.compile(r"/targets/\d+$"))


def test_a_test_can_be_cancelled(server: Mooring, open_page: OpenPage) -> None:
    """Cancelling ends the test on the page at once, and what is typed stays."""
    with socket.create_server(("127.0.0.1", 0)) as deaf, open_page(server, "/add") as page:
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        paste(page, address)
        button(page, "Test").click()
        button(page, "Cancel test").click()
        expect(page.get_by_role("region", name="Test", exact=True)).to_contain_text("Cancelled")
        expect(button(page, "Test")).to_be_visible()
        expect(page.get_by_label("Paste an address")).to_have_value(address)


def test_each_mistake_stands_at_its_field_in_the_apis_words(server: Mooring, open_page: OpenPage) -> None:
    """A hostile name, a folded number and a wrong address are told where they stand; the first is focused."""
    with open_page(server, "/add") as page:
        paste(page, "tcp://shop.example")
        page.get_by_label("Name").fill("sh\u202eop")
        button(page, "More settings").click()
        page.get_by_label("Interval").fill("soon")
        button(page, "More settings").click()
        button(page, "Save without testing").click()
        address, name = page.get_by_label("Paste an address"), page.get_by_label("Name")
        expect(address).to_be_focused()
        keys = {"kind": "tcp", "url": "tcp://shop.example", "name": "sh\u202eop", "interval": "soon"}
        with server.client() as client:
            said = {each["field"]: each["message"] for each in _refusal(client, keys)}
        assert set(said) == {"url", "name", "interval"}
        for field, label in (("url", address), ("name", name), ("interval", page.get_by_label("Interval"))):
            expect(label).to_have_accessible_description(re.compile(re.escape(said[field])))
        name.fill("shop")
        expect(page.get_by_text(said["name"])).to_have_count(0)
        expect(page.get_by_text(said["interval"])).to_be_visible()


def _refusal(client: httpx.Client, keys: dict[str, Any]) -> list[dict[str, str]]:
    answer = client.post("/api/v1/targets", json=keys)
    assert answer.status_code == 422
    errors: list[dict[str, str]] = answer.json()["errors"]
    return errors


def test_a_name_that_is_taken_loses_nothing(server: Mooring, open_page: OpenPage) -> None:
    """The second of two targets with one name is told so, and saved under another."""
    with server.client() as client:
        client.post("/api/v1/targets", json={"name": "twice", "url": "tcp://127.0.0.1:1"})
    with open_page(server, "/add") as page:
        paste(page, "tcp://127.0.0.1:2")
        page.get_by_label("Name").fill("twice")
        button(page, "Save without testing").click()
        expect(page.get_by_text(re.compile("twice.*(taken|already|exists|called)")).first).to_be_visible()
        page.get_by_label("Name").fill("twice more")
        button(page, "Save without testing").click()
        page.wait_for_url(re.compile(r"/targets/\d+$"))


def test_a_push_target_shows_its_address_once(server: Mooring, open_page: OpenPage) -> None:
    """What reports by itself has nothing to test; its address is shown after saving, and works."""
    with open_page(server, "/add") as page:
        choose(page, "Kind", "Push")
        page.get_by_label("Name").fill("nightly backup")
        expect(button(page, "Test")).to_have_count(0)
        button(page, "Save").click()
        expect(page.get_by_role("heading", name="nightly backup is saved")).to_be_focused()
        address = page.locator("code").first.inner_text()
        expect(page.get_by_text(f"curl -fsS {address}")).to_be_visible()
        assert httpx.get(address).json() == {"status": "up"}
        page.get_by_role("link", name="Go to nightly backup").click()
        page.wait_for_url(re.compile(r"/targets/\d+$"))
        expect(page.get_by_role("heading", name="nightly backup", exact=True)).to_be_visible()
        assert address.rpartition("/")[2] not in page.content()


def test_leaving_what_is_typed_asks(server: Mooring, open_page: OpenPage) -> None:
    """A link away from a form that holds something asks; staying keeps it."""
    with open_page(server, "/add") as page:
        paste(page, "tcp://127.0.0.1:3")
        page.get_by_role("main").get_by_role("link", name="Import").click()
        dialog = page.get_by_role("dialog", name="Leave without saving?")
        dialog.get_by_role("button", name="Stay").click()
        expect(page.get_by_label("Paste an address")).to_have_value("tcp://127.0.0.1:3")
        page.get_by_role("main").get_by_role("link", name="Import").click()
        dialog.get_by_role("button", name="Leave").click()
        expect(page.get_by_role("heading", name="Import targets")).to_be_visible()


def test_a_kind_that_the_dashboard_has_never_heard_of(server: Mooring, open_page: OpenPage) -> None:
    """Its form is drawn from its schema with a field of every shape, tested, saved, and seen on its page."""
    with open_page(server, "/add") as page:
        paste(page, "lantern://rock")
        page.get_by_label("Keeper").fill("A")
        page.get_by_role("textbox", name="Phrase").fill(SECRET)
        button(page, "More settings").click()
        page.get_by_label("Height").fill("tall")
        page.get_by_role("switch", name="Lit").uncheck(force=True)
        choose(page, "Colour", "green")
        page.get_by_label("Harbours").fill("Alpha\nBravo, inner")
        button(page, "Add to signals").click()
        page.get_by_label("Signals 1, name").fill("two flashes")
        page.get_by_label("Signals 1, value").fill("come in")
        lens = page.get_by_role("group", name="Lens")
        expect(lens.get_by_label("Maker")).to_have_attribute("placeholder", "e.g. Barbier")
        lens.get_by_label("Order").fill("9")
        button(page, "Test").click()
        for label in ("Keeper", "Height", "Order"):
            expect(page.get_by_label(label)).to_have_attribute("aria-invalid", "true")
        expect(page.get_by_label("Keeper")).to_be_focused()
        page.get_by_label("Keeper").fill("Ida")
        page.get_by_label("Height").fill("31.5")
        lens.get_by_label("Order").fill("2")
        button(page, "Test").click()
        expect(page.get_by_text("the keeper does not know that phrase")).to_be_visible()
        page.get_by_role("textbox", name="Phrase").fill("mind the rocks")
        button(page, "Test").click()
        button(page, "Save").click()
        page.wait_for_url(re.compile(r"/targets/\d+$"))
        expect(page.get_by_role("heading", name="rock")).to_be_visible()
        assert "mind the rocks" not in page.content()
    expected = {
        "keeper": "Ida",
        "phrase": "***",
        "height": 31.5,
        "lit": False,
        "colour": "green",
        "harbours": ["Alpha", "Bravo, inner"],
        "signals": {"two flashes": "come in"},
        "lens": {"order": 2, "maker": None},
    }
    found = stored(server, "rock")
    assert {key: found[key] for key in expected} == expected


def test_it_works_by_keyboard_alone(server: Mooring, open_page: OpenPage) -> None:
    """Typing, Enter to test, Tab to Save, Enter: no mouse."""
    with open_page(server, "/add") as page:
        expect(page.get_by_label("Paste an address")).to_be_focused()
        page.keyboard.type(f"tcp://127.0.0.1:{server.port}")
        page.keyboard.press("Enter")
        expect(button(page, "Save")).to_be_visible()
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == "Save":
                break
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/targets/\d+$"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_full_form(server: Mooring, open_page: OpenPage, scheme: str) -> None:
    """With a failed test, mistakes at fields, all settings unfolded and the list of kinds open."""
    with open_page(server, "/add", color_scheme=scheme, reduced_motion="reduce") as page:
        paste(page, f"http://127.0.0.1:{free_port()}/")
        button(page, "Test").click()
        expect(button(page, "Save anyway")).to_be_visible()
        button(page, "More settings").click()
        page.get_by_label("Interval").fill("soon")
        button(page, "Save without testing").click()
        expect(page.get_by_label("Interval")).to_be_focused()
        page.get_by_role("combobox", name="Kind").click()
        expect(page.get_by_role("option", name="Lantern")).to_be_visible()
        assert barriers(page) == []


def test_it_fits_a_phone(server: Mooring, open_page: OpenPage) -> None:
    """At 375 pixels nothing is wider than the window, whatever is unfolded."""
    with open_page(server, "/add", width=375) as page:
        paste(page, "https://shop.example/" + "long" * 60)
        button(page, "More settings").click()
        button(page, "Add to headers").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_a_viewer_is_told_why_not(server: Mooring, open_page: OpenPage) -> None:
    """Whoever may only look sees no form, and who may."""
    with server.client() as client:
        made = client.post("/api/v1/tokens", json={"name": "looker", "role": "viewer"}).json()
    with open_page(server, "/add", token=made["token"]) as page:
        expect(page.get_by_text("You are signed in as viewer")).to_be_visible()
        expect(page.get_by_role("textbox")).to_have_count(0)
