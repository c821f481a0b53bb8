"""The pools that processes report, summed and judged, on a clock that is stepped."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from mooring.app import App
from mooring.core.failure import ConflictError, MissingError, StoreError
from mooring.core.pool import PoolRule
from mooring.core.pool_view import PoolView
from mooring.core.report import Reply, WishKind
from mooring.core.status import Status
from mooring.engine import pool_ledger, pools
from mooring.reports import ReportInput
from mooring.store import pools as pool_rows
from mooring.store.schema import pools as pool_table
from mooring.testing import FakeClock
from tests.pool_reports import alert, leak, pool, report
from tests.unit.engine.conftest import OpenApp


async def tell(app: App, *parts: dict[str, Any], **keys: Any) -> Reply:
    """Have a process report."""
    now = app.clock.now()
    given = report(*[{**each, "at": now.isoformat()} for each in parts or (pool(),)], **keys)
    given["sent_at"] = (now + keys.get("ahead", timedelta())).isoformat()
    given["instance"]["started_at"] = now.isoformat()
    given.pop("ahead", None)
    return await app.pools.report(ReportInput.model_validate(given).value(now))


def only(app: App) -> PoolView:
    """Return the one pool that there is."""
    (target,) = app.pools.targets()
    return app.pools.view(target.id or 0)


def status(app: App) -> Status:
    """Return how the one pool stands."""
    return app.catalogue.health[only(app).id].status


def code(app: App) -> str | None:
    """Return why it does not work."""
    last = app.catalogue.health[only(app).id].last
    return last.failure.code if last and last.failure else None


async def sweep(app: App, clock: FakeClock, seconds: float) -> None:
    """Let time go by, and look at the pools once."""
    await clock.advance(seconds)
    await app._keeper.sweep()
    await app.recorder.written()


async def test_a_killed_process_leaves_the_total(open_app: OpenApp, clock: FakeClock) -> None:
    """After 2.5 of its own intervals a silent process is no part of the total, and still shown."""
    app = await open_app()
    await tell(app, process="one", interval=10)
    await tell(app, pool(used=5), process="two", interval=60)
    await clock.advance(24)
    assert only(app).sum.used == 8
    await clock.advance(1)
    view = only(app)
    assert (view.sum.used, view.sum.instances, view.totals.taken) == (5, 1, 200)
    assert {each.instance.id: each.live for each in view.members} == {
        "process-one": False,
        "process-two": True,
    }
    await tell(app, process="one")
    assert only(app).sum.used == 8


async def test_silence_counts_from_what_the_answer_asked_for(open_app: OpenApp, clock: FakeClock) -> None:
    """Who meant to come in an hour and was asked to come in 30 s is missed after 75 s."""
    app = await open_app()
    await tell(app, pool(used=5), interval=3600)
    await clock.advance(74)
    assert only(app).sum.used == 5
    await clock.advance(1)
    assert only(app).sum.used == 0


async def test_a_process_that_ends_leaves_the_total_at_once(open_app: OpenApp) -> None:
    """The last report takes its connections out of the total; what it counted stays."""
    app = await open_app()
    await tell(app, process="one")
    await tell(app, process="two")
    await tell(app, pool(used=0, totals={"taken": 103, "returned": 103}), process="one", last=True)
    view = only(app)
    assert (view.sum.instances, view.sum.used, view.totals.taken) == (1, 3, 203)


async def test_a_peak_is_that_of_its_processes(open_app: OpenApp, clock: FakeClock) -> None:
    """What is shown of all is what is shown of each, added up, also where the peak was reports ago."""
    app = await open_app()
    for process in ("one", "two"):
        await tell(app, pool(used=0, peak=1), process=process)
        await clock.advance(5)
        await tell(app, pool(used=0, peak=1), process=process)
    assert (only(app).sum.used, only(app).sum.peak) == (0, 2)


async def test_a_lost_report_loses_nothing(open_app: OpenApp, clock: FakeClock) -> None:
    """Counts are since the process began: after an hour without reports the totals are right again."""
    app = await open_app()
    await tell(app, pool(totals={"taken": 10}))
    await clock.advance(3600)
    await tell(app, pool(totals={"taken": 5000}))
    assert only(app).totals.taken == 5000


async def test_counts_that_run_backwards_were_begun_anew(open_app: OpenApp) -> None:
    """After a reset of the tracker everything that it counts is new, and the total never falls."""
    app = await open_app()
    await tell(app, pool(totals={"taken": 100, "returned": 90}, wait={"counts": {"40": 100}}))
    await tell(app, pool(totals={"taken": 7, "returned": 5}, wait={"counts": {"40": 6, "41": 1}}))
    view = only(app)
    assert (view.totals.taken, view.totals.returned) == (107, 95)
    assert dict(view.wait.counts) == {40: 106, 41: 1}


async def test_a_pool_that_nobody_reports_is_inactive(open_app: OpenApp, clock: FakeClock) -> None:
    """After 5 minutes of silence the pool is down with POOL_INACTIVE; a report makes it up again."""
    app = await open_app()
    await tell(app)
    await sweep(app, clock, 299)
    assert (status(app), only(app).alerts) == (Status.UP, ())
    await sweep(app, clock, 1)
    assert (status(app), code(app)) == (Status.DOWN, "POOL_INACTIVE")
    (told,) = only(app).alerts
    assert (told.rule, told.message) == (PoolRule.INACTIVE, "no process of shop has reported it for 5 min")
    await tell(app)
    assert (status(app), only(app).alerts) == (Status.UP, ())


async def test_a_pool_whose_processes_have_ended_is_unknown(open_app: OpenApp, clock: FakeClock) -> None:
    """A job that ended in good order is nobody's alarm: the pool is unknown and says why."""
    app = await open_app()
    await tell(app, last=True)
    await sweep(app, clock, 300)
    assert (status(app), code(app)) == (Status.UNKNOWN, "POOL_ENDED")


