"""A target's page in front of a real PostgreSQL that is broken and mended while the page is looked at."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.axe import SCHEMES, barriers_in_both_themes, paint
from tests.servers.chromium import OpenPage
from tests.servers.mooring import Mooring
from tests.servers.postgresql import PostgreSQL, StartPostgreSQL
from tests.servers.process import poll_until, private_folder

pytestmark = [pytest.mark.integration, pytest.mark.slow]
HOSTILE = '<img src=x onerror="document.title=1"> & “quoted”'
CONFIG = """
[[targets]]
name = "of the file"
kind = "tcp"
url = "tcp://127.0.0.1:9"
interval = 3600
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Mooring]:
    """A server with one target in its configuration file."""
    with private_folder() as folder, Mooring(folder, config=CONFIG) as server:
        yield server


def add(server: Mooring, **keys: Any) -> dict[str, Any]:
    """Add a target that is checked each second and believed at once."""
    eager = {"interval": 1, "failures_before_down": 1, "name": "orders"}
    with server.client() as client:
        answer = client.post("/api/v1/targets", json={**eager, **keys})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def named(server: Mooring, name: str) -> dict[str, Any]:
    """Return the target of that name."""
    with server.client() as client:
        (found,) = [t for t in client.get("/api/v1/targets").json()["items"] if t["name"] == name]
    return dict(found)


def path_of(target: dict[str, Any]) -> str:
    """Return where the page of a target is."""
    return f"/targets/{target['id']}"


def results_of(target: dict[str, Any]) -> str:
    """Return where the API has the results of a target."""
    return f"/api/v1{path_of(target)}/results"


def standing(page: Page) -> Locator:
    """Return the line below the name that tells where the target stands."""
    return page.locator("header").filter(has=page.get_by_role("heading", level=1))


def stage(page: Page, name: str, of: str = "last check") -> Locator:
    """Return a stage's row of a waterfall."""
    stages = page.get_by_role("list", name=f"Stages of the {of}")
    return stages.get_by_role("listitem").filter(has_text=re.compile(rf"^{name}"))


def why(page: Page) -> Locator:
    """Return the card that tells why the last check failed."""
    return page.get_by_role("region", name="Why it fails").first


@contextmanager
def deaf() -> Iterator[int]:
    """Listen on a port, accept whoever comes, and never say a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def token(server: Mooring, role: str) -> str:
    """Make a token of that role."""
    with server.client() as client:
        made = client.post("/api/v1/tokens", json={"name": role, "role": role})
    assert made.status_code == 201, made.text
    return str(made.json()["token"])


def test_a_stopped_database_turns_down_and_returns_before_ones_eyes(
    server: Mooring, start_postgresql: StartPostgreSQL, open_page: OpenPage
) -> None:
    """Without a reload: down with stage, reason and hint, then up again, and both stand in the changes."""
    with start_postgresql() as database:
        target = add(server, url=database.url())
        with open_page(server, path_of(target)) as page:
            expect(standing(page)).to_contain_text("Up")
            expect(stage(page, "auth")).to_contain_text("passed")
            database.kill()
            expect(standing(page)).to_contain_text("Down", timeout=10_000)
            expect(why(page)).to_contain_text("Nothing listens on the port")
            expect(why(page)).to_contain_text("is the service running")
            expect(stage(page, "tcp")).to_contain_text("failed")
            expect(stage(page, "auth")).to_contain_text("not reached")
            database.start()
            expect(standing(page)).to_contain_text("Up", timeout=10_000)
            expect(why(page)).to_have_count(0)
            changes = page.get_by_role("list", name="Changes, newest first").get_by_role("listitem")
            expect(changes.first).to_contain_text(re.compile("Down.*Up.*still so"))
            expect(changes.nth(1)).to_contain_text(re.compile("Up.*Down.*lasted"))


def test_the_fix_that_is_copied_mends_it(
    server: Mooring, postgresql: PostgreSQL, open_page: OpenPage
) -> None:
    """A grant is missing: the statement on the card, run as it was copied, and Test now make it pass."""
    with postgresql.database() as database, postgresql.role() as role:
        postgresql.sql("CREATE TABLE orders (id int)", database=database)
        url = postgresql.url(role, "pw-of-role", database)
        target = add(server, url=url, tables=["public.orders"], interval=3600)
        allowed = ["clipboard-read", "clipboard-write"]
        with open_page(server, path_of(target), permissions=allowed) as page:
            expect(why(page)).to_contain_text("something needed is not granted")
            expect(why(page)).to_contain_text("Trying again does not help")
            page.get_by_role("button", name="Copy the fix").click()
            expect(page.get_by_text("Copied").first).to_be_attached()
            fix = page.evaluate("navigator.clipboard.readText()")
            postgresql.sql(fix, database=database)
            page.get_by_role("button", name="Test now").click()
            expect(standing(page)).to_contain_text("Up")
            expect(stage(page, "permission")).to_contain_text("passed")
            expect(page.get_by_text("by Test now").first).to_be_visible()
        postgresql.sql(f"DROP OWNED BY {role}", database=database)


def test_a_rejected_login_says_that_somebody_has_to_act(
    server: Mooring, postgresql: PostgreSQL, open_page: OpenPage
) -> None:
    """The reason in words, the server's code and message, and no secret anywhere on the page."""
    with postgresql.role() as role:
        target = add(server, url=postgresql.url(role, "wr0ng-pass"), interval=3600)
        with open_page(server, path_of(target)) as page:
            expect(why(page)).to_contain_text("The login was rejected")
            expect(why(page)).to_contain_text("28P01")
            expect(why(page)).to_contain_text("Trying again does not help")
            expect(stage(page, "auth")).to_contain_text("failed")
            expect(page.get_by_text("postgresql://").first).to_contain_text("••••")
            assert "wr0ng-pass" not in page.content()


