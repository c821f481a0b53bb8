"""An App in other people's programs: callbacks, own parts, stopping and starting."""

from __future__ import annotations

import logging
import os
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from mooring.app import App
from mooring.core.failure import InputError
from mooring.core.result import Trigger
from mooring.core.status import Status
from mooring.core.target import Origin, Target
from mooring.engine.housekeeping import Housekeeping
from mooring.settings import Settings, StoreSettings
from mooring.store import history
from mooring.store import results as result_rows
from mooring.store import transitions as transition_rows
from mooring.store.limits import Limits
from mooring.store.rollups import HOUR
from mooring.store.schema import SLOT, rollups
from mooring.testing import FakeClock
from tests.unit.engine.conftest import OpenApp, probe_of


def content_of(folder: Path) -> list[str]:
    """Return the names of what lies in a folder."""
    return [path.name for path in folder.iterdir()]


async def notes(app: App, target_id: int) -> list[tuple[str, str | None, float]]:
    """Return a target's stored changes, the oldest first: new status, note, seconds since the first."""
    found = await app.store.read(lambda conn: transition_rows.of_target(conn, target_id))
    found = found[::-1]
    first = found[0].transition.at
    return [
        (each.transition.new.value, each.transition.note, (each.transition.at - first).total_seconds())
        for each in found
    ]


async def test_callbacks_are_told_of_changes_that_are_stored(open_app: OpenApp, clock: FakeClock) -> None:
    """A plain and an async callback get the target, its old and its new status, after the commit."""
    app = await open_app({"name": "a", "script": ["up", "auth"]})
    plain: list[tuple[str, Status, Status, Status]] = []
    awaited: list[Status] = []

    def callback(target: Target, old: Status, new: Status) -> None:
        plain.append((target.name, old, new, app.catalogue.health[target.id or 0].status))

    async def async_callback(_target: Target, _old: Status, new: Status) -> None:
        awaited.append(new)

    app.on("transition", callback)
    app.on("transition", async_callback)
    await clock.advance(32)
    assert plain == [
        ("a", Status.UNKNOWN, Status.UP, Status.UP),
        ("a", Status.UP, Status.DOWN, Status.DOWN),
    ]
    assert awaited == [Status.UP, Status.DOWN]


