"""The one door: sharing, recording, many at once, and who reports by itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from mooring.app import App
from mooring.core.failure import MissingError
from mooring.core.reason import Reason
from mooring.core.result import Trigger
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.core.status import Status
from mooring.core.target import Target
from mooring.engine.monitor import AT_ONE_SERVER, Monitor
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.probes._registry import Kinds
from mooring.store import results as result_rows
from mooring.targets import TargetReader
from mooring.testing import FakeClock, ScriptedProbe
from tests.unit.engine.conftest import OpenApp, probe_of


def target_of(app: App, name: str) -> Target:
    """Return a target by its name."""
    return app.catalogue.by_name(name)


async def count(app: App, name: str) -> int:
    """Return how many results of a target are stored."""
    target_id = target_of(app, name).id or 0
    return len(await app.store.read(lambda conn: result_rows.recent(conn, target_id)))


async def test_a_second_caller_shares_the_running_check(open_app: OpenApp, clock: FakeClock) -> None:
    """Two people who test at the same time get the one result of one check, stored once."""
    app = await open_app({"name": "a", "script": ["slow 2"]}, schedule=False)
    first = asyncio.create_task(app.monitor.check(target_of(app, "a"), Trigger.API))
    await clock.advance(1)
    second = asyncio.create_task(app.monitor.check(target_of(app, "a"), Trigger.CLI))
    await clock.advance(1)
    assert await first is await second
    assert len(probe_of(app, "a").runs) == 1
    assert await count(app, "a") == 1


async def test_a_late_listener_hears_every_stage(open_app: OpenApp, clock: FakeClock) -> None:
    """Who shares a check that is under way is told of the stages before and after, and which one runs."""
    app = await open_app({"name": "a", "script": ["slow 2"]}, schedule=False)
    early: list[Stage | StageResult] = []
    late: list[Stage | StageResult] = []
    first = asyncio.create_task(app.monitor.check(target_of(app, "a"), Trigger.API, on_stage=early.append))
    await clock.advance(1)
    second = asyncio.create_task(app.monitor.check(target_of(app, "a"), Trigger.API, on_stage=late.append))
    await clock.advance(0)
    assert late == [_passed(Stage.TCP, 0), Stage.FUNCTION]
    await clock.advance(1)
    await asyncio.gather(first, second)
    assert late == [_passed(Stage.TCP, 0), Stage.FUNCTION, _passed(Stage.FUNCTION, 2)]
    assert early == [Stage.TCP, *late]


def _passed(stage: Stage, seconds: float) -> StageResult:
    return StageResult(stage, StageStatus.PASSED, seconds)


async def test_a_listener_that_fails_does_not_fail_the_check(open_app: OpenApp) -> None:
    """What a viewer raises is logged; the check goes on."""

    def broken(_: Stage | StageResult) -> None:
        raise RuntimeError("a viewer's fault")

    app = await open_app({"name": "a"}, schedule=False)
    result = await app.monitor.check(target_of(app, "a"), Trigger.API, on_stage=broken)
    assert result.status is Status.UP


async def test_one_who_gives_up_does_not_cancel_the_others(open_app: OpenApp, clock: FakeClock) -> None:
    """A cancelled caller leaves the check to those who still wait."""
    app = await open_app({"name": "a", "script": ["slow 2"]}, schedule=False)
    first = asyncio.create_task(app.monitor.check(target_of(app, "a"), Trigger.API))
    second = asyncio.create_task(app.monitor.check(target_of(app, "a"), Trigger.API))
    await clock.advance(1)
    first.cancel()
    await clock.advance(2)
    assert first.cancelled()
    assert (await second).status is Status.UP


async def test_the_last_one_who_gives_up_cancels_the_check(open_app: OpenApp, clock: FakeClock) -> None:
    """A check that nobody waits for any more ends, and nothing of it is stored."""
    app = await open_app({"name": "a", "script": ["slow 2"]}, schedule=False)
    callers = [asyncio.create_task(app.monitor.check(target_of(app, "a"), Trigger.API)) for _ in range(2)]
    await clock.advance(1)
    assert set(app.monitor.checking) == {target_of(app, "a").id}
    for caller in callers:
        caller.cancel()
    await clock.settle()
    assert not app.monitor.checking
    await clock.advance(5)
    assert await count(app, "a") == 0


async def test_a_person_who_joins_a_scheduled_check_makes_it_decide(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """The result of a scheduled check that a person shares counts as a person's: down at once."""
    app = await open_app({"name": "a", "script": ["up", "hang"]})
    await clock.advance(31)
    person = asyncio.create_task(app.monitor.check(target_of(app, "a"), Trigger.MANUAL))
    await clock.advance(5)
    result = await person
    assert (result.trigger, result.failure and result.failure.reason) == (Trigger.MANUAL, Reason.TIMEOUT)
    assert app.catalogue.health[target_of(app, "a").id or 0].status is Status.DOWN
    assert len(probe_of(app, "a").runs) == 2