def test_a_test_shows_its_stages_as_they_pass_and_can_be_cancelled(
    server: Mooring, open_page: OpenPage
) -> None:
    """A peer that says nothing: tcp has passed, the next stage runs; cancelled, nothing is kept."""
    with deaf() as port:
        url = f"postgresql://user:pw@127.0.0.1:{port}/x"
        target = add(server, url=url, interval=3600, timeout=60, enabled=False)
        with open_page(server, path_of(target)) as page:
            expect(page.get_by_text("Never checked yet").first).to_be_visible()
            page.get_by_role("button", name="Test now").click()
            expect(stage(page, "tcp", "test")).to_contain_text("passed")
            expect(stage(page, "protocol", "test")).to_contain_text("running")
            expect(stage(page, "function", "test")).to_contain_text("waiting")
            page.get_by_role("button", name="Cancel test").click()
            expect(page.get_by_text("The test was cancelled")).to_be_visible()
            expect(page.get_by_role("button", name="Test now")).to_be_focused()
    with server.client() as client:
        assert client.get(results_of(target)).json()["items"] == []


def test_the_stage_that_is_said_to_run_is_the_one_that_does(server: Mooring, open_page: OpenPage) -> None:
    """A Redis that takes the connection and says nothing: it is asked to log in, and nobody spoke of TLS."""
    with deaf() as port:
        target = add(server, url=f"redis://:pw@127.0.0.1:{port}", interval=3600, timeout=60, enabled=False)
        with open_page(server, path_of(target)) as page:
            page.get_by_role("button", name="Test now").click()
            expect(stage(page, "auth", "test")).to_contain_text("running")
            expect(stage(page, "tls", "test")).to_contain_text("not so far")
            stages = page.get_by_role("list", name="Stages of the test")
            expect(stages.get_by_text("running")).to_have_count(1)
            page.get_by_role("button", name="Cancel test").click()


