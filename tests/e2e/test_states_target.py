"""Every state of a target's page, and of its edit: nothing is cut, overlaps or is in error."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.window import HOSTILE, State, Window

pytestmark = [pytest.mark.integration, pytest.mark.slow]
LONG = "the peer said: " + "x" * 300 + " and then a very long story about what happened before. " * 85
TARGET = re.compile(r"/api/v1/targets/\d+$")


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


STATES: tuple[State, ...] = (
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
    edit_conflict,
    edit_read_only,
)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_it_looks_right_at_each_width_in_both_themes(window: Window, state: State) -> None:
    """Nothing is wider than the window, cut off, below the header, or told as an error in the console."""
    state(window)
    assert window.wrong_in_every_look(state.__name__) == {}
    assert window.faults == []
