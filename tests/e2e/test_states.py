"""Every state of every page at three widths in both themes: nothing is cut, overlaps or is in error.

With the environment variable MOORING_SCREENS set to a folder, a picture of each is kept there.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect
from playwright.sync_api import TimeoutError as TooLong

from tests.axe import SCHEMES, paint
from tests.servers.chromium import PATIENCE, sign_in
from tests.servers.mooring import Mooring
from tests.servers.process import poll_until, private_folder

pytestmark = [pytest.mark.integration, pytest.mark.slow]
WIDTHS = (1280, 768, 375)
HEIGHT = 800
SCREENS = os.environ.get("MOORING_SCREENS")
MANY = 1000
LONG = "the peer said: " + "x" * 300 + " and then a very long story about what happened before. " * 85
HOSTILE = '<img src=x onerror="document.title=1"> & “quoted” ' + "long" * 30
OVERVIEW = re.compile(r"/api/v1/overview$")
EVENTS = re.compile(r"/api/v1/events")
TARGET = re.compile(r"/api/v1/targets/\d+$")
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
FAULTS = """() => {
    const faults = []
    const seen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true })
    const root = document.documentElement
    if (root.scrollWidth > root.clientWidth) {
        const wide = [...document.body.querySelectorAll('*')]
            .filter((each) => each.getBoundingClientRect().right > root.clientWidth + 0.5)
            .map((each) => each.outerHTML.slice(0, 120))
        faults.push(`wider than the window: ${wide.slice(-2).join(' in ')}`)
    }
    const buttons = document.querySelectorAll('button, a.mantine-Button-root')
    for (const button of [...buttons].filter(seen)) {
        for (const part of [button, ...button.querySelectorAll('*')]) {
            const { overflowX, textOverflow, display } = getComputedStyle(part)
            const hides = (part === button || overflowX !== 'visible') && textOverflow !== 'ellipsis'
            const words = part.clientWidth > 1 // else they are for the ear
            if (hides && words && display !== 'inline' && part.scrollWidth > part.clientWidth + 1) {
                faults.push(`cut off: ${button.textContent || button.outerHTML.slice(0, 120)}`)
            }
        }
    }
    for (const box of document.querySelectorAll('[role=dialog] *, main section')) {
        const scrolls = /auto|scroll|hidden/.test(getComputedStyle(box).overflowX) && box.clientWidth > 1
        const meant = box.closest('pre, input, textarea, table, [data-wide]')
        if (scrolls && !meant && box.scrollWidth > box.clientWidth + 1) {
            faults.push(`cut off in a box: ${box.outerHTML.slice(0, 200)}`)
        }
    }
    const header = document.querySelector('header[class*=header]')
    if (header && scrollY === 0) {
        const { bottom } = header.getBoundingClientRect()
        for (const below of document.querySelectorAll('main, header ~ [role=status]')) {
            if (below.getBoundingClientRect().top < bottom - 0.5) faults.push('hidden below the header')
        }
        const parts = [...header.querySelectorAll('a, button, [data-status]:not([aria-hidden])')].filter(seen)
        const boxes = parts.map((part) => [part, part.getBoundingClientRect()])
        for (const [one, a] of boxes) {
            for (const [other, b] of boxes) {
                if (one === other || one.contains(other) || other.contains(one)) continue
                const across = a.left < b.right - 0.5 && b.left < a.right - 0.5
                const along = a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5
                if (across && along) faults.push(`overlap: ${one.textContent}, ${other.textContent}`)
            }
        }
    }
    return faults
}"""


class Window:
    """The one page in which each state is brought about."""

    def __init__(self, page: Page, server: Mooring) -> None:
        self.page = page
        self.server = server
        self.deaf = 0
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


State = Callable[[Window], None]


def first_start(window: Window) -> None:
    """Nobody has added anything."""

    def own(told: Any) -> None:
        told["targets"] = [row for row in told["targets"] if "mooring" in row["labels"]]

    window.change(OVERVIEW, own)
    window.go("/", "Overview")
    expect(window.page.get_by_role("region", name="Begin")).to_be_visible()


def loading(window: Window) -> None:
    """The first answer is on its way."""
    window.hold(OVERVIEW)
    window.go("/", "Overview")
    expect(window.page.get_by_label("Loading the targets")).to_be_visible()


def error(window: Window) -> None:
    """The overview could not be read."""
    window.refuse(OVERVIEW)
    window.go("/", "Overview")
    expect(window.page.get_by_text("The targets could not be read")).to_be_visible()


def mixed(window: Window) -> None:
    """A target of each status."""

    def each(told: Any) -> None:
        statuses = ("up", "degraded", "unknown", "down", "up")
        for row, status in zip(told["targets"], statuses, strict=False):
            row["status"] = status
        told["targets"][1]["warnings"] = ["the certificate expires in 5 days"]

    window.change(OVERVIEW, each)
    window.go("/", "Overview")
    expect(window.page.get_by_text("the certificate expires").first).to_be_visible()


def nothing_matches(window: Window) -> None:
    """The filters leave nothing."""
    window.go("/?q=nothing+is+called+so", "Overview")
    expect(window.page.get_by_text("No target matches")).to_be_visible()


def many_rows(window: Window) -> None:
    """A thousand targets."""
    window.change(OVERVIEW, _multiply)
    window.go("/", "Overview")
    expect(window.page.get_by_text(re.compile("^1,000 targets$"))).to_be_visible()


def _multiply(told: Any) -> None:
    row = next(each for each in told["targets"] if each["name"] == "orders of the file")
    told["targets"] = [
        {**row, "id": 1000 + number, "name": f"service-{number}", "status": "up" if number % 9 else "down"}
        for number in range(MANY)
    ]


def broken_stream(window: Window) -> None:
    """The server is not heard any more."""
    window.page.route(EVENTS, lambda route: route.abort())
    window.go("/", "Overview")
    expect(window.page.get_by_text("last known").first).to_be_visible()


def hostile_names(window: Window) -> None:
    """Names, labels and messages that want to be markup, and do not end."""
    window.add(name=HOSTILE, url="tcp://127.0.0.1:9", labels={"team": HOSTILE[:200]})
    window.go("/", "Overview")
    expect(window.page.get_by_text("onerror").first).to_be_visible()


def grouped_with_feed(window: Window) -> None:
    """Below the values of a label, with what changed beside it."""
    window.go("/?group=label:team", "Overview")
    toggle = window.button("Changes")
    if toggle.get_attribute("aria-expanded") == "false":
        toggle.click()
    expect(window.page.get_by_role("complementary", name="Changes")).to_be_visible()
    expect(window.page.get_by_role("button", name=re.compile("^shop"))).to_be_visible()


def target_loading(window: Window) -> None:
    """The target is on its way."""
    window.hold(TARGET)
    window.go("/targets/1")
    expect(window.page.get_by_label("Loading the target")).to_be_visible()


def target_error(window: Window) -> None:
    """The target could not be read."""
    window.refuse(TARGET)
    window.go("/targets/1", "Target")
    expect(window.page.get_by_text("The target could not be read")).to_be_visible()


def target_up(window: Window) -> None:
    """All is well."""
    target = window.add(url=f"{window.server.url}/livez", labels={"team": "shop", "env": "production"})
    window.status(target, "up")
    window.go(f"/targets/{target}", "orders")
    expect(window.page.locator("header", has=window.page.locator("h1"))).to_contain_text("Up")


def target_down_with_fix(window: Window) -> None:
    """A grant is missing, and the statement that mends it is there."""
    _failing(
        window,
        reason="permission_denied",
        stage="permission",
        code="42501",
        message='permission denied for table "orders"',
        hint="The role may log in, but may not read the table.",
        fix='GRANT SELECT ON TABLE "public"."orders" TO "a role with a name";',
    )
    expect(window.button("Copy the fix")).to_be_visible()


def target_down_at_length(window: Window) -> None:
    """An error of 5,000 characters."""
    _failing(window, message=LONG[:5000], hint="")
    expect(window.page.get_by_role("button", name=re.compile("^Show all")).first).to_be_visible()


def _failing(window: Window, **failure: Any) -> None:
    target = window.add(url="postgresql://app:secret@127.0.0.1:9/orders")
    window.status(target, "down")
    window.change(TARGET, lambda told: told["health"]["last"]["failure"].update(failure))
    window.go(f"/targets/{target}", "orders")
    expect(window.page.get_by_role("region", name="Why it fails").first).to_be_visible()


def target_degraded(window: Window) -> None:
    """It works, but warns."""

    def degraded(told: Any) -> None:
        told["health"]["status"] = told["health"]["last"]["status"] = "degraded"
        told["health"]["last"]["warnings"] = ["the certificate expires in 5 days", "slower than 100 ms"]

    target = window.add(url=f"{window.server.url}/livez")
    window.status(target, "up")
    window.change(TARGET, degraded)
    window.go(f"/targets/{target}", "orders")
    expect(window.page.get_by_text("slower than 100 ms").first).to_be_visible()


def target_paused(window: Window) -> None:
    """Nobody tests it."""
    window.go(f"/targets/{window.add(url='tcp://127.0.0.1:9', enabled=False)}", "orders")
    expect(window.page.get_by_text("not tested until it is resumed")).to_be_visible()


def target_never_checked(window: Window) -> None:
    """It has not reported yet."""
    window.go(f"/targets/{window.add(kind='push', name='never heard of')}", "never heard of")
    expect(window.page.get_by_text("Waiting for the first report")).to_be_visible()


def target_hostile(window: Window) -> None:
    """A name that does not end."""
    window.go(f"/targets/{window.add(name=HOSTILE, url='tcp://127.0.0.1:9')}", HOSTILE)
    expect(window.page.get_by_role("region", name="Why it fails").first).to_be_visible()


def target_opened(window: Window) -> None:
    """A result is open, and the history is a table."""
    _failing(window)
    window.page.get_by_role("list", name="Results, newest first").get_by_role("button").first.click()
    window.button("Show as a table").click()
    expect(window.page.get_by_role("table").first).to_be_visible()


def target_testing(window: Window) -> None:
    """A test is running."""
    target = window.add(url=f"postgresql://u:p@127.0.0.1:{window.deaf}/x", timeout=60, enabled=False)
    window.go(f"/targets/{target}", "orders")
    window.button("Test now").click()
    expect(window.page.get_by_role("list", name="Stages of the test")).to_contain_text("running")


def target_removing(window: Window) -> None:
    """It is asked whether it is meant."""
    window.go(f"/targets/{window.add(name=HOSTILE, url='tcp://127.0.0.1:9', enabled=False)}", HOSTILE)
    window.button("Remove").click()
    expect(window.page.get_by_role("dialog")).to_be_visible()


def target_not_found(window: Window) -> None:
    """There is none of that number."""
    window.go("/targets/4711", "Not found")
    expect(window.page.get_by_text("There is no such target")).to_be_visible()


def no_such_page(window: Window) -> None:
    """An address that leads nowhere."""
    window.go("/nothing/here", "Not found")


def add_empty(window: Window) -> None:
    """Nothing is typed yet."""
    window.go("/add", "Add a target")
    expect(window.page.get_by_label("Paste an address")).to_be_visible()


def add_filled(window: Window, port: int = 9) -> None:
    """An address is recognised, and all its settings are unfolded."""
    add_empty(window)
    window.page.get_by_label("Paste an address").fill(f"http://127.0.0.1:{port}/")
    window.button("More settings").click()
    expect(window.page.get_by_label("Interval")).to_be_visible()


def add_failed_test(window: Window) -> None:
    """The test of what is typed fails."""
    add_empty(window)
    window.page.get_by_label("Paste an address").fill("http://127.0.0.1:9/")
    window.button("Test").click()
    expect(window.button("Save anyway")).to_be_visible()


def add_mistakes(window: Window) -> None:
    """What is typed is wrong, and told at its fields."""
    add_filled(window)
    window.page.get_by_label("Interval").fill("soon")
    window.page.get_by_label("Timeout").fill("-1")
    window.button("Save without testing").click()
    expect(window.page.get_by_label("Interval")).to_have_attribute("aria-invalid", "true")


def add_push_saved(window: Window) -> None:
    """The address to report to is shown."""
    add_empty(window)
    window.page.get_by_role("combobox", name="Kind").click()
    window.page.get_by_role("option", name="Push").click()
    window.page.get_by_label("Name").fill("nightly backup")
    window.button("Save").click()
    expect(window.page.get_by_role("heading", name="nightly backup is saved")).to_be_visible()


def add_as_viewer(window: Window) -> None:
    """It is not for everybody."""
    sign_in(window.page, window.server, window.token("viewer"))
    window.go("/add", "Add a target")
    expect(window.page.get_by_text("You are signed in as viewer")).to_be_visible()


def import_empty(window: Window) -> None:
    """Nothing is pasted yet."""
    window.go("/import", "Import targets")
    expect(window.page.get_by_label("Paste or drop it here")).to_be_visible()


def import_nothing(window: Window) -> None:
    """There was no address in the text."""
    import_empty(window)
    window.page.get_by_label("Paste or drop it here").fill("nothing here")
    window.button("Find addresses").click()
    expect(window.page.get_by_role("heading", name="No address was found")).to_be_visible()


def import_found(window: Window) -> None:
    """What was found is offered."""
    import_empty(window)
    window.page.get_by_label("Paste or drop it here").fill(
        f"WEB_URL={window.server.url}/livez\n"
        "ORDERS_URL=postgresql://app:secret@127.0.0.1:9/orders\n"
        f"LONG_URL=https://shop.example/{'long' * 40}\n"
        "DB_ENGINE=mysql\nDB_HOST=db.example\nGOPHER_URL=gopher://old.example\n"
    )
    window.button("Find addresses").click()
    expect(window.page.get_by_role("region", name="Found addresses")).to_be_visible()


def import_tested(window: Window) -> None:
    """What was found is tested."""
    import_found(window)
    window.page.get_by_label("Pick long").uncheck()
    window.button("Test 2").click()
    expect(window.page.get_by_role("region", name="Found addresses")).to_contain_text("refused")
    expect(window.button("Pick those that work")).to_be_visible()


def edit_conflict(window: Window) -> None:
    """Somebody else was faster."""
    target = window.add(url="tcp://127.0.0.1:9", labels={"team": "shop"}, enabled=False)
    window.go(f"/targets/{target}/edit", "Edit orders")
    window.page.get_by_role("button", name="More settings").click()
    window.page.get_by_label("Interval").fill("120")
    with window.server.client() as client:
        client.patch(f"/api/v1/targets/{target}", json={"interval": 90, "name": "orders of old"})
    window.page.get_by_role("button", name=re.compile("^Save changes")).click()
    expect(window.page.get_by_role("alert").filter(has_text="Somebody else")).to_be_visible()


def edit_read_only(window: Window) -> None:
    """It belongs to the configuration file."""
    window.go("/", "Overview")
    window.page.get_by_role("link", name="orders of the file", exact=True).click()
    expect(window.page.get_by_text("edited in mooring.toml")).to_be_visible()
    window.go(re.sub(r"^https?://[^/]+", "", window.page.url) + "/edit", "Edit orders of the file")
    expect(window.page.get_by_text("change it there")).to_be_visible()


def tokens(window: Window) -> None:
    """Who may come in."""
    window.token("viewer")
    window.go("/tokens", "Tokens")
    expect(window.page.get_by_role("row").nth(2)).to_be_visible()


def token_asked(window: Window) -> None:
    """A new one is asked for, without a name."""
    window.go("/tokens", "Tokens")
    window.button("New token").click()
    window.button("Make token").click()
    expect(window.page.get_by_role("dialog")).to_be_visible()


def token_made(window: Window) -> None:
    """The secret is shown, once."""
    token_asked(window)
    window.page.get_by_label("Name").fill("deploy")
    window.button("Make token").click()
    expect(window.page.get_by_role("dialog", name="Your new token")).to_be_visible()


def tokens_as_viewer(window: Window) -> None:
    """They are for admins."""
    sign_in(window.page, window.server, window.token("viewer"))
    window.go("/tokens", "Tokens")
    expect(window.page.get_by_text("Tokens are for admins")).to_be_visible()


def all_tested(window: Window) -> None:
    """The summary of testing all."""
    window.add(name=HOSTILE, url="tcp://127.0.0.1:9")
    window.go("/", "Overview")
    window.page.get_by_role("button", name="Test all").click()
    expect(window.page.get_by_role("dialog").get_by_role("status")).to_contain_text("Done.")


def all_being_tested(window: Window) -> None:
    """Testing all goes on."""
    window.add(name="silent", url=f"redis://127.0.0.1:{window.deaf}", timeout=60)
    window.go("/", "Overview")
    window.page.get_by_role("button", name="Test all").click()
    bar = window.page.get_by_role("dialog").get_by_role("progressbar")
    expect(bar).not_to_have_attribute("aria-valuenow", "0")


def sign_in_plain(window: Window) -> None:
    """Nobody has said who they are."""
    window.page.context.clear_cookies()
    window.go("/sign-in", "Sign in to Mooring")


def sign_in_wrong(window: Window) -> None:
    """The token is not known."""
    sign_in_plain(window)
    window.page.get_by_label("Token").fill("mrg_wrong")
    window.button("Sign in").click()
    expect(window.page.get_by_text("This token is not known").first).to_be_visible()


def session_ended(window: Window) -> None:
    """Whoever is turned away signs in over the page."""
    window.go("/", "Overview")
    link = window.page.get_by_role("link", name="backup", exact=True)
    expect(link).to_be_visible()
    window.page.context.clear_cookies()
    link.click()
    expect(window.page.get_by_role("dialog", name="Your session has ended")).to_be_visible()


def unreachable(window: Window) -> None:
    """Whether one is signed in could not be asked."""
    window.refuse(re.compile(r"/api/v1/session$"))
    window.go("/")
    expect(window.page.get_by_text("Mooring cannot be reached")).to_be_visible()


STATES: tuple[State, ...] = (
    first_start,
    loading,
    error,
    mixed,
    nothing_matches,
    many_rows,
    broken_stream,
    hostile_names,
    grouped_with_feed,
    target_loading,
    target_error,
    target_up,
    target_down_with_fix,
    target_down_at_length,
    target_degraded,
    target_paused,
    target_never_checked,
    target_hostile,
    target_opened,
    target_testing,
    target_removing,
    target_not_found,
    no_such_page,
    add_empty,
    add_filled,
    add_failed_test,
    add_mistakes,
    add_push_saved,
    add_as_viewer,
    import_empty,
    import_nothing,
    import_found,
    import_tested,
    edit_conflict,
    edit_read_only,
    tokens,
    token_asked,
    token_made,
    tokens_as_viewer,
    all_tested,
    all_being_tested,
    sign_in_plain,
    sign_in_wrong,
    session_ended,
    unreachable,
)


@pytest.fixture(scope="module")
def running() -> Iterator[Mooring]:
    """A server with targets of its configuration file that are up, down and paused."""
    with private_folder() as folder, Mooring(folder, config=CONFIG) as server:
        with server.client() as client:
            assert client.post("/api/v1/push/token-of-the-backup").status_code == 200
            rows = {row["name"]: row for row in client.get("/api/v1/overview").json()["targets"]}
        assert set(rows) > {"orders of the file", "backup", "a paused one"}
        yield server


@pytest.fixture(scope="module")
def opened(chromium: Browser, running: Mooring) -> Iterator[Window]:
    """One page for all states."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        context = chromium.new_context(reduced_motion="reduce")
        context.set_default_timeout(PATIENCE)
        window = Window(context.new_page(), running)
        window.deaf = deaf.getsockname()[1]
        yield window
        context.close()


