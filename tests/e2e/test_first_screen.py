"""The way in, what surrounds each page, and that it never shows what is not known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.axe import SCHEMES, barriers
from tests.servers.chromium import OpenPage
from tests.servers.mooring import Mooring, StartMooring
from tests.servers.process import private_folder

pytestmark = [pytest.mark.integration, pytest.mark.slow]
NOT_CONNECTED = re.compile(r"Not connected to Mooring since .+ Nothing newer than that is known\.")


@pytest.fixture(scope="module")
def running() -> Iterator[Mooring]:
    """A server that watches its own parts."""
    with private_folder() as folder, Mooring(folder, "--demo") as server:
        yield server


@contextmanager
def stranger(chromium: Browser, address: str) -> Iterator[Page]:
    """Open an address as somebody who is not signed in."""
    context = chromium.new_context()
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto(address)
    try:
        yield page
    finally:
        context.close()


def heading(page: Page, name: str) -> None:
    """Wait until the page of that heading is shown: to try again it takes up to 15 s."""
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible(timeout=30_000)


def test_the_printed_address_signs_in_once(start_mooring: StartMooring, chromium: Browser) -> None:
    """The address alone spends nothing; the button signs in, and the code is gone, from the address too."""
    with start_mooring() as server:
        _signs_in_once(server, chromium)


def _signs_in_once(server: Mooring, chromium: Browser) -> None:
    with stranger(chromium, server.sign_in_address) as page:
        heading(page, "Sign in to Mooring")
        page.reload()
        page.get_by_role("button", name="Sign in").click()
        heading(page, "Overview")
        assert page.url == f"{server.url}/"
    with stranger(chromium, server.sign_in_address) as page:
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("This sign-in address is used up or too old")).to_be_visible()
        page.get_by_label("Token").fill(server.token)
        page.get_by_role("button", name="Sign in").click()
        heading(page, "Overview")


def test_a_token_leads_back_to_where_one_wanted_to_go(server: Mooring, chromium: Browser) -> None:
    """Whoever is not signed in comes to the sign-in, is told of mistakes at the field, and goes on."""
    with stranger(chromium, f"{server.url}/import?from=mail") as page:
        field = page.get_by_label("Token")
        expect(field).to_be_focused()
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("Enter a token.")).to_be_visible()
        field.fill("mrg_wrong")
        field.press("Enter")
        expect(field).to_have_accessible_description(re.compile("This token is not known"))
        field.fill(server.token)
        field.press("Enter")
        page.wait_for_url("**/import?from=mail")


def test_the_sign_in_leads_to_no_other_site(server: Mooring, chromium: Browser) -> None:
    """An address that somebody made up leads to the overview."""
    with stranger(chromium, f"{server.url}/sign-in?to=//evil.example/") as page:
        page.get_by_label("Token").fill(server.token)
        page.get_by_role("button", name="Sign in").click()
        heading(page, "Overview")
        assert page.url == f"{server.url}/"


def test_signing_out_forgets_what_was_shown(server: Mooring, open_page: OpenPage) -> None:
    """After it the way back shows the sign-in, not what was on the page."""
    with open_page(server) as page:
        heading(page, "Overview")
        page.get_by_role("button", name="Signed in as first").click()
        page.get_by_role("menuitem", name="Sign out").click()
        heading(page, "Sign in to Mooring")
        page.go_back()
        heading(page, "Sign in to Mooring")
        assert "Mooring database" not in page.content()


@pytest.mark.parametrize(
    ("role", "links"),
    [
        ("viewer", ["Overview", "Pools"]),
        ("operator", ["Overview", "Pools", "Add", "Import"]),
        ("admin", ["Overview", "Pools", "Add", "Import", "Tokens"]),
    ],
)
def test_each_role_finds_what_it_may_do(
    server: Mooring, open_page: OpenPage, role: str, links: list[str]
) -> None:
    """The header offers no page and no test that the role would be refused."""
    with server.client() as client:
        made = client.post("/api/v1/tokens", json={"name": "somebody", "role": role}).json()
    with open_page(server, token=made["token"]) as page:
        heading(page, "Overview")
        header = page.get_by_role("banner")
        expect(header.get_by_role("navigation").get_by_role("link")).to_have_text(links)
        tests = header.get_by_role("button", name=re.compile("^Test"))
        expect(tests).to_have_count(0 if role == "viewer" else 1)


def test_nothing_comes_from_elsewhere(server: Mooring, open_page: OpenPage) -> None:
    """Every page loads from its own server alone and keeps to its own policy."""
    with open_page(server) as page:
        asked: set[str] = set()
        page.on("request", lambda request: asked.add(urlsplit(request.url).netloc or "inline"))
        for path, name in (
            ("/", "Overview"),
            ("/add", "Add a target"),
            ("/import", "Import"),
            ("/tokens", "Tokens"),
            ("/nothing/here", "Not found"),
        ):
            page.goto(server.url + path)
            heading(page, name)
            expect(page.locator("[aria-busy=true]")).to_have_count(0)
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
        assert asked <= {urlsplit(server.url).netloc, "inline"}


def test_below_a_base_path(start_mooring: StartMooring, chromium: Browser) -> None:
    """The page finds its files, its API and its own addresses below the base path, reloaded too."""
    with start_mooring("--base-path", "/moor") as server, stranger(chromium, server.sign_in_address) as page:
        page.get_by_role("button", name="Sign in").click()
        heading(page, "Overview")
        assert page.url.rstrip("/") == f"{server.url}/moor"
        page.reload()
        heading(page, "Overview")
        page.get_by_role("link", name="Tokens").click()
        page.wait_for_url("**/moor/tokens")
        page.reload()
        heading(page, "Tokens")


def test_the_keyboard_reaches_the_content(server: Mooring, open_page: OpenPage) -> None:
    """The first stop leads past the header; after going to a page the focus is on its heading."""
    with open_page(server) as page:
        heading(page, "Overview")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_be_focused()
        page.get_by_role("link", name="Tokens").click()
        expect(page.get_by_role("heading", level=1, name="Tokens")).to_be_focused()
        expect(page).to_have_title(re.compile("Tokens · Mooring"))


def test_a_chosen_scheme_stays(server: Mooring, open_page: OpenPage) -> None:
    """A scheme that was chosen is there again after a reload, before anything else is painted."""
    with open_page(server, color_scheme="light") as page:
        page.get_by_role("button", name="Colours").click()
        page.get_by_role("menuitemradio", name="Dark").click()
        page.reload(wait_until="commit")
        page.wait_for_selector("head > link[rel=icon]", state="attached")
        assert page.evaluate("document.documentElement.dataset.mantineColorScheme") == "dark"


def test_an_unreachable_server_is_told_and_found_again(server: Mooring, open_page: OpenPage) -> None:
    """Killed, it leaves a page that says since when it knows nothing and that then catches up by itself."""
    with open_page(server) as page:
        expect(page.get_by_text("Mooring database").first).to_be_visible()
        server.kill()
        banner = page.get_by_text(NOT_CONNECTED)
        expect(banner).to_be_visible()
        expect(page.get_by_role("banner")).to_contain_text("Last known status of all")
        server.start()
        with server.client() as client:
            assert client.post("/api/v1/targets", json={"name": "new one", "kind": "push"}).status_code == 201
        expect(page.get_by_text("new one").first).to_be_visible(timeout=30_000)
        expect(banner).to_have_count(0)
        expect(page.get_by_role("banner")).not_to_contain_text("Last known")


def test_a_page_is_there_though_the_server_died_before_it_was_gone_to(
    server: Mooring, open_page: OpenPage
) -> None:
    """A target's page comes ahead, once the first stands, and fills itself once Mooring is back."""
    fetched = """() => {
        const there = performance.getEntriesByType('resource').map(({ name }) => name)
        const parts = [...document.head.querySelectorAll('link[rel=modulepreload], link[rel=stylesheet]')]
        const hasPage = there.some((name) => /target-[^/]+js$/.test(name))
        return hasPage && parts.every(({ href }) => there.includes(href))
    }"""
    with open_page(server) as page:
        page.wait_for_function(fetched)
        expect(page.get_by_text("Mooring database").first).to_be_visible()
        server.kill()
        expect(page.get_by_text(NOT_CONNECTED)).to_be_visible()
        page.get_by_role("link", name="Mooring database").first.click()
        expect(page.get_by_text("The target could not be read")).to_be_visible(timeout=30_000)
        expect(page.get_by_text("This page could not be shown")).to_have_count(0)
        server.start()
        heading(page, "Mooring database")
        expect(page.get_by_text(NOT_CONNECTED)).to_have_count(0, timeout=30_000)


