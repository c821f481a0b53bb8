"""Every state of adding and importing targets: nothing is cut, overlaps or is in error."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.window import State, Window
from tests.servers.chromium import sign_in

pytestmark = [pytest.mark.integration, pytest.mark.slow]


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


STATES: tuple[State, ...] = (
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
)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_it_looks_right_at_each_width_in_both_themes(window: Window, state: State) -> None:
    """Nothing is wider than the window, cut off, below the header, or told as an error in the console."""
    state(window)
    assert window.wrong_in_every_look(state.__name__) == {}
    assert window.faults == []
