"""Editing a target: only what changed is sent, and nobody's work is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.servers.chromium import OpenPage
from tests.servers.mooring import Mooring

pytestmark = [pytest.mark.integration, pytest.mark.slow]
SECRET = "s3cret-of-the-orders"
CONFIG = """
[[targets]]
name = "of the file"
url = "tcp://127.0.0.1:1"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mooring]:
    """A server with one target of its configuration file."""
    with Mooring(tmp_path_factory.mktemp("server"), config=CONFIG) as server:
        yield server


@pytest.fixture
def orders(server: Mooring) -> Iterator[int]:
    """A target with a password, a header and labels; removed after the test."""
    keys = {
        "name": "orders",
        "url": "http://127.0.0.1:1/health",
        "headers": {"Accept": "text/plain", "X-Api-Key": SECRET},
        "token": SECRET,
        "labels": {"team": "shop"},
        "interval": 60,
    }
    with server.client() as client:
        target = client.post("/api/v1/targets", json=keys).json()
        yield int(target["id"])
        client.delete(f"/api/v1/targets/{target['id']}")


def shown(server: Mooring, target: int) -> dict[str, Any]:
    """Return a target as the API shows it."""
    with server.client() as client:
        return dict(client.get(f"/api/v1/targets/{target}").json())


def edits(page: Page) -> list[dict[str, Any]]:
    """Keep what each edit of a page sends."""
    sent: list[dict[str, Any]] = []

    def keep(request: Request) -> None:
        if request.method == "PATCH":
            sent.append(json.loads(request.post_data or ""))

    page.on("request", keep)
    return sent


def name_of(page: Page) -> Locator:
    """Return the field of the target's name; those of tables are called so too."""
    return page.get_by_role("textbox", name="Name", exact=True)


def more(page: Page) -> None:
    """Unfold what is rarely used."""
    page.get_by_role("button", name="More settings").click()


def save(page: Page) -> None:
    """Save, tested or not."""
    page.get_by_role("button", name=re.compile("^Save changes")).click()


def test_only_what_changed_is_sent(server: Mooring, open_page: OpenPage, orders: int) -> None:
    """An edit holds the changed keys and the version; the secrets, which nobody touched, stay."""
    with open_page(server, f"/targets/{orders}/edit") as page:
        sent = edits(page)
        expect(name_of(page)).to_have_value("orders")
        more(page)
        page.get_by_label("Interval").fill("90")
        page.get_by_label("Labels 1, value").fill("billing")
        save(page)
        page.wait_for_url(re.compile(rf"/targets/{orders}$"))
    assert sent == [{"interval": 90, "labels": {"team": "billing"}, "version": 1}]
    after = shown(server, orders)
    assert after["version"] == 2
    assert after["token"] == "***"


def test_a_secret_is_replaced_and_never_shown(server: Mooring, open_page: OpenPage, orders: int) -> None:
    """It reads "Unchanged" until it is replaced; a table's other secrets stay beside a new one."""
    with open_page(server, f"/targets/{orders}/edit") as page:
        sent = edits(page)
        more(page)
        assert SECRET not in page.content()
        expect(page.get_by_role("textbox", name="Token")).to_have_attribute("placeholder", "Unchanged")
        page.get_by_role("button", name="Replace token").click()
        expect(page.get_by_role("textbox", name="Token")).to_be_focused()
        page.get_by_role("button", name="Keep the stored token").click()
        page.get_by_role("button", name="Replace token").click()
        page.get_by_role("textbox", name="Token").fill("another-token")
        page.get_by_role("button", name="Add to headers").click()
        page.get_by_label("Headers 3, name").fill("Accept-Language")
        page.get_by_label("Headers 3, value").fill("en")
        save(page)
        page.wait_for_url(re.compile(rf"/targets/{orders}$"))
    headers = {"Accept": "text/plain", "X-Api-Key": "***", "Accept-Language": "en"}
    assert sent == [{"token": "another-token", "headers": headers, "version": 1}]
    assert shown(server, orders)["headers"] == headers