def test_pausing_and_resuming(server: Mooring, open_page: OpenPage) -> None:
    """The status is paused while nobody tests it; resumed, it is tested again."""
    target = add(server, url=f"{server.url}/livez")
    with open_page(server, path_of(target)) as page:
        page.get_by_role("button", name="Pause").click()
        expect(standing(page)).to_contain_text("Paused")
        expect(standing(page)).to_contain_text("not tested until it is resumed")
        page.get_by_role("button", name="Resume").click()
        expect(standing(page)).to_contain_text("next")
        expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_removing_asks_by_name_and_leads_back(server: Mooring, open_page: OpenPage) -> None:
    """The dialog names the target; kept it stays, removed its page says that there is none."""
    target = add(server, url=f"{server.url}/livez", name=HOSTILE)
    with open_page(server, path_of(target)) as page:
        expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
        page.get_by_role("button", name="Remove").click()
        dialog = page.get_by_role("dialog", name="Remove this target?")
        expect(dialog).to_contain_text(HOSTILE)
        dialog.get_by_role("button", name="Keep it").click()
        expect(dialog).to_have_count(0)
        page.get_by_role("button", name="Remove").click()
        dialog.get_by_role("button", name="Remove", exact=True).click()
        page.wait_for_url(f"{server.url}/")
        page.goto(f"{server.url}{path_of(target)}")
        expect(page.get_by_text("There is no such target")).to_be_visible()


def test_whoever_removes_what_another_has_changed_is_told(server: Mooring, open_page: OpenPage) -> None:
    """The second of two people hears of the first one's edit in the API's words, and sees it."""
    target = add(server, url=f"{server.url}/livez", interval=3600)
    with open_page(server, path_of(target)) as page:
        page.get_by_role("button", name="Remove").click()
        page.route("**/api/v1/targets/*", lambda route: _overtaken(route, server, target))
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Remove", exact=True).click()
        expect(dialog.get_by_role("alert")).to_contain_text("Somebody else has changed")
        expect(page.get_by_role("heading", level=1, include_hidden=True)).to_have_text("renamed")
    assert named(server, "renamed")["id"] == target["id"]


def _overtaken(route: Any, server: Mooring, target: dict[str, Any]) -> None:
    """Let a request through, but have somebody rename the target just before it is removed."""
    if route.request.method == "DELETE":
        with server.client() as client:
            client.patch(f"/api/v1{path_of(target)}", json={"name": "renamed"})
    route.continue_()


def test_a_viewer_sees_no_action(server: Mooring, open_page: OpenPage) -> None:
    """Who may read only is offered neither a test nor an edit."""
    target = add(server, url=f"{server.url}/livez")
    with open_page(server, path_of(target), token=token(server, "viewer")) as page:
        expect(standing(page)).to_contain_text("Up")
        for name in ("Test now", "Pause", "Edit", "Remove"):
            expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
            expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)


def test_a_target_of_the_file_is_edited_there(server: Mooring, open_page: OpenPage) -> None:
    """It can be tested, but neither paused nor removed here, and the page says where."""
    with open_page(server, path_of(named(server, "of the file"))) as page:
        expect(page.get_by_text("edited in mooring.toml")).to_be_visible()
        expect(page.get_by_role("button", name="Test now")).to_be_visible()
        expect(page.get_by_role("button", name="Remove")).to_have_count(0)


def test_one_that_reports_by_itself_is_waited_for(server: Mooring, open_page: OpenPage) -> None:
    """There is nothing to ask, so there is no Test now; its first report shows without a reload."""
    target = add(server, kind="push", name="backup", interval=3600)
    with open_page(server, path_of(target)) as page:
        expect(page.get_by_text("Waiting for the first report")).to_be_visible()
        expect(page.get_by_role("button", name="Test now")).to_have_count(0)
        assert httpx.post(f"{server.url}{target['report_to']}").status_code < 300
        expect(standing(page)).to_contain_text("Up")
        expect(page.get_by_role("heading", name="Last report")).to_be_visible()


def test_results_are_filtered_in_the_address_and_opened(server: Mooring, open_page: OpenPage) -> None:
    """Only what failed is listed, a reload keeps the filter, and a row opens to its own waterfall."""
    listener = socket.create_server(("127.0.0.1", 0))
    with listener:
        target = add(server, url=f"tcp://127.0.0.1:{listener.getsockname()[1]}", interval=3600)
        with server.client() as client:
            poll_until(lambda: bool(client.get(results_of(target)).json()["items"]), "the first check")
    with open_page(server, path_of(target)) as page:
        rows = page.get_by_role("list", name="Results, newest first").get_by_role("button")
        expect(rows.first).to_contain_text("Up")
        page.get_by_role("button", name="Test now").click()
        expect(standing(page)).to_contain_text("Down")
        page.get_by_label("Status of the results").first.click()
        page.get_by_role("option", name="Down").click()
        expect(page).to_have_url(re.compile("status=down"))
        page.reload()
        expect(rows.first).to_contain_text("Down")
        expect(rows.filter(has_text="Up")).to_have_count(0)
        rows.first.click()
        expect(stage_of_this(page, "tcp")).to_contain_text("failed")


