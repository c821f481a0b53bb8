"""What is noticed: toasts, the tab's name and icon, the desktop."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.jobs import add_jobs, report
from tests.servers.chromium import OpenPage
from tests.servers.mooring import Mooring

pytestmark = [pytest.mark.integration, pytest.mark.slow]
JOBS = 8
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def server(server: Mooring) -> Mooring:
    """A server with jobs that have all reported that they work."""
    add_jobs(server, JOBS)
    return server


def settled(page: Page) -> None:
    """Wait until the page is live."""
    expect(page.get_by_role("link", name="job 1", exact=True)).to_be_visible()
    page.wait_for_function("() => !document.title.startsWith('(not live)')")


def row(page: Page, name: str) -> Locator:
    """Return a target's row in the list."""
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def icon(page: Page) -> str:
    """Return the tab's icon as it is drawn."""
    return str(page.evaluate("decodeURIComponent(document.querySelector('link[rel=icon]').href)"))


def test_a_loss_and_its_return_are_told(server: Mooring, open_page: OpenPage) -> None:
    """One target is named with its message as text, leads to its page, and its return is told too."""
    with open_page(server) as page:
        settled(page)
        report(server, "down", 3, message=HOSTILE)
        toast = page.get_by_role("alert").filter(has_text="job 3 went down")
        expect(toast).to_contain_text(HOSTILE)
        expect(page).to_have_title("(1 down) Overview · Mooring")
        assert "#e03131" in icon(page)
        toast.get_by_role("link", name="Show the target").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("job 3")
        report(server, "up", 3)
        expect(page.get_by_role("alert").filter(has_text="job 3 is back up")).to_be_visible()
        page.wait_for_function("() => !document.title.includes('down')")
        assert "#099268" in icon(page)


def test_many_at_once_are_one_toast(server: Mooring, open_page: OpenPage) -> None:
    """A burst is counted in one place that leads to the list of what is down."""
    with open_page(server) as page:
        settled(page)
        report(server, "down", *range(JOBS))
        toast = page.get_by_role("alert").filter(has_text="went down")
        expect(toast).to_have_count(1)
        toast.get_by_role("link").click()
        expect(page).to_have_url(f"{server.url}/?status=down")


def test_what_was_down_already_is_no_news(server: Mooring, open_page: OpenPage) -> None:
    """Opening the page tells of nothing that was so before; only the tab counts it."""
    report(server, "down", 1, 2)
    with open_page(server) as page:
        settled(page)
        expect(page).to_have_title("(2 down) Overview · Mooring")
        report(server, "down", 3)
        expect(page.get_by_role("alert")).to_have_count(1)
        expect(page.get_by_role("alert")).to_contain_text("job 3 went down")


def test_what_a_restart_finds_again_is_no_news(server: Mooring, open_page: OpenPage) -> None:
    """A page opened before the first checks of a start tells of nothing that they find, and then goes on."""
    report(server, "down", 1, 2, 3)
    server.stop()
    server.start()
    with open_page(server) as page:
        settled(page)
        expect(row(page, "job 1")).to_contain_text("Unknown")
        report(server, "down", 1, 2)
        report(server, "up", 3, 0)
        expect(row(page, "job 2")).to_contain_text("Down")
        expect(row(page, "job 0")).to_contain_text("Up")
        report(server, "down", 0)
        expect(page.get_by_role("alert")).to_contain_text("job 0 went down")
        expect(page.get_by_role("alert")).to_have_count(1)
        expect(page).to_have_title("(3 down) Overview · Mooring")


def test_the_desktop_is_told_only_in_the_background(server: Mooring, open_page: OpenPage) -> None:
    """Notifications are asked for in the menu, come while the page is hidden, and the page says it once."""
    with open_page(server) as page:
        settled(page)
        page.evaluate(FAKE_DESKTOP)
        page.get_by_role("button", name="Signed in as first").click()
        item = page.get_by_role("menuitemcheckbox", name="Desktop notifications")
        expect(item).not_to_be_checked()
        item.click()
        expect(item).to_be_checked()
        page.keyboard.press("Escape")
        report(server, "down", 1)
        expect(page.get_by_role("alert")).to_contain_text("job 1 went down")
        assert page.evaluate("window.shown") == []
        hide(page, hidden=True)
        report(server, "down", 2)
        page.wait_for_function("() => window.shown.includes('job 2 went down')")
        hide(page, hidden=False)
        expect(page.get_by_role("alert").filter(has_text="Meanwhile: job 2 went down")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(1)


FAKE_DESKTOP = """() => {
    window.shown = []
    window.Notification = class extends EventTarget {
        static permission = 'default'
        static async requestPermission() { return (this.permission = 'granted') }
        constructor(title) { super(); window.shown.push(title) }
        close() {}
    }
}"""
"""Headless Chromium has no desktop; what the page asks of it is what matters."""


def hide(page: Page, *, hidden: bool) -> None:
    """Do as if another tab were looked at."""
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden })
            document.dispatchEvent(new Event('visibilitychange'))
        }""",
        hidden,
    )
