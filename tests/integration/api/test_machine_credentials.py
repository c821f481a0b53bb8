"""Credentials of the server's own machine over HTTP: for whom the configuration names, and nobody else."""

from __future__ import annotations

import json

import pytest

from tests.http_api import Api

pytestmark = pytest.mark.integration


async def test_credentials_of_the_server_are_not_for_everybody(api: Api) -> None:
    """Whoever may add targets cannot use the machine's own account, or point it at a server of theirs."""
    keys = {"name": "ct", "url": "google-healthcare://p/l/d/s", "endpoint": "https://evil.example"}
    answer = await api.operator.post("/api/v1/targets", json=keys)
    assert answer.status_code == 403
    key = json.dumps(
        {"type": "service_account", "client_email": "a@b", "private_key": "k", "token_uri": "https://t/"}
    )
    added = await api.operator.post(
        "/api/v1/targets", json=keys | {"key": key, "endpoint": "https://good.example"}
    )
    assert added.status_code == 201, added.text
    assert added.json()["key"] == "***"
    path = f"/api/v1/targets/{added.json()['id']}"
    moved = await api.operator.patch(path, json={"endpoint": "https://evil.example"})
    assert moved.status_code == 422
    assert "leads to another host" in moved.text
