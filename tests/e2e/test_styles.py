"""Whose styles count in the page as it is built: its own, over those of the library it is made with."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.jobs import add_jobs, report
from tests.servers.chromium import OpenPage
from tests.servers.mooring import Mooring

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_our_styles_win_in_whatever_order_the_files_are_linked(server: Mooring, open_page: OpenPage) -> None:
    """What unfolds a long message looks like a link, as its own style says, and not like plain text."""
    add_jobs(server, 1)
    report(server, "down", 0, message="word " * 300)
    with open_page(server) as page:
        page.get_by_role("link", name="job 0", exact=True).click()
        more = page.get_by_role("button", name="Show all").first
        expect(more).to_have_css("font-size", "14px")
        expect(more).to_have_css("margin-top", "4px")
        plain = page.get_by_role("heading", level=1).evaluate("each => getComputedStyle(each).color")
        assert more.evaluate("each => getComputedStyle(each).color") != plain
