"""The whole API, fuzzed from its OpenAPI document: what it declares is what it does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, seed, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mooring.api.guard import Role
from mooring.api.server import openapi
from mooring.net.egress import EgressPolicy
from mooring.probes._registry import Kinds
from tests.http_api import Api, running

pytestmark = pytest.mark.integration
EXAMPLES = 25
TOKENS = (1, 2, 3)
"""Ids of the tokens that the test itself uses."""
CHECKS = [
    status_code_conformance,  # 500 is declared nowhere
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


class Harmless(Kinds):
    """No kind but the scripted one and push: nothing that was made up is connected to."""

    @cached_property
    def _folder(self) -> frozenset[str]:
        return frozenset({"push"})


document = openapi()
del document["paths"]["/api/v1/events"]  # it never ends; test_events.py reads it
REFUSALS = ["400", "401", "403", "404", "409", "412", "413", "422", "429"]
config = schemathesis.Config.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}}
)
schema = schemathesis.openapi.from_dict(document, config=config)


class Background:
    """An API that runs in a thread, for tests that are not asynchronous."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.api: Api

    def __enter__(self) -> Api:
        self._thread.start()
        assert self._ready.wait(30)
        return self.api

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with running(
            self._folder, kinds=Harmless(), egress=EgressPolicy(deny=("any",)), watch=True
        ) as api:
            self.api = api
            for number in range(3):
                target = await api.add(name=f"t{number}", script=["up", "auth", "degraded"])
                for _ in range(3):
                    await api.operator.post(f"/api/v1/targets/{target['id']}/check")
            self._ready.set()
            await self._stop.wait()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One API for all operations."""
    with Background(tmp_path_factory.mktemp("api")) as api:
        yield api


@schema.parametrize()
@seed(20260101)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_an_operation_does_what_it_declares(case: schemathesis.Case, api: Api) -> None:
    """No made-up request gets a status, type, header or shape that is not declared, nor a 500."""
    headers = {"Authorization": f"Bearer {api.tokens[Role.ADMIN]}"}
    assume((case.path_parameters or {}).get("token_id") not in TOKENS)
    response = case.call_and_validate(base_url=api.url, headers=headers, checks=CHECKS)
    assert response.status_code != 401 or "/session" in case.operation.path, "our own token has to be good"
