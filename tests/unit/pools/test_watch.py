"""What looks after the pools of one process: its thread, and faults of our own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import pytest

from mooring.pools import PoolTracker, Watch
from mooring.pools.book import MOST_FAULTS
from tests.unit.pools.stepped import EVERY, Pool, StepClock, collections, here

SOON = 10.0
"""Seconds after which a test gives up."""


@contextmanager
def a_watch() -> Iterator[Watch]:
    """Give a watch with its thread, and end it."""
    watch = Watch()
    try:
        yield watch
    finally:
        watch.close()


def test_abandoned_lease_is_named_within_two_seconds() -> None:
    """The thread that watches names an abandoned lease by file and line within 2 s of the real clock."""
    told, lines, heard = [], [], threading.Event()
    with a_watch() as watch:
        tracker = PoolTracker("shop", watch=watch)
        tracker.on("leak", lambda leak: (told.append((leak.kind, leak.site)), heard.set()))

        def leaks() -> None:
            tracker.track("load")
            lines.append(here(1))

        thread = threading.Thread(target=leaks)
        thread.start()
        thread.join()
        assert heard.wait(2.0)
    assert told == [("abandoned", lines[0])]


def test_watch_ends_with_its_thread() -> None:
    """After `close` no thread is left; a tracker that comes later begins it anew; twice is harmless."""
    watch = Watch()
    first = PoolTracker("shop", watch=watch)
    (thread,) = [each for each in threading.enumerate() if each is watch._thread]
    watch.close()
    watch.close()
    assert (thread.is_alive(), watch._thread) == (False, None)
    second = PoolTracker("shop", "second", watch=watch)
    assert watch._thread is not None
    assert [each.name for each in watch] == [first.name, second.name]
    watch.close()


def test_a_collection_may_make_a_tracker_while_they_are_listed() -> None:
    """Wherever in the listing the collector begins and a finalizer makes a tracker, the listing goes on."""
    watch, numbers = Watch(threaded=False), count()
    made = [PoolTracker("shop", f"{next(numbers)}", watch=watch) for _ in range(30)]
    for every in EVERY:
        with collections(every, lambda: made.append(PoolTracker("shop", f"{next(numbers)}", watch=watch))):
            listed = list(watch)
        assert listed[:30] == made[:30]
    assert len(made) > 30


@pytest.mark.parametrize("raised", [RuntimeError, SystemExit, asyncio.CancelledError])
def test_thread_outlives_whatever_a_look_raises(
    raised: type[BaseException], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A look that fails twice is followed by a third, and the log says it once."""
    monkeypatch.setattr("mooring.pools.watch.TICK", 0.001)
    looks, third = count(1), threading.Event()

    class Failing(Watch):
        def look(self) -> None:
            if next(looks) < 3:
                raise raised
            third.set()

    watch = Failing()
    tracker = PoolTracker("shop", watch=watch)
    assert third.wait(SOON)
    watch.close()
    assert tracker.active is True
    assert caplog.messages == ["a fault of a look at the pools; the next ones are not told"]


def test_thread_outlives_a_log_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where what an application hangs into its log raises, pools are looked at all the same."""
    monkeypatch.setattr("mooring.pools.watch.TICK", 0.001)
    looks, second = count(1), threading.Event()

    def refuses(_: logging.LogRecord) -> bool:
        raise OSError("the log's disk is full")

    class Failing(Watch):
        def look(self) -> None:
            if next(looks) == 1:
                raise RuntimeError
            second.set()

    log = logging.getLogger("mooring.pools.watch")
    log.addFilter(refuses)
    try:
        watch = Failing()
        PoolTracker("shop", watch=watch)
        assert second.wait(SOON)
        watch.close()
    finally:
        log.removeFilter(refuses)


def test_callback_may_close_the_watch() -> None:
    """A callback that closes the watch from its own thread does not wait for itself."""
    done = threading.Event()
    with a_watch() as watch:
        tracker = PoolTracker("shop", max_size=1, watch=watch)
        tracker.on("utilization_high", lambda _: (watch.close(), done.set()))
        with tracker.lease():
            assert done.wait(SOON)
    assert tracker.faults == 0


def test_where_no_thread_can_be_started_the_program_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A machine without a thread to spare gets a tracker all the same, and a line in the log."""

    def refuses(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuses)
    watch = Watch()
    tracker = PoolTracker("shop", watch=watch)
    monkeypatch.undo()
    with tracker.lease():
        assert tracker.used == 1
    assert "pools are not watched: no thread can be started" in caplog.text
    PoolTracker("shop", "second", watch=watch)
    assert watch._thread is not None
    watch.close()


def test_driver_that_raises_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Where gauges and activity raise leases are tracked, faults are counted, and the log says it once."""
    pool = Pool(limit=2)
    pool.driver.broken = True
    with pool.tracker.lease():
        pool.look()
        snapshot = pool.tracker.snapshot()
        assert (snapshot.used, snapshot.size, snapshot.limit) == (1, None, None)
    assert (pool.tracker.faults, pool.tracker.active) == (2, True)
    assert [record.getMessage() for record in caplog.records] == ["a fault in the tracking of shop/orders"]


def test_callbacks_that_raise_are_counted_and_others_called() -> None:
    """A callback's error is kept from the application and from the other callbacks."""
    pool = Pool(limit=1)

    def raises(_: object) -> None:
        raise ZeroDivisionError

    pool.tracker.on("utilization_high", raises)
    pool.hear("utilization_high")
    with pool.tracker.lease():
        pool.look()
    assert ([event for event, _ in pool.told], pool.tracker.faults) == (["utilization_high"], 1)


