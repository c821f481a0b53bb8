"""The lines that led to a checkout, which are noted once a pool is half used."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from mooring.pools import PoolTracker, Watch
from mooring.pools.checkouts import Checkouts
from mooring.pools.lease import Lease
from mooring.pools.site import DEEPEST, MOST_STACKS
from tests.unit.pools.stepped import Connection, Pool, StepClock, here

LIMIT = 4


@pytest.fixture
def clock() -> StepClock:
    """A clock that stands still."""
    return StepClock()


@pytest.fixture
def tracker(clock: StepClock) -> PoolTracker:
    """A pool of four that was looked at once, so that its limit is known."""
    tracker = PoolTracker("shop", max_size=LIMIT, watch=Watch(threaded=False), clock=clock)
    tracker.look()
    return tracker


def lend(tracker: PoolTracker) -> Lease:
    """Take a lease, as a helper of an application does."""
    return tracker.track()


def descend(tracker: PoolTracker, depth: int) -> Lease:
    """Take a lease some calls further in."""
    return descend(tracker, depth - 1) if depth else tracker.track()


def test_leak_tells_the_lines_that_led_to_it(tracker: PoolTracker, clock: StepClock) -> None:
    """Of a helper that everybody calls, who called it is what matters."""
    lease, _other = lend(tracker), lend(tracker)
    called = here(1)
    clock.step(60)
    tracker.look()
    first, second = sorted(tracker.leaks(), key=lambda leak: len(leak.taken))
    assert first.taken == ()  # then the pool was less than half used
    assert second.taken[0] == f"{lease.site.file}:{lease.site.line} in lend"
    assert second.taken[1] == f"{called} in test_leak_tells_the_lines_that_led_to_it"


def test_way_to_a_checkout_has_an_end(tracker: PoolTracker) -> None:
    """The innermost lines are kept, not a recursion's every call."""
    lend(tracker)
    assert [line.function for line in descend(tracker, 50).stack] == ["descend"] * DEEPEST


def test_equal_ways_are_kept_once(tracker: PoolTracker) -> None:
    """A hundred leases that are taken in the same way cost the memory of one way."""
    lend(tracker)
    leases = [lend(tracker) for _ in range(100)]
    assert len({id(lease.stack) for lease in leases}) == 1


def test_ways_are_bounded(tracker: PoolTracker) -> None:
    """Code that is made without end fills no memory: its leases are told without the way."""
    lend(tracker)
    for number in range(MOST_STACKS + 10):
        made: dict[str, Any] = {}
        exec(f"def made_{number}(tracker): return tracker.track()", made)
        lease = made[f"made_{number}"](tracker)
    assert lease.stack == ()
    assert len(tracker.sites._stacks) == MOST_STACKS


def test_busy_pool_without_a_limit_notes_ways_too(clock: StepClock) -> None:
    """Where no limit is known, eight leases at once are reason enough."""
    tracker = PoolTracker("shop", watch=Watch(threaded=False), clock=clock)
    tracker.look()
    leases = [lend(tracker) for _ in range(8)]
    assert [hasattr(lease, "stack") for lease in leases] == [False] * 7 + [True]


async def test_way_of_who_asked_in_another_task_is_noted() -> None:
    """The lines are those of whoever called the pool, though its coroutine runs in a task of its own."""
    pool = Pool(limit=2)
    pool.look()
    book, connection = Checkouts(pool.tracker), Connection()
    caller, line = book.caller(sys._getframe()), here()

    async def acquire() -> None:
        book.answered(book.asked(), connection, caller)

    await asyncio.create_task(acquire())
    assert pool.tracker.faults == 0
    [lease] = pool.tracker.open
    assert [f"{each.file}:{each.line}" for each in lease.stack][:1] == [line]


def test_lease_that_could_not_be_noted_is_in_no_book(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault at the end of a checkout leaves no lease behind that began at the beginning of all times."""
    pool = Pool(limit=1)
    pool.look()

    def fails(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(pool.tracker.sites, "stack", fails)
    lease = pool.tracker.track()
    assert (len(pool.tracker.open), pool.tracker.faults) == (0, 1)
    pool.tracker.release(lease)
    assert (pool.tracker.taken, pool.tracker.unmatched, pool.tracker.faults) == (0, 0, 1)
