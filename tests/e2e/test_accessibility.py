"""Everybody can use the page: axe finds nothing serious, the keyboard reaches everything, focus is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.axe import barriers_in_both_themes
from tests.servers.chromium import OpenPage
from tests.servers.mooring import Mooring
from tests.servers.process import free_port, poll_until, private_folder

pytestmark = [pytest.mark.integration, pytest.mark.slow]
PAGES = ("/", "/targets/{id}", "/targets/{id}/edit", "/add", "/import", "/tokens", "/no-such-page")
TABS = 80
"""Presses of Tab within which whatever is on a page has to be reached."""


@pytest.fixture(scope="module")
def server() -> Iterator[Mooring]:
    """A server with a target that fails."""
    with private_folder() as folder, Mooring(folder, "--demo") as server:
        with server.client() as client:
            keys = {"name": "orders", "url": f"tcp://127.0.0.1:{free_port()}", "failures_before_down": 1}
            answer = client.post("/api/v1/targets", json={**keys, "labels": {"team": "shop"}})
            assert answer.status_code == 201, answer.text
        poll_until(lambda: orders(server)["status"] == "down", "orders being down")
        yield server


def orders(server: Mooring) -> dict[str, Any]:
    """Ask for the failing target's row."""
    with server.client() as client:
        rows: list[dict[str, Any]] = client.get("/api/v1/overview").json()["targets"]
    return next(row for row in rows if row["name"] == "orders")


def settled(page: Page) -> None:
    """Wait until the page shows what it is about."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_label("Loading")).to_have_count(0)


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious(server: Mooring, open_page: OpenPage, path: str) -> None:
    """Each page in each theme: nothing serious or critical."""
    where = path.format(id=orders(server)["id"])
    with open_page(server, where, reduced_motion="reduce") as page:
        settled(page)
        assert barriers_in_both_themes(page) == []


def test_axe_finds_nothing_serious_at_the_sign_in(server: Mooring, open_page: OpenPage) -> None:
    """Who is not signed in yet can sign in."""
    with open_page(server, "/tokens", reduced_motion="reduce") as page:
        page.context.clear_cookies()
        page.goto(f"{server.url}/sign-in")
        settled(page)
        assert barriers_in_both_themes(page) == []


def test_axe_finds_nothing_serious_in_dialogs(server: Mooring, open_page: OpenPage) -> None:
    """The dialogs hold too, and with them what lies behind."""
    with open_page(server, "/tokens", reduced_motion="reduce") as page:
        settled(page)
        page.get_by_role("button", name="New token").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        settled(page)
        assert barriers_in_both_themes(page) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="New token")).to_be_focused()
        page.get_by_role("button", name="Test all").click()
        expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("Done.")
        settled(page)
        assert barriers_in_both_themes(page) == []


def test_with_less_motion_a_theme_comes_at_once(server: Mooring, open_page: OpenPage) -> None:
    """No element passes through the colours in between: each of a thousand would, and busy the page."""
    with open_page(server, reduced_motion="reduce", color_scheme="light") as page:
        settled(page)
        moving = """() => {
            document.documentElement.dataset.mantineColorScheme = 'dark'
            return document.getAnimations().map(({ effect }) => effect.target.outerHTML.slice(0, 100))
        }"""
        assert page.evaluate(moving) == []


def focused(page: Page) -> str:
    """Return the name of what has the focus."""
    return str(
        page.evaluate(
            """() => {
                const at = document.activeElement
                const label = at.labels?.[0]?.textContent ?? ''
                return at.getAttribute('aria-label') || label || at.textContent.trim()
            }"""
        )
    )


def tab_to(page: Page, name: str) -> None:
    """Press Tab until something of that name has the focus."""
    passed = []
    for _ in range(TABS):
        page.keyboard.press("Tab")
        passed.append(focused(page))
        if passed[-1].startswith(name):
            return
    raise AssertionError(f"{name} was not reached among {passed}")


def test_the_main_way_is_walked_by_keyboard(server: Mooring, open_page: OpenPage) -> None:
    """From the list to what is wrong, to testing it, and back, without a mouse."""
    with open_page(server) as page:
        settled(page)
        expect(page.get_by_role("link", name="orders", exact=True)).to_be_visible()
        page.keyboard.press("Tab")
        assert focused(page) == "Skip to the content"
        page.keyboard.press("Enter")
        page.keyboard.press("/")
        page.keyboard.type("orders")
        expect(page).to_have_url(f"{server.url}/?q=orders")
        tab_to(page, "orders")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("orders")
        expect(page.locator("main:focus, h1:focus")).to_have_count(1)
        tab_to(page, "Test now")
        page.keyboard.press("Enter")
        page.go_back()
        expect(page.get_by_role("searchbox")).to_have_value("orders")


def test_focus_returns_after_a_dialog(server: Mooring, open_page: OpenPage) -> None:
    """A dialog takes the focus, keeps it, and gives it back to what opened it."""
    with open_page(server, "/tokens") as page:
        settled(page)
        tab_to(page, "Revoke first")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Keep it")).to_be_focused()
        for _ in range(6):
            page.keyboard.press("Tab")
            inside = "document.querySelector('[role=dialog]').contains(document.activeElement)"
            assert page.evaluate(inside), focused(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Revoke first")).to_be_focused()
