"""Write, then tell; and go on where nothing can be written."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mooring.app import App
from mooring.core.event import Commit
from mooring.core.failure import StoreError
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.core.status import Status
from mooring.store import health as health_rows
from mooring.store import results as result_rows
from mooring.store import revisions
from mooring.store import transitions as transition_rows
from mooring.testing import FakeClock
from tests.unit.engine.conftest import OpenApp, probe_of


async def stored(app: App, name: str, limit: int = 1000) -> list[CheckResult]:
    """Return a target's stored results, the oldest first."""
    target_id = app.catalogue.by_name(name).id or 0
    found = await app.store.read(lambda conn: result_rows.recent(conn, target_id, limit=limit))
    return found[::-1]


async def changes(app: App, name: str) -> list[tuple[Status, Status]]:
    """Return a target's stored changes of health, the oldest first."""
    target_id = app.catalogue.by_name(name).id or 0
    found = await app.store.read(lambda conn: transition_rows.of_target(conn, target_id))
    return [(each.transition.old, each.transition.new) for each in reversed(found)]


class Broken:
    """Takes the database file away, so that every write fails at once, and puts it back."""

    def __init__(self, tmp_path: Path) -> None:
        self._file, self._away = tmp_path / "mooring.db", tmp_path / "away.db"

    def __enter__(self) -> None:
        self._file.rename(self._away)

    def __exit__(self, *_: object) -> None:
        self._away.rename(self._file)


async def test_a_due_check_becomes_rows_and_then_an_event(open_app: OpenApp, clock: FakeClock) -> None:
    """From due to told: result, health and change are stored under the revision that the event carries."""
    app = await open_app({"name": "a", "script": ["refused"]})
    target_id = app.catalogue.by_name("a").id or 0
    async with app.bus.subscribe() as events:
        await clock.advance(1)
        commit = await anext(events)
    assert commit.revision == await app.store.read(revisions.current)
    (result,) = commit.results
    (transition,) = commit.transitions
    assert (transition.target_id, transition.old, transition.new) == (target_id, Status.UNKNOWN, Status.DOWN)
    assert commit.health == {target_id: app.catalogue.health[target_id]}
    (row,) = await stored(app, "a")
    assert (row.started_at, row.status, row.failure) == (result.started_at, Status.DOWN, result.failure)
    assert await changes(app, "a") == [(Status.UNKNOWN, Status.DOWN)]
    health = (await app.store.read(health_rows.load))[target_id]
    assert health == app.catalogue.health[target_id]


async def test_nothing_is_told_before_it_is_written(open_app: OpenApp, clock: FakeClock) -> None:
    """While a batch gathers, neither the told health nor an event knows of it."""
    app = await open_app({"name": "a"})
    target_id = app.catalogue.by_name("a").id or 0
    before = app.bus.revision
    await clock.advance(0.1)
    assert len(probe_of(app, "a").runs) == 1
    assert app.catalogue.health[target_id].last is None
    assert app.bus.revision == before
    await clock.advance(0.1)
    assert app.catalogue.health[target_id].last is not None
    assert app.bus.revision > before


async def test_results_are_written_together(open_app: OpenApp, clock: FakeClock) -> None:
    """A thousand checks in 30 s make at most five transactions a second."""
    app = await open_app(*({"name": f"t{number}"} for number in range(1000)))
    commits: list[Commit] = []
    async with app.bus.subscribe() as events:
        await clock.advance(31)
        app.bus.close()
        commits = [commit async for commit in events]
    assert sum(len(commit.results) for commit in commits) >= 1000
    assert len(commits) <= 5 * 31


async def test_five_hundred_results_are_written_at_once(open_app: OpenApp, clock: FakeClock) -> None:
    """A full batch does not wait for its time."""
    app = await open_app({"name": "a"}, schedule=False)
    target = app.catalogue.by_name("a")
    result = await app.monitor.check(replace(target, id=None), Trigger.API)
    for number in range(500):
        at = result.started_at + timedelta(milliseconds=number)
        app.recorder.take(target, result._replace(target=target.ref, started_at=at))
    await clock.settle()
    assert app.recorder.waiting == 0
    assert len(await stored(app, "a")) == 500


