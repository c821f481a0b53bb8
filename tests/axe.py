"""Looks for what keeps people from using a page, with axe-core."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.sources import ROOT

_AXE = ROOT / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """async () => {
    // What is half faded in is pale.
    const ending = document.getAnimations().filter(({ effect }) => effect.getTiming().iterations !== Infinity)
    await Promise.all(ending.map(({ finished }) => finished.catch(() => null)))
    const { violations } = await axe.run(document, { resultTypes: ['violations'] })
    return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ` + nodes.map((node) =>
            node.html.slice(0, 200) + ' ' + node.any.map(({ message }) => message).join(' ')).join(' | '))
}"""


def barriers(page: Page) -> list[str]:
    """Return what axe-core calls serious or critical on the page as it is shown now."""
    if not _AXE.exists():
        pytest.skip("axe-core is not installed: make setup")
    page.evaluate(_AXE.read_text())
    found: list[str] = page.evaluate(_RUN)
    return found
