"""The targets over HTTP: edits that do not get lost, lists, secrets that stay, names that are hostile."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mooring.testing import FakeClock
from tests.http_api import Api, running

pytestmark = pytest.mark.integration
SECRET = "s3cret-of-the-orders"
URL = f"postgresql://mon:{SECRET}@db.example:5432/orders"
MASKED = "postgresql://mon:***@db.example:5432/orders"


async def stored_url(api: Api, target_id: int) -> str:
    """Return the address that is tested."""
    probe = api.app.catalogue.get(target_id).probe
    return str(probe.url.get_secret_value())


async def test_a_target_answers_its_keys_flat_with_its_health(api: Api) -> None:
    """What was added comes back flat, with id, origin, version and health, at the address of Location."""
    answer = await api.operator.post(
        "/api/v1/targets", json={"name": "web", "url": "tcp://127.0.0.1:1", "labels": {"team": "shop"}}
    )
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"1"'
    shown = (await api.viewer.get(answer.headers["location"])).json()
    assert {k: shown[k] for k in ("name", "kind", "url", "labels", "origin", "version", "interval")} == {
        "name": "web",
        "kind": "tcp",
        "url": "tcp://127.0.0.1:1",
        "labels": {"team": "shop"},
        "origin": "api",
        "version": 1,
        "interval": 30,
    }
    assert shown["health"] == {
        "status": "unknown",
        "since": None,
        "checking": False,
        "confirming": None,
        "last": None,
        "next_check_at": None,
        "calm": False,
    }


@pytest.mark.parametrize("how", ["header", "body"])
async def test_an_edit_based_on_a_stale_version_is_refused(api: Api, how: str) -> None:
    """Of two edits of the same version the second answers 412, and nothing of it is kept."""
    target = await api.add(name="web")
    path = f"/api/v1/targets/{target['id']}"

    async def edit(interval: int) -> Any:
        if how == "header":
            return await api.operator.patch(path, json={"interval": interval}, headers={"If-Match": '"1"'})
        return await api.operator.patch(path, json={"interval": interval, "version": 1})

    assert (await edit(60)).json()["version"] == 2
    late = await edit(90)
    assert late.status_code == 412
    assert late.headers["etag"] == '"2"'
    assert late.json()["detail"].startswith("Somebody else has changed web meanwhile: it is at version 2.")
    assert (await api.viewer.get(path)).json()["interval"] == 60


async def test_a_target_tells_when_it_was_last_edited(tmp_path: Path) -> None:
    """`changed_at` is the time of the newest version, also after a restart; a check does not move it."""
    clock = FakeClock()
    async with running(tmp_path, clock=clock) as api:
        target = await api.add(name="web")
        assert target["changed_at"] == "2026-01-01T00:00:00.000000+00:00"
        path = f"/api/v1/targets/{target['id']}"
        await clock.advance(60)
        await api.operator.post(f"{path}/check")
        assert (await api.viewer.get(path)).json()["changed_at"] == target["changed_at"]
        edited = (await api.operator.patch(path, json={"interval": 60})).json()["changed_at"]
        assert edited == "2026-01-01T00:01:00.000000+00:00"
    async with running(tmp_path, clock=clock) as api:
        assert (await api.viewer.get(path)).json()["changed_at"] == edited


async def test_a_target_whose_secrets_cannot_be_read_can_be_paused(tmp_path: Path) -> None:
    """With the wrong key file a target can be paused and resumed; back with the right one it stays so."""
    async with running(tmp_path) as api:
        target = await api.add(name="web", interval=60)
    path = f"/api/v1/targets/{target['id']}"
    (tmp_path / "mooring.key").rename(tmp_path / "right.key")
    async with running(tmp_path) as api:
        for enabled in (False, True, False):
            answer = await api.operator.patch(path, json={"enabled": enabled})
            assert (answer.status_code, answer.json()["enabled"]) == (200, enabled)
        refused = await api.operator.patch(path, json={"enabled": "perhaps"})
        assert refused.json()["errors"] == [{"field": "enabled", "message": "has to be true or false"}]
        assert (await api.operator.patch(path, json={"interval": 99})).status_code == 422
    (tmp_path / "right.key").rename(tmp_path / "mooring.key")
    async with running(tmp_path) as api:
        shown = (await api.viewer.get(path)).json()
        assert (shown["enabled"], shown["interval"]) == (False, 60)
        edited = (await api.operator.patch(path, json={"interval": 99})).json()
        assert (edited["enabled"], edited["interval"]) == (False, 99)


async def test_of_many_edits_at_once_one_wins(api: Api) -> None:
    """However many edits of one version race, exactly one is made and the others answer 412."""
    target = await api.add(name="web")
    path = f"/api/v1/targets/{target['id']}"
    edits = [api.operator.patch(path, json={"interval": 60 + i, "version": 1}) for i in range(10)]
    codes = sorted(answer.status_code for answer in await asyncio.gather(*edits))
    assert codes == [200] + [412] * 9
    assert (await api.viewer.get(path)).json()["version"] == 2


async def test_removing_a_stale_version_is_refused(api: Api) -> None:
    """DELETE with a stale If-Match answers 412; with the right one 204, and the target is gone."""
    target = await api.add(name="web")
    path = f"/api/v1/targets/{target['id']}"
    await api.operator.patch(path, json={"interval": 60})
    assert (await api.operator.delete(path, headers={"If-Match": '"1"'})).status_code == 412
    assert (await api.operator.delete(path, headers={"If-Match": '"2"'})).status_code == 204
    assert (await api.viewer.get(path)).status_code == 404


async def test_a_name_that_is_taken_answers_409(api: Api) -> None:
    """Adding or renaming to a name that another target has is a conflict that names it."""
    await api.add(name="web")
    other = await api.add(name="other")
    again = await api.operator.post("/api/v1/targets", json={"name": "web", "kind": "scripted"})
    assert (again.status_code, again.json()["detail"]) == (409, "the name 'web' is taken")
    assert again.json()["errors"] == [{"field": "name", "message": "the name 'web' is taken"}]
    renamed = await api.operator.patch(f"/api/v1/targets/{other['id']}", json={"name": "web"})
    assert (renamed.status_code, renamed.json()["detail"]) == (409, "the name 'web' is taken")


async def test_a_target_of_the_file_cannot_be_edited(tmp_path: Path) -> None:
    """What the configuration file owns answers 409 to edits and removal, and says where to do it."""
    async with running(tmp_path, targets=({"name": "filed", "url": "tcp://127.0.0.1:1"},)) as api:
        (target,) = (await api.viewer.get("/api/v1/targets")).json()["items"]
        assert target["origin"] == "file"
        path = f"/api/v1/targets/{target['id']}"
        for answer in (await api.admin.patch(path, json={"interval": 60}), await api.admin.delete(path)):
            assert answer.status_code == 409
            assert answer.json()["detail"] == "filed belongs to the configuration file: change it there."


async def test_what_comes_with_mooring_is_in_no_file(tmp_path: Path) -> None:
    """One of Mooring's own parts is refused in words that send nobody to a file that there is not."""
    part = {"name": "own", "url": "tcp://127.0.0.1:1", "labels": {"mooring": "self"}}
    async with running(tmp_path, targets=(part,)) as api:
        (target,) = (await api.viewer.get("/api/v1/targets")).json()["items"]
        answer = await api.admin.patch(f"/api/v1/targets/{target['id']}", json={"enabled": False})
        assert answer.status_code == 409
        assert answer.json()["detail"] == "own comes with Mooring itself, and cannot be changed."