def test_two_people_edit_the_same_target(server: Mooring, open_page: OpenPage, orders: int) -> None:
    """The second is shown what the first changed against what they typed, chooses, and loses nothing."""
    with (
        open_page(server, f"/targets/{orders}/edit") as first,
        open_page(server, f"/targets/{orders}/edit") as second,
    ):
        for page in (first, second):
            more(page)
        second.get_by_label("Interval").fill("120")
        second.get_by_label("Timeout").fill("7")
        second.get_by_label("Labels 1, value").fill("mine to lose")
        first.get_by_label("Interval").fill("90")
        first.get_by_label("Labels 1, value").fill("billing")
        name_of(first).fill("orders of old")
        save(first)
        first.wait_for_url(re.compile(rf"/targets/{orders}$"))
        save(second)
        conflict = second.get_by_role("alert").filter(has_text="Somebody else changed this target")
        interval = conflict.get_by_role("radiogroup", name="Interval")
        expect(conflict).to_contain_text("It was 60. Both of you changed it.")
        expect(interval.get_by_role("radio", name="Yours 120")).to_be_checked()
        expect(interval.get_by_role("radio", name="Theirs 90")).to_be_visible()
        name = conflict.get_by_role("radiogroup", name="Name")
        expect(name.get_by_role("radio", name="Theirs orders of old")).to_be_checked()
        conflict.get_by_role("radiogroup", name="Labels").get_by_role("radio", name="Theirs").check()
        expect(second.get_by_label("Timeout")).to_have_value("7")
        second.get_by_role("button", name="Save with these choices").click()
        second.wait_for_url(re.compile(rf"/targets/{orders}$"))
    after = shown(server, orders)
    assert (after["interval"], after["timeout"], after["name"]) == (120, 7, "orders of old")
    assert after["labels"] == {"team": "billing"}


@pytest.mark.parametrize(("side", "sent"), [("Yours", "mine-to-keep"), ("Theirs", None)])
def test_a_secret_is_not_overwritten_without_a_word(
    server: Mooring, open_page: OpenPage, orders: int, side: str, sent: str | None
) -> None:
    """Who typed a secret that another may have replaced meanwhile is asked whose holds."""
    with open_page(server, f"/targets/{orders}/edit") as page, server.client() as client:
        patches = edits(page)
        page.get_by_role("button", name="Replace token").click()
        page.get_by_role("textbox", name="Token").fill("mine-to-keep")
        theirs = {"token": "theirs-to-keep", "labels": {"team": "billing"}, "version": 1}
        assert client.patch(f"/api/v1/targets/{orders}", json=theirs).status_code == 200
        save(page)
        conflict = page.get_by_role("alert").filter(has_text="Somebody else changed this target")
        token = conflict.get_by_role("radiogroup", name="Token")
        expect(conflict).to_contain_text("nobody can see here whether they changed it too")
        token.get_by_role("radio", name=side).check()
        page.get_by_role("button", name="Save with these choices").click()
        page.wait_for_url(re.compile(rf"/targets/{orders}$"))
    assert [each.get("token") for each in patches] == ["mine-to-keep", sent][: 2 if sent else 1]
    assert shown(server, orders)["labels"] == {"team": "billing"}
    assert shown(server, orders)["version"] == (3 if sent else 2)


def test_a_target_that_is_removed_meanwhile_can_be_added_anew(
    server: Mooring, open_page: OpenPage, orders: int
) -> None:
    """The page tells at once that it is gone; what was typed stays, and becomes a new target."""
    with open_page(server, f"/targets/{orders}/edit") as page, server.client() as client:
        name_of(page).fill("orders anew")
        expect(page.get_by_role("button", name=re.compile("^Save changes"))).to_be_enabled()
        client.delete(f"/api/v1/targets/{orders}")
        gone = page.get_by_role("alert").filter(has_text="It is gone")
        expect(gone).to_contain_text("Somebody removed orders while you edited it.")
        expect(name_of(page)).to_have_value("orders anew")
        add = page.get_by_role("button", name=re.compile("^Add as a new target"))
        add.click()
        token = page.get_by_role("textbox", name="Token")
        expect(token).to_have_accessible_description(re.compile(r"holds \*\*\*, which stands for a hidden"))
        page.get_by_role("button", name="Replace token").click()
        page.get_by_role("textbox", name="Token").fill("another-token")
        page.get_by_label("Headers 2, value").fill("another-key")
        add.click()
        page.wait_for_url(re.compile(r"/targets/\d+$"))
        made = int(page.url.rpartition("/")[2])
        assert made != orders
        assert shown(server, made)["name"] == "orders anew"
        assert client.delete(f"/api/v1/targets/{made}").status_code == 204


def test_a_mistake_keeps_what_is_typed(server: Mooring, open_page: OpenPage, orders: int) -> None:
    """A refused edit stands at its field, which gets the focus, folded or not; nothing is saved."""
    with open_page(server, f"/targets/{orders}/edit") as page:
        more(page)
        page.get_by_label("Interval").fill("0")
        more(page)
        save(page)
        expect(page.get_by_label("Interval")).to_be_focused()
        expect(page.get_by_label("Interval")).to_have_value("0")
    assert shown(server, orders)["version"] == 1


