"""The overview in front of real targets that go and come back while it is looked at."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.axe import barriers_in_both_themes
from tests.servers.chromium import OpenPage
from tests.servers.mooring import Mooring, StartMooring
from tests.servers.process import free_port

pytestmark = [pytest.mark.integration, pytest.mark.slow]
HOSTILE = "<script>document.title = 'taken'</script> & " + "long " * 20 + "שלום"
MANY = 1000


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Accept connections on a port, as something that is up."""
    with socket.create_server(("127.0.0.1", port), backlog=128):
        yield


def config(*targets: tuple[str, int, dict[str, str]], **more: Any) -> str:
    """Return a configuration with a target for each name, port and labels."""
    keys = {"interval": 1, "failures_before_down": 1, **more}
    told = "".join(f"{key} = {value}\n" for key, value in keys.items())
    listed = [
        f"[[targets]]\nname = '''{name}'''\nurl = \"tcp://127.0.0.1:{port}\"\n{told}"
        f"labels = {{ {', '.join(f'{k} = {v!r}' for k, v in labels.items())} }}\n"
        for name, port, labels in targets
    ]
    return "\n".join(listed)


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    """One port that the tests listen at, and one where nothing ever does."""
    return free_port(), free_port()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, ports: tuple[int, int]) -> Iterator[Mooring]:
    """A server with some targets that are up and some that are not."""
    works, nothing = ports
    written = config(
        ("orders", works, {"team": "shop"}),
        ("stock", works, {"team": "shop"}),
        ("mail", works, {"team": "office"}),
        ("printer", nothing, {"team": "office"}),
        (HOSTILE, nothing, {}),
    )
    with listening(works), Mooring(tmp_path_factory.mktemp("server"), config=written) as server:
        yield server


def row(page: Page, name: str) -> Locator:
    """Return a target's row."""
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def names(page: Page) -> list[str]:
    """Return the targets in the order in which they stand there."""
    links = page.locator('[data-key] a[href^="/targets/"]:not([href$="/edit"])')
    return [link.inner_text() for link in links.all()]


def status_button(page: Page, word: str) -> Locator:
    """Return the button that counts and filters one status."""
    return page.get_by_role("group", name="Filter by status").get_by_role("button", name=word)


def add(server: Mooring, **keys: Any) -> int:
    """Add a target that is checked each second and believed at once; return its id."""
    eager = {"interval": 1, "failures_before_down": 1}
    with server.client() as client:
        answer = client.post("/api/v1/targets", json={**eager, **keys})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def test_what_is_down_stands_first_with_stage_and_reason(server: Mooring, open_page: OpenPage) -> None:
    """A row says status, stage, reason and message in words; nothing in a name is taken for markup."""
    with open_page(server) as page:
        broken = row(page, "printer")
        expect(broken).to_contain_text("Down")
        expect(broken).to_contain_text("tcp: refused")
        expect(broken).to_contain_text("refused")
        expect(row(page, "orders")).to_contain_text("Up")
        assert sorted(names(page)[:2]) == sorted(["printer", HOSTILE])
        own = ["Mooring database", "Mooring page", "Mooring process"]
        assert names(page)[2:] == ["mail", *own, "orders", "stock"]
        assert page.title() != "taken"
        expect(page.get_by_role("link", name=HOSTILE, exact=True)).to_have_attribute("title", HOSTILE)


def test_the_filters_stand_in_the_address(server: Mooring, open_page: OpenPage) -> None:
    """Counts filter, the back button takes it back, and an address alone shows the same."""
    with open_page(server) as page:
        expect(status_button(page, "Down")).to_have_text(re.compile("^2"))
        status_button(page, "Down").click()
        expect(page).to_have_url(re.compile(r"\?status=down$"))
        expect(status_button(page, "Down")).to_have_attribute("aria-pressed", "true")
        expect(row(page, "orders")).to_have_count(0)
        page.go_back()
        expect(row(page, "orders")).to_be_visible()
        page.keyboard.press("/")
        page.keyboard.type("shop st")
        expect(row(page, "orders")).to_have_count(0)
        assert names(page) == ["stock"]
        expect(page).to_have_url(re.compile(r"\?q=shop\+st$"))
        page.reload()
        expect(row(page, "stock")).to_be_visible()
        assert names(page) == ["stock"]
        page.get_by_role("button", name="Clear filters").click()
        expect(row(page, "printer")).to_be_visible()


def test_groups_tell_their_worst_and_fold(server: Mooring, open_page: OpenPage) -> None:
    """Targets stand below the values of a label; a folded group keeps its heading, and a reload."""
    with open_page(server) as page:
        page.get_by_role("combobox", name="Group").click()
        page.get_by_role("option", name="By label team").click()
        office = page.get_by_role("button", name=re.compile("^office"))
        expect(office).to_contain_text("1 down, 1 up")
        office.click()
        expect(row(page, "printer")).to_have_count(0)
        expect(office).to_have_attribute("aria-expanded", "false")
        page.reload()
        expect(row(page, "orders")).to_be_visible()
        expect(row(page, "printer")).to_have_count(0)


