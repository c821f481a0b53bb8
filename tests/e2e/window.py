"""The one page in which every state of every page is brought about, to be looked at.

With the environment variable MOORING_SCREENS set to a folder, a picture of each is kept there.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect

from tests.axe import SCHEMES, paint
from tests.servers.chromium import PATIENCE, sign_in
from tests.servers.mooring import Mooring
from tests.servers.process import poll_until, private_folder

WIDTHS = (1280, 768, 375)
HEIGHT = 800
SCREENS = os.environ.get("MOORING_SCREENS")
HOSTILE = '<img src=x onerror="document.title=1"> & “quoted” ' + "long" * 30
OVERVIEW = re.compile(r"/api/v1/overview$")
FAULTS = Path(__file__).with_name("faults.js").read_text()
CONFIG = """
[[targets]]
name = "orders of the file"
url = "tcp://127.0.0.1:9"
interval = 3600
failures_before_down = 1
labels = { team = "shop", env = "production" }

[[targets]]
name = "backup"
kind = "push"
token = "token-of-the-backup"
interval = 86400
labels = { team = "office" }

[[targets]]
name = "a paused one"
url = "tcp://127.0.0.1:9"
enabled = false
labels = { team = "office" }
"""


class Window:
    """The one page in which each state is brought about."""

    def __init__(self, page: Page, server: Mooring, deaf: int) -> None:
        self.page = page
        self.server = server
        self.deaf = deaf
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        """Keep what the console calls an error, but for answers that a state is about."""
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.faults.append(message.text)

    def go(self, path: str, heading: str | re.Pattern[str] | None = None) -> None:
        """Go to a page, and wait for its heading."""
        self.page.goto(self.server.url + path)
        if heading is not None:
            expect(self.page.get_by_role("heading", level=1, name=heading)).to_be_attached()

    def add(self, **keys: Any) -> int:
        """Add a target, which is removed after the test; return its id."""
        eager = {"name": "orders", "interval": 3600, "failures_before_down": 1, "retry": False}
        with self.server.client() as client:
            answer = client.post("/api/v1/targets", json={**eager, **keys})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def status(self, target: int, status: str) -> None:
        """Wait until a target stands so."""
        with self.server.client() as client:
            where = f"/api/v1/targets/{target}"
            poll_until(lambda: client.get(where).json()["health"]["status"] == status, status)

    def change(self, where: re.Pattern[str], change: Callable[[Any], None]) -> None:
        """Let an answer of the API be another one."""

        def answered(route: Route) -> None:
            if route.request.method != "GET":
                route.fallback()
                return
            answer = route.fetch()
            told = answer.json()
            change(told)
            route.fulfill(response=answer, body=json.dumps(told))

        self.page.route(where, answered)

    def refuse(self, where: re.Pattern[str]) -> None:
        """Let the API answer that it cannot."""
        problem = {"type": "about:blank", "title": "Internal error", "status": 500, "detail": "It broke."}
        body = json.dumps(problem)
        kind = "application/problem+json"
        self.page.route(where, lambda route: route.fulfill(status=500, content_type=kind, body=body))

    def hold(self, where: re.Pattern[str]) -> None:
        """Let the API not answer at all."""
        self.page.route(where, lambda _: None)

    def token(self, role: str) -> str:
        """Make a token of that role."""
        with self.server.client() as client:
            return str(client.post("/api/v1/tokens", json={"name": role, "role": role}).json()["token"])

    def button(self, name: str) -> Any:
        """Return a button by its whole name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def wrong_in_every_look(self, state: str) -> dict[str, list[str]]:
        """Look at the page at each width in both themes; return what looks wrong in which look."""
        found = {}
        for scheme, widths in zip(SCHEMES, (WIDTHS, WIDTHS[::-1]), strict=True):  # there and back
            paint(self.page, scheme)
            for width in widths:
                self.page.set_viewport_size({"width": width, "height": HEIGHT})
                look = f"{width}-{scheme}"
                faults = self.page.evaluate(FAULTS, {"width": width, "scheme": scheme})
                _keep(self.page, f"{state}-{look}.png")
                if faults:
                    found[look] = faults
        return found


State = Callable[[Window], None]


@contextmanager
def watching_all() -> Iterator[Mooring]:
    """Run a server with targets of its configuration file that are up, down and paused."""
    with private_folder() as folder, Mooring(folder, config=CONFIG) as server:
        with server.client() as client:
            assert client.post("/api/v1/push/token-of-the-backup").status_code == 200

            def names() -> set[str]:
                return {row["name"] for row in client.get("/api/v1/overview").json()["targets"]}

            poll_until(lambda: "Mooring page" in names(), "watching itself")
            assert names() > {"orders of the file", "backup", "a paused one"}
        yield server


@contextmanager
def window_of(browser: Browser, server: Mooring) -> Iterator[Window]:
    """Open the page, and a port at which nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        context = browser.new_context(reduced_motion="reduce")
        context.set_default_timeout(PATIENCE)
        yield Window(context.new_page(), server, deaf.getsockname()[1])
        context.close()


@contextmanager
def just_come(window: Window) -> Iterator[Window]:
    """Lend the window as that of the first admin, who has just come."""
    page = window.page
    page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
    page.emulate_media(color_scheme=SCHEMES[0])
    page.context.clear_cookies()
    sign_in(page, window.server)
    window.faults.clear()
    with window.server.lent():
        yield window
        page.unroute_all(behavior="ignoreErrors")
        page.goto(f"{window.server.url}/livez")  # what it holds open is closed; about:blank costs a process


def _keep(page: Page, name: str) -> None:
    if SCREENS:
        page.evaluate("scrollTo(0, 0)")
        Path(SCREENS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(SCREENS) / name, full_page=True, animations="disabled")