async def test_a_list_is_paged_without_gaps_while_it_grows(api: Api) -> None:
    """Following `next` gives every target once, in order, whatever is added meanwhile."""
    for number in range(7):
        await api.add(name=f"t{number}")
    names: list[str] = []
    cursor = None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await api.viewer.get("/api/v1/targets", params=query)).json()
        names += [item["name"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
        if len(names) == 3:
            await api.add(name="late")
    assert names == [*(f"t{number}" for number in range(7)), "late"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"kind": "tcp"}, ["shop-db"]),
        ({"label": "team:shop"}, ["shop-db", "shop-web"]),
        ({"label": ["team:shop", "tier:1"]}, ["shop-db"]),
        ({"label": "tier"}, ["shop-db"]),
        ({"q": "SHOP-W"}, ["shop-web"]),
        ({"q": "127.0.0.1"}, ["shop-db"]),
        ({"enabled": "false"}, ["paused"]),
        ({"status": "down"}, ["shop-db"]),
        ({"status": ["down", "up"], "q": "shop"}, ["shop-db", "shop-web"]),
    ],
    ids=str,
)
async def test_a_list_is_filtered(api: Api, query: dict[str, Any], names: list[str]) -> None:
    """Kind, label, text, status and paused each let through what they name."""
    labels = {"team": "shop", "tier": "1"}
    await api.operator.post(
        "/api/v1/targets", json={"name": "shop-db", "url": "tcp://127.0.0.1:1", "labels": labels}
    )
    await api.add(name="shop-web", labels={"team": "shop"})
    await api.add(name="paused", enabled=False)
    assert (await api.operator.post("/api/v1/targets/check-all")).status_code == 200
    listed = (await api.viewer.get("/api/v1/targets", params=query)).json()["items"]
    assert [item["name"] for item in listed] == names


