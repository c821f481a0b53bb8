"""The pools that programs report over HTTP."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
import socket
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mooring.api import pools as pools_api
from mooring.api.guard import Role
from mooring.core.pool_view import PoolView
from mooring.core.result import CheckResult, Observation
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.core.status import Status
from mooring.engine import pool_diagnosis
from mooring.engine.turns import AT_ONCE
from mooring.pools import PoolTracker, Watch
from mooring.pools.picture import plain
from mooring.testing import FakeClock
from tests.http_api import Api
from tests.pool_reports import alert, leak, pool, report, site

pytestmark = pytest.mark.integration
PATH = "/api/v1/pools/report"
OWN = socket.gethostname()


async def send(api: Api, *pools: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """Send a report and return what it is answered."""
    answer = await api.reporter.post(PATH, json=report(*pools, **keys))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def only_pool(api: Api) -> dict[str, Any]:
    """Return the one pool that there is."""
    (found,) = (await api.viewer.get("/api/v1/pools")).json()["items"]
    return dict(found)


async def refused(api: Api, body: dict[str, Any]) -> dict[str, str]:
    """Send a report that is refused, and return what was found wrong, by field."""
    answer = await api.reporter.post(PATH, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return {each["field"]: each["message"] for each in answer.json()["errors"]}


async def test_a_report_makes_a_target_and_is_answered(api: Api) -> None:
    """The first report of a pool adds its target, up; the answer says when to report again."""
    assert await send(api) == {"interval": 30, "wishes": []}
    found = await only_pool(api)
    target = (await api.viewer.get(f"/api/v1/targets/{found['id']}")).json()
    assert (target["name"], target["kind"], target["origin"]) == ("shop/main", "pool", "api")
    assert target["labels"] == {"service": "shop", "pool": "main"}
    assert target["health"]["status"] == "up"
    assert target["health"]["last"]["numbers"]["used"] == 3
    assert target["health"]["last"]["details"]["reported by"] == "web1:41"
    assert not target["health"]["last"]["details"].keys() & target["health"]["last"]["numbers"].keys()
    assert (found["status"], found["enabled"]) == ("up", True)


async def test_processes_are_summed(api: Api) -> None:
    """Two processes of one service are one pool with both their connections and lines."""
    await send(api, process="one")
    await send(api, pool(used=5, waiting=2), process="two")
    found = await only_pool(api)
    total = found["totals"]
    assert (total["instances"], total["used"], total["limit"], total["waiting"]) == (2, 8, 20, 2)
    assert (total["taken"], total["utilization"]) == (200, 0.4)
    assert [each["used"] for each in found["instances"]] == [5, 3]
    assert [(each["place"], each["open"]) for each in found["sites"]] == [("shop/orders.py:88", 6)]
    one = (await api.viewer.get(f"/api/v1/pools/{found['id']}")).json()
    assert one["totals"] == total


async def test_what_a_tracker_tells_is_taken(api: Api) -> None:
    """The library's own snapshot passes as it is, leaks and alerts in it."""
    watch, clock = Watch(threaded=False), FakeClock()
    tracker = PoolTracker("shop", "main", max_size=2, watch=watch, clock=clock)
    lease = tracker.track("load")
    await clock.advance(20)
    watch.look()
    told = plain(tracker.snapshot())
    del told["service"]
    await send(api, told, sent_at=clock.now().isoformat())
    found = await only_pool(api)
    assert found["totals"]["used"] == 1
    assert found["sites"][0]["function"] == "test_what_a_tracker_tells_is_taken"
    assert [each["rule"] for each in found["alerts"]] == ["suspect"]
    tracker.release(lease)


