"""What it costs to watch a pool from inside: a checkout, a lease that is open, the import, one look.

    python -m benchmarks.pools

The pair of `track` and `release` is set against a bare pair in the same run, in turns: an object with
`__slots__` made and kept in a dict, taken out again, the clock read twice. Beside it what else a checkout
may cost: the line looked for across ten frames of a driver, and the ways that others find it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
import tracemalloc
from collections.abc import Callable
from time import monotonic_ns

from mooring.pools import PoolTracker, Watch
from mooring.pools.lease import Lease

ROUNDS, PAIRS = 150, 2_000
OPEN = 1000
IMPORTS = 15
GOAL_RATIO, GOAL_BYTES, GOAL_IMPORT = 3.0, 250, 0.015
BASE = "import asyncio, dataclasses"
WITH_TRACKER = "PoolTracker('shop', watch=Watch(threaded=False))"


class Bare:
    """The least that any book of leases needs."""

    __slots__ = ("began",)

    def __init__(self, began: int) -> None:
        self.began = began


def main() -> None:
    """Measure and print."""
    tracker = PoolTracker("shop", max_size=OPEN, watch=Watch(threaded=False))
    _pairs(tracker)
    print(f"an open lease: {_bytes(tracker):.0f} bytes   goal <= {GOAL_BYTES}")
    _imports()
    _look(tracker)


def _pairs(tracker: PoolTracker) -> None:
    kinds: dict[str, Callable[[], float]] = {
        "bare": _bare,
        "in a thread": lambda: _tracked(tracker),
        "in a task": lambda: asyncio.run(_in_a_task(tracker)),
        "asked for, in a thread": lambda: _asked(tracker),
        "line across 10 frames of a driver": lambda: _across(tracker),
        "traceback.extract_stack(limit=8)": _stack,
    }
    took: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, measured in kinds.items():
            took[name].append(measured())
    print(
        f"track and release, CPU, best of {ROUNDS} rounds of {PAIRS:,}, on Python {sys.version.split()[0]}:"
    )
    best = {name: min(times) for name, times in took.items()}
    for name, seconds in best.items():
        goal = f"   goal <= {GOAL_RATIO:.1f}" if name == "in a thread" else ""
        print(f"  {name:<34} {seconds * 1e9:6.0f} ns   {seconds / best['bare']:5.2f} times bare{goal}")


def _bare() -> float:
    book: dict[Bare, None] = {}
    held = 0
    began = time.thread_time()
    for _ in range(PAIRS):
        lease = Bare(monotonic_ns())
        book[lease] = None
        book.pop(lease)
        held += monotonic_ns() - lease.began
    return (time.thread_time() - began) / PAIRS


def _tracked(tracker: PoolTracker) -> float:
    track, release = tracker.track, tracker.release
    began = time.thread_time()
    for _ in range(PAIRS):
        release(track("work"))
    return (time.thread_time() - began) / PAIRS


async def _in_a_task(tracker: PoolTracker) -> float:
    return _tracked(tracker)


def _asked(tracker: PoolTracker) -> float:
    ask, track, release = tracker.ask, tracker.track, tracker.release
    began = time.thread_time()
    for _ in range(PAIRS):
        release(track("work", asked=ask()))
    return (time.thread_time() - began) / PAIRS


def _across(tracker: PoolTracker) -> float:
    """Find the application's frame from ten of a driver, and track by it."""
    found = {"__name__": "asyncpg.pool", "sys": sys, "sites": tracker.sites}
    source = (
        "def acquire(depth, then):\n    return acquire(depth - 1, then) if depth else then()\n"
        "def find():\n    return sites.application(sys._getframe(1))\n"
    )
    exec(compile(source, "/srv/asyncpg/pool.py", "exec"), found)
    acquire, find = found["acquire"], found["find"]

    def pair() -> None:
        tracker.release(tracker.track("work", frame=find()))

    began = time.thread_time()
    for _ in range(PAIRS // 2):
        acquire(9, pair)
    return (time.thread_time() - began) / (PAIRS // 2)


def _stack() -> float:
    began = time.thread_time()
    for _ in range(PAIRS // 40):
        traceback.extract_stack(limit=8)
    return (time.thread_time() - began) / (PAIRS // 40)


def _bytes(tracker: PoolTracker) -> float:
    """Return what each of many open leases takes, the dict's share included."""
    leases: list[Lease | None] = [None] * OPEN * 10
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for index in range(len(leases)):
        leases[index] = tracker.track("work")
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for lease in leases:
        if lease is not None:
            tracker.release(lease)
    return (after - before) / len(leases)


def _imports() -> None:
    """Import in processes of their own, in turns, and print the CPU that comes on top of the base."""
    programs = {
        "import mooring.pools": "import mooring.pools",
        "and make the first tracker": f"from mooring.pools import PoolTracker, Watch; {WITH_TRACKER}",
    }
    took: dict[str, list[float]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as folder:  # compiled once, as what is installed is
        surroundings = {**os.environ, "PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}
        for number in range(IMPORTS + 1):
            for name, program in programs.items():
                timed = "\n".join(  # noqa: FLY002 -- lines
                    (
                        BASE,
                        "from time import process_time as now",
                        "began = now()",
                        program,
                        "print(now() - began)",
                    )
                )
                run = subprocess.run(
                    [sys.executable, "-c", timed], check=True, stdout=subprocess.PIPE, env=surroundings
                )
                if number:
                    took[name].append(float(run.stdout))
    print(f"on top of `{BASE}`, CPU, best and median of {IMPORTS} processes:")
    for name, times in took.items():
        goal = f"   goal <= {GOAL_IMPORT * 1e3:.0f} ms" if name == "import mooring.pools" else ""
        print(f"  {name:<27} {min(times) * 1e3:5.1f} {statistics.median(times) * 1e3:5.1f} ms{goal}")


def _look(tracker: PoolTracker) -> None:
    """Let the watch look at many open leases, all young, and all held for long."""
    leases = [tracker.track("work") for _ in range(OPEN)]
    for name in ("young", "held for long"):
        if name == "held for long":
            for lease in leases:
                lease.began -= 3600 * 10**9
        times = []
        for _ in range(20):
            began = time.thread_time()
            tracker.look()
            times.append(time.thread_time() - began)
        print(f"a look at {OPEN:,} open leases, {name}: {statistics.median(times) * 1e3:.1f} ms")
    began = time.thread_time()
    tracker.snapshot()
    print(f"a snapshot of them: {(time.thread_time() - began) * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
