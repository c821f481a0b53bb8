"""What SQLAlchemy's pools give out and take back in ways of their own."""

from __future__ import annotations

import gc
import sys
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Thread
from typing import Any

import pytest
from greenlet import greenlet
from sqlalchemy import (
    AssertionPool,
    Engine,
    NullPool,
    Pool,
    QueuePool,
    SingletonThreadPool,
    StaticPool,
    create_engine,
    event,
)

import mooring
from mooring.pools import PoolTracker, Watch


class Nothing:
    """A connection of a DBAPI that does nothing."""

    def rollback(self) -> None:
        """Do nothing."""

    commit = close = rollback


def engine_of(pool: type[Pool] = QueuePool, **options: Any) -> Engine:
    """Return an engine whose connections lead nowhere."""
    creator = options.pop("creator", Nothing)
    return create_engine("sqlite://", creator=creator, poolclass=pool, _initialize=False, **options)


def tracked(engine: Engine) -> PoolTracker:
    """Instrument an engine, which only a test looks after."""
    return mooring.instrument(engine, "main", "tests", watch=Watch(threaded=False))


def counts(tracker: PoolTracker) -> tuple[int, ...]:
    """Return what was returned, is open and was forgotten, who waits, and the faults."""
    return tracker.returned, len(tracker.open), tracker.forgotten, tracker.waiting, tracker.faults


@pytest.fixture
def quick_switches() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("pool", [NullPool, QueuePool])
def test_what_sqlalchemy_drops_is_not_kept(pool: type[Pool]) -> None:
    """Where a listener fails at a checkin SQLAlchemy drops the entry: its connection ends as garbage."""
    made: list[weakref.ref[Nothing]] = []

    def make() -> Nothing:
        connection = Nothing()
        made.append(weakref.ref(connection))
        return connection

    def fail(*_: object) -> None:
        raise LookupError

    engine = engine_of(pool, creator=make)
    tracker = tracked(engine)
    event.listen(engine, "checkin", fail)
    for _ in range(3):
        with suppress(LookupError):
            engine.raw_connection().close()
    gc.collect()
    assert ([weak() for weak in made], tracker.faults) == ([None, None, None], 0)


@pytest.mark.parametrize("give_up", ["close", "detach", "invalidate"])
def test_what_a_listener_gives_up_at_checkout_is_no_lease(give_up: str) -> None:
    """A listener may end what is about to be given out: nobody holds it, and nobody waits for it."""
    engine = engine_of()
    tracker = tracked(engine)
    event.listen(engine, "checkout", lambda _connection, _entry, fairy: getattr(fairy, give_up)())
    engine.raw_connection()
    assert counts(tracker) == (0, 0, 0, 0, 0)


def test_shared_connection_that_another_holder_returns_meanwhile_is_no_lease() -> None:
    """StaticPool takes it as returned, though it is given out just then: its close would never be told."""
    engine = engine_of(StaticPool)
    tracker = tracked(engine)
    first = [engine.connect()]
    event.listen(engine, "checkout", lambda *_: first and first.pop().close())
    second = engine.connect()
    assert counts(tracker) == (1, 0, 0, 0, 0)
    second.close()
    assert counts(tracker) == (1, 0, 0, 0, 0)


def test_pool_that_is_asked_from_a_greenlets_first_frame_is_tracked() -> None:
    """The line is the one that switched to the greenlet, since the greenlet has none of its own."""
    engine = engine_of()
    tracker = tracked(engine)
    fairy = greenlet(engine.pool.connect).switch()
    line = sys._getframe().f_lineno - 1
    assert [(lease.site.file, lease.site.line) for lease in tracker.open] == [(__file__, line)]
    fairy.close()
    assert counts(tracker) == (1, 0, 0, 0, 0)


def test_entry_that_is_given_out_again_as_it_is_detached_is_leased_anew() -> None:
    """Whoever waits may have a detached connection's entry before its event is told: that is their lease."""
    engine = engine_of(pool_size=1, max_overflow=0)
    next_one: list[Any] = []
    event.listen(engine.pool, "detach", lambda *_: next_one.append(engine.raw_connection()))
    tracker = tracked(engine)
    engine.raw_connection().detach()
    gauges = tracker.gauges()
    assert (gauges.size, gauges.idle, len(tracker.open), tracker.waiting) == (1, 0, 1, 0)
    next_one[0].close()
    assert (len(tracker.open), tracker.taken, tracker.unmatched, tracker.faults) == (0, 2, 0, 0)