async def test_a_report_may_come_packed(api: Api) -> None:
    """Packed with gzip, it is unpacked; what is no gzip, or another coding, is refused."""
    body, headers = json.dumps(report()).encode(), {"Content-Type": "application/json"}
    packed = gzip.compress(body)

    async def answer(content: bytes, coding: str) -> int:
        told = {**headers, "Content-Encoding": coding}
        return (await api.reporter.post(PATH, content=content, headers=told)).status_code

    assert await answer(packed, "gzip") == 200
    assert await answer(packed[:-9], "gzip") == 400
    assert await answer(b"no gzip", "gzip") == 400
    assert await answer(packed, "br") == 415
    document = (await api.nobody.get("/openapi.json")).json()
    assert "415" in document["paths"][PATH]["post"]["responses"]
    bomb = gzip.compress(b" " * (4 * 1024 * 1024 + 1))
    assert await answer(bomb, "gzip") == 413
    assert (await only_pool(api))["totals"]["instances"] == 1


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ({"version": 2}, "version", "is 2, and this server understands 1: update the server"),
        ({"version": 0}, "version", "is 0, and this server understands 1: update the program"),
        ({"version": "1"}, "version", "has to be 1"),
        ({"version": True}, "version", "has to be 1"),
        ({"service": "a\x07b"}, "service", "holds U+0007"),
        ({"service": "s" * 96}, "service", "may have at most 95 characters"),
        ({"service": "a${HOME}"}, "service", "may not hold ${ nor begin with file:"),
        ({"service": "file:", "pools": [pool(name="//etc/hostname")]}, "service", "may not hold ${"),
        ({"interval": "30"}, "interval", "has to be a number"),
        ({"interval": 0}, "interval", "has to be at least 0.1"),
        ({"sent_at": "2026-11-22T16:00:00"}, "sent_at", "timezone"),
        ({"sent_at": "9999-11-22T16:00:00Z"}, "sent_at", "between the years 2000 and 2200"),
        ({"instance": {"id": "process-one", "host": "web1", "pid": 41}}, "instance.started_at", "is missing"),
        ({"pools": {}}, "pools", "has to be a list"),
        ({"pools": [pool(), pool()]}, "pools.1.name", "is already the name of pools.0"),
        ({"pools": [pool(used=-1)]}, "pools.0.used", "has to be at least 0"),
        ({"pools": [pool(used=True)]}, "pools.0.used", "has to be a whole number"),
        ({"pools": [pool(used=10**7)]}, "pools.0.used", "has to be at most 1000000"),
        ({"pools": [pool(totals={"taken": 10**30})]}, "pools.0.totals.taken", "has to be"),
        ({"pools": [pool(wait={"counts": {"256": 1}})]}, "pools.0.wait.counts.256", "has to be at most 255"),
        ({"pools": [pool(wait={"counts": {"a": 1}})]}, "pools.0.wait.counts.a", "whole number"),
        ({"pools": [pool(wait={"counts": {"1": -1}})]}, "pools.0.wait.counts.1", "has to be at least 0"),
        ({"pools": [pool(alerts=[alert(rule="none")])]}, "pools.0.alerts.0.rule", "has to be 'utilization'"),
        ({"pools": [pool(sites=[site(p50="fast")])]}, "pools.0.sites.0.p50", "has to be a number"),
    ],
)
async def test_what_cannot_be_true_is_refused(
    api: Api, wrong: dict[str, Any], field: str, message: str
) -> None:
    """A wrong report is refused whole, naming the field, and leaves no trace."""
    told = await refused(api, report(**wrong))
    (found,) = [each for name, each in told.items() if name.startswith(field)]
    assert message in found
    assert (await api.viewer.get("/api/v1/pools")).json()["items"] == []


async def test_a_newer_program_is_understood(api: Api) -> None:
    """What a later version of the library adds to a report is left out; what is known of it is taken."""
    more = {"new": {"a": [1]}, "more": None}
    part = pool(
        totals={"taken": 100, "returned": 97, **more},
        wait={"counts": {"40": 100}, **more},
        sites=[site(**more)],
        leaks=[leak(**more)],
        alerts=[alert(**more)],
        **more,
    )
    instance = {**report()["instance"], **more}
    assert await send(api, part, instance=instance, **more) == {"interval": 30, "wishes": []}
    found = await only_pool(api)
    assert (found["totals"]["taken"], found["wait"]["count"]) == (100, 100)
    assert [len(found[name]) for name in ("sites", "leaks", "alerts", "instances")] == [1, 1, 1, 1]
    assert "new" not in json.dumps(found)


