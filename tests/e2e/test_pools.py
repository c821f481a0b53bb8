"""The pools' pages, of a real server that programs report to: the worst first, true a moment later."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.axe import barriers_in_both_themes
from tests.pool_reports import alert, leak, pool, report
from tests.servers.chromium import PATIENCE, OpenPage
from tests.servers.mooring import Mooring, StartMooring

pytestmark = [pytest.mark.integration, pytest.mark.slow]
LOST = {"leaks": [leak(taken=["shop/orders.py:88 in load_orders", "shop/routes.py:12 in show"])]}
WAITING = leak(
    kind="suspect", site="shop/stock.py:7", function="reserve", now=["shop/stock.py:9 in wait_for_stock"]
)


def tell(server: Mooring, *pools: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """Report pools as a program does, and return the answer."""
    with server.client() as client:
        answer = client.post("/api/v1/pools/report", json=report(*pools, **keys))
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def id_of(server: Mooring, name: str) -> int:
    """Return the id of a pool, by service/name."""
    with server.client() as client:
        pools = client.get("/api/v1/pools").json()["items"]
    return next(int(each["id"]) for each in pools if f"{each['service']}/{each['name']}" == name)


def names(page: Page) -> list[str]:
    """Return the pools that the list shows, in order."""
    return page.get_by_role("grid", name="Pools").get_by_role("link").all_inner_texts()


def row(page: Page, name: str) -> Any:
    """Return a pool's row."""
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def test_the_worst_pool_comes_first_and_leads_to_who_leaks(server: Mooring, open_page: OpenPage) -> None:
    """From the navigation to the list, to the pool, to the line that lost a connection."""
    tell(server, pool(name="calm"), pool(name="main", used=10, **LOST, alerts=[alert()]))
    tell(server, pool(used=9), service="billing", process="two")
    with open_page(server) as page:
        page.get_by_role("link", name="Pools", exact=True).click()
        expect(page.get_by_text("3 pools of 2 services: 1 critical, 1 warning")).to_be_visible()
        assert names(page) == ["shop/main", "billing/main", "shop/calm"]
        expect(row(page, "shop/main")).to_contain_text("10 of 10")
        expect(row(page, "shop/main")).to_contain_text("1 abandoned")
        expect(row(page, "shop/main")).to_contain_text("3 of 3 leases in shop come from shop/orders.py:88")
        page.get_by_role("link", name="shop/main").click()
        expect(page.get_by_role("heading", level=1, name="shop/main")).to_be_focused()
        lost = page.get_by_role("region", name="Abandoned (1)")
        expect(lost.get_by_role("list", name="Taken at")).to_contain_text("shop/routes.py:12 in show")
        expect(lost).to_contain_text("Nowhere: it has ended.")
        expect(page.get_by_role("region", name="What is wrong")).to_contain_text(
            "Return it in shop/orders.py:88"
        )


def test_a_pool_is_a_target_without_a_latency(server: Mooring, open_page: OpenPage) -> None:
    """Nobody asks it, so a dash stands where others have milliseconds, on its own page too."""
    tell(server, pool())
    with open_page(server) as page:
        told = row(page, "shop/main").get_by_role("gridcell").filter(has_text="no latency")
        expect(told).to_have_text("\N{EN DASH}no latency")
        row(page, "shop/main").get_by_role("link", name="shop/main", exact=True).click()
        expect(page.get_by_role("region", name="Last report")).to_be_visible()
        expect(page.get_by_role("region", name="Results")).to_contain_text("reported")
        expect(page.locator("main")).not_to_contain_text("0 ms")


