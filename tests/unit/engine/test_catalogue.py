"""What is watched, and every change of that."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from mooring.core.event import TargetChange
from mooring.core.failure import ConflictError, InputError, MissingError
from mooring.core.reason import Reason
from mooring.core.status import Status
from mooring.core.target import Origin
from mooring.store.seal import Seal
from mooring.targets import keys_of
from mooring.testing import FakeClock
from tests.unit.engine.conftest import OpenApp, filled, probe_of

ADDRESS = "postgresql://shop:pa55w0rd@db.example:5432/orders"


def content_of(folder: Path) -> bytes:
    """Return all bytes of the database's files."""
    return b"".join(file.read_bytes() for file in folder.glob("mooring.db*"))


async def test_an_added_target_is_there_and_checked_at_once(open_app: OpenApp, clock: FakeClock) -> None:
    """Adding stores a target, gives it an id and version 1, tells of it, and checks it within a moment."""
    app = await open_app()
    async with app.bus.subscribe() as events:
        target = await app.catalogue.add(filled({"name": "a"}))
        commit = await anext(events)
    assert (target.id, target.version, target.origin) == (1, 1, Origin.API)
    assert commit.targets == {1: TargetChange.ADDED}
    await clock.advance(0.1)
    assert len(probe_of(app, "a").runs) == 1


async def test_a_taken_name_is_refused(open_app: OpenApp) -> None:
    """Names are unique: adding or renaming to one that is taken raises ConflictError and changes nothing."""
    app = await open_app({"name": "a"}, {"name": "b"}, schedule=False)
    before = dict(app.catalogue.targets)
    with pytest.raises(ConflictError, match="the name 'a' is taken"):
        await app.catalogue.add(filled({"name": "a"}))
    with pytest.raises(ConflictError, match="the name 'a' is taken"):
        await app.catalogue.edit(app.catalogue.by_name("b").id or 0, {"name": "a"})
    assert app.catalogue.targets == before


async def test_every_mistake_of_a_target_is_told(open_app: OpenApp) -> None:
    """What cannot be read is refused with all its mistakes, and nothing is stored."""
    app = await open_app(schedule=False)
    with pytest.raises(InputError) as raised:
        await app.catalogue.add({"name": "", "kind": "scripted", "interval": 0, "colour": "red"})
    assert {problem.field for problem in raised.value.problems} == {"name", "interval", "colour"}
    assert not app.catalogue.targets


async def test_an_edit_counts_the_version(open_app: OpenApp) -> None:
    """Each edit makes the next version; an edit of an older one raises ConflictError and changes nothing."""
    app = await open_app({"name": "a"}, schedule=False)
    edited = await app.catalogue.edit(1, {"interval": 60}, version=1)
    assert (edited.version, edited.schedule.interval) == (2, 60)
    with pytest.raises(ConflictError, match="it is at version 2, not 1"):
        await app.catalogue.edit(1, {"interval": 90}, version=1)
    assert app.catalogue.get(1).schedule.interval == 60
    with pytest.raises(ConflictError, match="it is at version 2, not 1"):
        await app.catalogue.remove(1, version=1)
    await app.catalogue.remove(1, version=2)
    with pytest.raises(MissingError, match="there is no target 1"):
        app.catalogue.get(1)


async def test_none_takes_a_key_out(open_app: OpenApp) -> None:
    """A key that is set to None has its default again, and what was never given follows the defaults."""
    app = await open_app(schedule=False)
    await app.catalogue.add({"name": "a", "kind": "scripted", "interval": 60, "labels": {"team": "shop"}})
    edited = await app.catalogue.edit(1, {"interval": None})
    assert edited.schedule.interval == 30
    assert edited.labels == {"team": "shop"}


async def test_a_secret_that_comes_back_masked_stays(open_app: OpenApp) -> None:
    """An edit that repeats an address as it was shown keeps the password behind it."""
    app = await open_app(schedule=False)
    target = await app.catalogue.add({"name": "orders", "url": ADDRESS})
    shown = keys_of(target)["url"]
    assert "pa55w0rd" not in shown
    edited = await app.catalogue.edit(1, {"url": shown, "interval": 60})
    assert keys_of(edited, reveal=True)["url"] == ADDRESS