def test_a_target_that_goes_and_returns_is_seen_without_a_reload(
    server: Mooring, open_page: OpenPage
) -> None:
    """The row, the counts and the feed follow what happens."""
    port = free_port()
    with open_page(server, width=1500) as page:
        with listening(port):
            add(server, name="lighthouse", url=f"tcp://127.0.0.1:{port}")
            expect(row(page, "lighthouse")).to_contain_text("Up")
        expect(row(page, "lighthouse")).to_contain_text("Down")
        assert names(page)[0] == "lighthouse", "the newest loss stands first"
        feed = page.get_by_role("complementary", name="Changes").get_by_role("listitem")
        expect(feed.first).to_have_text(re.compile(r"^lighthouse went down: tcp ECONNREFUSED, \d+ s ago$"))
        with listening(port):
            expect(row(page, "lighthouse")).to_contain_text("Up")
            expect(feed.first).to_have_text(re.compile("^lighthouse is up again"))


def test_a_row_is_tested_paused_and_resumed(server: Mooring, open_page: OpenPage) -> None:
    """The actions work from the row; what a file brings is not offered to be changed."""
    add(server, name="buoy", url=f"tcp://127.0.0.1:{free_port()}", interval=3600)
    with open_page(server, "/?q=buoy") as page:
        page.get_by_role("button", name="Test buoy now").click()
        expect(page.get_by_text(re.compile(r"buoy failed the check \("))).to_be_visible()
        page.get_by_role("button", name="Pause buoy").click()
        expect(row(page, "buoy")).to_contain_text("Paused")
        page.get_by_role("button", name="Resume buoy").click()
        expect(row(page, "buoy")).not_to_contain_text("Paused")
        page.get_by_role("searchbox", name="Search targets").fill("orders")
        expect(page.get_by_role("button", name="Test orders now")).to_be_visible()
        expect(page.get_by_role("button", name="Pause orders")).to_have_count(0)


def test_a_viewer_is_shown_no_actions(server: Mooring, open_page: OpenPage) -> None:
    """Who may look only is not offered what would be refused."""
    with server.client() as client:
        made = client.post("/api/v1/tokens", json={"name": "wall", "role": "viewer"}).json()
    with open_page(server, token=made["token"]) as page:
        expect(row(page, "orders")).to_be_visible()
        expect(page.get_by_role("button", name="Test orders now")).to_have_count(0)
        expect(page.get_by_role("link", name="Edit orders")).to_have_count(0)


def test_a_server_that_is_gone_leaves_what_was_last_known(
    start_mooring: StartMooring, open_page: OpenPage
) -> None:
    """Each row says that it is no news; the server back, the page is live again by itself."""
    with (
        start_mooring(config=config(("orders", free_port(), {}))) as server,
        open_page(server) as page,
    ):
        expect(row(page, "orders")).to_contain_text("Down")
        server.stop()
        expect(row(page, "orders")).to_contain_text("last known")
        server.start()
        expect(row(page, "orders")).not_to_contain_text("last known", timeout=20_000)


@pytest.mark.parametrize("width", [1280, 375])
def test_axe_finds_nothing_serious(server: Mooring, open_page: OpenPage, width: int) -> None:
    """The list, a group and the feed keep nobody out, and nothing is wider than the window."""
    with open_page(server, "/?group=label:team", width=width) as page:
        expect(row(page, "printer")).to_be_visible()
        page.get_by_role("button", name="Changes").click()
        expect(
            page.get_by_role("complementary", name="Changes").get_by_role("listitem").first
        ).to_be_visible()
        assert barriers_in_both_themes(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_thousand_targets_are_a_few_rows_in_the_page(
    start_mooring: StartMooring, open_page: OpenPage
) -> None:
    """Only what is in sight is drawn; the last is reached by scrolling, and by a search at once."""
    port = free_port()
    listed: list[tuple[str, int, dict[str, str]]]
    listed = [(f"service-{number}", port, {}) for number in range(1, MANY + 1)]
    with (
        listening(port),
        start_mooring(config=config(*listed, interval=3600)) as server,
        open_page(server, "/?sort=name") as page,
    ):
        expect(row(page, "service-1")).to_be_visible()
        expect(page.get_by_text(re.compile(r"^1,\d\d\d targets$"))).to_be_visible()
        assert page.get_by_role("row").count() < 60
        page.keyboard.press("End")
        expect(row(page, f"service-{MANY}")).to_be_visible()
        page.keyboard.press("/")
        page.keyboard.type("service-77")
        expect(row(page, "service-777")).to_be_visible()
        expect(page.get_by_text(re.compile(r"^11 of 1,\d\d\d targets$"))).to_be_visible()
