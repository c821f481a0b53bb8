"""A real Chromium, driven by Playwright.

`chromium` is one browser for the tests of a file; `open_page` opens windows in it, each with cookies of
its own, and fails the test where a page raises an error or breaks its own policy.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.servers.mooring import Mooring

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 10_000
"""Milliseconds that a test waits for what has to come."""
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is the same engine alone: where forms are filled, the rest of a browser costs as much again."""


def executable() -> str:
    """Return the path of the browser, or skip the test saying which package brings it."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("chromium is not installed: apt-get install chromium-headless-shell")
    return found


@contextmanager
def browsing() -> Iterator[Browser]:
    """Run a browser. Its event loop is this thread's: no other runs meanwhile."""
    path = executable()
    expect.set_options(timeout=PATIENCE)  # what is expected waits half as long else, whatever a page's own is
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a file: while it runs, no test of this process can run a loop."""
    with browsing() as browser:
        yield browser


def sign_in(page: Page, server: Mooring, token: str | None = None) -> None:
    """Sign in as the first admin, or with a token, without the form."""
    answer = page.request.post(f"{server.url}/api/v1/session", data={"token": token or server.token})
    assert answer.status == 201, answer.text()


OpenPage: TypeAlias = Callable[..., AbstractContextManager[Page]]
"""`with open_page(server, "/tokens", width=375, color_scheme="dark") as page:`"""


@pytest.fixture
def open_page(chromium: Browser) -> OpenPage:
    """Opens the dashboard of a server, signed in as its first admin or with `token`; closes it after."""

    @contextmanager
    def opened(
        server: Mooring,
        path: str = "/",
        *,
        token: str | None = None,
        width: int = 1280,
        height: int = 800,
        errors: bool = True,
        **options: Any,
    ) -> Iterator[Page]:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: _note(message, faults))
        sign_in(page, server, token)
        page.goto(f"{server.url}{path}")
        try:
            yield page
        finally:
            context.close()
        assert not (errors and faults), faults

    return opened


def _note(message: ConsoleMessage, faults: list[str]) -> None:
    """Keep what breaks the policy; a request that fails is the test's own matter."""
    if message.type == "error" and "Content Security Policy" in message.text:
        faults.append(message.text)
