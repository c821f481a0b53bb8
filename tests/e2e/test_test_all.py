"""Test all connections: progress, what fails and why, cancelling, the report, and the broken stream."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.servers.chromium import OpenPage
from tests.servers.mooring import Mooring
from tests.servers.process import free_port, poll_until

pytestmark = [pytest.mark.integration, pytest.mark.slow]


class Silent:
    """A service that accepts and never answers, or closes at once; it counts who is connected."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connected = 0
        self.holding = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._hold, args=(self.listener.accept()[0],), daemon=True).start()

    def _hold(self, client: socket.socket) -> None:
        self.connected += 1
        with suppress(OSError), client:
            while self.holding and client.recv(1000):
                pass
        self.connected -= 1


@pytest.fixture
def silent() -> Iterator[Silent]:
    """A service that keeps its clients waiting."""
    silent = Silent()
    yield silent
    silent.listener.close()


@pytest.fixture
def server(server: Mooring) -> Mooring:
    """A server with Mooring's own parts, which are up, and a port at which nobody listens."""
    add(server, name="nobody", url=f"tcp://127.0.0.1:{free_port()}", labels={"team": "shop"})
    return server


def add(server: Mooring, **keys: Any) -> None:
    """Add a target over the API."""
    with server.client() as client:
        answer = client.post("/api/v1/targets", json={"interval": 3600, "retry": False, **keys})
    assert answer.status_code == 201, answer.text


def press(page: Page) -> Locator:
    """Press the button, and return the dialog."""
    page.get_by_role("button", name="Test all").click()
    return page.get_by_role("dialog", name="Test all connections")


def total(server: Mooring) -> int:
    """Count all targets."""
    with server.client() as client:
        return len(client.get("/api/v1/overview").json()["targets"])


def test_the_report_is_what_the_dialog_says(server: Mooring, open_page: OpenPage) -> None:
    """What fails is listed with stage and reason, and the file has the shape of every other report."""
    with open_page(server) as page:
        dialog = press(page)
        expect(dialog.get_by_role("status")).to_contain_text("Done.")
        failing = dialog.get_by_role("region", name="Not up")
        expect(failing).to_contain_text("nobody")
        expect(failing).to_contain_text("tcp: refused")
        with page.expect_download() as kept:
            dialog.get_by_role("button", name="Download JSON").click()
        report = json.loads(kept.value.path().read_text())
        assert kept.value.suggested_filename.startswith("mooring-report-")
        assert set(report) == {"complete", "tested", "of", "summary", "results"}
        assert report["complete"] is True
        assert set(report["summary"]) == {"up", "degraded", "down", "unknown", "paused"}
        assert len(report["results"]) == total(server) == sum(report["summary"].values())
        assert report["summary"]["down"] == 1
        with server.client() as client:
            (stored,) = client.post("/api/v1/targets/check-all", params={"q": "nobody"}).json()["results"]
        (said,) = [each for each in report["results"] if each["status"] == "down"]
        assert set(said) == set(stored)


def test_cancelling_ends_the_checks_at_the_server(
    server: Mooring, open_page: OpenPage, silent: Silent
) -> None:
    """Cancel closes the stream, and what still waits for an answer is given up at once."""
    silent.holding = False
    add(server, name="silent", url=f"redis://127.0.0.1:{silent.port}", timeout=30)
    with open_page(server) as page:
        expect(page.get_by_role("row").filter(has_text="silent")).to_contain_text("Down")
        silent.holding = True
        dialog = press(page)
        bar = dialog.get_by_role("progressbar", name="Targets tested")
        expect(bar).to_have_attribute("aria-valuenow", str(total(server) - 1))
        poll_until(lambda: silent.connected > 0, "the check of the silent service")
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog.get_by_role("status")).to_contain_text("Cancelled.")
        poll_until(lambda: silent.connected == 0, "the end of the check")
        dialog.get_by_role("button", name="Close").last.click()
        expect(page.get_by_role("button", name="Test all")).to_be_focused()


def test_a_closed_dialog_goes_on_in_the_button(server: Mooring, open_page: OpenPage, silent: Silent) -> None:
    """Closing the dialog stops nothing: the button says how far it is, and opens it again."""
    add(server, name="silent", url=f"redis://127.0.0.1:{silent.port}", timeout=3)
    with open_page(server) as page:
        press(page)
        page.keyboard.press("Escape")
        going = page.get_by_role("button", name="Testing")
        expect(going).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(0)  # on its way out it names who failed too
        page.get_by_role("link", name="nobody", exact=True).click()
        ended = page.get_by_role("button", name="Tested: 2 not up")
        ended.click()
        dialog = page.get_by_role("dialog", name="Test all connections")
        expect(dialog.get_by_role("region", name="Not up")).to_contain_text("silent")


def test_what_the_list_shows_is_tested(server: Mooring, open_page: OpenPage) -> None:
    """With filters in the address only their targets are tested, and the dialog says so."""
    with open_page(server, "/?label=team%3Dshop") as page:
        page.get_by_role("button", name="Test this one").click()
        dialog = page.get_by_role("dialog", name="Test all connections")
        expect(dialog).to_contain_text("labelled team=shop")
        expect(dialog.get_by_role("status")).to_contain_text("Done. 1 of 1 tested: 1 down")
        dialog.get_by_role("button", name="Test failing ones again").click()
        expect(dialog).to_contain_text("Again: those that were not up")
        expect(dialog.get_by_role("status")).to_contain_text("Done. 1 of 1 tested: 1 down")


def test_a_server_that_dies_is_told(server: Mooring, open_page: OpenPage, silent: Silent) -> None:
    """A stream that breaks off says for how many nothing is known, and claims nothing else."""
    add(server, name="silent", url=f"redis://127.0.0.1:{silent.port}", timeout=30)
    with open_page(server) as page:
        dialog = press(page)
        others = str(total(server) - 1)
        expect(dialog.get_by_role("progressbar")).to_have_attribute("aria-valuenow", others)
        server.kill()
        expect(dialog.get_by_role("alert")).to_contain_text("Testing stopped early")
        expect(dialog.get_by_role("alert")).to_contain_text("Nothing is said here of the other 1")
        with page.expect_download() as kept:
            dialog.get_by_role("button", name="Download JSON").click()
        report = json.loads(kept.value.path().read_text())
        assert (report["complete"], report["of"] - report["tested"]) == (False, 1)
        server.start()
        dialog.get_by_role("button", name="Test again").click()
        expect(dialog.get_by_role("progressbar")).to_have_attribute("aria-valuemax", str(report["of"]))
        expect(dialog.get_by_role("alert")).to_have_count(0)


def test_a_viewer_is_not_offered_it(server: Mooring, open_page: OpenPage) -> None:
    """Who may not test sees no button."""
    with server.client() as client:
        made = client.post("/api/v1/tokens", json={"name": "viewer", "role": "viewer"}).json()
    with open_page(server, token=made["token"]) as page:
        expect(page.get_by_role("link", name="nobody", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="Test all")).to_have_count(0)
