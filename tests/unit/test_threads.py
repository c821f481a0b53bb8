"""Blocking calls in threads."""

from __future__ import annotations

import asyncio
import threading

import pytest

from mooring.core.failure import CheckError
from mooring.core.reason import Reason
from mooring.core.status import Status
from mooring.net.network import Network
from mooring.net.threads import MOST_THREADS, Threads
from mooring.net.trail import Trail
from mooring.testing.leaks import no_leaks

HANGING = 50


async def test_result_and_error_come_back() -> None:
    """What the call returns is returned, what it raises is raised, and the thread is gone."""
    async with no_leaks():
        threads = Threads()
        assert await threads.run(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await threads.run(lambda: 1 // 0)


async def test_who_is_cancelled_stops_waiting_at_once() -> None:
    """A call that hangs holds its thread, not its caller."""
    threads, ends = Threads(), threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await threads.run(ends.wait)
    ends.set()
    assert await threads.run(lambda: 7) == 7


async def test_no_more_threads_than_allowed() -> None:
    """While all places are taken further calls wait, and go on when one is free."""
    threads, ends, running = Threads(), threading.Event(), threading.Semaphore(0)

    def hang() -> None:
        running.release()
        ends.wait()

    hanging = [asyncio.create_task(threads.run(hang)) for _ in range(MOST_THREADS)]
    waiting = asyncio.create_task(threads.run(lambda: 7))
    for _ in range(MOST_THREADS):
        await asyncio.to_thread(running.acquire)
    assert not waiting.done()
    ends.set()
    assert await waiting == 7
    await asyncio.gather(*hanging)


async def test_services_that_hang_keep_no_healthy_one_waiting() -> None:
    """A call is made at once beside as many as one network's hanging services may hold for long."""
    threads, ends = Threads(), threading.Event()
    hanging = [asyncio.create_task(threads.run(ends.wait)) for _ in range(HANGING)]
    await asyncio.sleep(0)  # they are all begun
    try:
        async with asyncio.timeout(5):
            assert await threads.run(lambda: 7) == 7
    finally:
        ends.set()
        await asyncio.gather(*hanging)


def test_call_that_outlives_its_loop_ends_quietly() -> None:
    """A loop that ended before the call does not make the thread fail."""
    ends = threading.Event()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await Threads().run(ends.wait)

    asyncio.run(give_up())
    (left,) = [thread for thread in threading.enumerate() if thread.name == "mooring-blocking"]
    ends.set()
    left.join()
    assert left.daemon


async def test_check_that_gets_no_thread_is_not_the_services_fault() -> None:
    """Where all places hang, a check that needs one is told as ours, with time left; a free one is taken."""
    ends = threading.Event()
    async with Network() as net:
        hanging = [asyncio.create_task(net.threads.run(ends.wait)) for _ in range(MOST_THREADS)]
        await asyncio.sleep(0)  # they are all begun
        trail = Trail(net, timeout=0.2)
        with pytest.raises(CheckError) as caught:
            await trail.in_thread(lambda: 7)
        assert trail.remaining > 0
        ends.set()
        await asyncio.gather(*hanging)
        assert await trail.in_thread(lambda: 7) == 7
    cause = caught.value.cause
    assert (cause.reason.status, cause.reason, cause.code) == (Status.UNKNOWN, Reason.INTERNAL, "NO_THREAD")
    assert cause.message == "all 64 threads for blocking calls are held by others"
