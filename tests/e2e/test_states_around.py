"""Every state of the sign-in, the tokens and what is not there: nothing is cut, overlaps or is in error."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.window import State, Window
from tests.servers.chromium import sign_in

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def no_such_page(window: Window) -> None:
    """An address that leads nowhere."""
    window.go("/nothing/here", "Not found")


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
    no_such_page,
    tokens,
    token_asked,
    token_made,
    tokens_as_viewer,
    sign_in_plain,
    sign_in_wrong,
    session_ended,
    unreachable,
)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_it_looks_right_at_each_width_in_both_themes(window: Window, state: State) -> None:
    """Nothing is wider than the window, cut off, below the header, or told as an error in the console."""
    state(window)
    assert window.wrong_in_every_look(state.__name__) == {}
    assert window.faults == []
