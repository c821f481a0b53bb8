"""Leases that are not returned, judged by who holds them. The clock is stepped, owners are real."""

from __future__ import annotations

import _thread
import asyncio
import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from weakref import ref

import pytest

from mooring.core.pool import LeakKind
from mooring.pools import Rules, holding
from mooring.pools.driver import Activity, Gauges
from mooring.pools.frames import living_threads
from mooring.pools.scope import SCOPE, Scope
from tests.unit.pools.stepped import Connection, Pool, here


class Worker:
    """A thread that does one piece of work after the other, as those of a pool of threads do."""

    def __init__(self) -> None:
        self._work: SimpleQueue[object] = SimpleQueue()
        self._done: SimpleQueue[object] = SimpleQueue()
        self.thread = threading.Thread(target=self._run, name="worker")
        self.thread.start()

    def do(self, work: object) -> object:
        self._work.put(work)
        return self._done.get()

    def end(self) -> None:
        self._work.put(None)
        self.thread.join()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            self._done.put(work())  # type: ignore[operator]


@contextmanager
def a_worker() -> Iterator[Worker]:
    """Give a thread of a pool, and end it."""
    worker = Worker()
    try:
        yield worker
    finally:
        worker.end()


async def test_task_that_has_ended_abandons_its_lease() -> None:
    """That a task ended with its lease open is told at the second look, with its line, as a leak."""
    pool, lines = Pool(), []

    async def leaks() -> None:
        pool.tracker.track("load")
        lines.append(here(1))

    await asyncio.create_task(leaks(), name="request")
    pool.look()
    assert pool.leaks() == []
    pool.look()
    assert pool.leaks() == [("abandoned", lines[0])]
    (leak,) = pool.tracker.leaks()
    assert (leak.held, leak.operation, leak.now) == (1.0, "load", ())
    assert leak.function.endswith("leaks")


async def test_task_that_is_kept_after_its_end_is_named() -> None:
    """A finished task that somebody still holds is an ended owner, too, and is named."""
    pool = Pool()

    async def leaks() -> None:
        pool.tracker.track()

    task = asyncio.create_task(leaks(), name="request")
    await task
    pool.look(times=2)
    assert [(leak.kind, leak.owner) for leak in pool.tracker.leaks()] == [
        (LeakKind.ABANDONED, "task request")
    ]


def test_thread_that_has_ended_abandons_its_lease() -> None:
    """The same holds for a thread."""
    pool, lines = Pool(), []

    def leaks() -> None:
        pool.tracker.track()
        lines.append(here(1))

    thread = threading.Thread(target=leaks)
    thread.start()
    thread.join()
    pool.look(times=2)
    assert pool.leaks() == [("abandoned", lines[0])]