async def test_the_schedule_keeps_a_check_that_people_left(open_app: OpenApp, clock: FakeClock) -> None:
    """A person who joins a scheduled check and gives up does not cancel it."""
    app = await open_app({"name": "a", "script": ["slow 2"]})
    await clock.advance(1)
    person = asyncio.create_task(app.monitor.check(target_of(app, "a"), Trigger.MANUAL))
    await clock.advance(0.5)
    person.cancel()
    await clock.advance(2)
    assert await count(app, "a") == 1


async def test_a_result_that_is_new_enough_is_used_again(open_app: OpenApp, clock: FakeClock) -> None:
    """With `if_older_than` no check is made while the last result is no older."""
    app = await open_app({"name": "a"}, schedule=False)
    first = await app.monitor.check(target_of(app, "a"), Trigger.API, if_older_than=10)
    await clock.advance(10)
    assert await app.monitor.check(target_of(app, "a"), Trigger.API, if_older_than=10) is first
    await clock.advance(0.1)
    assert await app.monitor.check(target_of(app, "a"), Trigger.API, if_older_than=10) is not first
    await app.monitor.check(target_of(app, "a"), Trigger.API)
    assert len(probe_of(app, "a").runs) == 3


async def test_new_settings_make_an_old_result_worthless(open_app: OpenApp, clock: FakeClock) -> None:
    """After an edit of its settings a target is checked, however new its last result is."""
    app = await open_app({"name": "a"}, schedule=False)
    await app.monitor.check(target_of(app, "a"), Trigger.API)
    await app.catalogue.edit(target_of(app, "a").id or 0, {"script": ["refused"]})
    result = await app.monitor.check(target_of(app, "a"), Trigger.API, if_older_than=3600)
    assert result.status is Status.DOWN


async def test_what_an_edit_overtakes_is_not_recorded(open_app: OpenApp, clock: FakeClock) -> None:
    """A check that was under way when its target was edited answers its caller and is not stored."""
    app = await open_app({"name": "a", "script": ["slow 2"]}, schedule=False)
    caller = asyncio.create_task(app.monitor.check(target_of(app, "a"), Trigger.API))
    await clock.advance(1)
    await app.catalogue.edit(target_of(app, "a").id or 0, {"script": ["refused"]})
    await clock.advance(2)
    assert (await caller).status is Status.UP
    assert await count(app, "a") == 0


async def test_an_ad_hoc_target_is_only_run(open_app: OpenApp) -> None:
    """What is not stored is checked with its own stages told, and leaves no row."""
    app = await open_app(schedule=False)
    target = app.reader.read({"name": "new", "kind": "scripted"})
    stages: list[Stage | StageResult] = []
    before = app.bus.revision
    result = await app.monitor.check(target, Trigger.API, on_stage=stages.append)
    assert (result.status, result.target.id) == (Status.UP, None)
    tcp, function = _passed(Stage.TCP, 0), _passed(Stage.FUNCTION, 0)
    assert stages == [Stage.TCP, tcp, Stage.FUNCTION, function]
    assert app.bus.revision == before


async def test_a_timeout_can_be_given(open_app: OpenApp, clock: FakeClock) -> None:
    """One check may get another timeout than the target's own."""
    app = await open_app({"name": "a", "script": ["hang"], "timeout": 5}, schedule=False)
    caller = asyncio.create_task(app.monitor.check(target_of(app, "a"), Trigger.API, timeout=2))
    await clock.advance(2)
    result = await caller
    assert result.seconds == 2
    assert result.failure is not None
    assert result.failure.message == "no answer at function within 2 s"


async def test_a_removed_target_cannot_be_checked(open_app: OpenApp) -> None:
    """Checking a target that was removed meanwhile raises MissingError."""
    app = await open_app({"name": "a"}, schedule=False)
    target = target_of(app, "a")
    await app.catalogue.remove(target.id or 0)
    with pytest.raises(MissingError, match="the target a was removed"):
        await app.monitor.check(target, Trigger.API)