def test_it_is_tested_as_it_is_typed(server: Mooring, open_page: OpenPage, orders: int) -> None:
    """A test before saving takes the edit over what is stored, its secrets included."""
    with open_page(server, f"/targets/{orders}/edit") as page:
        more(page)
        page.get_by_label("Expect body").fill("fine")
        page.get_by_role("button", name="Test", exact=True).click()
        expect(page.get_by_role("region", name="Test", exact=True)).to_contain_text("nothing listens there")
        expect(page.get_by_role("button", name="Save changes anyway")).to_be_visible()


def sign_in_over(page: Page, token: str) -> None:
    """Sign in at the dialog over a page whose session has ended."""
    dialog = page.get_by_role("dialog", name="Your session has ended")
    expect(dialog).to_contain_text("Sign in again to go on; nothing you typed is lost.")
    dialog.get_by_label("Token").fill("mrg_wrong")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_contain_text("This token is not known")
    dialog.get_by_label("Token").fill(token)
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_have_count(0)


def test_a_session_that_ends_keeps_what_is_typed(server: Mooring, open_page: OpenPage, orders: int) -> None:
    """Whoever is turned away while typing signs in over the form, which is then saved; the page is live."""
    with server.client() as client:
        made = client.post("/api/v1/tokens", json={"name": "brief", "role": "operator"}).json()
        with open_page(server, f"/targets/{orders}/edit", token=made["token"]) as page:
            more(page)
            page.get_by_label("Interval").fill("90")
            client.delete(f"/api/v1/tokens/{made['id']}")
            save(page)
            sign_in_over(page, server.token)
            expect(page.get_by_label("Interval")).to_have_value("90")
            expect(page.get_by_role("alert")).to_have_count(0)
            expect(page.get_by_role("button", name="Signed in as first")).to_be_visible()
            save(page)
            page.wait_for_url(re.compile(rf"/targets/{orders}$"))
            client.patch(f"/api/v1/targets/{orders}", json={"enabled": False, "version": 2})
            expect(page.get_by_role("main").get_by_text("Paused", exact=True)).to_be_visible()
    assert shown(server, orders)["interval"] == 90


def test_a_form_outlasts_who_may_not_save_it(server: Mooring, open_page: OpenPage, orders: int) -> None:
    """A viewer who signs in over a form is told that they may not save it; who may then finds it as typed."""
    with server.client() as client:
        post = "/api/v1/tokens"
        brief = client.post(post, json={"name": "brief", "role": "operator"}).json()
        viewer = client.post(post, json={"name": "looker", "role": "viewer"}).json()
        with open_page(server, f"/targets/{orders}/edit", token=brief["token"]) as page:
            name_of(page).fill("orders!")
            client.delete(f"{post}/{brief['id']}")
            save(page)
            sign_in_over(page, viewer["token"])
            expect(page.get_by_role("alert")).to_contain_text("This session may not save it")
            expect(page.get_by_role("banner").get_by_role("link", name="Import")).to_have_count(0)
            save(page)
            expect(page.get_by_text("This takes the role operator; looker is a viewer.")).to_be_visible()
            page.get_by_role("button", name="Sign in as somebody else").click()
            sign_in_over(page, server.token)
            expect(page.get_by_text("This session may not save it")).to_have_count(0)
            expect(name_of(page)).to_have_value("orders!")
            save(page)
            page.wait_for_url(re.compile(rf"/targets/{orders}$"))
    assert shown(server, orders)["name"] == "orders!"


def test_what_belongs_to_the_file_is_read_only(server: Mooring, open_page: OpenPage) -> None:
    """The form says where it is changed, and cannot be typed into."""
    with server.client() as client:
        items = client.get("/api/v1/targets").json()["items"]
    (target,) = (each["id"] for each in items if each["name"] == "of the file")
    with open_page(server, f"/targets/{target}/edit") as page:
        words = "of the file belongs to the configuration file: change it there."
        expect(page.get_by_text(words)).to_be_visible()
        expect(name_of(page)).to_be_disabled()
        expect(page.get_by_role("button", name=re.compile("^Save"))).to_have_count(0)


def test_leaving_an_edit_asks(server: Mooring, open_page: OpenPage, orders: int) -> None:
    """With something changed a link asks; with nothing changed it leads on."""
    with open_page(server, f"/targets/{orders}/edit") as page:
        back = page.get_by_role("main").get_by_role("link", name="orders", exact=True)
        name_of(page).fill("orders!")
        back.click()
        page.get_by_role("dialog", name="Leave without saving?").get_by_role("button", name="Stay").click()
        name_of(page).fill("orders")
        back.click()
        page.wait_for_url(re.compile(rf"/targets/{orders}$"))


def test_a_target_that_is_not_there_says_so(server: Mooring, open_page: OpenPage) -> None:
    """A wrong number in the address is told as such: trying again would not help."""
    with open_page(server, "/targets/4711/edit") as page:
        expect(page.get_by_text("There is no such target")).to_be_visible()