def test_thread_that_python_did_not_start_abandons_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is "alive" for ever, but runs no Python; where gevent lets nobody tell that, it is not accused."""
    pool, began, ends, lines = Pool(), threading.Event(), threading.Event(), []

    def takes() -> None:
        pool.tracker.track()
        lines.append(here(1))
        began.set()
        ends.wait()

    number = _thread.start_new_thread(takes, ())
    began.wait()
    pool.look(times=4)
    assert pool.leaks() == []
    ends.set()
    while number in living_threads():
        threading.Event().wait(0.001)
    with monkeypatch.context() as patch:
        patch.setattr(threading, "get_ident", lambda: 1)
        pool.look(times=4)
        is_told_by_python = hasattr(threading, "_DeleteDummyThreadOnDel")  # from 3.13 on
        assert pool.leaks() == ([("abandoned", lines[0])] if is_told_by_python else [])
    pool.look(times=2)
    assert pool.leaks() == [("abandoned", lines[0])]


def test_thread_that_python_did_not_start_is_not_asked_whether_it_lives() -> None:
    """What stands for it says that it does, or from Python 3.13 on raises, also where a program keeps it."""
    pool, kept, lines = Pool(), [], []

    def alive() -> bool:
        raise RuntimeError("thread is not alive")

    def takes() -> None:
        kept.append(threading.current_thread())
        kept[0].is_alive = alive  # type: ignore[method-assign]
        pool.tracker.track()
        lines.append(here(1))

    number = _thread.start_new_thread(takes, ())
    while not lines or number in living_threads():
        threading.Event().wait(0.001)
    pool.look(times=2)
    assert (pool.leaks(), pool.tracker.faults) == ([("abandoned", lines[0])], 0)


def test_connection_that_was_collected_is_abandoned() -> None:
    """Where the connection object itself is gone the lease is abandoned, whoever took it."""
    pool, connection = Pool(), Connection()
    pool.tracker.track(connection=ref(connection))
    line = here(1)
    pool.look()
    assert pool.leaks() == []
    del connection
    gc.collect()
    pool.look()
    assert pool.leaks() == [("abandoned", line)]


def test_living_thread_is_a_suspect_with_the_line_where_it_is_now() -> None:
    """A thread that holds a lease for long and does something else is a suspect, and where it is is told."""
    pool, begun, ends, lines = Pool(), threading.Event(), threading.Event(), []

    def blocks() -> None:
        lease = pool.tracker.track()
        lines.append(here(1))
        begun.set()
        ends.wait()
        pool.tracker.release(lease)

    thread = threading.Thread(target=blocks, name="report")
    thread.start()
    begun.wait()
    try:
        pool.look(after=9.5)
        assert pool.leaks() == []
        pool.look()
        assert pool.leaks() == [("suspect", lines[0])]
        (leak,) = pool.tracker.leaks()
        file, _, line = lines[0].rpartition(":")
        assert leak.now[0].startswith(f"{file}:{int(line) + 3} in ")
        assert leak.now[0].endswith("blocks")
        assert leak.owner == "thread report"
    finally:
        ends.set()
        thread.join()
    pool.look()
    assert pool.leaks() == []


async def test_living_task_is_a_suspect_with_the_line_where_it_waits_now() -> None:
    """Of a task the line that it awaits in is told, innermost first, across the coroutines between."""
    pool, lines = Pool(), []

    async def waits_elsewhere() -> None:
        lines.append(here(-1))
        await asyncio.Event().wait()

    async def holds() -> None:
        async with pool.tracker.lease():
            lines.extend([here(1), here(-1)])
            await waits_elsewhere()

    task = asyncio.create_task(holds(), name="export")
    await asyncio.sleep(0)
    pool.look(after=10)
    (leak,) = pool.tracker.leaks()
    assert (leak.kind, leak.site, leak.owner) == (LeakKind.SUSPECT, lines[0], "task export")
    assert [each.split(" in ")[0] for each in leak.now] == [lines[2], lines[1]]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    pool.look()
    assert pool.leaks() == []


def test_query_of_ten_minutes_is_busy_and_no_alert() -> None:
    """While a statement runs its lease is slow, and nothing is told."""
    pool, connection = Pool(), Connection()
    pool.hear("alert", "leak")
    pool.tracker.track(connection=ref(connection))
    line = here(1)
    pool.driver.activities[connection] = Activity(busy=True, in_transaction=True, idle=600.0)
    pool.look(times=1200)
    assert pool.leaks() == [("busy", line)]
    assert (pool.told, pool.tracker.alerts) == ([], ())


def test_streaming_cursor_of_an_hour_is_nothing() -> None:
    """While results are being read nothing is said, however long that takes."""
    pool, connection = Pool(), Connection()
    pool.tracker.track(connection=ref(connection))
    for second in range(3600):
        pool.driver.activities[connection] = Activity(busy=False, in_transaction=True, idle=float(second % 9))
        pool.look(after=1)
        assert pool.leaks() == []


def test_idle_transaction_is_told_as_such() -> None:
    """An open transaction on which nothing runs is a kind of its own."""
    pool, connection = Pool(), Connection()
    pool.tracker.track(connection=ref(connection))
    line = here(1)
    pool.driver.activities[connection] = Activity(busy=False, in_transaction=True, idle=12.0)
    pool.look(after=12)
    assert pool.leaks() == [("idle_in_transaction", line)]
    assert pool.tracker.leaks()[0].idle == 12.0


def test_declared_hold_is_nothing_until_it_is_over() -> None:
    """A job that says how long it holds its leases is no suspect for that time, and is one after it."""
    pool = Pool()
    with holding("nightly", seconds=3600):
        pool.tracker.track()
        line = here(1)
        pool.look(after=60, times=59)
        assert pool.leaks() == []
        pool.look(after=60)
        assert pool.leaks() == [("suspect", line)]
        assert pool.tracker.leaks()[0].scope == "nightly"


def test_hold_inside_another_takes_over_what_it_does_not_say() -> None:
    """The name of the outer one stays where the inner one declares a time alone, and the other way round."""
    with holding("nightly"), holding(seconds=60) as inner:
        assert (inner.name, inner.hold) == ("nightly", 60)
    with holding(seconds=60), holding("import") as inner:
        assert (inner.name, inner.hold) == ("import", 60)
    assert SCOPE.get() is None


def test_request_that_is_over_abandons_what_a_pools_thread_took_for_it() -> None:
    """A pool's thread lives on after the request for which it took a lease: that is a leak all the same."""
    pool, scope, lines = Pool(), Scope("GET /orders"), []

    def serves() -> None:
        token = SCOPE.set(scope)
        pool.tracker.track()
        lines.append(here(1))
        SCOPE.reset(token)

    with a_worker() as worker:
        worker.do(serves)
        pool.look(times=2)
        assert pool.leaks() == []
        scope.over = True
        pool.look(times=2)
        assert pool.leaks() == [("abandoned", lines[0])]
        assert pool.tracker.leaks()[0].scope == "GET /orders"


