"""The overview's own events: how everything stands, rows as they change, and what a slow reader is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from mooring.api import live
from mooring.api.overview import standing_json
from mooring.api.past import FRESH
from mooring.app import App
from mooring.core.event import Commit
from mooring.core.result import Trigger
from mooring.testing import FakeClock
from tests.http_api import Api, running, until
from tests.sse import Stream, events

pytestmark = pytest.mark.integration
VIEW: Any = {"params": {"view": "overview"}}


async def check(api: Api, target_id: int) -> None:
    """Have a target tested now."""
    assert (await api.operator.post(f"/api/v1/targets/{target_id}/check")).status_code == 200


async def opened(stream: Stream) -> int:
    """Return the revision of the event that comes at once."""
    state = await stream.next()
    assert state.name == "state"
    return int(state.data["revision"])


async def test_first_comes_how_all_stands_without_any_target(api: Api) -> None:
    """`state` comes at once: one status, the counts, Mooring's own state, the server's time; no rows."""
    target = await api.add(name="web", script=["refused"])
    await check(api, target["id"])
    async with events(api.viewer, **VIEW) as stream:
        state = await stream.next()
    overview = (await api.viewer.get("/api/v1/overview")).json()
    assert state.name == "state"
    assert state.data.pop("now") >= overview["targets"][0]["since"]
    assert state.data == {key: overview[key] for key in ("revision", "status", "summary", "monitoring")}
    assert (state.data["status"], state.data["summary"]["down"]) == ("down", 1)


async def test_state_comes_every_five_seconds_and_is_as_of_then(tmp_path: Path) -> None:
    """A viewer hears `state` each 5 s although nothing happens, with the time and the counts of then."""
    clock = FakeClock()
    async with running(tmp_path, clock=clock) as api, events(api.viewer, **VIEW) as stream:
        assert (await stream.next("state")).data["summary"]["unknown"] == 0
        await api.add(name="web")
        await clock.advance(live.BEAT)
        beat = (await stream.next("state")).data
        assert (beat["now"], beat["summary"]["unknown"]) == ("2026-01-01T00:00:05.000000+00:00", 1)
        await clock.advance(live.BEAT)
        assert (await stream.next("state")).data["now"] == "2026-01-01T00:00:10.000000+00:00"


async def test_each_commit_tells_the_rows_that_it_changed(api: Api) -> None:
    """`rows` holds what the overview would say of the targets concerned, and the changes of health."""
    other = await api.add(name="other")
    async with events(api.viewer, **VIEW) as stream:
        revision = await opened(stream)
        target = await api.add(name="web", script=["refused"])
        added = await stream.next()
        assert [row["name"] for row in added.data["rows"]] == ["web"]
        await check(api, target["id"])
        checked = await stream.next()
        overview = (await api.viewer.get("/api/v1/overview")).json()
        assert checked.data["rows"] == [row for row in overview["targets"] if row["id"] != other["id"]]
        assert [(t["target_id"], t["old"], t["new"]) for t in checked.data["transitions"]] == [
            (target["id"], "unknown", "down")
        ]
        await api.operator.patch(f"/api/v1/targets/{target['id']}", json={"enabled": False})
        paused = await stream.next()
        assert [row["enabled"] for row in paused.data["rows"]] == [False]
        assert [t["note"] for t in paused.data["transitions"]] == ["paused"]
        await api.operator.delete(f"/api/v1/targets/{target['id']}")
        removed = await stream.next()
        assert (removed.data["removed"], removed.data["rows"]) == ([target["id"]], [])
    told = [added, checked, paused, removed]
    assert [event.name for event in told] == ["rows"] * 4
    assert [event.data["revision"] for event in told] == sorted(
        {revision, *(event.data["revision"] for event in told)}
    )[1:]


async def test_a_steady_result_is_told_too(api: Api) -> None:
    """A check that found the same as before moves `checked_at` of its row: "12 s ago" stays true."""
    target = await api.add(name="web")
    await check(api, target["id"])
    async with events(api.viewer, **VIEW) as stream:
        await opened(stream)
        before = (await api.viewer.get("/api/v1/overview")).json()["targets"][0]["checked_at"]
        await check(api, target["id"])
        rows = await stream.next("rows")
    assert rows.data["rows"][0]["checked_at"] > before
    assert rows.data["transitions"] == []


async def test_a_row_carries_its_past(api: Api) -> None:
    """Uptime and latencies stand in a row of the stream as in the overview."""
    target = await api.add(name="web")
    await check(api, target["id"])
    api.context.past._read_at = float("-inf")  # as 10 s later
    async with events(api.viewer, **VIEW) as stream:
        await opened(stream)
        (row,) = (await api.viewer.get("/api/v1/overview")).json()["targets"]
        await until(lambda: api.context.past.told.of(target["id"]) != b'"uptime_24h":null,"latency":[]', "it")
        await check(api, target["id"])
        told = (await stream.next("rows")).data["rows"][0]
    assert told.keys() == row.keys()
    assert told["uptime_24h"] == 1.0


async def test_an_uptime_that_moves_on_is_told(tmp_path: Path) -> None:
    """The uptime of one that is down goes on falling although nobody checks it: the page hears of that."""
    clock = FakeClock()
    async with running(tmp_path, clock=clock) as api:
        target = await api.add(name="web", script=["up", "refused"])
        await check(api, target["id"])
        await clock.advance(60)
        await check(api, target["id"])
        async with events(api.viewer, **VIEW) as stream:
            await opened(stream)
            told, known = [1.0], 0.0
            while told[-1] > 0.5 or told[-1] - known > 0.1:
                await clock.advance(FRESH)
                await api.context.past.close()
                await clock.advance(live.BEAT)
                told.append((await stream.next("rows")).data["rows"][0]["uptime_24h"])
                history = await api.viewer.get(f"/api/v1/targets/{target['id']}/history")
                known = history.json()["uptime"]
        assert told == sorted(told, reverse=True)


async def test_a_foreign_change_is_not_below_an_overview_read_before(api: Api) -> None:
    """What another process changed, noticed late, is told with a revision that no reader leaves out."""
    target = await api.add(name="web")
    async with App(api.app.settings, kinds=api.app.kinds, watch=False) as beside:
        await beside.catalogue.add({"name": "beside", "kind": "scripted"})
    await check(api, target["id"])  # a newer revision than that
    async with events(api.viewer, **VIEW) as stream:
        await opened(stream)
        overview = (await api.viewer.get("/api/v1/overview")).json()
        await api.app.catalogue.refresh()
        rows = await stream.next("rows")
    assert [row["name"] for row in rows.data["rows"]] == ["beside"]
    assert rows.data["revision"] >= overview["revision"]


async def test_a_reader_that_is_too_slow_is_told_so_and_goes_on(api: Api) -> None:
    """Instead of what it missed comes `lagged`, then `state`; from then on it hears everything again."""
    target = await api.add(name="web")
    source = api.context.live.view()
    assert (await anext(source)).name == "state"
    api.context.live.events.most_waiting = 2
    for _ in range(4):
        await api.app.monitor.check(api.app.catalogue.get(target["id"]), Trigger.API)
    lagged, state = await anext(source), await anext(source)
    assert (lagged.name, lagged.data) == ("lagged", {"revision": api.app.bus.revision})
    assert state.name == "state"
    await check(api, target["id"])
    assert (await anext(source)).name == "rows"
    await source.aclose()


async def test_a_server_that_cannot_follow_has_all_viewers_read_anew(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """Where making an event fails, viewers are told `lagged`, the log says why, and the next is told."""
    target = await api.add(name="web")
    async with events(api.viewer, **VIEW) as stream:
        await opened(stream)
        with patch.object(live, "rows_json", side_effect=RuntimeError("broken")):
            api.app.bus.publish(Commit(7))
            assert (await stream.next()).name == "lagged"
        assert "viewers could not be told of a commit" in caplog.text
        await opened(stream)
        await check(api, target["id"])
        assert (await stream.next()).name == "rows"


async def test_an_event_is_made_once_for_all_viewers(api: Api) -> None:
    """However many look, a commit's rows and a beat's state are put together once."""
    target = await api.add(name="web")
    sources = [api.context.live.view() for _ in range(20)]
    with patch.object(live, "standing_json", wraps=standing_json) as standing:
        assert {(await anext(source)).name for source in sources} == {"state"}
        assert standing.call_count == 1
    await check(api, target["id"])
    async with asyncio.timeout(20):
        told = [await anext(source) for source in sources]
    assert all(event is told[0] for event in told)
    for source in sources:
        await source.aclose()
    assert not api.context.live.events.readers


async def test_nothing_is_made_for_nobody(api: Api) -> None:
    """Without a viewer commits cost no JSON."""
    target = await api.add(name="web")
    with patch.object(live, "rows_json") as made:
        await check(api, target["id"])
    assert not made.called


async def test_another_view_is_refused(api: Api) -> None:
    """A view that there is not answers 422 naming the field and what would be right."""
    answer = await api.viewer.get("/api/v1/events", params={"view": "birds"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "view", "message": "has to be 'changes' or 'overview'"}]
