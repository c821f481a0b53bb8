"""Pools whose reports come late, twice or not at all, and servers that end at the wrong moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mooring.app import App
from mooring.core.failure import ConflictError
from mooring.core.pool import PoolRule
from mooring.core.pool_past import PoolBucket
from mooring.core.report import WishKind
from mooring.core.status import Status
from mooring.engine import pools
from mooring.reports import ReportInput
from mooring.store import pools as pool_rows
from mooring.testing import FakeClock
from tests.pool_reports import alert, leak, pool, report
from tests.unit.engine.conftest import OpenApp
from tests.unit.engine.test_pools import code, only, status, sweep, tell


def counted(taken: int, used: int = 0) -> dict[str, Any]:
    """Return a part of a pool that took and returned so many leases."""
    return pool(used=used, totals={"taken": taken, "returned": taken - used}, use={"counts": {"90": taken}})


async def past(app: App, clock: FakeClock) -> PoolBucket:
    """Return the last hour of the one pool, added up."""
    now, target_id = clock.now(), only(app).id
    return (await app.store.read(lambda conn: pool_rows.window(conn, target_id, "1h", now))).total


async def test_a_report_that_a_newer_one_overtook_counts_nothing(open_app: OpenApp) -> None:
    """An older report changes neither totals nor what is in use, nor brings an ended process back."""
    app = await open_app()
    await tell(app, counted(110, used=9))
    await tell(app, counted(100, used=3), ahead=timedelta(seconds=-30))
    assert (only(app).totals.taken, only(app).use.total, only(app).sum.used) == (110, 110, 9)
    await tell(app, counted(120, used=5))
    assert (only(app).totals.taken, only(app).sum.used) == (120, 5)
    await tell(app, counted(121), last=True)
    await tell(app, counted(120, used=5), ahead=timedelta(seconds=-30))
    assert (only(app).totals.taken, only(app).sum.instances) == (121, 0)


async def test_a_clock_that_steps_back_is_no_late_report(open_app: OpenApp, clock: FakeClock) -> None:
    """What a process counts goes on whatever its clock says; a quiet one stays in the total."""
    app = await open_app()
    await tell(app, counted(100, used=2))
    await tell(app, counted(130, used=4), ahead=timedelta(seconds=-60))
    assert (only(app).totals.taken, only(app).sum.used) == (130, 4)
    await tell(app, counted(5, used=1), ahead=timedelta(hours=-3))
    assert (only(app).totals.taken, only(app).sum.used) == (135, 1)
    for _ in range(4):
        await clock.advance(30)
        await tell(app, counted(5, used=1), ahead=timedelta(hours=-3, seconds=-200))
    assert only(app).sum.instances == 1


async def test_a_clock_that_steps_back_hides_no_news(open_app: OpenApp) -> None:
    """A report with a higher number is the newer one, whatever its clock says and though no count grew."""
    app, back = await open_app(), timedelta(seconds=-240)
    await tell(app, counted(5, used=1), sequence=1)
    told = {**counted(5, used=1), "leaks": [leak()], "waiting": 7}
    await tell(app, told, sequence=2, ahead=back)
    assert ([each.leak.site for each in only(app).leaks], only(app).sum.waiting) == (["shop/orders.py:88"], 7)
    await tell(app, counted(5, used=1), sequence=3, ahead=2 * back, last=True)
    assert only(app).sum.instances == 0


async def test_a_number_tells_what_was_overtaken_after_a_restart_too(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """A lower number that was sent before is late, whatever was counted between; a higher one is news."""
    app = await open_app()
    await tell(app, counted(5, used=1), sequence=2)
    await sweep(app, clock, 10)
    again = await open_app()
    back = timedelta(seconds=-60)
    await tell(again, counted(5, used=3), sequence=1, ahead=back)
    assert only(again).sum.used == 1
    await tell(again, counted(5, used=4), sequence=3, ahead=back)
    assert only(again).sum.used == 4


async def test_a_machine_that_is_set_back_begins_its_numbers_anew(open_app: OpenApp) -> None:
    """A lower number of a later time is no late report: the machine was restored from a copy."""
    app = await open_app()
    await tell(app, counted(9, used=1), sequence=900)
    await tell(app, counted(9, used=5), sequence=40, ahead=timedelta(seconds=30))
    assert only(app).sum.used == 5


async def test_one_id_in_two_places_is_two_processes(open_app: OpenApp) -> None:
    """A copied machine or process reports under the id of its original: each counts on its own."""
    app = await open_app()
    for taken in (1, 2, 3):
        for host, pid, more in (("web1", 41, 100), ("web2", 41, 50), ("web2", 42, 10)):
            now = app.clock.now()
            copied = {"id": "process-one", "host": host, "pid": pid, "started_at": now.isoformat()}
            body = report(counted(more + taken, used=1), instance=copied, sent_at=now.isoformat())
            await app.pools.report(ReportInput.model_validate(body).value(now))
    assert (only(app).totals.taken, only(app).sum.instances, only(app).sum.used) == (169, 3, 3)


async def test_a_process_that_ends_ends_in_all_its_pools(open_app: OpenApp) -> None:
    """Also in those that its last report does not name, as when there was no room for them."""
    app = await open_app()
    await tell(app, pool(name="a"), pool(name="b"))
    await tell(app, pool(name="a"), last=True)
    assert [view.sum.instances for view in await app.pools.views()] == [0, 0]
    assert [each.ended for view in await app.pools.views() for each in view.members] == [True, True]


async def test_a_wish_of_the_last_moment_outlives_a_restart(open_app: OpenApp, clock: FakeClock) -> None:
    """Also one that came after everything heard was stored."""
    app = await open_app()
    await tell(app)
    await sweep(app, clock, 10)
    wish, _ = app.pools.want(only(app).id, WishKind.RESET)
    await app._keeper.close()
    again = await open_app()
    assert (await tell(again)).wishes == [wish]


async def test_what_came_after_the_last_sample_is_in_the_past_too(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """A server that ends keeps what was counted since it last looked."""
    app = await open_app()
    await tell(app, counted(10))
    await sweep(app, clock, 10)
    await clock.advance(10)
    await tell(app, counted(25))
    await app._keeper.close()
    again = await open_app()
    await tell(again, counted(40))
    await sweep(again, clock, 10)
    assert (await past(again, clock)).taken == only(again).totals.taken == 40


async def test_a_job_that_is_gone_before_anybody_looks_has_a_past(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """What a short process counted is in the past, which says that nothing is in use any more."""
    app = await open_app()
    await tell(app, counted(100), last=True)
    for _ in range(3):
        await sweep(app, clock, 10)
    told = await past(app, clock)
    assert (told.taken, told.samples, told.instances, told.used) == (100, 1, 0, 0.0)


@pytest.mark.parametrize(
    ("at", "sent_at"),
    [("2000-01-01T00:00:00Z", "2199-12-31T00:00:00Z"), ("2199-12-31T00:00:00Z", "2000-01-01T00:00:00Z")],
)
async def test_times_that_contradict_each_other_cost_no_totals(
    open_app: OpenApp, clock: FakeClock, at: str, sent_at: str
) -> None:
    """Whatever times a process tells, what is known of its pool outlives a restart."""
    app = await open_app()
    body = report(pool(at=at, alerts=[alert(since=at)]), sent_at=sent_at)
    await app.pools.report(ReportInput.model_validate(body).value(clock.now()))
    await sweep(app, clock, 1)
    assert only(await open_app()).totals.taken == 100


async def test_room_is_made_of_pools_that_were_heard(
    open_app: OpenApp, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what somebody added by hand nor what the same report adds has to go."""
    monkeypatch.setattr(pools, "MOST_POOLS", 4)
    app = await open_app(schedule=False)
    await app.catalogue.add({"name": "mine", "kind": "pool", "service": "hand"})
    for name in "abc":
        await tell(app, pool(name=name))
    await clock.advance(300)
    await tell(app, pool(name="x"), pool(name="y"))
    assert [(view.service, view.name) for view in await app.pools.views()] == [
        ("hand", "main"),
        ("shop", "c"),
        ("shop", "x"),
        ("shop", "y"),
    ]