def test_lease_that_outlives_its_block_in_the_same_function_is_nothing() -> None:
    """Who names a checkout alone, and goes on to use the connection, leaks nothing."""
    pool = Pool()
    with holding("start"):
        lease = pool.tracker.track()
    pool.look(times=4)
    assert pool.leaks() == []
    pool.tracker.release(lease)


class EndsAmidALook(Scope):
    """A block that another thread leaves just after it was asked whether it is over."""

    @property
    def over(self) -> bool:
        is_over, self.ended = self.ended, True
        return is_over

    @over.setter
    def over(self, is_over: bool) -> None:
        self.ended = is_over


def test_lease_whose_block_ends_amid_a_look_is_nothing() -> None:
    """Its thread still is in the code that took it, and that is looked for as soon as the block is over."""
    pool = Pool()
    token = SCOPE.set(EndsAmidALook("start"))
    lease = pool.tracker.track()
    SCOPE.reset(token)
    pool.look(times=4)
    assert pool.leaks() == []
    pool.tracker.release(lease)


async def test_connection_that_another_task_uses_on_is_nothing() -> None:
    """Where the task that took it has ended, but something is sent since, the lease was handed on.

    So does `asyncio.wait_for` before Python 3.12: it asks in a task of its own.
    """
    pool, connection = Pool(), Connection()

    async def asks() -> None:
        pool.tracker.track(connection=ref(connection))

    await asyncio.create_task(asks())
    for idle in (0.0, 0.1, 0.3, 0.8, 1.3):  # last used a little after the first look
        pool.driver.activities[connection] = Activity(busy=False, idle=idle)
        pool.look()
        assert pool.leaks() == []
    pool.driver.activities[connection] = Activity(busy=False, idle=600.0)
    pool.look()
    assert [kind for kind, _ in pool.leaks()] == ["abandoned"]


def test_what_is_usual_for_a_line_is_no_suspicion() -> None:
    """A lease is a suspect after ten times what 99 of 100 of its line took, if that is more than 10 s."""
    pool = Pool()

    def job(seconds: float | None) -> None:
        lease = pool.tracker.track()
        if seconds is not None:
            pool.clock.step(seconds)
            pool.tracker.release(lease)

    for _ in range(100):
        job(30.0)
    job(None)
    pool.look(after=260)
    assert pool.leaks() == []
    pool.look(after=90)  # a quantile is right within an eighth
    assert [kind for kind, _ in pool.leaks()] == ["suspect"]
    pool.tracker.track()
    pool.look(after=10)
    assert len(pool.leaks()) == 2  # another line has no such history


def test_threshold_is_the_rules() -> None:
    """The ten seconds, and the ten times, are the rules' to change."""
    pool = Pool(rules=Rules(held=2))
    pool.tracker.track()
    pool.look(after=1.9)
    assert pool.leaks() == []
    pool.look(after=0.1)
    assert [kind for kind, _ in pool.leaks()] == ["suspect"]


def test_returned_late_closes_and_tells() -> None:
    """A suspect that comes back after all is told with its leak, and its alert is over."""
    pool = Pool()
    pool.hear("leak_suspected", "returned_late", "alert_ended")
    lease = pool.tracker.track()
    pool.look(after=10)
    pool.look(after=10)
    assert [event for event, _ in pool.told] == ["leak_suspected"]
    pool.tracker.release(lease)
    assert len(pool.told) == 1  # nothing is told on the application's path
    pool.look()
    assert [event for event, _ in pool.told] == ["leak_suspected", "returned_late", "alert_ended"]
    assert pool.told[1][1].held == 20.0
    assert pool.told[2][1].ended == pool.clock.now()
    assert (pool.tracker.alerts, pool.leaks()) == ((), [])


def test_each_leak_is_told_once_for_each_kind() -> None:
    """Many leaks of one alert are each told, and one that becomes worse is told again."""
    pool, connection = Pool(), Connection()
    pool.hear("leak")
    pool.tracker.track()
    pool.tracker.track(connection=ref(connection))
    pool.look(after=10, times=3)
    pool.driver.activities[connection] = Activity(busy=False, in_transaction=True, idle=60.0)
    pool.look(times=3)
    assert [leak.kind.value for _, leak in pool.told] == ["suspect", "suspect", "idle_in_transaction"]