@pytest.mark.parametrize("pool", [AssertionPool, NullPool, QueuePool, SingletonThreadPool, StaticPool])
def test_what_was_connected_before_is_counted(pool: type[Pool]) -> None:
    """What is out when an engine is instrumented is in use; it has no line, and comes back as no surprise."""
    engine = engine_of(pool)
    out = engine.connect()
    tracker = tracked(engine)
    assert (tracker.gauges()[:2], counts(tracker)) == ((1, 0), (0, 0, 0, 0, 0))
    out.close()
    kept = 0 if pool is NullPool else 1
    assert (tracker.gauges()[:2], counts(tracker)) == ((kept, kept), (0, 0, 0, 0, 0))
    assert (tracker.unmatched, tracker.created_total) == (0, 0)


def test_shared_connection_that_is_returned_as_its_lease_is_noted_leaves_none() -> None:
    """StaticPool takes it as returned before the lease is known, and tells no later return of it."""
    engine = engine_of(StaticPool)
    tracker = tracked(engine)

    class Meanwhile(deque[tuple[str, float]]):
        def append(self, _: tuple[str, float]) -> None:
            tracker.feed = None
            engine.raw_connection().close()

    engine.raw_connection().close()
    tracker.feed = Meanwhile()
    held = engine.raw_connection()
    assert counts(tracker) == (3, 0, 0, 0, 0)
    held.invalidate()


@pytest.mark.usefixtures("quick_switches")
@pytest.mark.filterwarnings("ignore:Double checkin attempted")  # StaticPool's own, in threads
@pytest.mark.parametrize("pool", [NullPool, QueuePool, StaticPool])
def test_threads_leave_no_lease_open(pool: type[Pool]) -> None:
    """Of whatever threads do at once nothing stays open, nobody waits, and it is no fault."""

    def each(times: int, call: Callable[[], object]) -> None:
        for _ in range(times):
            call()

    engine = engine_of(pool)
    tracker = tracked(engine)
    threads = [Thread(target=each, args=(1000, lambda: engine.connect().close())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(tracker.open), tracker.waiting, tracker.faults, tracker.unmatched) == (0, 0, 0, 0)
    assert (tracker.asked, tracker.errors.total) == (8000, 0)


def test_engine_may_be_instrumented_while_it_connects() -> None:
    """Whoever is amid the events of a new connection goes on with them, and hears of nothing in between."""
    engine = engine_of()
    trackers: list[PoolTracker] = []
    heard: list[str] = []
    event.listen(engine, "connect", lambda *_: trackers.append(tracked(engine)))
    event.listen(engine, "connect", lambda *_: heard.append("connect"))
    engine.connect().close()
    engine.pool.dispose()
    engine.connect().close()
    assert (heard, trackers[0].created_total, counts(trackers[0])) == (["connect"] * 2, 1, (1, 0, 0, 0, 0))


def test_line_of_a_raw_connection_is_its_own_where_a_caller_of_it_connects_too() -> None:
    """One call may be now Engine.connect, now the way to a line of the application's further in."""
    engine = engine_of()
    tracker = tracked(engine)

    def open_raw() -> Any:
        return engine.raw_connection()

    def copy() -> Any:
        return open_raw()

    for action in (engine.connect, copy):
        held = action()
    assert [lease.site.function for lease in tracker.open] == [open_raw.__qualname__]
    held.close()


def test_new_pool_is_not_sought_among_all_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of millions of objects would wait for that, and there is nothing to find."""
    sought: list[object] = []
    monkeypatch.setattr(gc, "get_referrers", lambda *objects: sought.extend(objects) or [])
    engine = engine_of(pool_size=3)
    tracked(engine)
    used = engine_of(pool_size=0)
    used.connect().close()
    tracked(used)
    assert sought == [used.pool]


def test_interrupt_within_a_checkin_loses_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C may come while it is noted that a connection comes back: the pool has it nevertheless."""

    def interrupted() -> int:
        raise KeyboardInterrupt

    engine = engine_of(pool_size=1, max_overflow=0)
    tracker = tracked(engine)
    held = engine.raw_connection()
    monkeypatch.setattr(tracker, "_now", interrupted)
    with pytest.raises(KeyboardInterrupt):
        held.close()
    assert "Connections in pool: 1 Current Overflow: 0" in engine.pool.status()
    assert tracker.faults == 0
