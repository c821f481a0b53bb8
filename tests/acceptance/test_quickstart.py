"""The quickstart as a newcomer follows it: two services, one of them broken, seen everywhere, repaired."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.servers.chromium import PATIENCE
from tests.servers.mooring import Mooring, StartMooring
from tests.servers.postgresql import PostgreSQL, StartPostgreSQL
from tests.servers.process import poll_until
from tests.servers.redis import Redis

pytestmark = [pytest.mark.integration, pytest.mark.slow]
PASSWORD = "pw-of-app"


@dataclass
class Newcomer:
    """Somebody at a terminal, with a server of their own."""

    server: Mooring
    postgresql: PostgreSQL
    redis: Redis
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def orders(self) -> str:
        return self.postgresql.url("app", PASSWORD)

    def types(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the installed program against the server."""
        login = {"MOORING_SERVER": self.server.url, "MOORING_TOKEN": self.server.token, "NO_COLOR": "1"}
        program = str(Path(sys.executable).with_name("mooring"))
        return subprocess.run(
            [program, *words],
            cwd=self.server.folder,
            env=os.environ | login,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def target(self, name: str) -> dict[str, Any]:
        """Ask the API for a target."""
        with self.server.client() as client:
            items = client.get("/api/v1/targets", params={"q": name}).json()["items"]
        return next(each for each in items if each["name"] == name)

    def status(self, name: str) -> str:
        return str(self.target(name)["health"]["status"])

    def tests_now(self, name: str) -> dict[str, Any]:
        """Press "Test now"."""
        with self.server.client() as client:
            answer = client.post(f"/api/v1/targets/{self.target(name)['id']}/check")
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()["results"][0]
        return result

    def saw(self, old: str, new: str, reason: str | None) -> bool:
        """Whether the event stream told of this change of the target orders."""
        return any(
            (change["old"], change["new"]) == (old, new) and (change["failure"] or {}).get("reason") == reason
            for event in list(self.events)
            for change in event.get("transitions", ())
            if change["target_id"] == self.target("orders")["id"]
        )

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Read the event stream meanwhile."""
        with self.server.client() as client, client.stream("GET", "/api/v1/events") as answer:
            reading = threading.Thread(target=self._read, args=(answer,), daemon=True)
            reading.start()
            poll_until(lambda: bool(self.events), "the stream's first event")
            yield
            self.server.stop()  # which ends its streams
            reading.join(20)

    def _read(self, answer: httpx.Response) -> None:
        for line in answer.iter_lines():
            if line.startswith("data:"):
                self.events.append(json.loads(line.removeprefix("data:")))


@pytest.fixture
def newcomer(
    start_mooring: StartMooring, start_postgresql: StartPostgreSQL, redis_server: Redis
) -> Iterator[Newcomer]:
    """A newcomer with a server that has just started, a PostgreSQL and a Redis."""
    with start_postgresql() as postgresql, start_mooring("--demo") as server:
        postgresql.sql(f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'")
        yield Newcomer(server, postgresql, redis_server)


def test_the_quickstart_works(newcomer: Newcomer) -> None:
    """A newcomer adds two services, breaks one twice, and sees stage, reason and hint in all places."""
    first = newcomer.types("targets", "list")
    assert "Mooring database" in first.stdout, first.stderr

    added = newcomer.types("targets", "add", "orders", newcomer.orders)
    assert added.returncode == 0, added.stderr
    with newcomer.server.client() as client:
        answer = client.post("/api/v1/targets", json={"name": "cache", "url": newcomer.redis.url()})
        assert answer.status_code == 201, answer.text
    poll_until(lambda: newcomer.status("orders") == newcomer.status("cache") == "up", "both up")

    with newcomer.watching():
        break_the_password(newcomer)
        repair(newcomer)
        stop_the_database(newcomer)


def break_the_password(newcomer: Newcomer) -> None:
    """Change the password: down at once, since asking again cannot help."""
    newcomer.postgresql.sql("ALTER ROLE app PASSWORD 'another'")
    failure = newcomer.tests_now("orders")["failure"]
    assert (failure["stage"], failure["reason"], failure["code"]) == ("auth", "auth", "28P01")
    assert failure["hint"]
    poll_until(lambda: newcomer.saw("up", "down", "auth"), "the change on the event stream")

    checked = newcomer.types("check", newcomer.orders)
    assert checked.returncode == 1
    assert "auth: " in checked.stdout
    assert f"→ {failure['hint']}" in checked.stdout
    assert PASSWORD not in checked.stdout + checked.stderr

    (line,) = [text for text in newcomer.types("targets", "list").stdout.splitlines() if "orders" in text]
    assert line.split()[:4] == ["✗", "orders", "postgresql", f"127.0.0.1:{newcomer.postgresql.port}/postgres"]
    assert "auth" in line


def repair(newcomer: Newcomer) -> None:
    """Put the password back: one success brings it back."""
    newcomer.postgresql.sql(f"ALTER ROLE app PASSWORD '{PASSWORD}'")
    assert newcomer.tests_now("orders")["status"] == "up"
    poll_until(lambda: newcomer.saw("down", "up", None), "the change on the event stream")


def stop_the_database(newcomer: Newcomer) -> None:
    """Stop the server: nothing listens any more."""
    newcomer.postgresql.stop()
    failure = newcomer.tests_now("orders")["failure"]
    assert (failure["stage"], failure["reason"], failure["code"]) == ("tcp", "refused", "ECONNREFUSED")
    poll_until(lambda: newcomer.saw("up", "down", "refused"), "the change on the event stream")
    checked = newcomer.types("check", newcomer.orders, "--json")
    assert checked.returncode == 1
    assert json.loads(checked.stdout)["results"][0]["failure"]["stage"] == "tcp"


NEXT_CHECK = 45_000
"""Milliseconds in which a target is surely tested again by itself."""


def test_the_quickstart_works_in_the_browser(newcomer: Newcomer, chromium: Browser) -> None:
    """A newcomer pastes an address, tests and saves it, breaks it twice and sees why, without a reload."""
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    try:
        signs_in(page, newcomer)
        adds_orders(page, newcomer)
        sees_the_password_break(page, newcomer)
        sees_the_database_stop(page, newcomer)
    finally:
        context.close()


def signs_in(page: Page, newcomer: Newcomer) -> None:
    """Open the printed address."""
    page.goto(newcomer.server.sign_in_address)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Mooring database")).to_be_visible()


def adds_orders(page: Page, newcomer: Newcomer) -> None:
    """Paste an address on the first screen, name it, test it, save it."""
    begin = page.get_by_role("region", name="Begin")
    expect(begin.get_by_role("heading")).to_have_text("What shall Mooring watch?")
    begin.get_by_label("Address").fill(newcomer.orders)
    begin.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("region", name="What a test proves")).to_be_visible()
    page.get_by_role("textbox", name="Name", exact=True).fill("orders")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("The test passed.")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="orders")).to_be_visible()
    expect(page.get_by_text("Up", exact=True).first).to_be_visible()


def sees_the_password_break(page: Page, newcomer: Newcomer) -> None:
    """See the rejected login at its stage, with what mends it; put the password back and see it return."""
    newcomer.postgresql.sql("ALTER ROLE app PASSWORD 'other'")
    page.get_by_role("button", name="Test now", exact=True).click()
    why = failing(page, "The login was rejected")
    expect(why).to_contain_text(re.compile("stage auth.*reason auth.*code 28P01"))
    expect(why).to_contain_text('ALTER ROLE "app" PASSWORD')
    stages = page.get_by_role("list", name="Stages of the last check").get_by_role("listitem")
    expect(stages.filter(has_text="failed")).to_contain_text("auth")
    expect(stages.filter(has_text="not reached")).to_have_count(2)
    expect(page).to_have_title(re.compile(r"^\(1 down\) "))

    newcomer.postgresql.sql(f"ALTER ROLE app PASSWORD '{PASSWORD}'")
    page.get_by_role("button", name="Test now", exact=True).click()
    expect(why).to_have_count(0)
    expect(page).not_to_have_title(re.compile("down"))


def sees_the_database_stop(page: Page, newcomer: Newcomer) -> None:
    """See the interruption confirmed and then told, by the checks that come by themselves, and its end."""
    newcomer.postgresql.stop()
    expect(page.get_by_text("confirming 1 of 3")).to_be_visible(timeout=NEXT_CHECK)
    why = failing(page, "Nothing listens on the port")
    expect(why).to_contain_text(re.compile("stage tcp.*reason refused.*code ECONNREFUSED"))
    expect(page).to_have_title(re.compile(r"^\(1 down\) "), timeout=NEXT_CHECK)
    newcomer.postgresql.start()
    expect(why).to_have_count(0, timeout=NEXT_CHECK)
    expect(page).not_to_have_title(re.compile("down"))


def failing(page: Page, title: str) -> Locator:
    """Return the card that says why, once it has that title."""
    why = page.get_by_role("region", name="Why it fails")
    expect(why.get_by_role("heading", name=title)).to_be_visible()
    return why