async def test_a_secret_never_comes_back_and_its_mask_keeps_it(api: Api) -> None:
    """The password is masked in every answer; sending the masked address back keeps the stored one."""
    added = await api.operator.post("/api/v1/targets", json={"name": "orders", "url": URL})
    assert added.json()["url"] == MASKED
    path = f"/api/v1/targets/{added.json()['id']}"
    edited = await api.operator.patch(path, json={"url": MASKED, "interval": 60})
    assert edited.status_code == 200, edited.text
    assert edited.json()["url"] == MASKED
    assert SECRET not in added.text + edited.text + (await api.admin.get(path)).text
    assert await stored_url(api, added.json()["id"]) == URL


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://mon:***@elsewhere.example:5432/orders",
        "postgresql://other:***@db.example:5432/orders",
        "postgresql://mon:***@db.example:5432/other",
    ],
)
async def test_another_mask_is_refused(api: Api, url: str) -> None:
    """A masked address that is not the one that was shown is refused: no secret gets into another."""
    target = (await api.operator.post("/api/v1/targets", json={"name": "orders", "url": URL})).json()
    answer = await api.operator.patch(f"/api/v1/targets/{target['id']}", json={"url": url})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "field": "url",
            "message": "holds ***, which stands for a hidden secret: "
            "send the value exactly as it came to keep it, or the whole new one",
        }
    ]
    assert await stored_url(api, target["id"]) == URL


async def test_a_mask_in_a_new_target_is_refused(api: Api) -> None:
    """Nothing stands behind a mask in a target that is added or tested unsaved."""
    for path in ("/api/v1/targets", "/api/v1/check"):
        answer = await api.operator.post(path, json={"name": "orders", "url": MASKED})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "url"


async def test_edits_that_name_no_version_take_turns(api: Api) -> None:
    """Edits that race without a version are all made, each judged on what the one before left."""
    target = await api.add(name="web")
    path = f"/api/v1/targets/{target['id']}"
    keys = ({"interval": 99}, {"labels": {"team": "shop"}}, {"enabled": False}, {"timeout": 7})
    answers = await asyncio.gather(*(api.operator.patch(path, json=each) for each in keys))
    assert [answer.status_code for answer in answers] == [200] * 4
    shown = (await api.viewer.get(path)).json()
    assert {key: shown[key] for each in keys for key in each} == {
        k: v for each in keys for k, v in each.items()
    }
    assert shown["version"] == 5


async def test_a_kept_secret_is_not_sent_to_another_host(api: Api) -> None:
    """Whoever points a target elsewhere has to give its secret again: else they could read it there."""
    body = {"name": "web", "url": "http://web.example/", "token": SECRET}
    target = (await api.operator.post("/api/v1/targets", json=body)).json()
    path = f"/api/v1/targets/{target['id']}"
    moved = await api.operator.patch(path, json={"url": "http://evil.example/"})
    assert moved.status_code == 422
    assert moved.json()["errors"] == [
        {
            "field": "url",
            "message": "leads to another host, http://evil.example/; give the secret again with it",
        }
    ]
    unsaved = await api.operator.post(
        "/api/v1/check", json={"id": target["id"], "url": "http://evil.example/"}
    )
    assert unsaved.status_code == 422
    again = await api.operator.patch(path, json={"url": "http://new.example/", "token": SECRET})
    assert again.status_code == 200, again.text


