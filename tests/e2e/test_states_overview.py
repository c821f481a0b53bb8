"""Every state of the list, and of testing all in it: nothing is cut, overlaps or is in error."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.window import HOSTILE, OVERVIEW, State, Window

pytestmark = [pytest.mark.integration, pytest.mark.slow]
MANY = 1000
EVENTS = re.compile(r"/api/v1/events")


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
    # What the server really watches joins them, as soon as the stream tells of it.
    expect(window.page.get_by_text(re.compile(r"^1,00\d targets$"))).to_be_visible()


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
    all_tested,
    all_being_tested,
)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_it_looks_right_at_each_width_in_both_themes(window: Window, state: State) -> None:
    """Nothing is wider than the window, cut off, below the header, or told as an error in the console."""
    state(window)
    assert window.wrong_in_every_look(state.__name__) == {}
    assert window.faults == []
