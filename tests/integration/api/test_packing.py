"""Large answers go out packed."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.http_api import Api
from tests.sse import events

pytestmark = pytest.mark.integration
GZIP = {"accept-encoding": "gzip"}


@pytest.mark.parametrize("targets", [20, 200])  # on the loop, and on a thread
async def test_a_large_answer_is_packed(api: Api, targets: int) -> None:
    """Whoever takes gzip gets the same overview in a fraction of the bytes, whatever its length."""
    for number in range(targets):
        await api.add(name=f"shop {number}", enabled=False)
    async with api.viewer.stream("GET", "/api/v1/overview", headers=GZIP) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    headers = answer.headers
    assert (headers["content-encoding"], headers["vary"]) == ("gzip", "accept-encoding")
    assert int(headers["content-length"]) == len(raw)
    plain = await api.viewer.get("/api/v1/overview", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert len(raw) * 4 < len(plain.content)
    assert json.loads(gzip.decompress(raw))["targets"] == plain.json()["targets"]


@pytest.mark.parametrize("accepted", ["gzip;q=0", "br", ""])
async def test_who_does_not_take_it_gets_it_plain(api: Api, accepted: str) -> None:
    """An answer is not packed for a client that did not ask for that."""
    answer = await api.viewer.get("/openapi.json", headers={"accept-encoding": accepted})
    assert "content-encoding" not in answer.headers
    assert answer.json()["openapi"].startswith("3.")


async def test_small_answers_and_streams_are_not_packed(api: Api) -> None:
    """What is short is sent as it is, and events come as they happen."""
    small = await api.viewer.get("/api/v1/session", headers=GZIP)
    assert "content-encoding" not in small.headers
    async with events(api.viewer, "GET", "/api/v1/events?view=overview") as stream:
        assert "content-encoding" not in stream.response.headers
        assert (await stream.next()).name == "state"