def test_too_many_faults_switch_off_until_it_is_started(caplog: pytest.LogCaptureFixture) -> None:
    """After 20 faults nothing is tracked and nothing asked any more; `start` gives it another 20."""
    pool = Pool()
    pool.driver.broken = True
    pool.look(times=100)
    assert (pool.tracker.faults, pool.tracker.active) == (MOST_FAULTS, False)
    assert caplog.records[-1].getMessage() == "tracking of shop/orders is off after 20 faults"
    with pool.tracker.lease():
        assert len(pool.tracker.open) == 0
    assert pool.tracker.snapshot().totals.unmatched == 0
    pool.driver.broken = False
    pool.tracker.start()
    with pool.tracker.lease():
        assert pool.tracker.used == 1
    pool.look()
    pool.driver.broken = True
    pool.look(times=100)
    assert pool.tracker.active is False
    assert pool.tracker.snapshot().totals.internal_errors >= 2 * MOST_FAULTS


class BrokenClock(StepClock):
    """A clock that fails once it is told to."""

    broken = False

    def monotonic(self) -> float:
        if self.broken:
            raise OSError("no clock")
        return super().monotonic()


def test_clock_that_fails_harms_nobody() -> None:
    """With a clock that fails every call of a checkout still returns, and all are counted as faults."""
    clock = BrokenClock()
    tracker = PoolTracker("shop", watch=Watch(threaded=False), clock=clock)
    lease = tracker.track()
    clock.broken = True
    asked = tracker.ask()
    with tracker.track(asked=asked):
        pass
    tracker.release(lease)
    tracker.record_error(ValueError("no row"))
    tracker.watch.look()
    assert (tracker.faults, tracker.waiting) == (6, 0)
    clock.broken = False
    tracker.release(lease)
    assert tracker.used == 0


@pytest.mark.parametrize("error", [RecursionError("too deep"), MemoryError()])
def test_the_end_of_stack_or_memory_does_not_switch_off(error: Exception) -> None:
    """Such an error is counted; that the program ran into it says nothing of us."""
    tracker = PoolTracker("shop", watch=Watch(threaded=False))
    for _ in range(2 * MOST_FAULTS):
        tracker.broken(error)
    assert (tracker.faults, tracker.active) == (2 * MOST_FAULTS, True)
    for _ in range(MOST_FAULTS):
        tracker.broken(ValueError("no number"))
    assert tracker.active is False


def test_who_asked_and_was_not_noted_waits_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever noting a checkout fails, its request is answered, once: another one waits still."""
    tracker = PoolTracker("shop", watch=Watch(threaded=False))
    asked = [tracker.ask() for _ in range(3)]
    with monkeypatch.context() as patch:
        patch.setattr(tracker, "stacks_from", 0)
        patch.setattr(tracker.sites, "stack", None)
        tracker.track(asked=asked.pop())
    tracker.track(asked="soon")  # type: ignore[arg-type]
    assert (tracker.faults, tracker.waiting, tracker.used) == (2, 1, 0)
    tracker.feed = Full()
    tracker.ask()
    tracker.track(asked=asked.pop())
    assert (tracker.faults, tracker.waiting, tracker.used) == (3, 1, 0)


class Full(deque[tuple[str, float]]):
    """A queue for which there is no memory."""

    def append(self, _: object) -> None:
        raise MemoryError


class Meanwhile(StepClock):
    """A clock; as it is asked, another thread does something, once."""

    does: Callable[[], object] = int

    def monotonic(self) -> float:
        does, self.does = self.does, int
        does()
        return super().monotonic()


def test_who_asks_amid_a_reset_waits() -> None:
    """Nobody who waits is forgotten, nor hidden by those who are answered later."""
    clock = Meanwhile()
    tracker = PoolTracker("shop", watch=Watch(threaded=False), clock=clock)
    asked = [tracker.ask() for _ in range(3)]
    tracker.track(asked=asked[0])
    clock.does = tracker.ask
    tracker.reset()
    assert tracker.waiting == 3
    tracker.track(asked=asked[1])
    assert (tracker.waiting, tracker.snapshot().wait.total) == (2, 1)


class Looked(list[int]):
    """Counts; as they are added up, another thread looks who waits."""

    def __init__(self, tracker: PoolTracker) -> None:
        super().__init__(tracker.waits)
        self.tracker, self.seen, self.is_looking = tracker, [], False

    def __iter__(self) -> Iterator[int]:
        if not self.is_looking:
            self.is_looking = True
            self.seen.append(self.tracker.waiting)
            self.is_looking = False
        return super().__iter__()


def test_who_looks_amid_a_reset_sees_who_waits() -> None:
    """A program that has asked a million times has no million requests that wait, not for an instant."""
    tracker = PoolTracker("shop", watch=Watch(threaded=False))
    for _ in range(100):
        tracker.release(tracker.track(asked=tracker.ask()))
    tracker.ask()
    tracker.waits = looked = Looked(tracker)
    tracker.reset()
    assert (set(looked.seen), tracker.waiting) == ({1}, 1)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), "long", -1.0])
def test_absurd_times_harm_nobody(seconds: float) -> None:
    """A create time that is none raises nothing."""
    tracker = PoolTracker("shop", watch=Watch(threaded=False))
    tracker.created(seconds)
    assert tracker.snapshot().totals.created == 1


def test_what_is_no_lease_harms_nobody() -> None:
    """To return something else is a fault of ours, and raises nothing."""
    tracker = PoolTracker("shop", watch=Watch(threaded=False))
    tracker.release(None)  # type: ignore[arg-type]
    assert tracker.faults == 1