async def test_what_comes_during_a_write_is_gathered_too(open_app: OpenApp, clock: FakeClock) -> None:
    """A result taken while a batch is being written waits its time for others, and is then written."""
    app = await open_app({"name": "a"}, schedule=False)
    target = app.catalogue.by_name("a")
    result = await app.monitor.check(replace(target, id=None), Trigger.API)
    app.recorder.take(target, result._replace(target=target.ref))
    written = app.recorder.written()
    while app.recorder.waiting:  # noqa: ASYNC110 -- nothing tells when the writer took the batch over
        await asyncio.sleep(0)
    later = result.started_at + timedelta(seconds=1)
    app.recorder.take(target, result._replace(target=target.ref, started_at=later))
    await written
    await clock.settle()
    assert app.recorder.waiting == 1
    await clock.advance(0.2)
    assert app.recorder.waiting == 0
    assert len(await stored(app, "a")) == 2


async def test_a_person_does_not_wait_for_a_batch(open_app: OpenApp, clock: FakeClock) -> None:
    """A manual result is written and told without time passing."""
    app = await open_app({"name": "a"}, schedule=False)
    result = await app.monitor.check(app.catalogue.by_name("a"), Trigger.MANUAL)
    assert [row.started_at for row in await stored(app, "a")] == [result.started_at]
    assert app.catalogue.health[app.catalogue.by_name("a").id or 0].last == result


async def test_checks_go_on_while_the_store_fails(
    open_app: OpenApp, clock: FakeClock, tmp_path: Path
) -> None:
    """What is measured while the database is gone is told as failing, kept in order, and written later."""
    app = await open_app({"name": "a", "interval": 10, "script": ["up"]}, {"name": "b", "interval": 10})
    await clock.advance(5)
    probe = probe_of(app, "a")
    with Broken(tmp_path):
        probe.play("up", "up", "refused")
        await clock.advance(100)
        assert "the database file" in (app.monitoring.store_error or "")
        assert app.monitoring.waiting >= 20
        assert app.catalogue.health[app.catalogue.by_name("a").id or 0].status is Status.UP
    await clock.advance(10)
    assert app.monitoring.store_error is None
    assert app.monitoring.waiting <= 2
    assert app.catalogue.health[app.catalogue.by_name("a").id or 0].status is Status.DOWN
    await app.recorder.written()
    assert [row.started_at for row in await stored(app, "a")] == probe.runs
    assert await changes(app, "a") == [(Status.UNKNOWN, Status.UP), (Status.UP, Status.DOWN)]


async def test_a_person_gets_a_result_while_the_store_fails(
    open_app: OpenApp, clock: FakeClock, tmp_path: Path
) -> None:
    """A manual check answers what it saw; that it could not be stored stands in monitoring."""
    app = await open_app({"name": "a", "script": ["refused"]}, schedule=False)
    with Broken(tmp_path):
        result = await app.monitor.check(app.catalogue.by_name("a"), Trigger.MANUAL)
        assert result.status is Status.DOWN
        assert "the database file" in (app.monitoring.store_error or "")
        again = await app.monitor.check(app.catalogue.by_name("a"), Trigger.MANUAL)
        assert again.status is Status.DOWN
    await clock.advance(10)
    assert [row.started_at for row in await stored(app, "a")] == [result.started_at]