async def test_a_pool_that_is_closed_alone_has_ended(open_app: OpenApp, clock: FakeClock) -> None:
    """A tracker that is closed tells last that it is stopped, while its process reports others."""
    app = await open_app()
    await tell(app, pool(active=False), pool(name="other"))
    for _ in range(10):
        await clock.advance(30)
        await tell(app, pool(name="other"))
    await sweep(app, clock, 1)
    by_name = {view.name: app.catalogue.health[view.id] for view in await app.pools.views()}
    assert (by_name["main"].status, by_name["other"].status) == (Status.UNKNOWN, Status.UP)


async def test_the_worst_of_what_degrades_a_pool_is_told_first(open_app: OpenApp) -> None:
    """A line that leaks stands before the use that comes of it, as on the pool's page."""
    app = await open_app()
    await tell(app, pool(used=9, alerts=[alert()]))
    last = app.catalogue.health[only(app).id].last
    assert last is not None
    leaks, full = last.observation.warnings
    assert leaks.startswith("1 lease was never returned: taken at shop/orders.py:88, in process web1:41.")
    assert full.startswith("9 of 10 connections of shop are in use (90%).")


async def test_one_full_process_degrades_and_names_itself(open_app: OpenApp) -> None:
    """A process whose pool is full does not make the pool down while others have connections."""
    app = await open_app()
    full = alert(rule="utilization", message="10 of 10 connections are in use (100%)", value=1.0, limit=0.95)
    await tell(app, pool(used=10, alerts=[full]), process="one")
    await tell(app, pool(used=1), process="two")
    assert (status(app), code(app)) == (Status.DEGRADED, None)
    last = app.catalogue.health[only(app).id].last
    assert last is not None
    assert "10 of 10 connections are in use (100%), in process web1:41" in last.observation.warnings[0]


async def test_a_pool_without_a_limit_is_never_full(open_app: OpenApp) -> None:
    """What has no limit has no share, and the share of the others does not count it."""
    app = await open_app()
    await tell(app, pool(limit=None, used=500))
    assert (status(app), only(app).sum.utilization) == (Status.UP, None)
    await tell(app, pool(used=5, limit=10), process="two")
    assert (only(app).sum.utilization, only(app).sum.used) == (0.5, 505)


async def test_a_time_out_lingers(open_app: OpenApp, clock: FakeClock) -> None:
    """A request that got no connection degrades for two minutes: such come and go, and health holds still."""
    app = await open_app()
    told = alert(rule="timeouts", message="1 request got no connection in time")
    await tell(app, pool(alerts=[told]))
    seen = [status(app)]
    for _ in range(5):
        await clock.advance(30)
        await tell(app)
        seen.append(status(app))
    assert seen == [Status.DEGRADED] * 4 + [Status.UP] * 2


async def test_a_steady_pool_makes_one_result_an_interval(open_app: OpenApp, clock: FakeClock) -> None:
    """Forty processes that report make as many results as one."""
    app = await open_app()
    stored = []
    async with app.bus.subscribe() as commits:
        for _ in range(3):
            for process in range(10):
                await tell(app, process=f"number-{process}")
            await clock.advance(30)
        while commits._waiting:
            stored += (await anext(commits)).results
    assert len(stored) == 3


