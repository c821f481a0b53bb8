"""A check for each scrape, as blackbox_exporter makes it."""

from __future__ import annotations

import socket

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.http_api import Api, until
from tests.servers.process import free_port

pytestmark = pytest.mark.integration


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Return every sample by its name and the values of its labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_an_address_is_probed(api: Api) -> None:
    """A port that accepts succeeds, with its stages; a closed one fails and says why. Nothing is stored."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        found = samples((await api.operator.get("/probe", params={"target": url})).text)
    assert found["probe_success",] == 1
    assert found["probe_stage_seconds", "tcp"] > 0
    closed = {"target": f"tcp://127.0.0.1:{free_port()}", "module": "tcp"}
    found = samples((await api.operator.get("/probe", params=closed)).text)
    assert found["probe_success",] == 0
    assert found["probe_failure_info", "refused", "tcp", "ECONNREFUSED"] == 1
    assert (await api.viewer.get("/api/v1/targets")).json()["items"] == []


async def test_a_stored_target_is_probed_by_name(api: Api) -> None:
    """By name a stored target is checked and recorded, as by its schedule: one failure decides nothing."""
    target = await api.add(name="web", script=["up", "refused"])
    await api.operator.get("/probe", params={"target": "web"})
    found = samples((await api.operator.get("/probe", params={"target": "web"})).text)
    assert found["probe_success",] == 0
    health = api.app.catalogue.health
    await until(lambda: health[target["id"]].confirming is not None, "the failure being written")
    assert (health[target["id"]].status, health[target["id"]].confirming) == ("up", (1, 3))


SCRAPE = {"X-Prometheus-Scrape-Timeout-Seconds": "0.55"}


async def test_the_scrape_timeout_holds_for_an_address(api: Api) -> None:
    """A check ends before Prometheus gives up, and the failure says at which stage."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        query = {"target": f"http://127.0.0.1:{silent.getsockname()[1]}/"}
        answer = await api.operator.get("/probe", params=query, headers=SCRAPE)
    assert samples(answer.text)["probe_failure_info", "timeout", "protocol", "TIMEOUT"] == 1


async def test_a_short_scrape_takes_no_slow_target_down(api: Api) -> None:
    """A stored target's own timeout holds: a Prometheus in a hurry says nothing of its health."""
    target = await api.add(name="slow", script=["slow 0.2"], timeout=5)
    answer = await api.operator.get("/probe", params={"target": "slow"}, headers=SCRAPE)
    assert samples(answer.text)["probe_success",] == 1
    await until(lambda: api.app.catalogue.health[target["id"]].status == "up", "its health being written")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"target": "nobody"}, 404),
        ({}, 422),
        ({"target": "tcp://127.0.0.1:1", "module": "http_2xx"}, 422),
        ({"target": "tcp://127.0.0.1:1", "debug": "true"}, 422),
        ({"target": "sqlite:////etc/passwd"}, 403),
        ({"target": "tcp://${HOME}:1"}, 422),
    ],
    ids=str,
)
async def test_what_cannot_be_probed_is_refused(api: Api, query: dict[str, str], code: int) -> None:
    """Unknown names, kinds and keys are refused, and so is what reads the server's machine."""
    assert (await api.operator.get("/probe", params=query)).status_code == code