async def test_what_waits_is_bounded_and_changes_are_never_dropped(
    open_app: OpenApp, clock: FakeClock, tmp_path: Path
) -> None:
    """A full backlog gives up the oldest passing results, counts them, and keeps failures and changes."""
    app = await open_app({"name": "a", "interval": 1, "script": ["up"]}, {"name": "b", "interval": 1})
    await clock.advance(2)
    app.recorder.most_waiting = 100
    bad = probe_of(app, "b")
    with Broken(tmp_path):
        bad.play("auth", "up")
        await clock.advance(300)
        assert app.monitoring.waiting <= 100
        assert app.monitoring.dropped >= 400
    await clock.advance(10)
    assert app.monitoring.store_error is None
    assert await changes(app, "b") == [
        (Status.UNKNOWN, Status.UP),
        (Status.UP, Status.DOWN),
        (Status.DOWN, Status.UP),
    ]
    assert [row.failure.reason.value for row in await stored(app, "b") if row.failure] == ["auth"]


async def test_nothing_changes_where_an_edit_cannot_be_stored(open_app: OpenApp, tmp_path: Path) -> None:
    """While the store fails, edits raise StoreError and memory stays as it was."""
    app = await open_app({"name": "a"}, schedule=False)
    before = dict(app.catalogue.targets)
    with Broken(tmp_path):
        with pytest.raises(StoreError, match="the database file"):
            await app.catalogue.add({"name": "b", "kind": "scripted"})
        with pytest.raises(StoreError, match="the database file"):
            await app.catalogue.edit(app.catalogue.by_name("a").id or 0, {"interval": 10})
    assert app.catalogue.targets == before
    await app.catalogue.add({"name": "b", "kind": "scripted"})


async def test_one_result_that_cannot_be_written_does_not_stop_the_rest(
    open_app: OpenApp, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A result that our own fault made unwritable is dropped, counted and logged; all others are stored."""
    app = await open_app({"name": "a"}, schedule=False)
    target = app.catalogue.by_name("a")
    good = await app.monitor.check(replace(target, id=None), Trigger.API)
    for number, seconds in enumerate((0.1, float("nan"), 0.2)):
        stages = (StageResult(Stage.TCP, StageStatus.PASSED, seconds),)
        at = good.started_at + timedelta(seconds=number)
        app.recorder.take(target, good._replace(target=target.ref, stages=stages, started_at=at))
    with caplog.at_level(logging.ERROR):
        await clock.advance(1)
    assert [row.stages[0].seconds for row in await stored(app, "a")] == [0.1, 0.2]
    assert app.monitoring.dropped == 1
    assert "dropped, please report this" in caplog.text


async def test_a_clean_stop_writes_what_is_left(open_app: OpenApp, clock: FakeClock) -> None:
    """What was gathered when Mooring stops is stored before it ends."""
    app = await open_app({"name": "a"})
    await clock.advance(0.1)
    runs = probe_of(app, "a").runs
    assert app.recorder.waiting == 1
    await app.__aexit__()
    app = await open_app(schedule=False)
    assert [row.started_at for row in await stored(app, "a")] == runs


async def test_a_steady_health_is_right_after_a_restart(open_app: OpenApp, clock: FakeClock) -> None:
    """Though a steady health is rarely written, a start knows its newest result and when it is due next."""
    app = await open_app({"name": "a"})
    await clock.advance(200)
    target_id = app.catalogue.by_name("a").id or 0
    before = app.catalogue.health[target_id]
    await app.__aexit__()
    app = await open_app(schedule=False)
    after = app.catalogue.health[target_id]
    assert after.last is not None
    assert before.last is not None
    assert after.last.started_at == before.last.started_at
    assert (after.status, after.since) == (before.status, before.since)
    assert after.next_check_at == before.next_check_at


async def test_results_of_a_removed_target_are_given_up(open_app: OpenApp, clock: FakeClock) -> None:
    """A result that still waits when its target is removed is not written."""
    app = await open_app({"name": "a"}, {"name": "b"})
    target_id = app.catalogue.by_name("a").id or 0
    await clock.advance(1.15)
    removing = asyncio.create_task(app.catalogue.remove(target_id))
    await clock.settle()
    await removing
    await clock.advance(5)
    healths = await app.store.read(health_rows.load)
    assert target_id not in healths
    assert app.monitoring.store_error is None