async def test_a_hundred_thousand_unknown_keys_harm_nothing(api: Api) -> None:
    """They are left out like one."""
    packed = gzip.compress(json.dumps(report(**{f"key{place}": place for place in range(100_000)})).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert (await api.reporter.post(PATH, content=packed, headers=headers)).status_code == 200


async def test_a_hundred_thousand_pools_are_refused(api: Api) -> None:
    """Far too many pools are refused by a limit, and the server goes on."""
    many = [{"name": str(place)} for place in range(100_000)]
    packed = gzip.compress(json.dumps(report(pools=many)).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = await api.reporter.post(PATH, content=packed, headers=headers)
    assert answer.status_code == 422
    assert {"field": "pools", "message": "may hold at most 100"} in answer.json()["errors"]
    await send(api)


async def test_words_are_made_fit_to_be_shown(api: Api) -> None:
    """What a program says of itself is cut, and keeps neither control characters nor passwords."""
    odd = site(function="f\x1b[2J", file="x" * 5000, scope="postgresql://a:hunter2@b/c")
    await send(api, pool(sites=[odd]))
    (found,) = (await only_pool(api))["sites"]
    assert found["function"] == "f\ufffd[2J"
    assert len(found["file"]) == 300
    assert "hunter2" not in found["scope"]


async def test_a_clock_that_is_hours_off_is_told(api: Api) -> None:
    """The server's time counts, and the pool's details say by how much a process' clock is off."""
    now = api.app.clock.now()
    ahead = (now + timedelta(hours=3)).isoformat()
    await send(api, pool(alerts=[alert(since=ahead)]), sent_at=ahead)
    found = await only_pool(api)
    assert found["instances"][0]["skew"] == pytest.approx(3 * 3600, abs=10)
    assert found["alerts"][0]["since"] < ahead
    health = (await api.viewer.get(f"/api/v1/targets/{found['id']}")).json()["health"]
    (told,) = health["last"]["details"]["clocks that are off"].items()
    assert told[0] == "web1:41"
    assert told[1] == "3 h ahead"


async def test_a_full_pool_is_down_and_says_who_holds_it(api: Api) -> None:
    """95 % in use is down, and the hint names service and line; 80 % is degraded; less is up."""

    async def health(used: int) -> dict[str, Any]:
        await send(api, pool(used=used, limit=20))
        found = await only_pool(api)
        return dict((await api.viewer.get(f"/api/v1/targets/{found['id']}")).json()["health"])

    assert (await health(15))["status"] == "up"
    degraded = await health(16)
    assert degraded["status"] == "degraded"
    assert "16 of 20 connections of shop are in use (80%)" in degraded["last"]["warnings"][0]
    down = await health(19)
    failure = down["last"]["failure"]
    assert (down["status"], failure["reason"], failure["stage"], failure["code"]) == (
        "down",
        "overloaded",
        "function",
        "POOL_EXHAUSTED",
    )
    assert failure["hint"] == (
        "3 of 3 leases in shop come from shop/orders.py:88 in load_orders (GET /orders): "
        "hold them for less, or raise the limit of 20."
    )
    assert (await health(18))["status"] == "down"  # it has to fall below 90 % to be over
    assert (await health(15))["status"] == "degraded"  # and below 75 %
    assert (await health(14))["status"] == "up"


async def test_a_lease_that_is_never_returned_degrades(api: Api) -> None:
    """An abandoned lease makes the pool degraded and names its line."""
    await send(api, pool(leaks=[leak()], alerts=[alert()]))
    found = await only_pool(api)
    assert [(each["site"], each["process"]) for each in found["leaks"]] == [("shop/orders.py:88", "web1:41")]
    health = (await api.viewer.get(f"/api/v1/targets/{found['id']}")).json()["health"]
    assert health["status"] == "degraded"
    assert "taken at shop/orders.py:88, in process web1:41" in health["last"]["warnings"][0]


async def test_a_reporter_reads_nothing(api: Api) -> None:
    """A token of the role reporter reports, and opens neither the page nor any list."""
    await send(api)
    assert (await api.reporter.get("/api/v1/pools")).status_code == 403
    answer = await api.nobody.post("/api/v1/session", json={"token": api.tokens[Role.REPORTER]})
    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "This token can only report pools: it signs nobody in.",
    )


async def test_a_target_that_is_no_pool_is_not_shown_as_one(api: Api) -> None:
    """Another target's id answers 404."""
    target = await api.add(name="other", script=["ok"])
    assert (await api.viewer.get(f"/api/v1/pools/{target['id']}")).status_code == 404


async def id_of(api: Api) -> int:
    """Return the id of the one pool that there is."""
    return int((await only_pool(api))["id"])


async def test_the_past_is_told_in_steps_and_added_up(api: Api) -> None:
    """History has every step of its window; aggregated is the whole of it."""
    await send(api, pool(used=8, totals={"taken": 40}))
    await api.app._keeper.sweep()
    path = f"/api/v1/pools/{await id_of(api)}"
    for window, steps in (("1h", 60), ("24h", 144), ("7d", 168)):
        past = (await api.viewer.get(f"{path}/history", params={"window": window})).json()
        assert len(past["buckets"]) == steps
        (told,) = [each for each in past["buckets"] if each["samples"]]
        assert (told["used"], told["utilization"], told["taken"], told["limit"]) == (8.0, 0.8, 40, 10)
        total = (await api.viewer.get(f"{path}/aggregated", params={"window": window})).json()
        assert (total["samples"], total["used_max"], total["window"]) == (1, 8, window)
    assert (await api.viewer.get(f"{path}/history", params={"window": "2h"})).status_code == 422


async def test_the_window_that_fits_says_which_it_is(api: Api) -> None:
    """Asked for what fits, a pool first seen just now is shown over the last hour."""
    await send(api)
    await api.app._keeper.sweep()
    path = f"/api/v1/pools/{await id_of(api)}"
    for part in ("history", "aggregated"):
        past = (await api.viewer.get(f"{path}/{part}", params={"window": "fit"})).json()
        assert past["window"] == "1h"


async def test_a_service_is_the_sum_of_its_pools(api: Api) -> None:
    """Use, limits and counts of all its pools, those of no other service, as JSON and as a table."""
    await send(api, pool(), pool(name="jobs", used=5, limit=20))
    await send(api, pool(used=9), service="billing", process="two")
    await api.app._keeper.sweep()
    asked = {"service": "shop", "window": "1h"}
    past = (await api.viewer.get("/api/v1/pools/history", params=asked)).json()
    told = [each for each in past["buckets"] if each["samples"]]
    assert (past["service"], past["pools"], past["window"], past["step"]) == ("shop", 2, "1h", 60)
    assert (len(past["buckets"]), len(told)) == (60, 1)
    assert (told[0]["used"], told[0]["used_max"], told[0]["limit"]) == (8, 8, 30)
    table = await api.viewer.get("/api/v1/pools/history", params={**asked, "format": "csv"})
    rows = [each for each in csv.DictReader(io.StringIO(table.text)) if each["used"]]
    assert [(each["used"], each["limit"]) for each in rows] == [("8.0", "30")]


async def test_a_service_without_a_pool_is_not_found(api: Api) -> None:
    """The answer guesses what was meant; without a service it says what is missing."""
    await send(api)
    answer = await api.viewer.get("/api/v1/pools/history", params={"service": "shpo"})
    assert answer.status_code == 404
    assert answer.json()["detail"] == "there is no pool of the service 'shpo'; did you mean shop?"
    answer = await api.viewer.get("/api/v1/pools/history", params={"service": "x" * 99})
    assert answer.json()["detail"] == f"there is no pool of the service {'x' * 60!r}"
    assert (await api.viewer.get("/api/v1/pools/history")).status_code == 422


async def test_an_operator_wants_something_of_the_processes(api: Api) -> None:
    """A wish is accepted, rides on the next answer, and is refused where nobody would hear it."""
    await send(api)
    path = f"/api/v1/pools/{await id_of(api)}"
    assert (await api.viewer.post(f"{path}/cleanup")).status_code == 403
    answer = await api.operator.post(f"{path}/cleanup")
    assert (answer.status_code, answer.json()["instances"]) == (202, 1)
    wish = answer.json()["wish"]
    assert (wish["pool"], wish["do"]) == ("main", "cleanup")
    assert (await send(api))["wishes"] == [wish]
    assert (await send(api, done=[wish["id"]]))["wishes"] == []
    await send(api, last=True)
    refused = await api.operator.post(f"{path}/stop")
    assert refused.status_code == 409
    assert refused.json()["detail"] == "no process reports shop/main now: nobody would hear it"
    assert (await api.operator.post(f"{path}/explode")).status_code == 422
    assert (await api.operator.post("/api/v1/pools/999/stop")).status_code == 404


async def watched(
    api: Api, used: int = 0, most: int = 0, numbers: dict[str, float] | None = None, **keys: Any
) -> None:
    """Add a database that was checked and told of its sessions, or of other numbers."""
    keys = {"name": "orders", "url": "postgresql://app:x@db.example/shop", **keys}
    answer = await api.operator.post("/api/v1/targets", json=keys)
    target = api.app.catalogue.get(answer.json()["id"])
    seen = Observation(numbers=numbers or {"sessions_used": used, "sessions_max": most})
    stage = StageResult(Stage.FUNCTION, StageStatus.PASSED)
    at = api.app.clock.now()
    await api.app.recorder.record(target, CheckResult(target.ref, Status.UP, None, (stage,), seen, at, 0.1))


async def test_pools_are_compared_with_the_server_behind_them(api: Api) -> None:
    """The limits of all services on a server stand beside what it takes, and advice names the services."""
    await watched(api, used=85, most=100)
    await watched(api, used=1, most=9, name="another", url="postgresql://app:x@db.example:5433/shop")
    await send(api, pool(limit=60, used=50), process="one")
    await send(api, pool(limit=60, address="DB.example"), process="two", service="billing")
    await send(api, pool(limit=60, address="elsewhere:5432"), process="three", service="other")
    by_service = {each["service"]: each for each in (await api.viewer.get("/api/v1/pools")).json()["items"]}
    assert by_service["other"]["comparison"] == []
    (told,) = by_service["billing"]["comparison"]
    assert told | {"checked_at": None} == {
        "address": "db.example:5432",
        "target_id": 1,
        "target": "orders",
        "kind": "postgresql",
        "services": ["billing", "shop"],
        "limit": 120,
        "used": 53,
        "allowed": 100,
        "sessions": 85,
        "checked_at": None,
    }
    answer = await api.viewer.get(f"/api/v1/pools/{by_service['shop']['id']}/diagnostics")
    found = {each["code"]: each for each in answer.json()["findings"]}
    assert found["limits_above_server"]["message"] == (
        "the pools of billing, shop may open 120 connections to db.example:5432, which takes 100"
    )
    assert found["server_nearly_full"]["message"] == (
        "85 of the 100 connections that db.example:5432 takes are open; "
        "32 of them are not in use by billing, shop"
    )
    assert found["utilization"]["recommendation"].startswith("3 of 3 leases in shop come from")


async def test_pools_are_compared_with_the_pooler_before_their_server(api: Api) -> None:
    """Where programs connect to PgBouncer, its clients and how many it takes stand beside the pools."""
    address = "pooler.example:6432"
    numbers = {"clients_used": 58, "clients_max": 60}
    await watched(api, used=85, most=100)
    await watched(api, numbers=numbers, name="pooler", kind="pgbouncer", url=f"pgbouncer://admin:x@{address}")
    await send(api, pool(limit=40, used=30, address=address), process="one")
    await send(api, pool(limit=40, used=20, address=address), process="two", service="billing")
    (told,) = (await api.viewer.get("/api/v1/pools")).json()["items"][0]["comparison"]
    assert (told["address"], told["target"], told["kind"]) == (address, "pooler", "pgbouncer")
    assert (told["services"], told["limit"], told["used"]) == (["billing", "shop"], 80, 50)
    assert (told["sessions"], told["allowed"]) == (58, 60)
    pools = (await api.viewer.get("/api/v1/pools")).json()["items"]
    path = f"/api/v1/pools/{pools[0]['id']}/diagnostics"
    found = {each["code"]: each["message"] for each in (await api.viewer.get(path)).json()["findings"]}
    assert found["limits_above_server"] == (
        f"the pools of billing, shop may open 80 connections to {address}, which takes 60"
    )


@pytest.mark.parametrize(
    ("address", "host", "told"),
    [
        ("localhost:5999", OWN, ["mine"]),
        ("[::1]:5999", OWN, ["mine"]),
        (f"{OWN}:5999", "web2", ["mine"]),
        ("localhost:5999", "web2", ["theirs"]),
        ("localhost:5999", "web3", []),
        ("web2:5999", "web3", ["theirs"]),
    ],
)
async def test_localhost_is_the_machine_that_says_so(
    api: Api, address: str, host: str, told: list[str]
) -> None:
    """A pool of a database on its own machine is not compared with the one on the server's machine."""
    await watched(api, used=1, most=9, name="mine", url="postgresql://app:x@127.0.0.1:5999/shop")
    await watched(api, used=1, most=9, name="theirs", url="postgresql://app:x@web2:5999/shop")
    process = {**report()["instance"], "host": host}
    await send(api, pool(address=address), instance=process)
    assert [each["target"] for each in (await only_pool(api))["comparison"]] == told


async def test_diagnostics_advise(api: Api) -> None:
    """What is slow, wasteful or odd is told with the service and the line; severe things first."""
    slow = {"counts": {"112": 200}}
    totals = {"taken": 200, "returned": 195, "created": 190, "session_errors": 2, "errors": 3, "unmatched": 1}
    await send(api, pool(used=5, limit=10, wait=slow, totals=totals, alerts=[alert()], leaks=[leak()]))
    answer = await api.viewer.get(f"/api/v1/pools/{await id_of(api)}/diagnostics")
    found = answer.json()["findings"]
    assert [each["code"] for each in found] == [
        "abandoned",
        "slow_to_get",
        "holds_most",
        "opened_anew",
        "session_errors",
        "returned_twice",
    ]
    assert found[2]["message"] == (
        "shop/orders.py:88 in load_orders (GET /orders) of shop takes most of the pool's time: 100 leases, "
        "1 of 20 held for 0.20 s or longer"
    )


async def test_diagnostics_name_service_and_line(api: Api) -> None:
    """What processes themselves tell names the service and pool, too, as it stands beside no heading."""
    told = alert(rule="abandoned", message="billing/main: 1 lease of app.py:7: never returned")
    await send(api, pool(alerts=[{**told, "recommendation": "Return it in app.py:7."}]), service="billing")
    answer = await api.viewer.get(f"/api/v1/pools/{await id_of(api)}/diagnostics")
    assert [(each["message"], each["recommendation"]) for each in answer.json()["findings"]] == [
        (
            "billing/main: 1 lease of app.py:7: never returned, in process web1:41",
            "Return it in app.py:7.",
        )
    ]


async def test_pools_are_exported_as_csv(api: Api) -> None:
    """Each pool is a line; a name that a spreadsheet takes for a formula is text."""
    await send(api, pool(limit=None), service="=1+1")
    answer = await api.viewer.get("/api/v1/pools", params={"format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["service"], row["name"], row["used"], row["limit"]) == ("'=1+1", "main", "3", "")
    await api.app._keeper.sweep()
    past = await api.viewer.get(
        f"/api/v1/pools/{row['id']}/history", params={"format": "csv", "window": "1h"}
    )
    used = [each["used"] for each in csv.DictReader(io.StringIO(past.text))]
    assert (len(used), [each for each in used if each]) == (60, ["3.0"])


async def test_metrics_hold_the_pools(api: Api) -> None:
    """/metrics has each pool's sums under names of their own."""
    await send(api, pool(used=9, leaks=[leak()]))
    answer = await api.viewer.get("/metrics")
    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name.startswith("mooring_pool")
    }
    own = (("pool", "main"), ("service", "shop"))
    assert found["mooring_pool_connections_used", *own] == 9
    assert found["mooring_pool_utilization", *own] == 0.9
    assert found["mooring_pool_leases_total", *own] == 100
    assert found["mooring_pool_wait_seconds_count", *own] == 100
    assert found["mooring_pool_leaks", ("kind", "abandoned"), *own] == 1
    alerted = (("pool", "main"), ("rule", "utilization"), ("service", "shop"), ("severity", "warning"))
    assert found["mooring_pool_alert", *alerted] == 1


async def test_two_targets_for_a_pool_are_one_in_the_metrics(api: Api) -> None:
    """Prometheus refuses a page with the same sample twice: the one that is reported is told."""
    keys = {"kind": "pool", "service": "shop", "pool": "main"}
    await send(api)
    await api.add(name="again", **keys)
    answer = await api.viewer.get("/metrics")
    lines = [line for line in answer.text.splitlines() if line.startswith("mooring_pool_connections_used")]
    assert lines == ['mooring_pool_connections_used{service="shop",pool="main"} 3']


async def test_a_peak_of_another_day_keeps_the_limit(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool that was once full is not called too large: its peaks between reports are not all known."""
    monkeypatch.setattr(pool_diagnosis, "ENOUGH", 1)
    await send(api, pool(used=1, peak=9))
    await send(api, pool(used=1, peak=9))
    await api.app._keeper.sweep()
    path = f"/api/v1/pools/{await id_of(api)}"
    assert (await api.viewer.get(f"{path}/aggregated")).json()["peak"] == 1
    codes = [each["code"] for each in (await api.viewer.get(f"{path}/diagnostics")).json()["findings"]]
    assert "larger_than_needed" not in codes
    await send(api, pool(used=1, peak=2))
    codes = [each["code"] for each in (await api.viewer.get(f"{path}/diagnostics")).json()["findings"]]
    assert "larger_than_needed" in codes


async def test_viewers_of_the_page_hear_of_a_pool(api: Api) -> None:
    """A pool is a row of the overview: its changes come with the event stream that the page reads."""
    async with api.app.bus.subscribe() as commits:
        await send(api)
        told = await anext(commits)
        while not told.results:
            told = await anext(commits)
    assert [result.target.kind for result in told.results] == ["pool"]


@pytest.mark.parametrize("form", ["json", "csv"])
async def test_others_have_their_turn_while_a_long_list_is_written(
    api: Api, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """A list of hundreds of pools is written a few at a time, so that no check comes late for it."""
    await send(api, *[pool(name=f"{place:02}") for place in range(60)])
    turns, written = [0], Counter[int]()

    async def another() -> None:
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    def counted(view: PoolView) -> dict[str, Any]:
        written[turns[0]] += 1
        return original(view)

    name = {"json": "pool_json", "csv": "pool_row"}[form]
    original = getattr(pools_api, name)
    monkeypatch.setattr(pools_api, name, counted)
    beside = asyncio.create_task(another())
    answer = await api.viewer.get("/api/v1/pools", params={"format": form})
    beside.cancel()
    assert (answer.status_code, written.total(), max(written.values())) == (200, 60, AT_ONCE)
    if form == "json":
        assert [each["name"] for each in answer.json()["items"]] == [f"{place:02}" for place in range(60)]
