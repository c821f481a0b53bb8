"""The page never shows a state that the API does not: killed servers, wrong clocks, sleep, lost logins."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.jobs import add_jobs, report
from tests.servers.chromium import OpenPage
from tests.servers.mooring import Mooring
from tests.servers.process import free_port, poll_until

pytestmark = [pytest.mark.integration, pytest.mark.slow]
JOBS = 6
WORDS = {"up": "Up", "down": "Down", "degraded": "Degraded", "unknown": "Unknown"}
RECONNECTED = 45_000
"""Milliseconds that the page may take to notice that the server is back."""


@pytest.fixture
def server(server: Mooring) -> Mooring:
    """A server with jobs that have all reported that they work."""
    add_jobs(server, JOBS)
    return server


def overview(server: Mooring) -> dict[str, dict[str, Any]]:
    """Ask the API for each target's row."""
    with server.client() as client:
        return {row["name"]: row for row in client.get("/api/v1/overview").json()["targets"]}


def shown(page: Page) -> dict[str, str]:
    """Read each target's status off the page, as it is written there."""
    return dict(page.evaluate(READ))


READ = """() => [...document.querySelectorAll('[role=row]')].flatMap((row) => {
    const name = row.querySelector('a')?.textContent
    const status = row.querySelector('[data-status]:not([aria-hidden])')?.textContent
    return name && status ? [[name, status.trim()]] : []
})"""


def agrees(server: Mooring, page: Page) -> bool:
    """Whether the page shows just the targets that the API knows, each as the API has it."""
    said = {name: WORDS[row["status"]] for name, row in overview(server).items()}
    return shown(page) == said


def live(server: Mooring, page: Page) -> None:
    """Wait until the page is connected and right."""
    expect(page.get_by_text("last known").first).to_be_hidden(timeout=RECONNECTED)
    poll_until(lambda: agrees(server, page), "the page showing what the API knows")


def broken(page: Page) -> None:
    """Wait until the page says that it knows nothing new, at the top, in each row, and in the tab."""
    expect(page.get_by_text("Not connected to Mooring since")).to_be_visible(timeout=RECONNECTED)
    expect(page.get_by_role("row").filter(has_text="job 1")).to_contain_text("last known")
    expect(page).to_have_title(re.compile(r"^\(not live\)"))


def test_a_killed_server_is_told_and_its_return_found(server: Mooring, open_page: OpenPage) -> None:
    """Killed, what stands is marked as last known; back again, each row is what the API says, unasked."""
    with open_page(server) as page:
        live(server, page)
        server.kill()
        broken(page)
        page.context.set_offline(offline=True)  # so that all of this happens unheard
        server.start()
        report(server, "down", 0, 1, 2)
        with server.client() as client:
            client.post("/api/v1/targets", json={"name": "new", "kind": "push", "interval": 86400})
            gone = overview(server)["job 5"]["id"]
            assert client.delete(f"/api/v1/targets/{gone}").status_code == 204
        page.context.set_offline(offline=False)
        live(server, page)
        expect(page.get_by_role("alert").filter(has_text="Meanwhile: 3 targets went down")).to_have_count(1)
        report(server, "down", 3)
        poll_until(lambda: shown(page)["job 3"] == "Down", "the stream going on")
        assert agrees(server, page)


@pytest.mark.parametrize("minutes", [-10, 10], ids=["behind", "ahead"])
def test_a_wrong_clock_of_the_browser_misleads_nobody(
    server: Mooring, open_page: OpenPage, minutes: int
) -> None:
    """Ages are told by the server's clock, whatever the browser's says."""
    with open_page(server, path="/sign-in") as page:
        page.clock.install(time=datetime.now(UTC) + timedelta(minutes=minutes))
        page.goto(server.url)
        live(server, page)
        report(server, "up", 1)
        row = page.get_by_role("row").filter(has_text="job 1")
        expect(row.get_by_text(re.compile(r"^[0-9] s ago$"))).to_be_visible()
        expect(page.get_by_text(re.compile(r"\bin \d+ min|\b(9|10) min"))).to_have_count(0)


def test_an_hour_of_sleep_is_caught_up_with(server: Mooring, open_page: OpenPage) -> None:
    """A laptop that slept for an hour says what is not known, then what changed meanwhile, once."""
    with open_page(server) as page:
        page.clock.install()
        page.goto(server.url)
        live(server, page)
        page.context.set_offline(offline=True)
        server.stop()  # the connection dies while nobody runs the page
        server.start()
        report(server, "down", 2, 4)
        page.clock.fast_forward(3_600_000)
        broken(page)
        page.context.set_offline(offline=False)
        live(server, page)
        toast = page.get_by_role("alert")
        expect(toast).to_have_count(1)
        expect(toast).to_contain_text("Meanwhile: 2 targets went down")


def test_a_stream_that_falls_silent_is_not_believed(server: Mooring, open_page: OpenPage) -> None:
    """A server that hangs with its connections open is noticed by its silence."""
    with open_page(server) as page:
        live(server, page)
        with server.paused():
            broken(page)
        live(server, page)


@contextmanager
def guest(server: Mooring, role: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """Give a token of a role, and what revokes it."""
    with server.client() as client:
        made = client.post("/api/v1/tokens", json={"name": "guest", "role": role}).json()

        def revoke() -> None:
            assert client.delete(f"/api/v1/tokens/{made['id']}").status_code == httpx.codes.NO_CONTENT

        yield made["token"], revoke


def test_a_revoked_token_asks_for_the_sign_in(server: Mooring, open_page: OpenPage) -> None:
    """Who loses their login while they look is asked to sign in at once, and hears nothing more."""
    with guest(server, "viewer") as (token, revoke), open_page(server, token=token) as page:
        live(server, page)
        revoke()
        expect(page.get_by_role("dialog", name="Your session has ended")).to_be_visible()
        broken(page)
        page.reload()
        page.wait_for_url("**/sign-in*")
        expect(page.get_by_text("job 1")).to_have_count(0)


def test_what_a_lost_login_asks_for_is_answered_by_the_sign_in(server: Mooring, open_page: OpenPage) -> None:
    """A test that is asked for without a login says nothing itself, and is done once signed in again."""
    with server.client() as client:
        body = {"name": "nobody home", "kind": "tcp", "url": f"tcp://127.0.0.1:{free_port()}"}
        target = client.post("/api/v1/targets", json=body).json()["id"]
    path = f"/targets/{target}"
    with guest(server, "operator") as (token, revoke), open_page(server, path, token=token) as page:

        def lose_the_login(route: Route) -> None:
            revoke()
            route.continue_()

        page.route("**/api/v1/events*", lambda route: route.abort())  # so that only the test can notice
        page.route(f"**/api/v1{path}/check", lose_the_login, times=1)
        page.reload()
        test = page.get_by_role("button", name="Test now")
        test.click()
        dialog = page.get_by_role("dialog", name="Your session has ended")
        expect(dialog).to_be_visible()
        expect(page.get_by_text("The test did not finish")).to_have_count(0)
        expect(page.get_by_text("sign in again.")).to_have_count(0)
        dialog.get_by_label("Token").fill(server.token)
        dialog.get_by_role("button", name="Sign in").click()
        expect(dialog).to_have_count(0)
        test.click()
        expect(page.get_by_text("nothing listens there").first).to_be_visible()
