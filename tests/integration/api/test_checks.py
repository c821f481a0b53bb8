"""Test now, over HTTP: at once, streamed, shared, cancelled."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from mooring.api.guard import Role
from mooring.testing import ScriptedProbe
from tests.http_api import Api, until
from tests.sse import events

pytestmark = pytest.mark.integration


def probe_of(api: Api, target: dict[str, Any]) -> ScriptedProbe:
    """Return the probe that a target is tested by."""
    probe = api.app.catalogue.get(target["id"]).probe
    assert isinstance(probe, ScriptedProbe)
    return probe


async def test_a_check_answers_the_one_shape(api: Api) -> None:
    """The answer is a summary and results with target, failure and stages; health is that at once."""
    target = await api.add(name="web", script=["refused"])
    answer = (await api.operator.post(f"/api/v1/targets/{target['id']}/check")).json()
    assert answer["summary"] == {"up": 0, "degraded": 0, "down": 1, "unknown": 0, "paused": 0}
    (result,) = answer["results"]
    assert result["target"] == {"id": target["id"], "name": "web", "kind": "scripted", "address": "script"}
    assert result["failure"]["reason"] == "refused"
    assert result["failure"]["stage"] == "function"
    assert [(s["name"], s["status"]) for s in result["stages"]] == [("tcp", "passed"), ("function", "failed")]
    assert result["trigger"] == "api"
    shown = (await api.viewer.get(f"/api/v1/targets/{target['id']}")).json()["health"]
    assert (shown["status"], shown["last"]) == ("down", result)
    (kept,) = (await api.viewer.get(f"/api/v1/targets/{target['id']}/results")).json()["items"]
    assert (kept["failure"], kept["started_at"]) == (result["failure"], result["started_at"])


async def test_a_fresh_result_is_not_tested_again(api: Api) -> None:
    """With if_older_than the last result answers while it is newer; without, the target is tested."""
    target = await api.add(name="web")
    path = f"/api/v1/targets/{target['id']}/check"
    for query, runs in (({}, 1), ({"if_older_than": 60}, 1), ({"if_older_than": 0}, 2), ({}, 3)):
        assert (await api.operator.post(path, params=query)).status_code == 200
        assert len(probe_of(api, target).runs) == runs


async def test_an_unsaved_target_is_tested_and_not_kept(api: Api) -> None:
    """An address alone can be tested: the failing stage is told, and nothing is stored."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        answer = (await api.operator.post("/api/v1/check", json={"url": f"tcp://127.0.0.1:{port}"})).json()
    (result,) = answer["results"]
    assert result["target"] == {
        "id": None,
        "name": f"127.0.0.1:{port}",
        "kind": "tcp",
        "address": f"127.0.0.1:{port}",
    }
    assert (result["failure"]["reason"], result["failure"]["stage"]) == ("refused", "tcp")
    assert (await api.viewer.get("/api/v1/targets")).json()["items"] == []


