"""When targets are checked, over hours that pass in moments."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from mooring.app import App
from mooring.core.result import Trigger
from mooring.core.status import Status
from mooring.engine.scheduler import Scheduler
from mooring.testing import FakeClock
from tests.unit.engine.conftest import OpenApp, probe_of


def seconds(app: App, name: str) -> list[float]:
    """Return when a target was checked, in seconds since the first check."""
    runs = probe_of(app, name).runs
    return [round((run - runs[0]).total_seconds(), 3) for run in runs]


async def test_a_thousand_targets_are_first_checked_evenly_within_30_s(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """All 1,000 are checked once within 30 s of the start, as many in each second as in the others."""
    start = clock.now()
    app = await open_app(*({"name": f"t{number}", "interval": 60} for number in range(1000)))
    await clock.advance(30)
    runs = [probe_of(app, f"t{number}").runs for number in range(1000)]
    assert {len(each) for each in runs} == {1}
    buckets = Counter(int((each[0] - start).total_seconds()) for each in runs)
    assert sorted(buckets) == list(range(30))
    assert min(buckets.values()) >= 32
    assert max(buckets.values()) <= 35


async def test_a_few_targets_are_checked_within_seconds(open_app: OpenApp, clock: FakeClock) -> None:
    """Nobody waits half a minute to see the first three targets."""
    app = await open_app({"name": "a"}, {"name": "b"}, {"name": "c"})
    await clock.advance(2)
    assert [len(probe_of(app, name).runs) for name in "abc"] == [1, 1, 1]


async def test_the_interval_does_not_drift(open_app: OpenApp, clock: FakeClock) -> None:
    """However long checks take, they begin a whole interval apart."""
    app = await open_app({"name": "a", "interval": 10, "script": ["slow 3"]})
    await clock.advance(101)
    assert seconds(app, "a") == [10.0 * number for number in range(11)]


async def test_a_failure_is_confirmed_by_quick_checks(open_app: OpenApp, clock: FakeClock) -> None:
    """Two re-checks, each 4 s give or take a tenth after the one before, and the target is down."""
    app = await open_app({"name": "a", "script": ["up", "refused"]})
    await clock.advance(30)
    health = app.catalogue.health[app.catalogue.by_name("a").id or 0]
    assert health.status is Status.UP
    await clock.advance(1)
    health = app.catalogue.health[app.catalogue.by_name("a").id or 0]
    assert (health.status, health.confirming) == (Status.UP, (1, 3))
    await clock.advance(30)
    _, first, second, third, *_ = seconds(app, "a")
    assert first == 30
    assert 3.6 <= second - first <= 4.4
    assert 3.6 <= third - second <= 4.4
    health = app.catalogue.health[app.catalogue.by_name("a").id or 0]
    assert (health.status, health.confirming) == (Status.DOWN, None)


async def test_an_outage_that_answers_nothing_is_down_within_20_s(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """With checks that hang to their deadline of 5 s, down is told 20 s after the first of them began."""
    app = await open_app({"name": "a", "script": ["up", "hang"]})
    told: list[tuple[Status, float]] = []
    app.on("transition", lambda _target, _old, new: told.append((new, clock.monotonic())))
    await clock.advance(60)
    began = (probe_of(app, "a").runs[1] - probe_of(app, "a").runs[0]).total_seconds()
    (_, up_at), (status, down_at) = told
    assert status is Status.DOWN
    assert down_at - up_at - began <= 20


async def test_a_blip_of_5_s_is_nothing(open_app: OpenApp, clock: FakeClock) -> None:
    """One failure between successes is no change of health."""
    app = await open_app({"name": "a", "script": ["up", "refused", "up"]})
    told: list[Status] = []
    app.on("transition", lambda _target, _old, new: told.append(new))
    await clock.advance(120)
    assert told == [Status.UP]


async def test_a_target_is_never_checked_twice_at_once(open_app: OpenApp, clock: FakeClock) -> None:
    """Neither slow checks, nor people, nor an edit make two checks of one target run at the same time."""
    app = await open_app({"name": "a", "interval": 5, "script": ["slow 4.9"]})
    target = app.catalogue.by_name("a")
    probe = probe_of(app, "a")
    await clock.advance(7)
    people = [asyncio.create_task(app.monitor.check(target, Trigger.API)) for _ in range(3)]
    await clock.advance(1)
    edit = asyncio.create_task(app.catalogue.edit(target.id or 0, {"labels": {"team": "shop"}}))
    await clock.advance(1)
    await edit
    after = probe_of(app, "a")
    await clock.advance(60)
    await asyncio.gather(*people)
    assert (probe.most_at_once, after.most_at_once) == (1, 1)
    assert after.runs[0] >= probe.runs[-1] + timedelta(seconds=4.9)


async def test_targets_that_hang_do_not_block_the_others(open_app: OpenApp, clock: FakeClock) -> None:
    """With many more hanging targets than places, those that answer are checked in time."""
    hanging = [{"name": f"dark{number}", "interval": 5, "script": ["hang"]} for number in range(40)]
    app = await open_app({"name": "a"}, {"name": "b"}, *hanging, schedule=False)
    scheduler = Scheduler(app.monitor, app.recorder._roster, clock, limit=20)
    app.recorder.plan = scheduler.plan
    scheduler.start()
    await clock.advance(60)  # by then it is known who hangs
    before = len(probe_of(app, "a").runs), len(probe_of(app, "b").runs)
    await clock.advance(300)
    assert (len(probe_of(app, "a").runs), len(probe_of(app, "b").runs)) == (before[0] + 10, before[1] + 10)
    assert {round(later - earlier, 1) for earlier, later in pairwise(seconds(app, "a"))} == {30.0}
    scheduler.stop()


async def test_a_paused_target_is_left_alone(open_app: OpenApp, clock: FakeClock) -> None:
    """Pausing ends checks at once and makes the target unknown; resuming checks it at once."""
    app = await open_app({"name": "a"})
    await clock.advance(31)
    target_id = app.catalogue.by_name("a").id or 0
    probe = probe_of(app, "a")
    await app.catalogue.edit(target_id, {"enabled": False})
    assert app.catalogue.health[target_id].status is Status.UNKNOWN
    assert app.catalogue.health[target_id].next_check_at is None
    await clock.advance(300)
    assert len(probe.runs) == 2
    await app.catalogue.edit(target_id, {"enabled": True})
    await clock.advance(0.5)
    assert len(probe_of(app, "a").runs) == 1
    assert app.catalogue.health[target_id].status is Status.UP


async def test_a_removed_target_is_not_checked_any_more(open_app: OpenApp, clock: FakeClock) -> None:
    """Removing takes a target out of the schedule at once, also in the middle of a check."""
    app = await open_app({"name": "a", "script": ["up", "slow 3"]})
    probe, target_id = probe_of(app, "a"), app.catalogue.by_name("a").id or 0
    await clock.advance(31)
    await app.catalogue.remove(target_id)
    await clock.advance(120)
    assert len(probe.runs) == 2
    assert target_id not in app.catalogue.health


async def test_new_settings_count_at_once(open_app: OpenApp, clock: FakeClock) -> None:
    """An edit checks with the new settings at once, and one result decides: streaks begin anew."""
    app = await open_app({"name": "a", "script": ["refused"]})
    target_id = app.catalogue.by_name("a").id or 0
    await clock.advance(15)
    assert app.catalogue.health[target_id].status is Status.DOWN
    await app.catalogue.edit(target_id, {"script": ["up"], "successes_before_up": 5})
    await clock.advance(0.5)
    assert app.catalogue.health[target_id].status is Status.UP


async def test_an_interval_that_is_edited_counts_at_once(open_app: OpenApp, clock: FakeClock) -> None:
    """After an edit the target is checked at once and then in its new interval."""
    app = await open_app({"name": "a", "interval": 3600})
    await clock.advance(5)
    await app.catalogue.edit(app.catalogue.by_name("a").id or 0, {"interval": 10})
    await clock.advance(21)
    assert seconds(app, "a") == [0, 10, 20]


async def test_rejected_logins_are_tried_once_an_hour(open_app: OpenApp, clock: FakeClock) -> None:
    """Over a day three logins are tried, and then 23 more: no account is locked by us."""
    app = await open_app({"name": "a", "script": ["auth"]})
    await clock.advance(24 * 3600)
    assert len(probe_of(app, "a").runs) == 3 + 23


async def test_a_person_may_try_a_rejected_login_any_time(open_app: OpenApp, clock: FakeClock) -> None:
    """A person's test is made at once during the calm, and one that passes ends it."""
    app = await open_app({"name": "a", "script": ["auth"]})
    await clock.advance(600)
    target, probe = app.catalogue.by_name("a"), probe_of(app, "a")
    assert len(probe.runs) == 3
    await app.monitor.check(target, Trigger.MANUAL)
    await clock.advance(600)
    assert len(probe.runs) == 4
    probe.play("up")
    await app.monitor.check(target, Trigger.MANUAL)
    await clock.advance(60)
    assert len(probe.runs) == 5 + 2