async def test_a_kept_secret_is_not_sent_in_plain_text(api: Api) -> None:
    """A target that was given its token for https:// does not take it to http:// of the same host."""
    body = {"name": "web", "url": "https://web.example/", "token": SECRET}
    target = (await api.operator.post("/api/v1/targets", json=body)).json()
    moved = await api.operator.patch(f"/api/v1/targets/{target['id']}", json={"url": "http://web.example/"})
    assert moved.status_code == 422
    assert moved.json()["errors"][0]["field"] == "url"
    kept = await api.operator.patch(
        f"/api/v1/targets/{target['id']}", json={"url": "https://web.example/health"}
    )
    assert kept.status_code == 200, kept.text


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "../../etc/passwd",
        "🚢 ⚓",
        "Ünïcode \\ \"quoted\" 'name'",
        "a" * 200,
        "${HOME}x;--",
    ],
)
async def test_a_hostile_name_round_trips(api: Api, name: str) -> None:
    """A printable name comes back as it was given, wherever it is shown, and can be searched for."""
    if "${" in name:
        name = name.replace("${", "$ {")
    target = await api.add(name=name)
    assert target["name"] == name
    assert (await api.viewer.get(f"/api/v1/targets/{target['id']}")).json()["name"] == name
    (row,) = (await api.viewer.get("/api/v1/overview")).json()["targets"]
    assert row["name"] == name
    (found,) = (await api.viewer.get("/api/v1/targets", params={"q": name})).json()["items"]
    assert found["id"] == target["id"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a\u202eb", "holds U+202E; control, invisible and bidirectional characters are refused"),
        ("a\u200bb", "holds U+200B; control, invisible and bidirectional characters are refused"),
        ("a\nb", "holds U+000A; control, invisible and bidirectional characters are refused"),
        ("\x00", "holds"),
        ("a" * 10_000, "has 10000 characters; at most 200 are allowed"),
        ("   ", "has to hold something that can be read"),
        ("\ud800", ""),
    ],
    ids=["bidirectional", "zero width", "line break", "null", "long", "blank", "half a pair"],
)
async def test_a_name_that_cannot_be_shown_is_refused(api: Api, name: str, says: str) -> None:
    """What cannot be seen, blanks and 10,000 characters are refused, naming the field."""
    import json

    content = json.dumps({"name": name, "kind": "scripted"})
    answer = await api.operator.post(
        "/api/v1/targets", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] in ("name", "")
    assert error["message"].startswith(says)
    assert (await api.viewer.get("/api/v1/targets")).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({"name": "x", "kind": "postgres"}, "kind", "there is no kind 'postgres'; did you mean postgresql?"),
        ({"name": "x", "url": "nonsense"}, "url", "an address begins with its kind"),
        ({"name": "x", "url": "tcp://h:99999"}, "url", "the port has to be a number from 1 to 65535"),
        ({"name": "x", "kind": "scripted", "interval": "soon"}, "interval", "has to be a number"),
        (
            {"name": "x", "kind": "scripted", "interval": 0},
            "interval",
            "has to be at least 1",
        ),
        (
            {"name": "x", "kind": "scripted", "interval": 1e9},
            "interval",
            "has to be at most 604800",
        ),
        (
            {"name": "x", "kind": "scripted", "intervall": 5},
            "intervall",
            "is not a known setting; did you mean interval?",
        ),
        ({"name": 7, "kind": "scripted"}, "name", "has to be text"),
        ({"kind": "scripted"}, "name", "is missing"),
        ({"name": "x"}, "url", "is missing; give the address, or a kind with its settings"),
        (
            {"name": "x", "kind": "scripted", "labels": ["a"]},
            "labels",
            "has to be a table: keys with their values",
        ),
    ],
    ids=str,
)
async def test_a_mistake_names_its_field_and_what_would_be_right(
    api: Api, body: dict[str, Any], field: str, says: str
) -> None:
    """Each mistake answers 422 with the field and what would be right, and nothing is stored."""
    answer = await api.operator.post("/api/v1/targets", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert error["message"].startswith(says)
    assert (await api.viewer.get("/api/v1/targets")).json()["items"] == []


async def test_all_mistakes_are_told_at_once(api: Api) -> None:
    """A body with several mistakes answers with every one of them."""
    body = {"name": "a\x07", "url": "tcp://h:1", "send": 7, "interval": -1, "colour": "red"}
    answer = await api.operator.post("/api/v1/targets", json=body)
    assert {error["field"] for error in answer.json()["errors"]} == {"name", "send", "interval", "colour"}


@pytest.mark.parametrize("role", ["operator", "admin"])
@pytest.mark.parametrize(
    ("keys", "field"),
    [
        ({"url": "postgresql://mon:${PGPASSWORD}@h/db"}, "url"),
        ({"kind": "http", "url": "http://h/", "token": "file:///run/secrets/token"}, "token"),
        ({"url": "postgresql://h/db", "tls": {"cert": "/etc/shadow"}}, "tls.cert"),
    ],
    ids=["variable", "secret file", "certificate"],
)
async def test_a_reference_to_the_machine_is_refused(
    api: Api, role: str, keys: dict[str, Any], field: str
) -> None:
    """Variables and files of the server's machine may not be named over the API where nothing allows it."""
    client = getattr(api, role)
    for path in ("/api/v1/targets", "/api/v1/check"):
        answer = await client.post(path, json={"name": "x", **keys})
        assert answer.status_code == 422, answer.text
        assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("role", ["operator", "admin"])
async def test_a_kind_that_reads_the_machine_is_refused(api: Api, role: str) -> None:
    """The kinds sqlite and process cannot be added or tested over the API where nothing allows it."""
    for keys in ({"url": "sqlite:////etc/passwd"}, {"url": "process://sshd"}):
        for path in ("/api/v1/targets", "/api/v1/check"):
            answer = await getattr(api, role).post(path, json={"name": "x", **keys})
            assert answer.status_code == 403, answer.text
            assert answer.json()["errors"][0]["field"] == "kind"


async def test_an_admin_may_name_what_the_configuration_allows(tmp_path: Path) -> None:
    """Within server.reference_allow an admin's reference is resolved; an operator's and any other is not."""
    environ = {"ORDERS_PASSWORD": SECRET, "HOME": "/"}
    allow = ("env:ORDERS_*", "kind:process")
    async with running(tmp_path, environ=environ, reference_allow=allow) as api:
        body = {"name": "orders", "url": "postgresql://mon:${ORDERS_PASSWORD}@db.example:5432/orders"}
        assert (await api.operator.post("/api/v1/targets", json=body)).status_code == 422
        added = await api.admin.post("/api/v1/targets", json=body)
        assert added.status_code == 201, added.text
        assert await stored_url(api, added.json()["id"]) == URL
        other = {"name": "y", "url": "postgresql://mon:${HOME}@h/orders"}
        refused = await api.admin.post("/api/v1/targets", json=other)
        assert refused.status_code == 422
        told = (
            "needs env:HOME of the server's machine, which its configuration does not allow yet: add it to "
            "reference_allow under [server] in mooring.toml, or put this target there"
        )
        assert [each["message"] for each in refused.json()["errors"]] == [told]
        local = {"name": "z", "url": "process://sshd"}
        assert (await api.operator.post("/api/v1/targets", json=local)).status_code == 403
        assert (await api.admin.post("/api/v1/targets", json=local)).status_code == 201


async def test_null_takes_a_setting_away(api: Api) -> None:
    """A key that is set to null gets its default again; the others stay."""
    target = await api.add(name="web", interval=60, degraded_above=1)
    answer = await api.operator.patch(f"/api/v1/targets/{target['id']}", json={"degraded_above": None})
    assert "degraded_above" not in answer.json() or answer.json()["degraded_above"] is None
    assert answer.json()["interval"] == 60