async def test_testing_all_does_not_disturb_the_schedule(open_app: OpenApp, clock: FakeClock) -> None:
    """While people test 300 hanging targets, scheduled checks begin in time."""
    hanging = ({"name": f"h{n}", "interval": 3600, "script": ["hang"]} for n in range(300))
    app = await open_app({"name": "a"}, *hanging)
    await clock.advance(45)
    began = len(probe_of(app, "a").runs)
    dark = [target for target in app.catalogue.targets.values() if target.name != "a"]

    testing = asyncio.gather(*(app.monitor.check(target, Trigger.API) for target in dark))
    await clock.advance(240)
    assert len(await testing) == 300
    assert len(probe_of(app, "a").runs) == began + 8
    assert app.monitoring.lag <= 1


async def test_a_report_decides_at_once(open_app: OpenApp, clock: FakeClock) -> None:
    """What a watched thing says of itself makes it up or down at once, with its message."""
    app = await open_app({"name": "job", "kind": "push", "interval": 60, "grace": 10})
    target_id = target_of(app, "job").id or 0
    await app.monitor.report(target_id, ok=True, message="42 rows", seconds=1.5)
    health = app.catalogue.health[target_id]
    assert (health.status, health.last and health.last.seconds) == (Status.UP, 1.5)
    assert health.last is not None
    assert health.last.observation.details == {"message": "42 rows"}
    result = await app.monitor.report(target_id, ok=False, message="disk full")
    assert app.catalogue.health[target_id].status is Status.DOWN
    assert result.failure is not None
    assert (result.failure.reason, result.failure.code, result.failure.message) == (
        Reason.ASSERTION,
        "REPORTED",
        "disk full",
    )


async def test_silence_is_down(open_app: OpenApp, clock: FakeClock) -> None:
    """A push target is down as soon as interval and grace have passed without a report, and not before."""
    app = await open_app({"name": "job", "kind": "push", "interval": 60, "grace": 10})
    target_id = target_of(app, "job").id or 0
    await clock.advance(50)
    await app.monitor.report(target_id, ok=True)
    await clock.advance(69)
    assert app.catalogue.health[target_id].status is Status.UP
    await clock.advance(2)
    health = app.catalogue.health[target_id]
    assert health.status is Status.DOWN
    assert health.last is not None
    assert health.last.failure is not None
    assert health.last.failure.code == "NO_REPORT"
    await app.monitor.report(target_id, ok=True)
    assert app.catalogue.health[target_id].status is Status.UP


async def test_a_start_gives_reporters_their_time(open_app: OpenApp, clock: FakeClock) -> None:
    """After a restart a push target has a whole interval and its grace: nobody heard what was reported."""
    app = await open_app({"name": "job", "kind": "push", "interval": 60, "grace": 10})
    target_id = target_of(app, "job").id or 0
    await app.monitor.report(target_id, ok=True)
    await app.__aexit__()
    clock.turn(3600)
    app = await open_app()
    await clock.advance(69)
    assert app.catalogue.health[target_id].status is Status.UP
    await clock.advance(2)
    assert app.catalogue.health[target_id].status is Status.DOWN


async def test_testing_a_reporter_shows_its_last_report(open_app: OpenApp, clock: FakeClock) -> None:
    """A person's test of a push target answers the last report while it is in time, else the silence."""
    app = await open_app({"name": "job", "kind": "push", "interval": 60, "grace": 10}, schedule=False)
    target = target_of(app, "job")
    report = await app.monitor.report(target.id or 0, ok=True)
    await clock.advance(69)
    assert await app.monitor.check(target, Trigger.MANUAL) is report
    await clock.advance(2)
    result = await app.monitor.check(target, Trigger.MANUAL)
    assert result.failure is not None
    assert result.failure.code == "NO_REPORT"


async def test_a_fresh_report_is_never_asked_for(open_app: OpenApp, clock: FakeClock) -> None:
    """However new a result is wanted, a reporter that is in time stays up: there is nobody to ask."""
    app = await open_app({"name": "job", "kind": "push", "interval": 60, "grace": 10}, schedule=False)
    target = target_of(app, "job")
    report = await app.monitor.report(target.id or 0, ok=True)
    await clock.advance(5)
    assert await app.monitor.check(target, Trigger.API, if_older_than=1) is report
    assert await app.monitor.check(target, Trigger.SCHEDULE) is report
    assert app.catalogue.health[target.id or 0].status is Status.UP