def test_a_revoked_token_is_replaced_in_place(server: Mooring, open_page: OpenPage) -> None:
    """Whoever is turned away while looking signs in over the page, and goes on with the same view, live."""
    with server.client() as client:
        made = client.post("/api/v1/tokens", json={"name": "brief", "role": "viewer"}).json()
        with open_page(server, "/?q=page", token=made["token"]) as page:
            heading(page, "Overview")
            client.delete(f"/api/v1/tokens/{made['id']}")
            server.stop()
            server.start()
            dialog = page.get_by_role("dialog", name="Your session has ended")
            expect(dialog).to_be_visible(timeout=30_000)
            assert barriers(page) == []
            dialog.get_by_label("Token").fill(server.token)
            dialog.get_by_role("button", name="Sign in").click()
            expect(dialog).to_have_count(0)
            assert page.url == f"{server.url}/?q=page"
            expect(page.get_by_text(NOT_CONNECTED)).to_have_count(0)
            client.post("/api/v1/targets", json={"name": "a page of mine", "kind": "push"})
            expect(page.get_by_role("link", name="a page of mine", exact=True)).to_be_visible()


@pytest.mark.parametrize("width", [1280, 375])
def test_the_first_screen_says_what_to_begin_with(server: Mooring, open_page: OpenPage, width: int) -> None:
    """Beside Mooring's own parts stand a field for an address, the import, and the demo's targets."""
    with open_page(server, width=width) as page:
        begin = page.get_by_role("region", name="Begin")
        expect(begin).to_contain_text(re.compile("Below stand the demo.s targets? and Mooring.s own parts"))
        expect(page.get_by_role("link", name="Mooring database", exact=True)).to_be_visible()
        begin.get_by_role("link", name="Import an environment file").click()
        heading(page, "Import targets")
        page.go_back()
        begin.get_by_label("Address").fill("tcp://127.0.0.1:1")
        begin.get_by_role("button", name="Continue").click()
        heading(page, "Add a target")
        expect(page.get_by_label("Paste an address")).to_have_value("tcp://127.0.0.1:1")