def stage_of_this(page: Page, name: str) -> Locator:
    """Return a stage's row of the result that was opened."""
    stages = page.get_by_role("list", name="Stages of this check")
    return stages.get_by_role("listitem").filter(has_text=re.compile(rf"^{name}"))


def test_the_chart_is_read_by_keys_and_as_a_table(server: Mooring, open_page: OpenPage) -> None:
    """Arrow keys move over the steps and say each in words; the window stands in the address."""
    target = add(server, url=f"{server.url}/livez")
    with open_page(server, f"{path_of(target)}?window=1h") as page:
        chart = page.get_by_role("slider", name="Latency by stage in the last hour")
        chart.press("End")
        expect(chart).to_have_attribute("aria-valuetext", re.compile(r"up · \d+ checks?.* · mean [\d.]+ m?s"))
        chart.press("ArrowLeft")
        chart.press("ArrowLeft")
        expect(chart).to_have_attribute("aria-valuetext", re.compile("not known · no checks"))
        page.get_by_role("button", name="Show as a table").click()
        expect(page.get_by_role("table", name="Latency and uptime in the last hour")).to_contain_text("dns")
        page.get_by_text("7 days").click()
        expect(page).to_have_url(re.compile("window=7d"))
        expect(page.get_by_role("slider", name="Uptime in the last 7 days")).to_be_visible()


def test_when_the_server_is_gone_it_is_last_known(server: Mooring, open_page: OpenPage) -> None:
    """Nothing is shown as true that cannot be known; after a restart it is true again."""
    target = add(server, url=f"tcp://127.0.0.1:{server.port}")
    with open_page(server, path_of(target)) as page:
        expect(standing(page)).to_contain_text("Up")
        server.kill()
        expect(standing(page)).to_contain_text("last known", timeout=15_000)
        page.get_by_role("button", name="Test now").click()
        expect(page.get_by_text("The test did not finish")).to_be_visible()
        server.start()
        expect(standing(page).get_by_text("last known")).to_have_count(0, timeout=20_000)
        expect(standing(page)).to_contain_text("Up", timeout=10_000)


@pytest.mark.parametrize("width", [375, 1280])
def test_nothing_hangs_over_the_edge(server: Mooring, open_page: OpenPage, width: int) -> None:
    """On a phone as on a desk, with a long hostile name and a target that fails."""
    target = add(server, url="postgresql://u:p@127.0.0.1:9/x", name=HOSTILE + "long" * 30)
    with open_page(server, path_of(target), width=width) as page:
        expect(why(page)).to_be_visible()
        for scheme in SCHEMES:
            paint(page, scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.title() != "1"


@pytest.mark.parametrize("path", ["/targets/999", "/targets/nonsense"])
def test_a_target_that_does_not_exist(server: Mooring, open_page: OpenPage, path: str) -> None:
    """It is said in plain words, with a way back."""
    with open_page(server, path) as page:
        expect(page.get_by_text("There is no such target")).to_be_visible()
        page.get_by_role("link", name="All targets").click()
        page.wait_for_url(f"{server.url}/")


def test_it_is_accessible(server: Mooring, open_page: OpenPage) -> None:
    """With a failure, a result that is open and the table: axe-core finds nothing serious."""
    target = add(server, url="postgresql://u:p@127.0.0.1:9/x")
    with open_page(server, path_of(target)) as page:
        expect(why(page)).to_be_visible()
        page.get_by_role("list", name="Results, newest first").get_by_role("button").first.click()
        page.get_by_role("button", name="Show as a table").click()
        expect(page.get_by_role("table")).to_be_visible()
        assert barriers_in_both_themes(page) == []
