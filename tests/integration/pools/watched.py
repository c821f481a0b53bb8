"""What the tests of the pools' adapters share: a tracker without a thread, a clock to turn, and a storm."""

from __future__ import annotations

import asyncio
import inspect
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from mooring.core.clock import SystemClock
from mooring.core.histogram import quantile
from mooring.core.pool import Durations, Leak, LeakKind
from mooring.pools.driver import Driver
from mooring.pools.lease import NANOSECONDS
from mooring.pools.rules import Rules
from mooring.pools.tracker import PoolTracker
from mooring.pools.watch import Watch

Instrument = Callable[[Any, Callable[[Driver], PoolTracker]], PoolTracker]


class TurnedClock(SystemClock):
    """The machine's clock, turned forward: real statements, and hours between them."""

    def __init__(self) -> None:
        self.turned = 0.0

    def monotonic(self) -> float:  # type: ignore[override]  # a plain function there
        return SystemClock.monotonic() + self.turned

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.turned)


def interrupted(*_: object, **__: object) -> Any:
    """Stand for any function of ours amid which Ctrl-C comes."""
    raise KeyboardInterrupt


def _cancelled() -> Any:
    raise asyncio.CancelledError


async def cancel_a_return(
    tracker: PoolTracker,
    take: Callable[[], Awaitable[Any]],
    give_back: Callable[[Any], Awaitable[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """End the noting of a connection that comes back to a pool of two: the pool has it nevertheless."""
    held = [await take(), await take()]
    monkeypatch.setattr(tracker, "_now", _cancelled)
    with pytest.raises(asyncio.CancelledError):
        await give_back(held[0])
    monkeypatch.undo()
    async with asyncio.timeout(5):
        held[0] = await take()
    for connection in held:
        await give_back(connection)
    assert tracker.faults == 0


def watched(
    instrument: Instrument, pool: Any, clock: TurnedClock | None = None, held: float = 10.0
) -> PoolTracker:
    """Instrument a pool; `look` looks at it. A lease is long from `held` seconds on."""

    def make(driver: Driver) -> PoolTracker:
        rules = Rules(held=held)
        return PoolTracker("shop", driver=driver, rules=rules, watch=Watch(threaded=False), clock=clock)

    return instrument(pool, make)


def look(tracker: PoolTracker, times: int = 1) -> list[Leak]:
    """Look so often, and return what was found."""
    for _ in range(times):
        tracker.watch.look()
    assert tracker.faults == 0
    return list(tracker.leaks())


def kinds(tracker: PoolTracker) -> list[LeakKind]:
    """Look once, and return the kinds of what was found."""
    return [leak.kind for leak in look(tracker)]


def line() -> int:
    """Return the line that this is called in."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def sites(tracker: PoolTracker) -> dict[tuple[str, int], int]:
    """Return how often each line took a connection."""
    found: Counter[tuple[str, int]] = Counter()
    for use in tracker.snapshot().sites:
        found[use.file, use.line] += use.total
    return dict(found)


async def storm(use: Callable[[], Awaitable[object]], tasks: int = 2_000, at_once: int = 200) -> Counter[str]:
    """Start so many tasks, and cancel each after 0 to 20 ms; return how they ended."""
    ended: Counter[str] = Counter()
    room = asyncio.Semaphore(at_once)
    chance = random.Random(7)

    async def one() -> None:
        task = asyncio.ensure_future(use())
        await asyncio.sleep(chance.uniform(0, 0.02))
        task.cancel()
        try:
            await task
            ended["finished"] += 1
        except asyncio.CancelledError:
            ended["cancelled"] += 1
        except Exception as error:
            ended[type(error).__name__] += 1
        finally:
            room.release()

    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            await room.acquire()
            group.create_task(one())
    return ended


def told_by_a_child(tracker: PoolTracker) -> tuple[int, int]:
    """Fork, and return how many connections are used and open, as the child tells."""
    child = os.fork()
    if child == 0:
        told = tracker.snapshot()
        os._exit(10 * told.used + (told.size or 0))
    used, size = divmod(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 10)
    return used, size


async def in_a_task(awaitable: Awaitable[Any]) -> Any:
    """Await in a task of its own, as `asyncio.wait_for` does before Python 3.12."""
    return await asyncio.ensure_future(awaitable)


def longest(durations: Durations) -> float:
    """Return the seconds of the longest, right within an eighth."""
    return (quantile(durations.counts, 1.0) or 0.0) / NANOSECONDS


def break_hooks(tracker: PoolTracker) -> None:
    """Let all that a hook calls fail."""

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a fault of ours")

    for name in ("ask", "track", "release", "gave_up", "created", "closed"):
        setattr(tracker, name, fail)
    tracker.sites.application = fail  # type: ignore[method-assign]