async def test_new_settings_end_the_calm(open_app: OpenApp, clock: FakeClock) -> None:
    """A corrected password is tried at once; a new label changes nothing about the calm."""
    app = await open_app({"name": "a", "script": ["auth"]})
    target_id = app.catalogue.by_name("a").id or 0
    await clock.advance(600)
    await app.catalogue.edit(target_id, {"labels": {"team": "shop"}})
    await clock.advance(600)
    assert len(probe_of(app, "a").runs) == 0
    await app.catalogue.edit(target_id, {"script": ["up"]})
    await clock.advance(31)
    assert len(probe_of(app, "a").runs) == 2


async def test_the_calm_survives_a_restart(open_app: OpenApp, clock: FakeClock) -> None:
    """After a restart a login that was rejected three times waits for the rest of its hour, and is down."""
    app = await open_app({"name": "a", "script": ["auth"]})
    await clock.advance(600)
    assert len(probe_of(app, "a").runs) == 3
    since = app.catalogue.health[1].since
    await app.__aexit__()
    app = await open_app()
    assert (app.catalogue.health[1].status, app.catalogue.health[1].since) == (Status.DOWN, since)
    await clock.advance(2900)
    assert len(probe_of(app, "a").runs) == 0
    await clock.advance(200)
    assert len(probe_of(app, "a").runs) == 1