async def test_secrets_are_sealed_in_the_store(open_app: OpenApp, tmp_path: Path) -> None:
    """A stored password stands nowhere in the database's files, and is there after a restart."""
    app = await open_app(schedule=False)
    await app.catalogue.add({"name": "orders", "url": ADDRESS})
    await app.__aexit__()
    content = content_of(tmp_path)
    assert b"db.example" in content
    assert b"pa55w0rd" not in content
    app = await open_app(schedule=False)
    assert keys_of(app.catalogue.by_name("orders"), reveal=True)["url"] == ADDRESS


async def test_a_target_of_the_file_is_edited_there(open_app: OpenApp) -> None:
    """Targets of the configuration file refuse edits and removal."""
    app = await open_app(files=[{"name": "a"}], watch=True)
    for change in (app.catalogue.edit(1, {"interval": 60}), app.catalogue.remove(1)):
        with pytest.raises(ConflictError, match="a comes from the configuration file; change it there"):
            await change


async def test_the_file_is_applied_at_the_start(open_app: OpenApp) -> None:
    """A start adds, changes and removes what the file's targets ask for, and leaves those of the API."""
    app = await open_app({"name": "api"}, files=[{"name": "a"}, {"name": "b"}, {"name": "c"}], watch=True)
    await app.__aexit__()
    app = await open_app(files=[{"name": "a"}, {"name": "b", "interval": 90}, {"name": "d"}], watch=True)
    targets = {target.name: target for target in app.catalogue.targets.values()}
    assert sorted(targets) == ["a", "api", "b", "d"]
    assert (targets["a"].version, targets["b"].version, targets["d"].version) == (1, 2, 1)
    assert targets["b"].schedule.interval == 90
    assert targets["api"].origin is Origin.API


async def test_a_plan_changes_nothing(open_app: OpenApp) -> None:
    """A plan says what would be added, changed, removed and kept."""
    app = await open_app({"name": "a"}, {"name": "b"}, {"name": "c"}, schedule=False)
    wanted = [
        app.reader.read(filled(keys))
        for keys in ({"name": "a"}, {"name": "b", "interval": 90}, {"name": "d"})
    ]
    plan = app.catalogue.plan(wanted, Origin.API)
    assert [[target.name for target in part] for part in (plan.add, plan.change, plan.remove, plan.keep)] == [
        ["d"],
        ["b"],
        ["c"],
        ["a"],
    ]
    assert sorted(target.name for target in app.catalogue.targets.values()) == ["a", "b", "c"]


async def test_a_file_that_clashes_with_a_stored_name_is_refused(open_app: OpenApp) -> None:
    """A target of the file may not take the name of a stored one; nothing of the file is applied then."""
    await open_app({"name": "api"}, schedule=False)
    with pytest.raises(InputError, match="the name 'api' is taken by a stored target"):
        await open_app(files=[{"name": "new"}, {"name": "api"}], watch=True)
    app = await open_app(schedule=False)
    assert [target.name for target in app.catalogue.targets.values()] == ["api"]


async def test_applying_is_all_or_nothing(open_app: OpenApp, tmp_path: Path) -> None:
    """Where one of many changes fails, none is made."""
    app = await open_app({"name": "a"}, schedule=False)
    with sqlite3.connect(tmp_path / "mooring.db") as other:
        other.execute("INSERT INTO targets SELECT 9, 'c', kind, address, settings, labels, enabled, origin,"
                      " version, updated_at FROM targets")  # fmt: skip
    other.close()
    wanted = [app.reader.read(filled({"name": name})) for name in ("b", "c")]
    with pytest.raises(ConflictError, match="the name 'c' is taken"):
        await app.catalogue.apply(wanted, Origin.API)
    assert [target.name for target in app.catalogue.targets.values()] == ["a"]