def test_what_is_reported_is_shown_without_a_reload(server: Mooring, open_page: OpenPage) -> None:
    """Use, a leak and its end come to both pages by themselves."""
    tell(server, pool())
    with open_page(server, "/pools") as page:
        expect(row(page, "shop/main")).to_contain_text("3 of 10")
        tell(server, pool(used=8, leaks=[WAITING]))
        expect(row(page, "shop/main")).to_contain_text("8 of 10")
        page.get_by_role("link", name="shop/main").click()
        held = page.get_by_role("region", name="Suspect (1)")
        expect(held.get_by_role("list", name="Its owner is now at")).to_contain_text("wait_for_stock")
        tell(server, pool(used=2))
        expect(held).to_have_count(0)
        expect(page.get_by_role("region", name="Now", exact=True)).to_contain_text("2 of 10 in use (20 %)")


def test_filters_stand_in_the_address(server: Mooring, open_page: OpenPage) -> None:
    """Search and service are there again after a reload, and by the back button."""
    tell(server, pool(), pool(name="jobs"))
    tell(server, pool(), service="billing", process="two")
    with open_page(server, "/pools") as page:
        page.get_by_role("combobox", name="Filter by service").click()
        page.get_by_role("option", name="shop").click()
        expect(page.get_by_text("2 of 3 pools", exact=True)).to_be_visible()
        page.get_by_role("searchbox", name="Search pools").fill("jobs")
        page.wait_for_url("**/pools?q=jobs&service=shop")
        page.reload()
        expect(page.get_by_role("link", name="shop/jobs")).to_be_visible()
        assert names(page) == ["shop/jobs"]
        page.get_by_role("link", name="shop/jobs").click()
        expect(page.get_by_role("heading", level=1, name="shop/jobs")).to_be_visible()
        page.go_back()
        expect(page.get_by_text("1 of 3 pools", exact=True)).to_be_visible()


def test_a_service_is_shown_as_a_whole(server: Mooring, open_page: OpenPage) -> None:
    """From a pool to its service: the past of all its pools, over the hour that holds it, or as is chosen."""
    tell(server, pool(), pool(name="jobs"))
    tell(server, pool(), service="billing", process="two")
    with open_page(server, f"/pools/{id_of(server, 'shop/main')}") as page:
        expect(page.get_by_role("radio", name="1 hour")).to_be_checked()
        page.get_by_role("link", name="Its service").click()
        past = page.get_by_role("region", name="Use of all pools of shop")
        expect(past.get_by_role("radio", name="1 hour")).to_be_checked()
        assert names(page) == ["shop/jobs", "shop/main"]
        past.get_by_text("7 days").click()
        page.wait_for_url("**/pools?service=shop&window=7d")
        page.reload()
        expect(past.get_by_role("radio", name="7 days")).to_be_checked()
        page.get_by_role("button", name="Clear filters").click()
        expect(past).to_have_count(0)


@pytest.mark.parametrize(
    ("button", "yes", "wish"),
    [
        ("Clean up", "Forget them", "cleanup"),
        ("Reset", "Count from zero", "reset"),
        ("Stop tracking", "Stop tracking", "stop"),
    ],
)
def test_what_an_operator_asks_for_rides_back_on_the_next_report(
    server: Mooring, open_page: OpenPage, button: str, yes: str, wish: str
) -> None:
    """Asked, told that no connection is closed, and answered: the process hears of it."""
    assert tell(server, pool())["wishes"] == []
    with open_page(server, f"/pools/{id_of(server, 'shop/main')}") as page:
        page.get_by_role("button", name=button, exact=True).click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("o connection is closed")
        dialog.get_by_role("button", name=yes, exact=True).click()
        expect(page.get_by_text(re.compile("^1 process of shop/main will .* within 30 s"))).to_be_visible()
        expect(dialog).to_have_count(0)
        expect(page.get_by_role("button", name=button, exact=True)).to_be_focused()
    assert [each["do"] for each in tell(server, pool())["wishes"]] == [wish]