@pytest.fixture
def window(opened: Window) -> Iterator[Window]:
    """That page as that of the first admin, who has just come."""
    page = opened.page
    page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
    page.context.clear_cookies()
    sign_in(page, opened.server)
    opened.faults.clear()
    with opened.server.lent():
        yield opened
        page.unroute_all(behavior="ignoreErrors")
        page.goto("about:blank")  # what it holds open is closed


def _faults(page: Page) -> Any:
    """Return what looks wrong once the page has followed its new width."""
    with suppress(TooLong):
        page.wait_for_function(f"() => ({FAULTS})().length === 0", timeout=5000)
    return page.evaluate(FAULTS)


@pytest.mark.parametrize("state", STATES, ids=[state.__name__ for state in STATES])
def test_it_looks_right_at_each_width_in_both_themes(window: Window, state: State) -> None:
    """Nothing is wider than the window, cut off, below the header, or told as an error in the console."""
    state(window)
    page = window.page
    for scheme in SCHEMES:
        paint(page, scheme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            _keep(page, f"{state.__name__}-{width}-{scheme}.png")
            assert _faults(page) == [], (width, scheme)
    assert window.faults == []


def _keep(page: Page, name: str) -> None:
    if SCREENS:
        page.evaluate("scrollTo(0, 0)")
        Path(SCREENS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(SCREENS) / name, full_page=True, animations="disabled")