async def test_targets_of_another_key_do_not_stop_the_start(
    open_app: OpenApp, clock: FakeClock, tmp_path: Path
) -> None:
    """Targets that another key sealed are unknown and say why and what to do; the others are watched."""
    app = await open_app({"name": "a"}, {"name": "b"}, schedule=False)
    await app.__aexit__()
    (tmp_path / "mooring.key").unlink()
    seal = Seal.from_file(tmp_path / "mooring.key")
    with sqlite3.connect(tmp_path / "mooring.db") as other:
        readable = seal.seal('{"name": "b", "kind": "scripted"}')
        other.execute("UPDATE targets SET settings = ? WHERE name = 'b'", [readable])
    other.close()
    app = await open_app()
    await clock.advance(2)
    health = app.catalogue.health[app.catalogue.by_name("a").id or 0]
    assert health.status is Status.UNKNOWN
    assert health.last is not None
    failure = health.last.failure
    assert failure is not None
    assert (failure.reason, failure.code) == (Reason.CONFIG, "SETTINGS")
    assert "is not the key that sealed this database's secrets" in failure.message
    assert failure.hint == (
        "Put back the key file that they were saved with, or save this target's settings anew."
    )
    assert app.catalogue.health[app.catalogue.by_name("b").id or 0].status is Status.UP


async def test_a_target_that_cannot_be_read_can_be_saved_anew(
    open_app: OpenApp, clock: FakeClock, tmp_path: Path
) -> None:
    """An edit with whole settings repairs a target whose stored ones cannot be unsealed."""
    app = await open_app({"name": "a", "labels": {"team": "shop"}}, schedule=False)
    await app.__aexit__()
    (tmp_path / "mooring.key").unlink()
    app = await open_app()
    target = await app.catalogue.edit(1, {"kind": "scripted", "script": ["up"]})
    await clock.advance(0.5)
    assert app.catalogue.health[1].status is Status.UP
    assert target.labels == {"team": "shop"}


async def test_damaged_settings_do_not_stop_the_start(
    open_app: OpenApp, clock: FakeClock, tmp_path: Path
) -> None:
    """A row whose sealed text is no settings at all is a target that says so."""
    app = await open_app({"name": "a"}, schedule=False)
    await app.__aexit__()
    seal = Seal.from_file(tmp_path / "mooring.key")
    with sqlite3.connect(tmp_path / "mooring.db") as other:
        other.execute("UPDATE targets SET settings = ?", [seal.seal("[1, 2")])
    other.close()
    app = await open_app()
    await clock.advance(1)
    last = app.catalogue.health[1].last
    assert last is not None
    assert last.failure is not None
    assert "the stored settings are damaged" in last.failure.message


async def test_what_another_process_changes_is_noticed(open_app: OpenApp, clock: FakeClock) -> None:
    """Targets added, edited, paused and removed beside the server are in effect within a second, and told."""
    app = await open_app({"name": "a"}, {"name": "b"}, {"name": "c"}, watch=True)
    await clock.advance(5)
    other = await open_app(schedule=False)
    async with app.bus.subscribe() as events:
        await other.catalogue.add(filled({"name": "d", "script": ["refused"]}))
        await other.catalogue.edit(1, {"enabled": False})
        await other.catalogue.edit(2, {"script": ["auth"]})
        await other.catalogue.remove(3)
        await clock.advance(1.5)
        told = {}
        commit = await anext(events)
        while not commit.targets:
            commit = await anext(events)
        told.update(commit.targets)
    assert told == {
        4: TargetChange.ADDED,
        1: TargetChange.CHANGED,
        2: TargetChange.CHANGED,
        3: TargetChange.REMOVED,
    }
    assert [(each.target_id, each.new, each.note) for each in commit.transitions] == [
        (1, Status.UNKNOWN, "paused")
    ]
    await clock.advance(5)
    assert {i: health.status for i, health in app.catalogue.health.items()} == {
        1: Status.UNKNOWN,
        2: Status.DOWN,
        4: Status.DOWN,
    }


async def test_own_changes_are_not_taken_for_foreign_ones(open_app: OpenApp, clock: FakeClock) -> None:
    """The poll for other processes' changes finds nothing after a change of our own."""
    app = await open_app(watch=True)
    await app.catalogue.add(filled({"name": "a"}))
    await clock.advance(0.5)
    probe = probe_of(app, "a")
    await clock.advance(3)
    assert probe_of(app, "a") is probe
    assert await app.catalogue.refresh() == {}
