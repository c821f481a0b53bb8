"""The book of one pool."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import threading
from collections import deque
from pathlib import Path
from weakref import ref

import pytest

from mooring.pools import PoolTracker, Rules, Watch
from mooring.pools.driver import Gauges
from tests.unit.pools.stepped import Pool, here

THREADS, LEASES = 8, 100_000
ROUNDS, TASKS = 10, 2_000


def manual(**given: object) -> PoolTracker:
    """Return a tracker on the real clock that nothing watches."""
    return PoolTracker("shop", watch=Watch(threaded=False), **given)  # type: ignore[arg-type]


@pytest.mark.slow
def test_counts_are_exact_over_threads() -> None:
    """Eight threads that take and return 100,000 leases each are counted to the last one."""
    tracker, start = manual(), threading.Barrier(THREADS)

    def work() -> None:
        start.wait()
        for _ in range(LEASES):
            asked = tracker.ask()
            tracker.release(tracker.track("work", asked=asked))
            tracker.created()
            tracker.closed()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    snapshot, total = tracker.snapshot(), THREADS * LEASES
    assert (snapshot.totals.taken, snapshot.totals.returned, snapshot.used) == (total, total, 0)
    assert (tracker.asked, tracker.given_up, snapshot.waiting) == (total, 0, 0)
    assert (snapshot.wait.total, snapshot.use.total) == (total, total)
    assert (snapshot.totals.created, snapshot.totals.closed) == (total, total)
    assert (snapshot.totals.unmatched, snapshot.totals.internal_errors) == (0, 0)
    assert snapshot.peak <= THREADS


async def test_cancelled_tasks_leak_and_miscount_nothing() -> None:
    """Ten times 2,000 tasks, each cancelled somewhere on its way, leave every count right."""
    tracker, chance = manual(), random.Random(5)
    free: asyncio.Queue[object] = asyncio.Queue()
    for _ in range(5):
        free.put_nowait(object())
    outcomes = {"taken": 0, "gave up": 0}

    async def work(turns: int) -> None:
        asked = tracker.ask()
        try:
            connection = await free.get()
        except asyncio.CancelledError:
            outcomes["gave up"] += 1
            tracker.gave_up()
            raise
        outcomes["taken"] += 1
        try:
            async with tracker.track("work", asked=asked):
                for _ in range(turns):
                    await asyncio.sleep(0)
        finally:
            free.put_nowait(connection)

    for _ in range(ROUNDS):
        tasks = [asyncio.create_task(work(chance.randrange(6))) for _ in range(TASKS)]
        for task in chance.sample(tasks, len(tasks)):
            if chance.random() < 0.2:
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    snapshot = tracker.snapshot()
    assert min(outcomes.values()) > 0
    assert snapshot.totals.taken == snapshot.totals.returned == outcomes["taken"] == snapshot.wait.total
    assert (snapshot.used, snapshot.waiting, len(tracker.open)) == (0, 0, 0)
    assert (snapshot.totals.unmatched, snapshot.totals.timeouts, snapshot.totals.errors) == (0, 0, 0)
    assert (tracker.asked, tracker.given_up) == (sum(outcomes.values()), outcomes["gave up"])


def test_times_are_told_in_their_buckets() -> None:
    """Wait, use and create time are counted by how long they took, and each is fed to who wants them."""
    pool = Pool()
    pool.tracker.feed = deque()
    asked = pool.tracker.ask()
    pool.clock.step(2)
    lease = pool.tracker.track(asked=asked)
    pool.clock.step(8)
    pool.tracker.release(lease)
    pool.tracker.created(0.5)
    snapshot = pool.tracker.snapshot()
    assert (snapshot.wait.total, snapshot.use.total, snapshot.create.total) == (1, 1, 1)
    assert list(pool.tracker.feed) == [("wait", 2.0), ("use", pytest.approx(8)), ("create", 0.5)]
    (site,) = snapshot.sites
    assert 7 <= (site.p50 or 0) <= 9


def test_lease_ends_with_its_block() -> None:
    """A lease is out within its `with` block and no longer, and an error of the block is counted."""
    tracker = manual()
    with tracker.lease("load") as lease:
        assert (lease.operation, tracker.used) == ("load", 1)
        line = here(2)
    assert (tracker.used, f"{lease.site.file}:{lease.site.line}") == (0, line)
    with pytest.raises(ZeroDivisionError), tracker.lease("divide"):
        _ = 1 // 0
    assert (tracker.used, tracker.errors.total, tracker.errors.kept[-1].operation) == (0, 1, "divide")


async def test_lease_ends_with_its_async_block() -> None:
    """The same holds for `async with`; that the block was cancelled is no error."""
    tracker = manual()
    async with tracker.lease("load") as lease:
        assert (tracker.used, lease.owner()) == (1, asyncio.current_task())

    async def waits() -> None:
        async with tracker.lease("wait"):
            await asyncio.Event().wait()

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    assert tracker.used == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (tracker.used, tracker.errors.total) == (0, 0)


def test_returned_twice_is_counted_and_harmless() -> None:
    """The second return of a lease is counted as unmatched and as nothing else."""
    pool = Pool()
    lease = pool.tracker.track()
    pool.tracker.release(lease)
    pool.tracker.release(lease)
    totals = pool.tracker.snapshot().totals
    assert (totals.taken, totals.returned, totals.unmatched, totals.internal_errors) == (1, 1, 1, 0)


def test_reset_forgets_leases_that_are_out() -> None:
    """After a reset all counts are zero, and what was out before comes back without being counted."""
    pool = Pool(limit=2)
    old = pool.tracker.track()
    pool.tracker.timeouts = 3
    pool.clock.step(1)
    pool.tracker.reset()
    new = pool.tracker.track()
    pool.clock.step(1)
    pool.tracker.release(old)
    assert (pool.tracker.used, pool.tracker.snapshot().totals.unmatched) == (1, 0)
    pool.tracker.release(new)
    totals = pool.tracker.snapshot().totals
    assert (totals.taken, totals.returned, totals.timeouts, totals.unmatched) == (1, 1, 0, 0)


def test_reset_while_threads_work_harms_nothing() -> None:
    """Threads that take and return while the book is begun anew raise nothing and leave nothing open."""
    tracker, ends = manual(), threading.Event()

    def work() -> None:
        while not ends.is_set():
            with tracker.lease():
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        tracker.reset()
    ends.set()
    for thread in threads:
        thread.join()
    tracker.reset()
    with tracker.lease():
        pass
    totals = tracker.snapshot().totals
    assert (totals.taken, totals.returned, totals.internal_errors, tracker.used) == (1, 1, 0, 0)


def test_stop_and_start() -> None:
    """A stopped tracker sees what is out come back, tracks nothing new, and goes on when it is started."""
    pool = Pool()
    before = pool.tracker.track()
    pool.tracker.stop()
    unseen = pool.tracker.track(asked=pool.tracker.ask())
    pool.tracker.release(before)
    pool.tracker.release(unseen)
    snapshot = pool.tracker.snapshot()
    assert not snapshot.active
    assert (snapshot.totals.taken, snapshot.totals.returned, snapshot.totals.unmatched) == (1, 1, 0)
    assert snapshot.waiting == 0
    pool.tracker.start()
    pool.tracker.release(pool.tracker.track())
    assert pool.tracker.snapshot().totals.returned == 2


def test_driver_knows_better_what_is_used() -> None:
    """Where the driver tells size and idle, use is by them; utilization is a share of its limit."""
    pool = Pool()
    pool.driver.said = Gauges(size=5, idle=2, limit=4, least=1)
    pool.tracker.track()
    snapshot = pool.tracker.snapshot()
    assert (snapshot.used, snapshot.idle, snapshot.size, snapshot.limit, snapshot.least) == (3, 2, 5, 4, 1)
    assert pool.tracker.utilization == snapshot.utilization == 0.75
    assert manual().utilization == 0.0


def test_tracker_is_collected() -> None:
    """A tracker that nobody holds any more is collected, with leases out, and its watch forgets it."""
    watch = Watch(threaded=False)
    tracker = PoolTracker("shop", watch=watch)
    tracker.track()
    watch.look()
    gone = ref(tracker)
    assert [each.name for each in watch] == ["main"]
    del tracker
    gc.collect()
    assert gone() is None
    assert list(watch) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"service": 7}, "service: 7 is no name; give 1 to 200 printable characters"),
        ({"service": None}, "service: None is no name; give 1 to 200 printable characters"),
        ({"service": " "}, "service: ' ' is no name; give 1 to 200 printable characters"),
        ({"name": "a\nb"}, r"name: 'a\nb' is no name; give 1 to 200 printable characters"),
        ({"name": "a\u202eb"}, r"name: 'a\u202eb' is no name; give 1 to 200 printable characters"),
        ({"name": b"main"}, "name: b'main' is no name; give 1 to 200 printable characters"),
        ({"max_size": 0}, "max_size: 0 is no number of connections; give 1 or more, or None"),
        ({"max_size": -5}, "max_size: -5 is no number of connections; give 1 or more, or None"),
        ({"max_size": True}, "max_size: True is no number of connections; give 1 or more, or None"),
        ({"max_size": 2.5}, "max_size: 2.5 is no number of connections; give 1 or more, or None"),
        ({"max_size": "25"}, "max_size: '25' is no number of connections; give 1 or more, or None"),
    ],
)
def test_bad_names_and_sizes_are_refused(given: dict[str, object], message: str) -> None:
    """What is no name or no size is refused in words that say what is."""
    with pytest.raises(ValueError) as error:
        PoolTracker(**{"service": "shop", "watch": Watch(threaded=False), **given})  # type: ignore[arg-type]
    assert str(error.value) == message


def test_long_name_is_refused_in_few_words() -> None:
    """A name of 201 characters is refused, and not repeated in full."""
    with pytest.raises(ValueError) as error:
        PoolTracker("x" * 201, watch=Watch(threaded=False))
    assert len(str(error.value)) < 200
    assert PoolTracker("x" * 200, watch=Watch(threaded=False)).service == "x" * 200


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"warning": 0}, "warning, critical: 0, 0.95; 0 < warning <= critical <= 1"),
        ({"warning": 0.9, "critical": 0.8}, "warning, critical: 0.9, 0.8; 0 < warning <= critical <= 1"),
        ({"warning": "80%"}, "warning: '80%' is no number"),
        ({"held": -1}, "held: -1 is no number of seconds; give 0 or more"),
        ({"cooldown": float("nan")}, "cooldown: nan is no number of seconds; give 0 or more"),
        ({"calm": None}, "calm: None is no number"),
        ({"hysteresis": -0.1}, "hysteresis: -0.1 is no share below warning; give 0 or more"),
        ({"errors": 0}, "errors: 0 is no number of errors; give a whole one, 1 to 50"),
        ({"errors": 1.5}, "errors: 1.5 is no number of errors; give a whole one, 1 to 50"),
        ({"errors": 51}, "errors: 51 is no number of errors; give a whole one, 1 to 50"),
    ],
)
def test_bad_rules_are_refused(given: dict[str, object], message: str) -> None:
    """Rules that cannot be followed are refused in words that say what is right."""
    with pytest.raises(ValueError) as error:
        manual(rules=Rules(**given))  # type: ignore[arg-type]
    assert str(error.value) == message


def test_unknown_event_is_refused() -> None:
    """Nobody waits in vain for an event that never comes."""
    with pytest.raises(ValueError) as error:
        manual().on("utilisation_high", print)
    assert str(error.value).startswith("there is no event 'utilisation_high'; there are alert, ")


def test_export_is_json(tmp_path: Path) -> None:
    """What is written is JSON with the pool as it stands, its errors and its past."""
    pool = Pool(limit=4)
    pool.tracker.track("load")
    pool.tracker.record_error(ConnectionResetError("password=hunter2 refused"), operation="load")
    pool.look()
    pool.tracker.export_json(tmp_path / "pool.json")
    told = json.loads((tmp_path / "pool.json").read_text())
    assert told["pool"] == json.loads(json.dumps(pool.tracker.stats()))
    assert (told["pool"]["service"], told["pool"]["used"], told["pool"]["utilization"]) == ("shop", 1, 0.25)
    assert [(each["name"], each["message"], each["session"]) for each in told["errors"]] == [
        ("ConnectionResetError", "password=*** refused", True)
    ]
    assert [each["used"] for each in told["history"]] == [1]


def test_past_adds_up() -> None:
    """Samples are taken each half minute, and hours of them add up to means, peaks and growth."""
    pool = Pool(limit=4)
    pool.look(after=0)
    for _ in range(2):
        leases = [pool.tracker.track() for _ in range(3)]
        for lease in leases[1:]:
            pool.tracker.release(lease)
        pool.look(after=15, times=2)
    assert [(each.used, each.peak, each.taken) for each in pool.tracker.history()] == [
        (0, 0, 0),
        (1, 3, 3),
        (2, 4, 6),
    ]
    total = pool.tracker.aggregated(1)
    assert (total.samples, total.used_mean, total.used_max, total.taken) == (3, 1.0, 4, 6)
    assert (total.utilization_mean, total.utilization_max, total.waiting_max) == (0.25, 1.0, 0)
    assert pool.tracker.aggregated(hours=30 / 3600).samples == 2
    assert pool.tracker.aggregated(float("inf")).samples == 3
    with pytest.raises(ValueError, match=r"hours: 0 is no span of time; give more than 0"):
        pool.tracker.aggregated(0)


def test_past_counts_what_no_sample_has_yet() -> None:
    """What happened before the first sample and after the last one counts; what is older does not."""
    pool = Pool(limit=4)
    with pool.tracker.lease(), pool.tracker.lease():
        pool.tracker.record_error(ValueError("no row"))
    early = pool.tracker.aggregated(1)
    assert (early.samples, early.used_mean, early.used_max, early.taken, early.errors) == (0, None, 2, 2, 1)
    pool.look(after=0)
    pool.look(after=1800, times=3)
    pool.clock.step(20)
    with pool.tracker.lease():
        pool.tracker.ask()
        pool.tracker.gave_up(timed_out=True)
    total = pool.tracker.aggregated(1)
    assert (total.samples, total.used_max, total.utilization_max) == (2, 1, 0.25)
    assert (total.taken, total.timeouts, total.errors) == (1, 1, 0)
    assert total.until == pool.clock.now()
    assert pool.tracker.aggregated(24).taken == 3