@pytest.mark.parametrize("returned", [True, False])
def test_stale_abandoned_leases_are_forgotten(returned: bool) -> None:
    """Five minutes after it was found abandoned a lease is forgotten, counted as such, and told no more."""
    pool = Pool()
    pool.hear("leak_confirmed", "returned_late", "alert_ended")
    leases = []
    thread = threading.Thread(target=lambda: leases.append(pool.tracker.track()))
    thread.start()
    thread.join()
    pool.look(after=1, times=2)
    pool.look(after=299)
    assert (pool.tracker.used, len(pool.leaks())) == (1, 1)
    pool.look(after=1)
    pool.look()
    if returned:
        pool.tracker.release(leases[0])
    pool.look()
    totals = pool.tracker.snapshot().totals
    assert (pool.tracker.used, pool.leaks()) == (0, [])
    assert (totals.taken, totals.returned, totals.forgotten, totals.unmatched) == (1, 0, 1, 0)
    assert [event for event, _ in pool.told] == ["leak_confirmed", "alert_ended"]


def test_what_the_driver_says_is_out_is_not_forgotten() -> None:
    """A leak is named for as long as its connection is out, and forgotten 5 minutes after it no longer is."""
    pool = Pool(limit=10)
    thread = threading.Thread(target=lambda: [pool.tracker.track() for _ in range(3)])
    thread.start()
    thread.join()
    for idle, open_then in ((1, 3), (2, 2), (4, 0)):
        pool.driver.said = Gauges(size=4, idle=idle, limit=10)
        pool.look(times=2)
        pool.look(after=299)
        assert len(pool.leaks()) == len(pool.tracker.open) >= open_then
        pool.look(after=1)
        assert len(pool.tracker.open) == open_then
    assert pool.tracker.snapshot().totals.forgotten == 3


def test_cleanup_forgets_what_is_abandoned_and_nothing_else() -> None:
    """Only abandoned leases are forgotten by a clean-up; suspects stay."""
    pool = Pool()
    thread = threading.Thread(target=pool.tracker.track)
    thread.start()
    thread.join()
    pool.tracker.track()
    pool.look(after=10, times=2)
    assert sorted(kind for kind, _ in pool.leaks()) == ["abandoned", "suspect"]
    assert (pool.tracker.cleanup(), pool.tracker.cleanup()) == (1, 0)
    pool.look()
    assert [kind for kind, _ in pool.leaks()] == ["suspect"]
    assert pool.tracker.snapshot().totals.forgotten == 1


def test_suspect_is_never_closed_nor_forgotten() -> None:
    """However long a living owner holds it, its connection stays as it is and its lease in the book."""
    pool, connection = Pool(rules=Rules(stale_after=1)), Connection()
    connection.close = pytest.fail  # type: ignore[attr-defined]
    lease = pool.tracker.track(connection=ref(connection))
    for _ in range(24):
        pool.look(after=3600)
        assert pool.tracker.cleanup() == 0
    assert [kind for kind, _ in pool.leaks()] == ["suspect"]
    pool.tracker.release(lease)
    totals = pool.tracker.snapshot().totals
    assert (totals.taken, totals.returned, totals.forgotten) == (1, 1, 0)


def test_driver_that_does_not_tell_accuses_nobody() -> None:
    """Where the driver raises nothing is said of the lease: a statement may be running."""
    pool, connection = Pool(), Connection()
    pool.tracker.track(connection=ref(connection))
    pool.driver.broken = True
    pool.look(after=60)
    assert pool.leaks() == []
    assert pool.tracker.faults == 2  # the activity and the gauges


async def test_task_of_a_driver_hands_its_lease_on() -> None:
    """Where no line of the application's was seen, the end of the task that asked says nothing."""
    pool = Pool()
    found = {"__name__": "asyncpg.pool", "sys": sys}
    source = "async def acquire(tracker):\n    frame = tracker.sites.application(sys._getframe(0))\n"
    exec(compile(source + "    tracker.track(frame=frame)\n", "/srv/asyncpg/pool.py", "exec"), found)
    await asyncio.create_task(found["acquire"](pool.tracker))  # type: ignore[operator]
    pool.look(times=4)
    assert pool.leaks() == []
    pool.look(after=10)
    assert pool.leaks() == [("suspect", "/srv/asyncpg/pool.py:3")]


def test_threads_with_numbers_of_their_own_are_not_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under gevent the interpreter does not know a thread's number: a living one is no ended owner."""
    pool = Pool()
    pool.tracker.track()
    line = here(1)
    monkeypatch.setattr(threading.current_thread(), "_ident", 1)
    monkeypatch.setattr(threading, "get_ident", lambda: 1)
    pool.look(times=4)
    assert pool.leaks() == []
    pool.look(after=10)
    assert pool.leaks() == [("suspect", line)]
    assert pool.tracker.leaks()[0].now == ()
