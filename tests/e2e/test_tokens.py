"""The tokens' page: a token is made, shown once, used, and revoked."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.servers.chromium import OpenPage
from tests.servers.mooring import Mooring, StartMooring

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def make(page: Page, name: str, role: str) -> str:
    """Make a token as an admin at the page does; return its secret."""
    page.get_by_role("button", name="New token").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("radio", name=role).check()
    page.get_by_role("button", name="Make token").click()
    secret = page.get_by_role("dialog", name="Your new token").locator("pre").first.inner_text()
    page.get_by_role("button", name="I have kept it").click()
    return secret


def revoke(page: Page, name: str) -> None:
    """Revoke a token, and say so twice."""
    page.get_by_role("button", name=f"Revoke {name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()


def status(server: Mooring, secret: str) -> int:
    """Ask for the overview with a token."""
    headers = {"Authorization": f"Bearer {secret}"}
    return httpx.get(f"{server.url}/api/v1/overview", headers=headers).status_code


def test_a_token_works_until_it_is_revoked(server: Mooring, open_page: OpenPage) -> None:
    """What is shown once opens the API, appears with its role and use, and is turned away when revoked."""
    with open_page(server, "/tokens") as page:
        secret = make(page, "deploy <script>", "operator")
        row = page.get_by_role("row").filter(has_text="deploy <script>")
        expect(row).to_contain_text("operator")
        expect(row).to_contain_text("never")
        expect(page.get_by_role("button", name="New token")).to_be_focused()
        assert secret not in page.content()
        assert status(server, secret) == 200
        revoke(page, "deploy <script>")
        expect(row).to_have_count(0)
        assert status(server, secret) == 401


def test_the_last_admins_token_stays(server: Mooring, open_page: OpenPage) -> None:
    """Who would lock everybody out is warned, and told why it is refused."""
    with open_page(server, "/tokens") as page:
        revoke(page, "first")
        dialog = page.get_by_role("dialog", name="Revoke first?")
        expect(dialog).to_contain_text("You are signed in with this token")
        expect(dialog.get_by_text("this is the last admin's token")).to_be_visible()


def test_revoking_ones_own_leads_to_the_sign_in(start_mooring: StartMooring, open_page: OpenPage) -> None:
    """An admin who revokes the token that they signed in with is asked to sign in."""
    with start_mooring() as server, open_page(server, "/tokens") as page:
        make(page, "another", "admin")
        revoke(page, "first")
        page.wait_for_url("**/sign-in")
        expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_others_are_told_that_it_is_not_for_them(server: Mooring, open_page: OpenPage, role: str) -> None:
    """Whoever is no admin sees why there is nothing to see, and no way to make a token."""
    with server.client() as client:
        made = client.post("/api/v1/tokens", json={"name": "somebody", "role": role}).json()
    with open_page(server, "/tokens", token=made["token"]) as page:
        expect(page.get_by_text("Tokens are for admins")).to_be_visible()
        expect(page.get_by_role("button", name="New token")).to_have_count(0)