async def test_a_callback_that_fails_disturbs_nobody(
    open_app: OpenApp, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """What callbacks raise is logged; other callbacks, checks and rows go on."""
    app = await open_app({"name": "a", "script": ["up", "auth"]})
    told: list[Status] = []

    def broken(*_: object) -> None:
        raise RuntimeError("a plain fault")

    async def broken_later(*_: object) -> None:
        raise RuntimeError("a later fault")

    app.on("transition", broken)
    app.on("transition", broken_later)
    app.on("transition", lambda _target, _old, new: told.append(new))
    with caplog.at_level(logging.ERROR):
        await clock.advance(32)
    assert told == [Status.UP, Status.DOWN]
    assert "a plain fault" in caplog.text
    assert "a later fault" in caplog.text


async def test_an_unknown_event_is_refused(open_app: OpenApp) -> None:
    """`on` names the events there are."""
    app = await open_app(schedule=False)
    with pytest.raises(ValueError, match="there is no event 'change'; there is \"transition\""):
        app.on("change", lambda *_: None)


async def test_a_clean_stop_is_told_as_unknown(open_app: OpenApp, clock: FakeClock) -> None:
    """From the stop to the first check after the start health is unknown, and uptime leaves that out."""
    app = await open_app({"name": "a"}, watch=True)
    await clock.advance(100)
    await app.__aexit__()
    clock.turn(1000)
    app = await open_app(watch=True)
    await clock.advance(100)
    assert await notes(app, 1) == [
        ("up", None, 0),
        ("unknown", "Mooring was stopped", pytest.approx(100, abs=2)),
        ("up", None, pytest.approx(1100, abs=2)),
    ]
    now = clock.now()
    uptime = await app.store.read(lambda conn: history.uptime(conn, now - timedelta(seconds=1200), now))
    assert uptime == {1: 1.0}


async def test_a_kill_is_told_as_unknown_from_the_last_sign_of_life(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """After an end without goodbye the next start records when Mooring was last seen to watch."""
    app = await open_app({"name": "a", "interval": 3600, "script": ["permission"]}, watch=True)
    await clock.advance(100)
    app.scheduler.stop()  # what is left of a killed process: nothing of it runs any more
    app._stack.pop_all()
    app.store._stack.close()  # as the kernel takes back the lock of a killed process
    app.recorder._closing = True
    app.recorder._kick.set()
    clock.turn(1000)
    app = await open_app(watch=True)
    await clock.advance(1)
    assert (await notes(app, 1))[:2] == [
        ("down", None, 0),
        ("unknown", "Mooring was not running", pytest.approx(100, abs=10)),
    ]


async def test_a_suspended_machine_is_told_as_unknown(open_app: OpenApp, clock: FakeClock) -> None:
    """An hour in which nothing ran is recorded as unknown from the last sign of life on."""
    app = await open_app({"name": "a"}, watch=True)
    await clock.advance(100)
    await clock.freeze(3600)
    await clock.advance(60)
    assert await notes(app, 1) == [
        ("up", None, 0),
        ("unknown", "Mooring was suspended", pytest.approx(100, abs=11)),
        ("up", None, pytest.approx(3700, abs=31)),
    ]


async def test_mooring_watches_its_own_parts(open_app: OpenApp, clock: FakeClock, tmp_path: Path) -> None:
    """Its database, process and page are targets of the file's origin, whose names give way to a user's."""
    app = await open_app({"name": "Mooring database"}, watch=True)
    await app.add_own_parts("http://127.0.0.1:1/mooring/")
    own = {target.name: target for target in app.catalogue.targets.values() if target.labels}
    assert sorted(own) == ["Mooring database 2", "Mooring page", "Mooring process"]
    assert {target.origin for target in own.values()} == {Origin.FILE}
    assert {target.labels["mooring"] for target in own.values()} == {"self"}
    assert own["Mooring page"].probe.address == "http://127.0.0.1:1/mooring/livez"
    for name in ("Mooring database 2", "Mooring process"):
        assert (await app.monitor.check(own[name], Trigger.MANUAL)).status is Status.UP
    assert (tmp_path / "mooring.pid").read_text() == f"{os.getpid()}\n"
    await app.__aexit__()
    assert not (tmp_path / "mooring.pid").exists()


async def test_own_parts_keep_their_history(open_app: OpenApp) -> None:
    """A restart keeps the own parts with their ids, and never shows them twice."""
    app = await open_app(files=[{"name": "a"}], watch=True)
    await app.add_own_parts("http://127.0.0.1:1")
    before = {target.name: target.id for target in app.catalogue.targets.values()}
    await app.__aexit__()
    app = await open_app(files=[{"name": "a"}], watch=True)
    await app.add_own_parts("http://127.0.0.1:2")
    assert {target.name: target.id for target in app.catalogue.targets.values()} == before


async def test_own_parts_are_checked_once_they_are_there(open_app: OpenApp, clock: FakeClock) -> None:
    """After a restart the page is not asked before somebody listens: it would be down at each start."""
    app = await open_app(watch=True)
    await app.add_own_parts()
    await app.__aexit__()
    app = await open_app({"name": "a"}, watch=True)
    own = app.catalogue.by_name("Mooring database").id or 0
    assert (own in app.scheduler._slots, len(app.scheduler._slots)) == (False, 1)
    await app.catalogue.edit(app.catalogue.by_name("a").id or 0, {"interval": 60})
    await app.add_own_parts()
    assert own in app.scheduler._slots


async def test_an_app_that_only_looks_changes_nothing(open_app: OpenApp, clock: FakeClock) -> None:
    """With `watch=False` no check is made, no time is told as unknown, no file is applied."""
    app = await open_app({"name": "a"}, watch=True)
    await clock.advance(100)
    before = await notes(app, 1)
    looking = await open_app(files=[{"name": "new"}], schedule=False)
    await clock.advance(0.5)
    assert len(probe_of(looking, "a").runs) == 0
    assert not looking.monitoring.active
    await looking.__aexit__()
    assert await notes(app, 1) == before
    assert [target.name for target in app.catalogue.targets.values()] == ["a"]


async def test_history_is_rolled_up_and_pruned(open_app: OpenApp, clock: FakeClock) -> None:
    """Hours later the raw results of the first minutes are gone, and their ten minutes are told as one."""
    app = await open_app({"name": "a", "interval": 300})
    await clock.advance(7 * 3600 + 1)
    first = probe_of(app, "a").runs[0]
    await Housekeeping(app.store, app.catalogue, app.recorder, clock, Limits())._tidy()
    rows = await app.store.read(lambda conn: result_rows.recent(conn, 1, limit=1000))
    assert 6 * 12 <= len(rows) <= 7 * 12 - 6
    assert rows[-1].started_at > first
    window = await app.store.read(lambda conn: history.window(conn, 1, "24h", clock.now()))
    assert sum(bucket.count for bucket in window.buckets) == len(probe_of(app, "a").runs)


async def test_damaged_history_is_left_out_and_counted(
    open_app: OpenApp, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged row is told in the log, counted for the metrics, and keeps nothing else from being made."""
    app = await open_app({"name": "a", "interval": 300})
    app._housekeeping = Housekeeping(app.store, app.catalogue, app.recorder, clock, Limits())
    await clock.advance(3000)
    await app._housekeeping._tidy()
    spoil = update(rollups).where(rollups.c.seconds == SLOT).values(histogram=b"\x1e")
    spoilt = await app.store.write(lambda conn: conn.execute(spoil).rowcount)
    await clock.advance(3600)
    await app._housekeeping._tidy()
    assert (spoilt, app.monitoring.damaged) == (4, 4)
    assert caplog.text.count("is left out: the histogram is cut short") == 4
    hours = select(rollups.c.checks).where(rollups.c.seconds == HOUR)
    assert await app.store.read(lambda conn: conn.scalars(hours).all()) == [4]


async def test_an_app_from_a_file_watches_what_stands_there(tmp_path: Path) -> None:
    """`from_config` reads targets and store from a file."""
    config = tmp_path / "mooring.toml"
    config.write_text(
        '[store]\nurl = "sqlite:///own.db"\n[[targets]]\nname = "a"\nurl = "tcp://127.0.0.1:1"\n'
    )
    async with App.from_config(config, {}) as app:
        result = await app.monitor.check(app.catalogue.by_name("a"), Trigger.MANUAL)
        assert result.failure is not None
        assert result.failure.reason.value == "refused"
        assert app.monitoring.active
    assert (tmp_path / "own.db").exists()
    assert (tmp_path / "mooring.key").stat().st_mode & 0o777 == 0o600


async def test_an_app_in_memory_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store in memory needs no key file."""
    monkeypatch.chdir(tmp_path)
    async with App(Settings(store=StoreSettings(url=SecretStr("sqlite://")))) as app:
        await app.catalogue.add({"name": "a", "url": "tcp://127.0.0.1:1"})
    assert not content_of(tmp_path)


async def test_suspended_time_is_unknown_to_its_end(open_app: OpenApp, clock: FakeClock) -> None:
    """Where only the wall clock goes on, as on Linux, the first check afterwards ends the unknown time."""
    app = await open_app({"name": "a", "interval": 2}, watch=True)
    await clock.advance(21)
    clock.turn(8 * 3600)
    await clock.advance(30)
    assert await notes(app, 1) == [
        ("up", None, 0.0),
        ("unknown", "Mooring was suspended", pytest.approx(20, abs=2)),
        ("up", None, pytest.approx(8 * 3600 + 22, abs=2)),
    ]


async def test_a_second_one_does_not_watch_the_same_database(open_app: OpenApp, clock: FakeClock) -> None:
    """While one App watches an SQLite store another one is refused and changes nothing; then it may."""
    app = await open_app({"name": "a"}, watch=True)
    await clock.advance(1)
    with pytest.raises(InputError, match="is watched by another Mooring already"):
        await open_app(watch=True)
    await open_app(schedule=False)
    assert await notes(app, 1) == [("up", None, 0.0)]
    await app.__aexit__()
    await open_app(watch=True)
