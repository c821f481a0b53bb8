"""Where lines wrap: between words and between parts, with no dot left over at an end."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.servers.chromium import OpenPage
from tests.servers.mooring import Mooring
from tests.servers.process import free_port

pytestmark = [pytest.mark.integration, pytest.mark.slow]
WIDTHS = (1280, 768, 375, 320)
BROKEN = r"""() => {
    const broken = []
    const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
        const node = walker.currentNode
        if (!node.parentElement.closest('dl')) continue
        for (const { index, 0: word } of node.data.matchAll(/\S+/g)) {
            const range = document.createRange()
            range.setStart(node, index)
            range.setEnd(node, index + word.length)
            if (range.getClientRects().length > 1) broken.push(word)
        }
    }
    return broken
}"""
"""The words of definition lists that go over the end of a line; an address is in pieces already."""
HANGING = """() => [...document.querySelectorAll('main *')].flatMap((line) => {
    const dotted = (part) => getComputedStyle(part, '::before').content.includes('·')
    const { left } = line.getBoundingClientRect()
    const begins = (part) => part.getBoundingClientRect().left < left + 1
    const first = [...line.children].filter((part) => dotted(part) && begins(part))
    const shown = getComputedStyle(line).clipPath === 'none' ? first : []
    const texts = [...line.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE)
    const typed = texts.filter((node) => /^\\s*·|·\\s*$/.test(node.data))
    return [...shown, ...typed].map((part) => part.textContent)
})"""
"""The parts at the start of a line whose dot is to be seen, and dots that are text of their own."""


def test_a_target_page_breaks_no_word_and_hangs_no_dot(server: Mooring, open_page: OpenPage) -> None:
    """Names and values of what was found wrap between words and parts, at each width."""
    with server.client() as client:
        keys = {"name": "page", "url": f"{server.url}/livez", "labels": {"team": "shop"}}
        made = client.post("/api/v1/targets", json=keys)
        assert made.status_code == 201, made.text
    with open_page(server, f"/targets/{made.json()['id']}") as page:
        expect(page.get_by_text("Final URL", exact=True)).to_be_visible()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(BROKEN) == [], width
            assert page.evaluate(HANGING) == [], width


def test_a_failure_hangs_no_dot(server: Mooring, open_page: OpenPage) -> None:
    """Stage, reason and code of a failure wrap without a dot at either end."""
    with server.client() as client:
        keys = {"name": "gone", "url": f"tcp://127.0.0.1:{free_port()}", "failures_before_down": 1}
        made = client.post("/api/v1/targets", json=keys)
        assert made.status_code == 201, made.text
    with open_page(server, f"/targets/{made.json()['id']}") as page:
        expect(page.get_by_role("region", name="Why it fails")).to_be_visible()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(HANGING) == [], width