async def test_a_check_that_was_planned_sooner_is_kept_at_a_restart(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """A target of a hundred whose check is due in a moment does not wait for its place in the spread."""
    app = await open_app(*({"name": f"t{number}", "interval": 3600} for number in range(100)), {"name": "z"})
    await clock.advance(60)
    due = app.catalogue.health[app.catalogue.by_name("z").id or 0].next_check_at
    assert due is not None
    await app.__aexit__()
    clock.turn((due - clock.now()).total_seconds() - 1)
    app = await open_app()
    await clock.advance(1.1)
    assert len(probe_of(app, "z").runs) == 1


async def test_a_suspended_machine_causes_no_storm(open_app: OpenApp, clock: FakeClock) -> None:
    """After an hour in which nothing ran, checks are spread again: none is made twice, none forgotten."""
    app = await open_app(*({"name": f"t{number}"} for number in range(300)))
    await clock.advance(60)
    probes = [probe_of(app, f"t{number}") for number in range(300)]
    before = [len(probe.runs) for probe in probes]
    await clock.freeze(3600)
    woken = clock.now()
    await clock.advance(30)
    after = [probe.runs[number:] for probe, number in zip(probes, before, strict=True)]
    assert {len(each) for each in after} <= {1, 2}
    buckets = Counter(int((run - woken).total_seconds()) for each in after for run in each)
    assert max(buckets.values()) <= 25


@pytest.mark.parametrize("turned", [-86_400, 86_400])
async def test_turning_the_wall_clock_does_not_disturb_the_schedule(
    open_app: OpenApp, clock: FakeClock, turned: float
) -> None:
    """Checks keep their interval when the wall clock is a day off."""
    app = await open_app({"name": "a"})
    await clock.advance(31)
    clock.turn(turned)
    await clock.advance(60)
    assert len(probe_of(app, "a").runs) == 4


async def test_a_fault_in_a_kind_does_not_stop_the_others(open_app: OpenApp, clock: FakeClock) -> None:
    """A kind that raises what it should not makes its target unknown; everything goes on."""
    app = await open_app({"name": "bad", "script": ["bug"]}, {"name": "good"})
    await clock.advance(95)
    bad = app.catalogue.health[app.catalogue.by_name("bad").id or 0]
    assert bad.last is not None
    assert bad.last.failure is not None
    assert (bad.status, bad.last.failure.reason.value) == (Status.UNKNOWN, "internal")
    assert len(probe_of(app, "bad").runs) >= 4
    assert len(probe_of(app, "good").runs) == 4


async def test_a_fault_in_recording_does_not_stop_the_schedule(
    open_app: OpenApp, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a result cannot even be settled, its target is checked again an interval later."""
    app = await open_app({"name": "a"})

    def broken(*_: object) -> float:
        raise RuntimeError("a fault of ours")

    app.recorder.plan = broken
    await clock.advance(61)
    assert len(probe_of(app, "a").runs) == 3
    assert "could not be recorded; please report this" in caplog.text


async def test_a_person_does_not_move_the_schedule(open_app: OpenApp, clock: FakeClock) -> None:
    """A manual test between two checks leaves the next one where it was: testing all bunches nothing."""
    app = await open_app({"name": "a"})
    await clock.advance(40)
    await app.monitor.check(app.catalogue.by_name("a"), Trigger.MANUAL)
    await clock.advance(60)
    assert seconds(app, "a") == [0, 30, 40, 60, 90]
    due = app.catalogue.health[app.catalogue.by_name("a").id or 0].next_check_at
    assert due is not None
    assert (due - probe_of(app, "a").runs[0]).total_seconds() == pytest.approx(120)


async def test_monitoring_tells_the_last_tick_and_the_lag(open_app: OpenApp, clock: FakeClock) -> None:
    """The lag is what recent checks began late, and the last tick is when the scheduler last looked."""
    app = await open_app({"name": "a"})
    await clock.advance(95)
    told = app.monitoring
    assert told.active
    assert told.lag < 0.02
    assert told.last_tick is not None
    assert (clock.now() - told.last_tick).total_seconds() == pytest.approx(5)
    app.scheduler.stop()
    assert not app.monitoring.active


async def test_the_schedule_shows_life_while_nothing_is_due(open_app: OpenApp, clock: FakeClock) -> None:
    """With no target at all, or none due for an hour, it still ticks: /livez would have it restarted."""
    app = await open_app()
    for name in (None, "a"):
        if name is not None:
            await app.catalogue.add({"name": name, "kind": "scripted", "interval": 3600})
        await clock.advance(61)
        told = app.monitoring.last_tick
        assert told is not None
        assert (clock.now() - told).total_seconds() <= 10
    assert seconds(app, "a") == [0.0]