async def test_a_paused_pool_tells_nothing(open_app: OpenApp) -> None:
    """The reports of a paused pool are taken, and its health stays unknown."""
    app = await open_app()
    await tell(app)
    await app.catalogue.edit(only(app).id, {"enabled": False})
    await tell(app, pool(used=10))
    assert (status(app), only(app).sum.used) == (Status.UNKNOWN, 10)


async def test_a_removed_pool_comes_back_empty_with_its_next_report(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """Removing forgets; what is still reported is a new target."""
    app = await open_app()
    await tell(app)
    first = only(app).id
    await app.catalogue.remove(first)
    assert await app.pools.views() == []
    with pytest.raises(MissingError):
        app.pools.view(first)
    await sweep(app, clock, 1)
    assert list(app.pools.ledgers) == []
    await tell(app, pool(totals={"taken": 100}))
    assert only(app).id != first
    assert only(app).totals.taken == 100


async def test_a_name_that_is_taken_gets_a_number(open_app: OpenApp) -> None:
    """Another target of the name does not keep a pool away."""
    app = await open_app({"name": "shop/main"}, schedule=False)
    await tell(app)
    assert app.catalogue.get(only(app).id).name == "shop/main 2"


async def test_a_pool_that_was_added_by_hand_is_used(open_app: OpenApp) -> None:
    """A target of the kind pool takes the reports of its service and name, whatever it is called."""
    app = await open_app(schedule=False)
    target = await app.catalogue.add({"name": "Orders", "kind": "pool", "service": "shop", "pool": "main"})
    await tell(app)
    assert only(app).id == target.id
    assert status(app) is Status.UP


async def test_beyond_the_most_pools_the_oldest_silent_one_goes(
    open_app: OpenApp, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all are in use, one more is refused with words; an inactive one makes room."""
    monkeypatch.setattr(pools, "MOST_POOLS", 2)
    app = await open_app()
    await tell(app, pool(name="a"))
    await clock.advance(200)
    await tell(app, pool(name="b"))
    with pytest.raises(ConflictError, match="there are 2 pools already, and all of them are in use"):
        await tell(app, pool(name="c"))
    await clock.advance(100)
    await tell(app, pool(name="c"))
    assert [view.name for view in await app.pools.views()] == ["b", "c"]


async def test_beyond_the_most_processes_the_oldest_silent_one_goes(
    open_app: OpenApp, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool takes so many processes; the silent ones make room, and what they counted stays."""
    monkeypatch.setattr(pool_ledger, "MOST_MEMBERS", 2)
    app = await open_app()
    await tell(app, process="one")
    await clock.advance(60)
    await tell(app, process="two")
    with pytest.raises(ConflictError, match="processes report shop/main already"):
        await tell(app, process="three")
    await clock.advance(15)
    await tell(app, process="three")
    assert {each.instance.id for each in only(app).members} == {"process-two", "process-three"}
    assert only(app).totals.taken == 300


async def test_beyond_the_most_parts_one_more_is_refused(
    open_app: OpenApp, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All pools together have a limit, too; nothing of a refused report is taken."""
    monkeypatch.setattr(pools, "MOST_PARTS", 2)
    app = await open_app()
    await tell(app, pool(name="a"), process="one")
    with pytest.raises(ConflictError, match="2 parts of pools are reported already"):
        await tell(app, pool(name="a"), pool(name="b"), process="two")
    assert [view.sum.instances for view in await app.pools.views()] == [1]
    await clock.advance(75)
    await tell(app, pool(name="a"), pool(name="b"), process="two")
    assert [view.sum.instances for view in await app.pools.views()] == [1, 1]


async def test_a_wish_is_repeated_until_it_is_done(open_app: OpenApp, clock: FakeClock) -> None:
    """Every process that counts hears of a wish until it says that it is done; ids only grow."""
    app = await open_app()
    await tell(app, process="one")
    await tell(app, process="two")
    first, heard_by = app.pools.want(only(app).id, WishKind.CLEANUP)
    second, _ = app.pools.want(only(app).id, WishKind.STOP)
    assert (heard_by, second.id > first.id) == (2, True)
    assert (await tell(app, process="one")).wishes == [first, second]
    assert (await tell(app, process="one")).wishes == [first, second]
    assert (await tell(app, process="one", done=[first.id])).wishes == [second]
    assert (await tell(app, process="one", done=[first.id, second.id])).wishes == []
    assert (await tell(app, process="two")).wishes == [first, second]
    assert (await tell(app, process="three")).wishes == []


async def test_the_same_wish_replaces_the_one_before(open_app: OpenApp) -> None:
    """Somebody who presses the button twice wants it once."""
    app = await open_app()
    await tell(app)
    app.pools.want(only(app).id, WishKind.RESET)
    again, _ = app.pools.want(only(app).id, WishKind.RESET)
    assert (await tell(app)).wishes == [again]


async def test_a_wish_that_nobody_fetched_is_dropped(open_app: OpenApp, clock: FakeClock) -> None:
    """A laptop that wakes the next day is not told to begin anew; neither is it after a restart."""
    app = await open_app()
    await tell(app, process="one", interval=30)
    await tell(app, process="two", interval=30)
    wish, _ = app.pools.want(only(app).id, WishKind.RESET)
    await clock.advance(599)
    assert (await tell(app, process="one")).wishes == [wish]
    await sweep(app, clock, 1)
    assert (await tell(app, process="one")).wishes == []
    assert (await tell(await open_app(), process="two")).wishes == []


async def test_a_process_that_has_ended_is_asked_nothing(open_app: OpenApp) -> None:
    """What was wanted of a process goes with it, also where its id comes again."""
    app = await open_app()
    await tell(app, process="one")
    await tell(app, process="two")
    wish, _ = app.pools.want(only(app).id, WishKind.STOP)
    assert (await tell(app, process="one", last=True)).wishes == []
    assert (await tell(app, process="one")).wishes == []
    assert (await tell(app, process="two")).wishes == [wish]


async def test_a_wish_that_was_carried_out_late_counts(open_app: OpenApp, clock: FakeClock) -> None:
    """Who fetched a reset and slept then has begun anew: all that it counts afterwards is new."""
    app = await open_app()
    await tell(app, pool(totals={"taken": 100}))
    wish, _ = app.pools.want(only(app).id, WishKind.RESET)
    assert (await tell(app, pool(totals={"taken": 100}))).wishes == [wish]
    await clock.advance(3600)
    await tell(app, pool(totals={"taken": 130}), done=[wish.id])
    assert only(app).totals.taken == 230


async def test_nobody_hears_a_wish_of_a_silent_pool(open_app: OpenApp, clock: FakeClock) -> None:
    """Where no process reports, a wish is refused."""
    app = await open_app()
    await tell(app)
    await clock.advance(75)
    with pytest.raises(ConflictError, match="no process reports shop/main now"):
        app.pools.want(only(app).id, WishKind.RESET)


async def test_a_restart_forgets_nothing(open_app: OpenApp, clock: FakeClock) -> None:
    """Totals, processes, leaks, open alerts and wishes are there again, and counts go on."""
    app = await open_app()
    await tell(app, pool(used=9, leaks=[leak()], alerts=[alert()]), process="one", ahead=timedelta(hours=1))
    wish, _ = app.pools.want(only(app).id, WishKind.CLEANUP)
    await sweep(app, clock, 10)
    before = only(app)
    again = await open_app()
    after = only(again)
    assert after._replace(members=()) == before._replace(members=())
    assert [each._replace(snapshot=None) for each in after.members] == [  # type: ignore[arg-type]
        each._replace(snapshot=None)  # type: ignore[arg-type]
        for each in before.members
    ]
    assert after.members[0].snapshot._replace(at=None) == before.members[0].snapshot._replace(at=None)  # type: ignore[arg-type]
    reply = await tell(again, pool(used=9, totals={"taken": 130, "returned": 97}), process="one")
    assert (reply.wishes, only(again).totals.taken) == ([wish], 130)


async def test_a_server_that_was_away_for_days_counts_nothing_twice(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """A process that reported all the time is still known afterwards, and only what is new is added."""
    app = await open_app()
    await tell(app, pool(totals={"taken": 100}))
    await sweep(app, clock, 1)
    await clock.advance(3 * 86_400)
    again = await open_app()
    await sweep(again, clock, 1)
    await tell(again, pool(totals={"taken": 150}))
    assert only(again).totals.taken == 150


async def test_a_process_that_is_silent_for_long_is_shown_no_more(
    open_app: OpenApp, clock: FakeClock
) -> None:
    """After an hour it is gone from the list; should it come back within a day, nothing counts twice."""
    app = await open_app()
    await tell(app, pool(totals={"taken": 100}))
    await sweep(app, clock, 3600)
    assert only(app).members == []
    await tell(app, pool(totals={"taken": 150}))
    assert (only(app).totals.taken, len(only(app).members)) == (150, 1)
    await sweep(app, clock, 86_400)
    assert next(iter(app.pools.ledgers.values())).members == {}


async def test_absurd_counts_harm_nothing(open_app: OpenApp, clock: FakeClock) -> None:
    """The highest counts that are taken, over and over, are kept and stored, and end somewhere."""
    app = await open_app()
    most = {"taken": 10**15, "returned": 10**15, "timeouts": 10**15, "errors": 10**15}
    for _ in range(3):
        for turn in range(600):
            await tell(app, pool(totals=most if turn % 2 else {}, wait={"counts": {"0": 10**15}}))
        await sweep(app, clock, 30)
    assert only(app).totals.taken == 9 * 10**17
    now, target_id = clock.now(), only(app).id
    past = await app.store.read(lambda conn: pool_rows.window(conn, target_id, "1h", now))
    assert past.total.taken == 3 * 10**15


async def test_time_in_which_nobody_listened_is_no_silence(open_app: OpenApp, clock: FakeClock) -> None:
    """After a server was away for an hour its pools get their 5 minutes to report."""
    app = await open_app()
    await tell(app)
    await sweep(app, clock, 1)
    await clock.advance(3600)
    again = await open_app()
    await sweep(again, clock, 299)
    assert only(again).alerts == ()
    await sweep(again, clock, 1)
    assert [each.rule for each in only(again).alerts] == [PoolRule.INACTIVE]


async def test_a_damaged_ledger_begins_anew(
    open_app: OpenApp, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be read is left out with a warning, and the pool goes on."""
    app = await open_app()
    await tell(app)
    await sweep(app, clock, 1)
    await app.store.write(lambda conn: conn.execute(update(pool_table).values(body=b"damaged")) and None)
    again = await open_app()
    assert only(again).sum.instances == 0
    assert "what was stored of the pool shop/main is left out" in caplog.text
    await tell(again)
    assert only(again).sum.used == 3


async def test_samples_hold_what_happened_since_the_one_before(open_app: OpenApp, clock: FakeClock) -> None:
    """Each look keeps a sample; silent pools have none."""
    app = await open_app()
    await tell(app, pool(totals={"taken": 10}))
    await sweep(app, clock, 30)
    await tell(app, pool(used=7, totals={"taken": 25, "timeouts": 2}))
    await sweep(app, clock, 30)
    await sweep(app, clock, 75)
    now, target_id = clock.now(), only(app).id
    past = await app.store.read(lambda conn: pool_rows.window(conn, target_id, "1h", now))
    found = [(step.used, step.peak, step.taken, step.timeouts) for step in past.buckets if step.samples]
    assert found == [(3.0, 3, 10, 0), (7.0, 7, 15, 2)]


async def test_samples_wait_for_a_store_that_fails(
    open_app: OpenApp, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the store fails reports are taken; samples are written when it is back."""
    app = await open_app()
    await tell(app)
    with monkeypatch.context() as broken:

        def refuse(*_: object) -> None:
            raise StoreError("full")

        broken.setattr(pool_rows, "save", refuse)
        for _ in range(2):
            with pytest.raises(StoreError):
                await sweep(app, clock, 30)
            await tell(app)
    await sweep(app, clock, 30)
    now, target_id = clock.now(), only(app).id
    past = await app.store.read(lambda conn: pool_rows.window(conn, target_id, "1h", now))
    assert past.total.samples == 3


async def test_an_alert_is_told_once_within_the_cooldown(
    open_app: OpenApp, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has each alert once in 5 minutes, and the next one says how often it came again."""
    caplog.set_level(logging.WARNING, "mooring.engine.pool_health")
    app = await open_app()

    async def fill(used: int) -> None:
        await clock.advance(30)
        await tell(app, pool(used=used))

    for _ in range(3):
        await fill(9)
        await fill(1)
    assert len(caplog.records) == 1
    await clock.advance(200)
    await fill(9)
    assert len(caplog.records) == 2
    assert only(app).alerts[0].suppressed == 2


async def test_an_app_looks_after_its_pools_by_itself(open_app: OpenApp, clock: FakeClock) -> None:
    """The running App finds a silent pool, and keeps what was heard when it is closed."""
    app = await open_app(watch=True)
    await tell(app)
    await clock.advance(331)
    assert (status(app), code(app)) == (Status.DOWN, "POOL_INACTIVE")