async def test_a_program_that_asks_again_and_again_locks_no_account(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """After three rejected logins only a person or the schedule tries more; others get the last result."""
    app = await open_app({"name": "a", "script": ["auth"]}, schedule=False)
    target = target_of(app, "a")
    for _ in range(5):
        last = await app.monitor.check(target, Trigger.SCHEDULE)
        await clock.advance(15)
    assert len(probe_of(app, "a").runs) == 3
    assert last.failure is not None
    assert last.failure.reason is Reason.AUTH
    await app.monitor.check(target, Trigger.MANUAL)
    assert len(probe_of(app, "a").runs) == 4
    await clock.advance(3601)
    await app.monitor.check(target, Trigger.SCHEDULE)
    assert len(probe_of(app, "a").runs) == 5


async def test_long_work_does_not_put_off_the_next_report(open_app: OpenApp, clock: FakeClock) -> None:
    """A report is due an interval and its grace after the last one, however long the work took."""
    app = await open_app({"name": "job", "kind": "push", "interval": 60, "grace": 10})
    target = target_of(app, "job")
    await app.monitor.report(target.id or 0, ok=True, seconds=3600)
    assert app.catalogue.health[target.id or 0].next_check_at == clock.now() + timedelta(seconds=70)
    await clock.advance(71)
    result = await app.monitor.check(target, Trigger.API, if_older_than=1)
    assert result.failure is not None
    assert result.failure.code == "NO_REPORT"


async def test_who_waits_for_a_place_has_the_newest_settings_tested(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """A target that is edited or removed while a person's test waits is not tested as it was."""
    names = [f"busy {number}" for number in range(AT_ONE_SERVER)]
    hanging = [{"name": name, "script": ["slow 3"]} for name in names]
    app = await open_app(*hanging, {"name": "a"}, {"name": "b"}, schedule=False)
    busy = [asyncio.create_task(app.monitor.check(target_of(app, name), Trigger.API)) for name in names]
    await clock.advance(1)
    edited, removed = target_of(app, "a"), target_of(app, "b")
    waiting = asyncio.create_task(app.monitor.check(edited, Trigger.API))
    in_vain = asyncio.create_task(app.monitor.check(removed, Trigger.API))
    await clock.advance(1)
    await app.catalogue.edit(edited.id or 0, {"script": ["refused"]})
    await app.catalogue.remove(removed.id or 0)
    await clock.advance(2)
    await asyncio.gather(*busy)
    result = await waiting
    assert result.failure is not None
    assert result.failure.reason is Reason.REFUSED
    assert await count(app, "a") == 1
    with pytest.raises(MissingError, match="the target b was removed"):
        await in_vain


async def test_a_report_hides_the_targets_secret(open_app: OpenApp) -> None:
    """A message that repeats the target's token is stored without it."""
    secret = "s3cret-token-of-16"
    app = await open_app({"name": "job", "kind": "push", "interval": 60, "token": secret}, schedule=False)
    result = await app.monitor.report(target_of(app, "job").id or 0, ok=False, message=f"used {secret}")
    assert result.failure is not None
    assert result.failure.message == "used ***"


async def test_a_check_without_a_store_goes_through_the_same_door() -> None:
    """`mooring.check` tests one target with every stage and stores nothing."""
    import mooring

    target = TargetReader(Kinds()).read({"name": "a", "url": "tcp://127.0.0.1:1", "timeout": 2})
    result = await mooring.check(target)
    assert result.trigger is Trigger.CLI
    assert (result.status, result.failure and result.failure.reason) == (Status.DOWN, Reason.REFUSED)


async def test_people_ask_few_things_of_one_server_at_once(clock: FakeClock) -> None:
    """Twenty targets at one server are checked eight at a time, whoever asks for all of them."""
    probe = ScriptedProbe(script=("slow 1",))
    async with Network(clock=clock) as net:
        monitor = Monitor(Runner(net), clock)
        checks = [monitor.check(Target(f"t{n}", probe), Trigger.CLI) for n in range(20)]
        waiting = asyncio.gather(*checks)
        await clock.advance(3)
        assert [result.status for result in await waiting] == [Status.UP] * 20
    assert probe.most_at_once == 8


async def test_a_job_that_has_not_reported_yet_is_not_down(open_app: OpenApp, clock: FakeClock) -> None:
    """Testing it before its interval has passed says that nothing is known, and records nothing."""
    app = await open_app({"name": "job", "kind": "push", "interval": 60, "grace": 10})
    result = await app.monitor.check(target_of(app, "job"), Trigger.API)
    assert result.status is Status.UNKNOWN
    assert result.failure is not None
    assert (result.failure.reason, result.failure.code) == (Reason.CONFIG, "NOT_REPORTED_YET")
    assert await count(app, "job") == 0
    await clock.advance(80)
    assert app.catalogue.health[target_of(app, "job").id or 0].status is Status.DOWN