async def test_a_report_without_room_leaves_no_target(
    open_app: OpenApp, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that is refused has neither added nor removed a pool."""
    monkeypatch.setattr(pools, "MOST_POOLS", 3)
    app = await open_app()
    await tell(app, pool(name="old"))
    await clock.advance(300)
    await tell(app, pool(name="a"))
    with pytest.raises(ConflictError, match="there are 3 pools already"):
        await tell(app, *[pool(name=name) for name in "xyz"])
    assert [view.name for view in await app.pools.views()] == ["a", "old"]


async def test_what_is_wrong_is_not_over_because_it_is_quiet(open_app: OpenApp, clock: FakeClock) -> None:
    """Alerts of a silent pool stay until it is inactive or back; those of an ended process are over."""
    app = await open_app()
    await tell(app, pool(used=9, leaks=[leak()], alerts=[alert()]))
    await sweep(app, clock, 80)
    assert {each.rule for each in only(app).alerts} == {PoolRule.UTILIZATION, PoolRule.ABANDONED}
    await sweep(app, clock, 220)
    assert [each.rule for each in only(app).alerts] == [PoolRule.INACTIVE]
    await tell(app, pool(used=9, alerts=[alert()]))
    await tell(app, pool(used=0), last=True)
    assert only(app).alerts == ()


async def test_what_a_killed_process_told_leaves_with_its_leases(open_app: OpenApp, clock: FakeClock) -> None:
    """Whoever looks sees the same processes in the sum and in the alerts, also between two sweeps."""
    app = await open_app()
    told = alert(message="1 lease of shop/orders.py:88: never returned", value=1)
    for process in ("one", "two"):
        await tell(app, pool(alerts=[told]), process=process)
    await clock.advance(40)
    await tell(app, pool(alerts=[told]), process="one")
    await clock.advance(34)
    both = "2 leases of shop/orders.py:88: never returned, in 2 processes, most in web1:41"
    assert [each.message for each in only(app).alerts] == [both]
    await clock.advance(1)
    view = only(app)
    assert view.sum.instances == 1
    assert [each.message for each in view.alerts] == [f"{told['message']}, in process web1:41"]
    assert (await app.pools.views())[0].alerts == view.alerts


async def test_what_a_killed_process_told_is_gone_after_a_restart(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """Who fell silent while the server was away is in no alert that is shown before its first sweep."""
    app = await open_app()
    told = alert(message="1 lease of shop/orders.py:88: never returned", value=1)
    await tell(app, pool(alerts=[told]), process="one")
    await clock.advance(60)
    await tell(app, pool(alerts=[told]), process="two")
    await sweep(app, clock, 1)
    await clock.advance(20)
    again = await open_app()
    assert only(again).sum.instances == 1
    assert [each.message for each in only(again).alerts] == [f"{told['message']}, in process web1:41"]


async def test_what_is_wrong_is_over_when_all_have_ended(open_app: OpenApp, clock: FakeClock) -> None:
    """After a clean end no alert is open and the target is not degraded, at once and until it is unknown."""
    app = await open_app()
    told = [alert(), alert(rule="timeouts", message="1 request got no connection in time")]
    await tell(app, pool(leaks=[leak()], alerts=told))
    assert status(app) is Status.DEGRADED
    await tell(app, pool(leaks=[leak()], alerts=told), last=True)
    assert (only(app).alerts, status(app)) == ((), Status.UP)
    await sweep(app, clock, 300)
    assert status(app) is Status.UNKNOWN


async def test_a_clean_end_is_no_silence_hours_later_and_after_a_restart(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """Who ended in good order is missed by nobody: the pool stays unknown, and is never told as inactive."""
    app = await open_app()
    await tell(app, last=True)
    for _ in range(5):
        await sweep(app, clock, 1800)
        assert (status(app), code(app)) == (Status.UNKNOWN, "POOL_ENDED")
    again = await open_app()
    await sweep(again, clock, 30)
    assert (status(again), code(again)) == (Status.UNKNOWN, "POOL_ENDED")


async def test_a_pool_without_processes_is_known_to_be_silent_after_a_restart(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """When it was heard last is kept longer than its processes: it is told as inactive, and may go."""
    app = await open_app()
    await tell(app)
    heard_at = clock.now()
    await sweep(app, clock, 86_400)
    await tell(app, pool(name="other"))
    await sweep(app, clock, 30)
    again = await open_app()
    await sweep(again, clock, 300)
    silent = next(view for view in await again.pools.views() if view.name == "main")
    assert (silent.members, silent.heard_at) == ([], heard_at)
    assert [each.rule for each in silent.alerts] == [PoolRule.INACTIVE]


async def test_counts_after_a_wish_to_reset_are_all_new(open_app: OpenApp) -> None:
    """Also where they are higher by then than what was counted before."""
    app = await open_app()
    await tell(app, counted(10))
    wish, _ = app.pools.want(only(app).id, WishKind.RESET)
    assert (await tell(app, counted(12))).wishes == [wish]
    for _ in range(2):
        await tell(app, counted(15), done=[wish.id])
    assert (only(app).totals.taken, only(app).use.total) == (27, 27)


async def test_what_was_counted_while_nobody_listened_is_no_burst(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """After an hour without a server totals are right, and the past has what one interval brought of it."""
    app = await open_app()
    await tell(app, counted(100))
    await sweep(app, clock, 30)
    await clock.advance(3570)
    again = await open_app()
    await tell(again, counted(100 + 7200))
    await sweep(again, clock, 30)
    assert only(again).totals.taken == 7300
    assert (await past(again, clock)).taken == 60
    await tell(again, counted(7360))
    await sweep(again, clock, 30)
    assert (await past(again, clock)).taken == 120


async def test_a_process_that_has_run_for_hours_is_no_burst(open_app: OpenApp, clock: FakeClock) -> None:
    """A server that is new knows what a process counted, and not when: its past begins now."""
    app = await open_app()
    now = clock.now()
    process = {**report()["instance"], "started_at": (now - timedelta(hours=2)).isoformat()}
    body = report(counted(24_000), instance=process, sent_at=now.isoformat())
    await app.pools.report(ReportInput.model_validate(body).value(now))
    await sweep(app, clock, 30)
    assert (only(app).totals.taken, (await past(app, clock)).taken) == (24_000, 100)


async def test_a_report_that_was_lost_is_made_up_for(open_app: OpenApp, clock: FakeClock) -> None:
    """A process that counts all the time has its counts in the past, also where one report did not come."""
    app = await open_app()
    for taken, seconds in ((0, 30), (30, 70), (100, 1)):
        await tell(app, counted(taken))
        await sweep(app, clock, seconds)
    assert (await past(app, clock)).taken == only(app).totals.taken == 100


async def test_a_peak_of_which_nobody_knows_when_is_not_of_now(open_app: OpenApp, clock: FakeClock) -> None:
    """The most that was used while nobody listened stands with its process, and in no sample."""
    app = await open_app()
    await tell(app, pool(used=1, peak=2))
    await sweep(app, clock, 3600)
    await tell(app, pool(used=1, peak=9))
    await sweep(app, clock, 30)
    assert only(app).members[0].snapshot.peak == 9
    assert (await past(app, clock)).peak == 1
    await tell(app, pool(used=1, peak=10))
    await sweep(app, clock, 30)
    assert (await past(app, clock)).peak == 10
