"""Secrets within a list of steps over HTTP: they stay where they are, and go nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http_api import Api

pytestmark = pytest.mark.integration
BODY = '{"user": "app", "password": "s3cret-of-a-step"}'
STEP = {"url": "/login", "body": BODY, "save": {"token": "access_token"}}
KEYS = {"name": "web", "url": "http://web.example/", "token": "{{token}}", "steps": [STEP]}


async def added(api: Api) -> dict[str, Any]:
    """Return the target as it is shown after it was added."""
    answer = await api.operator.post("/api/v1/targets", json=KEYS)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def stored_body(api: Api, target_id: int, at: int = 0) -> str:
    """Return what a step really sends."""
    return str(api.app.catalogue.get(target_id).probe.steps[at].body.get_secret_value())


async def test_mask_within_a_step_stands_for_its_secret(api: Api) -> None:
    """A step that came back masked, was changed in another setting and moved down keeps its body."""
    shown = await added(api)
    assert shown["steps"][0]["body"] == "***"
    edited = shown["steps"][0] | {"expect_status": [200]}
    for at, steps in ((0, [edited, {"url": "/ready"}]), (1, [{"url": "/ready"}, edited])):
        answer = await api.operator.patch(f"/api/v1/targets/{shown['id']}", json={"steps": steps})
        assert answer.status_code == 200, answer.text
        assert stored_body(api, shown["id"], at) == BODY


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ([{"url": "http://evil.example/", "body": "***"}], "steps.0.body"),
        ([STEP | {"body": "***"}, {"url": "http://evil.example/", "body": "{{token}}"}], "url"),
        ([STEP, {"url": "http://evil.example/", "body": "{{token}}"}], "url"),
    ],
    ids=["a step moved", "a step added beside a mask", "a step added beside a kept token"],
)
async def test_secret_of_a_step_goes_to_no_other_host(
    api: Api, steps: list[dict[str, Any]], field: str
) -> None:
    """Nobody reads a stored login by sending it, or what it brings, to a server of their own."""
    shown = await added(api)
    answer = await api.operator.patch(f"/api/v1/targets/{shown['id']}", json={"steps": steps})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert stored_body(api, shown["id"]) == BODY


async def test_mask_within_a_step_of_a_new_target_is_refused(api: Api) -> None:
    """Nothing stands behind it."""
    answer = await api.operator.post("/api/v1/targets", json=KEYS | {"steps": [STEP | {"body": "***"}]})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["steps.0.body"]