def test_a_viewer_looks_and_exports(server: Mooring, open_page: OpenPage) -> None:
    """No button that changes anything; the files are those of the API."""
    tell(server, pool())
    with server.client() as client:
        made = client.post("/api/v1/tokens", json={"name": "somebody", "role": "viewer"}).json()
    where = f"/pools/{id_of(server, 'shop/main')}?window=1h"
    with open_page(server, where, token=made["token"]) as page:
        expect(page.get_by_role("region", name="Now")).to_be_visible()
        expect(page.get_by_role("button", name="Reset")).to_have_count(0)
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as download:
            page.get_by_role("menuitem", name="CSV: its last 1 hour").click()
        assert download.value.suggested_filename == "shop-main-1h.csv"
        assert download.value.path().read_text().startswith("start,samples,instances,used,")
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as download:
            page.get_by_role("menuitem", name="JSON").click()
        assert '"service":"shop"' in download.value.path().read_text()
        page.get_by_role("button", name="Export").click()
        with page.expect_popup() as metrics:
            page.get_by_role("menuitem", name="Prometheus: all metrics").click()
        told = 'mooring_pool_connections_used{service="shop",pool="main"} 3'
        expect(metrics.value.locator("body")).to_contain_text(told)


def test_a_server_that_is_gone_leaves_what_was_known(
    start_mooring: StartMooring, open_page: OpenPage
) -> None:
    """What is shown stays, is marked, and says since when; with the server it is new again."""
    with start_mooring() as server:
        tell(server, pool(), interval=3600)
        with open_page(server, "/pools", errors=False) as page:
            expect(row(page, "shop/main")).to_contain_text("3 of 10")
            server.stop()
            expect(page.get_by_text(re.compile("^Not connected to Mooring since"))).to_be_visible()
            expect(row(page, "shop/main")).to_contain_text("last known")
            server.start()
            expect(page.get_by_text(re.compile("^Not connected"))).to_have_count(0, timeout=PATIENCE)
            expect(row(page, "shop/main")).not_to_contain_text("last known")


def test_a_thousand_pools_are_walked_by_keyboard(start_mooring: StartMooring, open_page: OpenPage) -> None:
    """Only the rows in sight are in the page, the list is one stop of Tab, and End leads to the last pool."""
    with start_mooring() as server:
        for number in range(10):
            many = [pool(name=f"p{number}{place:02}", sites=[]) for place in range(100)]
            tell(server, *many, service="many", process=str(number))
        with open_page(server, "/pools") as page:
            expect(page.get_by_text("1,000 pools of 1 service, all fine")).to_be_visible()
            assert len(names(page)) < 40
            page.get_by_role("combobox", name="Filter by service").focus()
            page.keyboard.press("Tab")
            expect(page.get_by_role("link", name="many/p000")).to_be_focused()
            page.keyboard.press("End")
            expect(page.get_by_role("link", name="many/p999")).to_be_focused()
            page.get_by_role("searchbox", name="Search pools").fill("p512")
            expect(page.get_by_text("1 of 1,000 pools", exact=True)).to_be_visible()
            assert names(page) == ["many/p512"]


def test_axe_finds_nothing_serious(server: Mooring, open_page: OpenPage) -> None:
    """The list, a service, a pool with all there is to say, its question and its menu: in both themes."""
    waiting = {"alerts": [alert(), alert(rule="waiting", severity="warning")], "leaks": [leak(), WAITING]}
    tell(server, pool(used=10, waiting=3, **waiting))
    with open_page(server, "/pools", reduced_motion="reduce") as page:
        expect(row(page, "shop/main")).to_be_visible()
        assert barriers_in_both_themes(page) == []
        page.goto(f"{server.url}/pools?service=shop")
        expect(page.get_by_role("region", name="Use of all pools of shop")).to_be_visible()
        expect(page.get_by_label("Loading")).to_have_count(0)
        assert barriers_in_both_themes(page) == []
        page.get_by_role("link", name="shop/main").click()
        expect(page.get_by_role("region", name="Abandoned (1)")).to_be_visible()
        expect(page.get_by_label("Loading")).to_have_count(0)
        assert barriers_in_both_themes(page) == []
        page.get_by_role("button", name="Reset").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert barriers_in_both_themes(page) == []
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Export").click()
        expect(page.get_by_role("menu")).to_be_visible()
        assert barriers_in_both_themes(page) == []
