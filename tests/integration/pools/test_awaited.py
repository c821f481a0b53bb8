"""What is told alike of every pool for tasks, against real servers; a driver comes under it by its file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mooring.core.pool import LeakKind
from mooring.pools.driver import Gauges
from tests.integration.pools.drivers import Awaited, found
from tests.integration.pools.watched import (
    TurnedClock,
    in_a_task,
    kinds,
    line,
    longest,
    look,
    told_by_a_child,
    watched,
)
from tests.servers.process import eventually

DRIVERS = found()
pytestmark = pytest.mark.integration


@pytest.fixture(params=DRIVERS)
def name(request: pytest.FixtureRequest) -> str:
    """The name of a driver."""
    return str(request.param)


@pytest.fixture
def driver(name: str) -> Awaited:
    """What is known of it."""
    return DRIVERS[name]


@pytest.fixture
async def pool(driver: Awaited, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """An open pool of it, of one to two connections."""
    async with driver.opened(request) as pool:
        yield pool


async def test_all_nine_measures_are_right(
    name: str, driver: Awaited, pool: Any, request: pytest.FixtureRequest
) -> None:
    """All nine: times of wait, use and create, pending, time-outs, idle, used, most and least."""
    clock = TurnedClock()
    tracker = watched(driver.instrument, pool, clock)
    take, give = getattr(pool, driver.take), getattr(pool, driver.give)
    assert tracker.gauges() == Gauges(size=1, idle=1, limit=2, least=1)
    first, second = await take(), await take()
    third = asyncio.ensure_future(take())
    await eventually(lambda: tracker.waiting == 1, "waiting")
    with pytest.raises(driver.late):
        await driver.in_vain(pool)
    clock.turned += 1000  # beside which what a busy machine takes is nothing
    await give(first)
    await give(await third)
    seen = tracker.snapshot()
    assert (seen.used, seen.idle, seen.size, seen.limit, seen.least, seen.waiting) == (1, 1, 2, 2, 1, 0)
    assert (seen.wait.total, seen.use.total, seen.create.total) == (3, 2, 1)
    assert longest(seen.wait) == pytest.approx(1000, rel=0.15)
    assert longest(seen.use) == pytest.approx(1000, rel=0.15)
    assert 0 < longest(seen.create) < 5
    totals = seen.totals
    assert (totals.taken, totals.returned, totals.timeouts) == (3, 2, driver.timeouts)
    assert (totals.created, totals.closed, totals.unmatched, totals.internal_errors) == (1, 0, 0, 0)
    address = f"127.0.0.1:{request.getfixturevalue(driver.server).port}"
    assert (seen.driver, seen.address, seen.database) == (name, address, driver.database)
    await give(second)


async def test_a_lease_from_a_task_of_its_own_belongs_to_who_asked(driver: Awaited, pool: Any) -> None:
    """`wait_for` asks in a task that ends, before Python 3.12: the lease is no leak."""
    clock = TurnedClock()
    tracker = watched(driver.instrument, pool, clock)
    connection = await in_a_task(getattr(pool, driver.take)())
    assert look(tracker) == []
    clock.turned += 5
    assert look(tracker, 2) == []
    await getattr(pool, driver.give)(connection)


async def test_a_slow_query_is_busy_and_no_leak(driver: Awaited, pool: Any) -> None:
    """A query that runs for 10 minutes is told as busy, and nobody is alarmed."""
    clock = TurnedClock()
    tracker = watched(driver.instrument, pool, clock)
    connection = await getattr(pool, driver.take)()
    running = asyncio.ensure_future(driver.sleep(connection))
    clock.turned += 600
    await eventually(lambda: kinds(tracker) == [LeakKind.BUSY], "busy")
    assert tracker.snapshot().alerts == ()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await getattr(pool, driver.give)(connection)


async def test_idle_in_a_transaction_is_told(driver: Awaited, pool: Any) -> None:
    """A transaction in which nothing runs for long is told as that, with its line; else it is suspect."""
    tracker = watched(driver.instrument, pool, held=0.2)
    connection = await getattr(pool, driver.take)()
    taken = line() - 1
    undo = await driver.begin(connection)
    await eventually(lambda: kinds(tracker) == [LeakKind.IDLE_IN_TRANSACTION], "idle in transaction")
    assert tracker.leaks()[0].site == f"{__file__}:{taken}"
    await undo()
    assert kinds(tracker) == []
    await eventually(lambda: kinds(tracker) == [LeakKind.SUSPECT], "a suspect")
    await getattr(pool, driver.give)(connection)
    assert look(tracker) == []


@pytest.mark.filterwarnings("ignore:.*was deleted while still open:ResourceWarning")
async def test_an_abandoned_lease_names_its_line(driver: Awaited, pool: Any) -> None:
    """A task that ends with a connection is told at the second look, with file and line.

    A pool that can end what is out has it back; where it cannot, it has lost it, which stays used.
    """
    tracker = watched(driver.instrument, pool)

    async def leak() -> int:
        await getattr(pool, driver.take)()
        return line() - 1

    taken = await asyncio.create_task(leak())
    await eventually(lambda: kinds(tracker) == [LeakKind.ABANDONED], "an abandoned lease")
    [told] = tracker.leaks()
    assert (told.site, told.now) == (f"{__file__}:{taken}", ())
    if driver.terminates:
        pool.terminate()
        assert (look(tracker), tracker.used, len(tracker.open)) == ([], 0, 0)
    else:
        assert tracker.cleanup() == 1
        assert (len(tracker.open), tracker.used, driver.idle(pool)) == (0, 1, 0)


async def test_a_second_time_returns_the_same_tracker(driver: Awaited, pool: Any) -> None:
    """Instrumented twice, a pool is tracked once, and is still what it was to its users."""
    before = (repr(pool), type(pool).__name__, type(pool).__module__)
    tracker = watched(driver.instrument, pool)
    assert watched(driver.instrument, pool) is tracker
    assert (repr(pool), type(pool).__name__, type(pool).__module__) == before
    assert isinstance(pool, driver.kind)
    connection = await getattr(pool, driver.take)()
    assert len(tracker.open) == 1
    await getattr(pool, driver.give)(connection)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
async def test_child_counts_no_connection_of_its_parent(driver: Awaited, pool: Any) -> None:
    """Neither what is out at a fork nor what is idle is the child's, which cannot use it."""
    tracker = watched(driver.instrument, pool)
    connection = await getattr(pool, driver.take)()
    assert told_by_a_child(tracker) == (0, 0)
    assert (tracker.used, tracker.gauges().size) == (1, 1)
    await getattr(pool, driver.give)(connection)