def test_a_phone_has_room_for_the_header(server: Mooring, open_page: OpenPage) -> None:
    """The longest word for a status and a button with a number fit beside the menus, none of them cut."""
    with server.client() as client:
        client.post("/api/v1/targets", json={"name": "job", "kind": "push"})
        dead = {"name": "nothing", "url": "tcp://127.0.0.1:1", "failures_before_down": 1}
        client.post("/api/v1/targets", json=dead)
    for path, button in (("/import", "Test all"), ("/?q=o", "Test these 6")):
        with open_page(server, path, width=375) as page:
            banner = page.get_by_role("banner")
            expect(banner.get_by_role("button", name=button)).to_be_visible()
            expect(banner.get_by_text("Down")).to_be_visible()  # from here on nothing changes it
            banner.evaluate("""banner => {
                const words = document.createTreeWalker(banner, NodeFilter.SHOW_TEXT)
                while (words.nextNode()) {
                    const word = words.currentNode
                    if (/^(Up|Down|Unknown)$/.test(word.data)) word.data = 'Degraded'
                }
            }""")
            assert page.evaluate("document.documentElement.scrollWidth") == 375
            for each in (*banner.get_by_role("button").all(), banner.get_by_text("Degraded")):
                box = each.bounding_box()
                assert box is not None
                assert box["x"] + box["width"] <= 375 - 12
                assert each.evaluate("element => element.scrollWidth <= element.clientWidth + 1")


@pytest.mark.parametrize("minutes", [-10, 10])
def test_times_are_right_with_a_wrong_clock(server: Mooring, open_page: OpenPage, minutes: int) -> None:
    """With this machine's clock 10 minutes off, "ago" is told by the server's."""
    with server.client() as client:
        made = client.post("/api/v1/targets", json={"name": "a fresh job", "kind": "push"}).json()
        assert client.post(made["report_to"]).status_code == 200
    with open_page(server, "/sign-in") as page:
        page.clock.install(time=datetime.now(UTC) + timedelta(minutes=minutes))
        page.goto(f"{server.url}/?q=fresh")
        expect(page.locator("time").first).to_have_text(re.compile(r"^for \d{1,2} s$"))
        expect(page.get_by_text(re.compile(r"^\d{1,2} s ago$")).first).to_be_visible()
