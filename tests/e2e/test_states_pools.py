"""Every state of the pools' pages: nothing is cut, overlaps or is in error."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.window import HOSTILE, State, Window
from tests.pool_reports import alert, leak, pool, report, site
from tests.servers.chromium import PATIENCE

pytestmark = [pytest.mark.integration, pytest.mark.slow]
POOLS = re.compile(r"/api/v1/pools$")
POOL = re.compile(r"/api/v1/pools/\d+$")
HISTORY = re.compile(r"/api/v1/pools/(\d+/)?history")
DEEP = [f"shop/a_module_with_a_name/of_some_length_{n}.py:{n} in a_function_{n}" for n in range(8)]
KINDS = ("abandoned", "idle_in_transaction", "suspect", "busy")


def _told(window: Window, *pools: dict[str, Any], **keys: Any) -> None:
    with window.server.client() as client:
        answer = client.post("/api/v1/pools/report", json=report(*pools, **keys))
    assert answer.status_code == 200, answer.text


def _bad(**keys: Any) -> dict[str, Any]:
    """Return a pool of which there is everything to say."""
    leaks = [leak(kind=kind, taken=DEEP, now=DEEP, owner="Task-7 of a worker") for kind in KINDS]
    return pool(
        used=10,
        waiting=12,
        peak=10,
        totals={"taken": 1_234_567, "returned": 1_234_000, "timeouts": 4321, "errors": 99},
        leaks=[*leaks, leak(held=9000)],
        alerts=[alert(), alert(rule="waiting", severity="warning", message="12 requests wait", suppressed=7)],
        sites=[site(), site(file="/srv/" + "long/" * 12 + "module.py", function="f" * 80, open=0)],
        **keys,
    )


def _live(told: Any) -> None:
    """Let there be something to draw in each step."""
    for number, step in enumerate(told["buckets"]):
        told_now = {"samples": 4, "instances": 2, "used": number % 9 + 0.5, "used_max": number % 9 + 1}
        step.update(told_now, limit=10, waiting=number % 7, taken=50, timeouts=number % 5 // 4, errors=0)


def _go(window: Window, name: str = "shop/main") -> None:
    with window.server.client() as client:
        pools = client.get("/api/v1/pools").json()["items"]
    found = next(each["id"] for each in pools if f"{each['service']}/{each['name']}" == name)
    window.go(f"/pools/{found}", name)
    expect(window.page.get_by_role("region", name="Who holds them")).to_be_visible()
    expect(window.page.get_by_label("Loading")).to_have_count(0)


def pools_loading(window: Window) -> None:
    """The list is on its way."""
    window.hold(POOLS)
    window.go("/pools", "Pools")
    expect(window.page.get_by_label("Loading the pools")).to_be_visible()


def pools_error(window: Window) -> None:
    """The list could not be read."""
    window.refuse(POOLS)
    window.go("/pools", "Pools")
    expect(window.page.get_by_text("The pools could not be read")).to_be_visible()


def pools_empty(window: Window) -> None:
    """No program reports one yet."""
    window.go("/pools", "Pools")
    expect(window.page.get_by_text("No program reports a pool yet")).to_be_visible()


def pools_of_all_kinds(window: Window) -> None:
    """Some are well, some are not, some have no limit, or are not tracked."""
    _told(window, _bad(), pool(name="free", limit=None), pool(name="off", active=False))
    _told(window, pool(used=9), pool(name="x" * 90), service="billing", process="two")
    window.go("/pools", "Pools")
    expect(window.page.get_by_role("link", name="shop/main")).to_be_visible()


def pools_none_found(window: Window) -> None:
    """None has what is searched for."""
    _told(window, pool())
    window.go(f"/pools?q={'nowhere' * 10}&service=nobody", "Pools")
    expect(window.page.get_by_text("No pool matches")).to_be_visible()


def pools_not_new(window: Window) -> None:
    """The list could not be read again."""
    _told(window, _bad())
    window.go("/pools", "Pools")
    expect(window.page.get_by_role("link", name="shop/main")).to_be_visible()
    window.refuse(POOLS)
    known = window.page.get_by_text(re.compile("^This is what was known"))
    expect(known).to_be_visible(timeout=PATIENCE)


def service_with_a_past(window: Window) -> None:
    """Its pools are added up, and one of them had no limit for a while."""

    def lived(told: Any) -> None:
        _live(told)
        for step in told["buckets"][:70]:
            step.update(limit=None)

    _told(window, pool(), pool(name="cache", limit=None), pool(name="jobs"))
    window.change(HISTORY, lived)
    window.go("/pools?service=shop&window=24h", "Pools")
    expect(window.page.get_by_text("No limit is drawn where one of the pools has none")).to_be_visible()
    window.page.get_by_role("slider").focus()
    window.page.keyboard.press("End")


def service_without_a_past(window: Window) -> None:
    """It was first heard just now, and its name does not end."""

    def unknown(told: Any) -> None:
        for step in told["buckets"]:
            step.update(samples=0, used=None)

    window.change(HISTORY, unknown)
    _told(window, *(pool(name=f"p{number:02}") for number in range(40)), service="long" * 20)
    window.go(f"/pools?service={'long' * 20}", "Pools")
    expect(window.page.get_by_text("Nothing is known in the last hour")).to_be_visible()


def service_loading(window: Window) -> None:
    """Its past is on its way."""
    _told(window, pool())
    window.hold(HISTORY)
    window.go("/pools?service=shop", "Pools")
    expect(window.page.get_by_label("Loading the past")).to_be_visible()


def service_error(window: Window) -> None:
    """Its past could not be read."""
    _told(window, pool())
    window.refuse(HISTORY)
    window.go("/pools?service=shop", "Pools")
    expect(window.page.get_by_text("The past could not be read")).to_be_visible()


def pool_loading(window: Window) -> None:
    """The pool is on its way."""
    window.hold(POOL)
    window.go("/pools/1")
    expect(window.page.get_by_label("Loading the pool")).to_be_visible()


def pool_error(window: Window) -> None:
    """The pool could not be read."""
    window.refuse(POOL)
    window.go("/pools/1", "Pool")
    expect(window.page.get_by_text("The pool could not be read")).to_be_visible()


def pool_not_found(window: Window) -> None:
    """There is none of that number."""
    window.go("/pools/4711", "Not found")
    expect(window.page.get_by_text("There is no such pool")).to_be_visible()


def pool_well(window: Window) -> None:
    """Nothing is wrong with it."""
    _told(window, pool(sites=[]))
    _go(window)


def pool_ill(window: Window) -> None:
    """Everything is."""
    for number in range(12):
        _told(window, _bad(), process=str(number))
    _go(window)
    window.page.get_by_role("button", name=re.compile("others? from there")).first.click()
    window.page.get_by_role("button", name="Show all 12 processes").click()


def pool_with_a_past(window: Window) -> None:
    """Its past is drawn, and is a table."""
    _told(window, pool())
    window.change(HISTORY, _live)
    _go(window)
    window.button("Show as a table").click()
    table = window.page.get_by_role("table", name="Use against the limit in the last hour")
    expect(table.get_by_role("columnheader")).to_have_count(10)
    window.page.get_by_role("slider").focus()
    window.page.keyboard.press("Home")
    expect(window.page.get_by_role("list", name="What the chart shows")).to_be_visible()


def pool_hostile(window: Window) -> None:
    """A name that does not end."""
    _told(window, _bad(name=HOSTILE[:90]))
    _go(window, f"shop/{HOSTILE[:90]}")


def pool_asked(window: Window) -> None:
    """It is asked whether that is meant."""
    _told(window, pool())
    _go(window)
    window.button("Stop tracking").click()
    expect(window.page.get_by_role("dialog")).to_be_visible()


STATES: tuple[State, ...] = (
    pools_loading,
    pools_error,
    pools_empty,
    pools_of_all_kinds,
    pools_none_found,
    pools_not_new,
    service_with_a_past,
    service_without_a_past,
    service_loading,
    service_error,
    pool_loading,
    pool_error,
    pool_not_found,
    pool_well,
    pool_ill,
    pool_with_a_past,
    pool_hostile,
    pool_asked,
)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_it_looks_right_at_each_width_in_both_themes(window: Window, state: State) -> None:
    """Nothing is wider than the window, cut off, below the header, or told as an error in the console."""
    state(window)
    assert window.wrong_in_every_look(state.__name__) == {}
    assert window.faults == []