async def test_an_unsaved_change_of_a_stored_target_is_tested_with_its_secret(api: Api) -> None:
    """With `id`, masked secrets are the stored ones; what is tested is not what is stored."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"redis://mon:s3cret-of-redis@127.0.0.1:{closed.getsockname()[1]}/0"
        target = (await api.operator.post("/api/v1/targets", json={"name": "cache", "url": url})).json()
        body = {"id": target["id"], "url": target["url"], "timeout": 1}
        answer = await api.operator.post("/api/v1/check", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["results"][0]["failure"]["reason"] == "refused"
    assert (await api.viewer.get(f"/api/v1/targets/{target['id']}")).json()["timeout"] == target["timeout"]


@pytest.mark.parametrize("address", ["169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]"])
async def test_the_egress_policy_holds_for_unsaved_targets(api: Api, address: str) -> None:
    """The address of cloud metadata is refused, in whatever spelling, and the answer says how to allow it."""
    answer = await api.operator.post("/api/v1/check", json={"url": f"tcp://{address}:80"})
    (result,) = answer.json()["results"]
    assert (result["status"], result["failure"]["code"]) == ("unknown", "EGRESS_DENIED")


async def test_check_all_leaves_paused_targets_out(api: Api) -> None:
    """Every target that the filter lets through is tested, and paused ones are counted."""
    await api.add(name="a", labels={"team": "shop"})
    await api.add(name="b", labels={"team": "shop"}, enabled=False)
    await api.add(name="c")
    everything = (await api.operator.post("/api/v1/targets/check-all")).json()
    assert everything["summary"] == {"up": 2, "degraded": 0, "down": 0, "unknown": 0, "paused": 1}
    some = (await api.operator.post("/api/v1/targets/check-all", params={"label": "team:shop"})).json()
    assert [result["target"]["name"] for result in some["results"]] == ["a"]


async def test_check_all_takes_ids(api: Api) -> None:
    """Those that are named by their ids are tested, no others; one that is gone is left out."""
    ids = [(await api.add(name=name))["id"] for name in ("a", "b", "c")]
    some = await api.operator.post("/api/v1/targets/check-all", params={"id": [ids[0], ids[2], 999]})
    assert [result["target"]["name"] for result in some.json()["results"]] == ["a", "c"]


async def test_stages_and_results_stream_as_they_come(api: Api) -> None:
    """Events arrive in order: each stage as it begins and ends, the result, then the summary, and the end."""
    target = await api.add(name="web")
    async with events(api.operator, "POST", f"/api/v1/targets/{target['id']}/check") as stream:
        came = await stream.rest()
    assert [(event.name, event.data.get("name")) for event in came[:4]] == [
        ("began", "tcp"),
        ("stage", "tcp"),
        ("began", "function"),
        ("stage", "function"),
    ]
    assert [event.name for event in came[4:]] == ["result", "done"]
    assert came[0].data == {"target": {"id": target["id"], "name": "web"}, "name": "tcp"}
    assert came[1].data["target"] == {"id": target["id"], "name": "web"}
    assert came[4].data["status"] == "up"
    assert came[5].data == {"summary": {"up": 1, "degraded": 0, "down": 0, "unknown": 0, "paused": 0}}


async def test_a_quick_target_is_told_before_a_slow_one(api: Api) -> None:
    """A stream of several tells of each as it comes, not in the order of the list."""
    await api.add(name="hanging", script=["hang"], timeout=60, interval=60)
    await api.add(name="quick")
    await api.add(name="paused", enabled=False)
    async with events(api.operator, "POST", "/api/v1/targets/check-all") as stream:
        started = await stream.next()
        assert (started.name, started.data) == ("started", {"total": 2, "paused": 1})
        assert (await stream.next("result")).data["target"]["name"] == "quick"


async def test_closing_the_stream_cancels_the_checks(api: Api) -> None:
    """When the client goes away, a check that hangs is cancelled, and not recorded."""
    target = await api.add(name="hanging", script=["hang"], timeout=600, interval=600)
    async with events(api.operator, "POST", f"/api/v1/targets/{target['id']}/check") as stream:
        await stream.next("stage")
        assert target["id"] in api.app.monitor.checking
    await until(lambda: target["id"] not in api.app.monitor.checking, "the cancelled check's end")
    assert (await api.viewer.get(f"/api/v1/targets/{target['id']}/results")).json()["items"] == []


async def test_a_check_that_is_shared_outlives_one_closed_stream(api: Api) -> None:
    """Two callers share one run; the first going away does not take it from the second."""
    target = await api.add(name="hanging", script=["hang"], timeout=600, interval=600)
    path = f"/api/v1/targets/{target['id']}/check"
    async with events(api.operator, "POST", path) as second:
        async with events(api.admin, "POST", path) as first:
            await first.next("stage")
            assert (await second.next("stage")).data["name"] == "tcp"
        assert len(probe_of(api, target).runs) == 1
        await asyncio.sleep(0)
        assert target["id"] in api.app.monitor.checking
    await until(lambda: target["id"] not in api.app.monitor.checking, "the cancelled check's end")


async def test_a_page_and_a_program_are_told_apart(api: Api) -> None:
    """A check by session is `manual`, one by token `api`."""
    target = await api.add(name="web")
    path = f"/api/v1/targets/{target['id']}/check"
    session = (await api.nobody.post("/api/v1/session", json={"token": api.tokens[Role.OPERATOR]})).json()
    by_page = await api.nobody.post(path, headers={"X-CSRF-Token": session["csrf"]})
    assert by_page.json()["results"][0]["trigger"] == "manual"
    assert (await api.operator.post(path)).json()["results"][0]["trigger"] == "api"


async def test_found_addresses_can_be_tested_and_stored_without_their_secret(api: Api) -> None:
    """What discover found is masked; its `found` word tests and stores it, secret included."""
    text = "ORDERS_DATABASE_URL=postgresql://mon:s3cret-of-orders@127.0.0.1:1/orders\nPORT=8000\n"
    answer = await api.operator.post("/api/v1/discover", json={"text": text})
    assert "s3cret-of-orders" not in answer.text
    (item,) = answer.json()["items"]
    assert answer.json()["notes"] == ["1 variable held no address to test."]
    assert {key: item[key] for key in ("name", "kind", "url", "missing", "note")} == {
        "name": "orders",
        "kind": "postgresql",
        "url": "postgresql://mon:***@127.0.0.1:1/orders",
        "missing": [],
        "note": None,
    }
    tested = await api.operator.post("/api/v1/check", json={"found": item["found"]})
    assert tested.json()["results"][0]["failure"]["reason"] == "refused"
    body = {"name": item["name"], "url": item["url"], "found": item["found"]}
    stored = await api.operator.post("/api/v1/targets", json=body)
    assert stored.status_code == 201, stored.text
    probe: Any = api.app.catalogue.get(stored.json()["id"]).probe
    assert probe.url.get_secret_value() == "postgresql://mon:s3cret-of-orders@127.0.0.1:1/orders"
    forged = await api.operator.post("/api/v1/check", json={"found": item["found"][:-8] + "AAAAAAA="})
    assert (forged.status_code, forged.json()["errors"][0]["field"]) == (422, "found")
