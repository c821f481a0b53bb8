"""The overview: one status, every target, a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import event

from mooring.api.past import FRESH
from mooring.core import shown
from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.probes import Probe, Trail
from mooring.probes._registry import Kinds
from mooring.testing import FakeClock
from tests.http_api import Api, running

pytestmark = pytest.mark.integration


@contextmanager
def statements(api: Api) -> Iterator[list[str]]:
    """Collect the SQL statements that are run."""
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engines = {id(lane): lane._engine for lane in (api.app.store._readers, api.app.store._writer)}.values()
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


async def test_the_worst_target_is_the_status_of_all(api: Api) -> None:
    """One overall status, counts of each, and every target with the stage and the reason that fail."""
    assert (await api.viewer.get("/api/v1/overview")).json()["status"] == "unknown"
    await api.add(name="fine")
    await api.add(name="slow", script=["degraded"])
    await api.add(name="broken", script=["auth"], labels={"team": "shop"})
    await api.add(name="asleep", script=["refused"], enabled=False)
    await api.operator.post("/api/v1/targets/check-all")
    shown = (await api.viewer.get("/api/v1/overview")).json()
    assert shown["status"] == "down"
    assert shown["summary"] == {"up": 1, "degraded": 1, "down": 1, "unknown": 0, "paused": 1}
    rows = {row["name"]: row for row in shown["targets"]}
    assert (rows["broken"]["failure"]["reason"], rows["broken"]["failure"]["stage"]) == ("auth", "function")
    assert rows["slow"]["warnings"] == ["as the script says"]
    assert rows["asleep"]["checked_at"] is None
    assert shown["revision"] == api.app.bus.revision


@pytest.mark.parametrize("targets", [1, 60])
async def test_statements_do_not_grow_with_targets(tmp_path: Path, targets: int) -> None:
    """However many targets there are, the overview takes at most 5 SQL statements; a fresh one takes one."""
    clock = FakeClock()
    async with running(tmp_path, clock=clock) as api:
        for number in range(targets):
            await api.add(name=f"t{number}")
        await api.operator.post("/api/v1/targets/check-all")
        await api.viewer.get("/api/v1/overview")
        await api.context.keyring.close()
        await clock.advance(FRESH)
        with statements(api) as first:
            assert len((await api.viewer.get("/api/v1/overview")).json()["targets"]) == targets
            await api.context.past.close()
        with statements(api) as again:
            await api.viewer.get("/api/v1/overview")
        looked = [each for each in first if each.lstrip().upper().startswith(("SELECT", "WITH"))]
        assert 1 <= len(looked) <= 5, first
        assert len([each for each in again if "SELECT" in each]) <= 1, again


async def test_uptime_is_told_of_the_known_time(tmp_path: Path) -> None:
    """A target that was down for a quarter of the known time has an uptime of three quarters."""
    clock = FakeClock()
    async with running(tmp_path, clock=clock) as api:
        target = await api.add(name="web", script=["up", "refused", "up"])
        path = f"/api/v1/targets/{target['id']}/check"
        for seconds in (1800, 900, 900):
            await api.operator.post(path)
            await clock.advance(seconds)
        (row,) = (await api.viewer.get("/api/v1/overview")).json()["targets"]
        assert row["uptime_24h"] == 0.75
        history = (await api.viewer.get(f"/api/v1/targets/{target['id']}/history")).json()
        assert (history["window"], history["uptime"]) == ("24h", 0.75)
        assert sum(bucket["count"] for bucket in history["buckets"]) == 3
        assert sum(bucket["failures"] for bucket in history["buckets"]) == 1
        changes = (await api.viewer.get(f"/api/v1/targets/{target['id']}/transitions")).json()["items"]
        assert [change["new"] for change in changes] == ["up", "down", "up"]


async def test_history_is_paged_newest_first(api: Api) -> None:
    """Results and changes follow `next` backwards without gaps, and can be filtered."""
    target = await api.add(name="web", script=["up", "refused"] * 4)
    for _ in range(8):
        await api.operator.post(f"/api/v1/targets/{target['id']}/check")
    for path, expected in (
        (f"/api/v1/targets/{target['id']}/results", 8),
        (f"/api/v1/targets/{target['id']}/results?reason=refused", 4),
        (f"/api/v1/targets/{target['id']}/results?status=up", 4),
        (f"/api/v1/targets/{target['id']}/transitions", 8),
        ("/api/v1/transitions", 8),
    ):
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            more = {"limit": "3", **({"cursor": cursor} if cursor else {})}
            query = dict(part.split("=") for part in path.partition("?")[2].split("&") if part) | more
            page = (await api.viewer.get(path.partition("?")[0], params=query)).json()
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
        times = [item.get("started_at") or item["at"] for item in items]
        assert len(items) == expected, path
        assert times == sorted(set(times), reverse=True)


async def test_the_overview_goes_on_while_the_store_fails(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a store that cannot be read, somebody seen before still sees how everything stands."""
    await api.add(name="web")
    await api.viewer.get("/api/v1/overview")

    async def broken(*_: Any, **__: Any) -> None:
        from mooring.core.failure import StoreError

        raise StoreError("the database is locked")

    monkeypatch.setattr(api.app.store, "read", broken)
    answer = await api.viewer.get("/api/v1/overview")
    assert answer.status_code == 200
    assert [row["name"] for row in answer.json()["targets"]] == ["web"]
    history = await api.viewer.get("/api/v1/transitions")
    assert (history.status_code, history.headers["retry-after"]) == (503, "5")
    assert history.json()["detail"] == "The store cannot be used now: the database is locked"
    ready = await api.nobody.get("/readyz")
    assert ready.status_code == 503


class _Babbling(Probe):
    """Babbling: fails with half a character, or warns with it."""

    kind: Literal["babbling"] = "babbling"
    fails: bool = True

    async def check(self, trail: Trail) -> Observation:
        async with trail.stage("auth"):
            if self.fails:
                raise CheckError(Reason.AUTH, "535 refus\udce9", code="\ud800", hint=Prose("{a}", a="\ud800"))
        return Observation({"\ud800": {"\ud800": "\ud800"}}, {"\ud800": float("nan")}, ("\ud800",))


async def _read_all(api: Api) -> list[int]:
    paths = ["overview", "targets/1", "targets/2", "targets/1/results", "targets/2/results", "transitions"]
    return [(await api.viewer.get(f"/api/v1/{path}")).status_code for path in paths]


async def test_half_a_character_stops_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server says in no encoding is shown without it; so is what older versions stored of that."""
    for older in (False, True):
        if older:
            monkeypatch.setattr(shown, "clean", lambda text: text)
        (folder := tmp_path / str(older)).mkdir()
        kinds = Kinds()
        kinds.add(_Babbling)
        async with running(folder, kinds=kinds) as api:
            for fails in (True, False):
                await api.add(name=f"babbling {fails}", kind="babbling", fails=fails)
            await api.operator.post("/api/v1/targets/check-all")
            if not older:
                assert await _read_all(api) == [200] * 6
        async with running(folder, kinds=kinds) as api:
            assert await _read_all(api) == [200] * 6
