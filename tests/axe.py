"""Looks for what keeps people from using a page, with axe-core."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Page

from tests.sources import ROOT

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_AXE = ROOT / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """async () => {
    // What is half faded in is pale; one that ends may start that of what inherits from it.
    const ending = () =>
        document.getAnimations().filter(({ effect }) => effect.getTiming().iterations !== Infinity)
    for (let left = ending(); left.length > 0; left = ending()) {
        await Promise.all(left.map(({ finished }) => finished.catch(() => null)))
        await new Promise(requestAnimationFrame)
    }
    const { violations } = await axe.run(document, { resultTypes: ['violations'], preload: false })
    return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ` + nodes.map((node) =>
            node.html.slice(0, 200) + ' ' + node.any.map(({ message }) => message).join(' ')).join(' | '))
}"""


def paint(page: Page, scheme: Literal["light", "dark"]) -> None:
    """Let the system prefer a theme, and wait until the page has followed."""
    page.emulate_media(color_scheme=scheme)
    followed = "scheme => document.documentElement.dataset.mantineColorScheme === scheme"
    page.wait_for_function(followed, arg=scheme)


def barriers_in_both_themes(page: Page) -> list[str]:
    """Return what axe-core calls serious or critical in light and in dark: the page follows the system."""
    found = []
    for scheme in SCHEMES:
        paint(page, scheme)
        found += [f"{scheme}: {each}" for each in barriers(page)]
    return found


def barriers(page: Page) -> list[str]:
    """Return what axe-core calls serious or critical on the page as it is shown now."""
    if not _AXE.exists():
        pytest.skip("axe-core is not installed: make setup")
    page.evaluate(_AXE.read_text())
    found: list[str] = page.evaluate(_RUN)
    return found
