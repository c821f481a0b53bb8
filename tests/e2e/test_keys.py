"""The list of targets under the fingers: one stop of the tab key, arrows from row to row, the focus kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.axe import barriers_in_both_themes
from tests.servers.chromium import OpenPage
from tests.servers.mooring import Mooring
from tests.servers.process import free_port

pytestmark = [pytest.mark.integration, pytest.mark.slow]
MANY = 300
LAST = f"service-{MANY}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mooring]:
    """A server with many targets, one of which is in trouble."""
    listed = [
        f'[[targets]]\nname = "service-{number}"\nkind = "push"\ntoken = "token-of-service-{number}"\n'
        for number in range(1, MANY + 1)
    ]
    with Mooring(tmp_path_factory.mktemp("server"), config="\n".join(listed)) as server:
        yield server


def link(page: Page, name: str) -> Locator:
    """Return the name of a target in the list."""
    return page.get_by_role("grid", name="Targets").get_by_role("link", name=name, exact=True)


def row_with_focus(page: Page) -> Locator:
    """Return the row in which the focus is."""
    return page.locator("[role=row]:has(:focus)")


def test_the_list_is_one_stop_and_the_keys_go_through_it(server: Mooring, open_page: OpenPage) -> None:
    """Arrows, ends and pages reach every row and keep it in sight; Tab goes on, Enter opens."""
    with open_page(server, "/?sort=name&q=service") as page:
        link(page, "service-1").focus()
        for key, name in (
            ("ArrowDown", "service-2"),
            ("End", LAST),
            ("ArrowUp", f"service-{MANY - 1}"),
            ("Home", "service-1"),
        ):
            page.keyboard.press(key)
            expect(link(page, name)).to_be_focused()
            expect(link(page, name)).to_be_in_viewport()
        page.keyboard.press("PageDown")
        assert page.evaluate("Number(document.activeElement.closest('[role=row]').ariaRowIndex)") > 5
        page.keyboard.press("Home")
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Test service-1 now")).to_be_focused()
        page.keyboard.press("Tab")
        inside = "document.querySelector('[role=grid]').contains(document.activeElement)"
        assert not page.evaluate(inside), "the next row is no stop"
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        expect(link(page, "service-1")).to_be_focused()
        assert barriers_in_both_themes(page) == []
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("service-1")


def test_the_focus_follows_a_target_that_events_sort_to_elsewhere(
    server: Mooring, open_page: OpenPage
) -> None:
    """What goes down stands first; whoever was at it by keys stays at it and goes on from there."""
    with server.client() as client:
        keys = {"name": "zebra", "url": f"tcp://127.0.0.1:{free_port()}", "failures_before_down": 1}
        made = client.post("/api/v1/targets", json={**keys, "enabled": False})
        assert made.status_code == 201, made.text
        zebra = f"/api/v1/targets/{made.json()['id']}"
        with open_page(server) as page:
            link(page, "service-1").focus()
            page.keyboard.press("End")
            expect(link(page, "zebra")).to_be_focused()
            expect(link(page, "zebra")).to_have_accessible_description("Paused")
            client.patch(zebra, json={"enabled": True}).raise_for_status()
            expect(link(page, "zebra")).to_have_accessible_description(
                "Down tcp: refused the connection was refused: nothing listens there"
            )
            expect(link(page, "zebra")).to_be_focused()
            expect(link(page, "zebra")).to_be_in_viewport()
            expect(row_with_focus(page)).to_have_attribute("aria-rowindex", "2")
            page.keyboard.press("ArrowDown")
            expect(row_with_focus(page)).to_have_attribute("aria-rowindex", "3")
            page.keyboard.press("ArrowUp")
            client.delete(zebra).raise_for_status()
            expect(link(page, "zebra")).to_have_count(0)
            expect(row_with_focus(page)).to_have_attribute("aria-rowindex", "2")
