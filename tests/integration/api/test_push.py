"""Jobs that report in by HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mooring.core.clock import SystemClock
from mooring.testing import FakeClock
from tests.http_api import Api, running, until

pytestmark = pytest.mark.integration


async def job(api: Api, **keys: Any) -> dict[str, Any]:
    """Add a target that reports by itself."""
    answer = await api.operator.post("/api/v1/targets", json={"name": "backup", "kind": "push", **keys})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_the_address_to_report_to_is_shown_once(api: Api) -> None:
    """Adding makes a secret address, which no later answer holds."""
    added = await job(api)
    assert added["report_to"].startswith("/api/v1/push/")
    token = added["report_to"].rpartition("/")[2]
    assert len(token) >= 32
    later = await api.admin.get(f"/api/v1/targets/{added['id']}")
    assert token not in later.text
    assert later.json()["token"] == "***"


async def test_a_leaked_address_is_replaced(api: Api) -> None:
    """Setting the token to null makes another address, shown once; the old one reports nothing any more."""
    added = await job(api)
    path = f"/api/v1/targets/{added['id']}"
    assert (await api.operator.patch(path, json={"interval": 90})).json()["report_to"] is None
    changed = (await api.operator.patch(path, json={"token": None})).json()
    assert changed["report_to"] not in (None, added["report_to"])
    assert (await api.nobody.get(added["report_to"])).status_code == 404
    assert (await api.nobody.get(changed["report_to"])).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_report_is_a_result(api: Api, method: str) -> None:
    """A report without a login but with the token is up at once; `status=down` with a message is down."""
    added = await job(api)
    assert (await api.nobody.request(method, added["report_to"])).json() == {"status": "up"}
    said = {"status": "down", "message": "disk full", "seconds": 12.5}
    options: dict[str, Any] = {"params": said} if method == "GET" else {"json": said}
    assert (await api.nobody.request(method, added["report_to"], **options)).json() == {"status": "down"}
    health = (await api.viewer.get(f"/api/v1/targets/{added['id']}")).json()["health"]
    assert (health["status"], health["last"]["trigger"]) == ("down", "push")
    assert (health["last"]["failure"]["message"], health["last"]["seconds"]) == ("disk full", 12.5)


async def test_an_unknown_token_reports_nothing(api: Api) -> None:
    """A token that nobody has answers 404, and many of them 429."""
    await job(api)
    codes = [(await api.nobody.get(f"/api/v1/push/{'x' * 32}")).status_code for _ in range(11)]
    assert codes == [404] * 10 + [429]


async def test_head_reports_nothing(api: Api) -> None:
    """A program that only looks at the address changes nothing: HEAD is refused."""
    added = await job(api)
    assert (await api.nobody.head(added["report_to"])).status_code == 405
    assert (await api.viewer.get(f"/api/v1/targets/{added['id']}")).json()["health"]["last"] is None


async def test_a_paused_job_is_told_so(api: Api) -> None:
    """What a paused target reports is refused with 409 instead of being lost silently."""
    added = await job(api, enabled=False)
    answer = await api.nobody.post(added["report_to"])
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "backup is paused; what it reports is not kept.",
    )


async def test_silence_is_down_and_a_report_ends_it(tmp_path: Path) -> None:
    """A job that has not reported within interval and grace is down; its next report makes it up."""
    clock = FakeClock(SystemClock().now())
    async with running(tmp_path, clock=clock, watch=True) as api:
        added = await job(api, interval=60, grace=10)
        path = f"/api/v1/targets/{added['id']}"
        await api.nobody.get(added["report_to"])

        async def status() -> str:
            return str((await api.viewer.get(path)).json()["health"]["status"])

        await clock.advance(65)
        assert await status() == "up"
        await clock.advance(10)
        await until(lambda: api.app.catalogue.health[added["id"]].status == "down", "silence being noticed")
        assert (await api.viewer.get(path)).json()["health"]["last"]["failure"]["code"] == "NO_REPORT"
        await api.nobody.get(added["report_to"])
        assert await status() == "up"


async def test_metrics_are_what_prometheus_reads(api: Api) -> None:
    """/metrics holds targets, counted checks and Mooring itself, and Prometheus' parser reads every line."""
    target = await api.add(name='we"b', script=["refused"])
    await api.operator.post(f"/api/v1/targets/{target['id']}/check")
    answer = await api.viewer.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = {
        (sample.name, sample.labels.get("target"), sample.labels.get("reason")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert found["mooring_target_up", 'we"b', None] == 0
    assert found["mooring_target_failure", 'we"b', "refused"] == 1
    assert found["mooring_check_failures_total", None, "refused"] == 1
    assert found["mooring_store_up", None, None] == 1
    assert found["process_resident_memory_bytes", None, None] > 1_000_000
