"""The clock that tests step."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mooring.testing import FakeClock


async def test_advance_wakes_sleepers_in_order_of_time() -> None:
    """Whoever sleeps is woken when his time has come, the earliest first, at exactly that time."""
    clock, woken = FakeClock(), []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (3, 1, 2, 9)]
    await clock.advance(5)
    assert woken == [(1, 1.0), (2, 2.0), (3, 3.0)]
    tasks[-1].cancel()


async def test_advance_runs_what_a_woken_task_goes_on_to_wait_for() -> None:
    """A loop that sleeps runs as often as it fits into the time that is advanced."""
    clock, beats = FakeClock(), []

    async def beat() -> None:
        while True:
            await clock.sleep(10)
            beats.append(clock.monotonic())

    task = asyncio.create_task(beat())
    await clock.advance(35)
    assert beats == [10.0, 20.0, 30.0]
    task.cancel()


async def test_a_cancelled_sleeper_is_passed_over() -> None:
    """A sleeper that was cancelled is not woken, and holds nobody up."""
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(1))
    await clock.settle()
    task.cancel()
    await clock.advance(2)
    assert task.cancelled()
    assert clock.monotonic() == 2


async def test_a_frozen_clock_wakes_everybody_late() -> None:
    """After a freeze whoever slept wakes at the end of it."""
    clock, woken = FakeClock(), []

    async def sleeper() -> None:
        await clock.sleep(10)
        woken.append(clock.monotonic())

    task = asyncio.create_task(sleeper())
    await clock.settle()
    await clock.freeze(3600)
    assert woken == [3600.0]
    await task


async def test_turning_the_wall_clock_wakes_nobody() -> None:
    """The wall clock can be turned without time passing."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    clock = FakeClock(start)
    clock.turn(-60)
    assert clock.now() == start - timedelta(minutes=1)
    assert clock.monotonic() == 0


async def test_the_clock_waits_for_work_in_threads() -> None:
    """Time stands still while `busy` says that work is under way."""
    working, clock, woken = [True], FakeClock(), []
    clock.busies.append(lambda: bool(working))

    async def sleeper() -> None:
        await clock.sleep(1)
        woken.append(bool(working))

    task = asyncio.create_task(sleeper())
    asyncio.get_running_loop().call_later(0.01, working.clear)
    await clock.advance(1)
    assert woken == [False]
    await task


@given(st.lists(st.floats(0.001, 100), min_size=1, max_size=20), st.floats(0, 100))
def test_advance_wakes_exactly_those_whose_time_has_come(sleeps: list[float], seconds: float) -> None:
    """However long people sleep, those up to the moment wake, in order, and no others."""

    async def scenario() -> None:
        clock, woken = FakeClock(), []

        async def sleeper(wait: float) -> None:
            await clock.sleep(wait)
            woken.append(wait)

        tasks = [asyncio.create_task(sleeper(wait)) for wait in sleeps]
        await clock.advance(seconds)
        assert woken == sorted(wait for wait in sleeps if wait <= seconds)
        assert clock.monotonic() == seconds
        for task in tasks:
            task.cancel()

    asyncio.run(scenario())
