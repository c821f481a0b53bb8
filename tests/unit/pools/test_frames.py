"""Where threads are, asked of the interpreter without harm to the program that they are of."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any
from weakref import ref

import pytest

from mooring.pools import holding
from mooring.pools.driver import Activity
from mooring.pools.frames import MOST_AT_ONCE, is_within, living_threads, position_of, positions_of
from tests.unit.pools.stepped import Connection, Pool

SOON = 30
_ASKS_WHILE_GARBAGE_WAITS = """
import gc, threading
from mooring.pools.frames import is_within, living_threads, positions_of

done = threading.Event()
for more in range(40):
    for ask in (living_threads, lambda: positions_of([1]), lambda: is_within("run", done)):
        for _ in range(20):  # each one's frame becomes an object, and one of them is one too many
            threading.Thread(target=done.wait, daemon=True).start()
        gc.collect()
        circle = [threading.local()]
        circle.append(circle)
        del circle
        gc.set_threshold(gc.get_count()[0] + more)
        ask()
        gc.set_threshold(700)
done.set()
"""


class Job:
    """A thread that is in a method, until it is told to go on."""

    def __init__(self) -> None:
        self.began, self.goes_on = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.work, name="job")

    def work(self) -> None:
        self.began.set()
        self.goes_on.wait(SOON)

    @property
    def ident(self) -> int:
        assert self.thread.ident is not None
        return self.thread.ident


@contextmanager
def a_job(job: Job | None = None) -> Iterator[Job]:
    """Give one that has begun, and end it."""
    job = job or Job()
    job.thread.start()
    job.began.wait(SOON)
    try:
        yield job
    finally:
        job.goes_on.set()
        job.thread.join()


class Leaves(Job):
    """One that has a lease."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self.pool = pool

    def work(self) -> None:
        self.pool.tracker.track()
        super().work()


class Local:
    """A variable of the application."""

    def __init__(self, ended_in: list[str]) -> None:
        self.ended_in = ended_in

    def __del__(self) -> None:
        self.ended_in.append(threading.current_thread().name)


@pytest.mark.parametrize("in_a_block", [False, True])
def test_function_that_ends_while_a_driver_is_asked_ends_its_own_variables(in_a_block: bool) -> None:
    """No look keeps alive what a function holds, so that a file that it locked is free when it has ended."""
    pool, connection = Pool(), Connection()
    ended_in: list[str] = []
    seen: list[list[str]] = []

    class Holds(Job):
        def work(self) -> None:
            _local = Local(ended_in)
            super().work()

    def ends_it(_: Any) -> Activity:
        job.goes_on.set()
        job.thread.join()
        seen.append(ended_in[:])
        return Activity(busy=False, idle=60.0)

    pool.driver.activity = ends_it  # type: ignore[assignment,method-assign]
    if in_a_block:
        with holding("start"):
            pool.tracker.track(connection=ref(connection))
    else:
        pool.tracker.track(connection=ref(connection))
    with a_job(Holds()) as job:
        pool.look(after=60)
    assert seen == [["job"]]
    assert [kind for kind, _ in pool.leaks()] == ["suspect"]


def between_instructions(work: Callable[[], object], check: Callable[[], None]) -> set[str]:
    """Call `check` before each instruction of the watch that `work` comes to; return the modules of these."""
    seen, before = set(), sys.gettrace()

    def trace(frame: FrameType, _: str, __: object) -> Any:
        module = str(frame.f_globals["__name__"])
        if not module.startswith("mooring.pools."):
            return None
        seen.add(module)
        frame.f_trace_opcodes = True
        check()
        return trace

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return seen


@pytest.mark.parametrize(
    "ask",
    [
        lambda _, __: living_threads(),
        lambda _, job: positions_of([job.ident]),
        lambda _, job: is_within("work", job),
        lambda pool, _: pool.look(after=60),
    ],
    ids=["living_threads", "positions_of", "is_within", "look"],
)
def test_no_other_thread_runs_while_frames_are_held(ask: Callable[[Pool, Job], object]) -> None:
    """Others may run before each instruction of Python: no frame is held then, and collections are on.

    So nothing that a function holds outlives it, an application that switches collections off is not
    overruled, and no child of a fork is left without them.
    """
    pool = Pool()
    held: set[int] = set()
    collects: set[bool] = set()

    def check() -> None:
        held.add(sys.getrefcount(frame))
        collects.add(gc.isenabled())

    with a_job(Leaves(pool)) as job:
        frame = sys._current_frames()[job.ident]
        usual = sys.getrefcount(frame)
        seen = between_instructions(lambda: ask(pool, job), check)
    assert "mooring.pools.frames" in seen
    assert (held, collects) == ({usual}, {True})


async def test_no_other_thread_runs_while_the_frame_of_a_task_is_held() -> None:
    """A task of another thread's loop may end between any two instructions, too."""
    held: set[int] = set()

    async def waits() -> None:
        await asyncio.Event().wait()

    waiting: Any = waits()
    task = asyncio.create_task(waiting)
    await asyncio.sleep(0)
    frame = waiting.cr_frame
    usual = sys.getrefcount(frame)
    seen = between_instructions(lambda: position_of(waiting), lambda: held.add(sys.getrefcount(frame)))
    assert seen == {"mooring.pools.frames"}
    assert held == {usual}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_look_at_nothing_suspicious_asks_for_no_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where threads hold leases for no longer than is usual, no look needs to know where they are."""
    pool = Pool()
    with a_job(Leaves(pool)):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "_current_frames", pytest.fail)
            pool.look(times=4)
            assert pool.leaks() == []
        pool.look(after=60)
        assert [kind for kind, _ in pool.leaks()] == ["suspect"]


def test_collection_amid_garbage_of_threads_hangs_nothing() -> None:
    """One that began while frames are made would wait for ever for what the interpreter holds meanwhile."""
    done = subprocess.run(
        [sys.executable, "-c", _ASKS_WHILE_GARBAGE_WAITS],
        capture_output=True,
        text=True,
        check=True,
        timeout=SOON,
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_collections_stay_off_where_they_are() -> None:
    """A program that has switched them off is not overruled."""
    gc.disable()
    try:
        assert threading.get_ident() in living_threads()
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("ask", [living_threads, lambda: positions_of([1]), lambda: is_within("work", None)])
def test_collections_go_on_where_memory_runs_out(
    ask: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That a look fails must not keep them off."""

    def fails() -> dict[int, FrameType]:
        raise MemoryError

    monkeypatch.setattr(sys, "_current_frames", fails)
    with pytest.raises(MemoryError):
        ask()
    assert gc.isenabled()


@pytest.mark.parametrize("failures", [1, 2, 4])
def test_collections_go_on_wherever_memory_runs_out(failures: int) -> None:
    """Whichever allocation of a look fails, and some after it, collections go on afterwards."""
    capi = pytest.importorskip("_testcapi", reason="nothing else lets memory run out")
    outcomes = []
    for first in range(60):
        capi.set_nomemory(first, first + failures)
        try:
            living_threads()
            fails = False
        except MemoryError:
            fails = True
        finally:
            capi.remove_mem_hooks()
        outcomes.append((fails, gc.isenabled()))
        gc.enable()
    assert set(outcomes) == {(True, True), (False, True)}


def test_positions_are_those_of_each_thread() -> None:
    """Each is innermost first, with line and module; a thread that does not run is nowhere."""
    with a_job() as one, a_job() as other:
        found = positions_of([one.ident, other.ident, 1])
    assert found[1] == []
    for job in (one, other):
        code, line, module = next(each for each in found[job.ident] if each[0] is Job.work.__code__)
        assert (line, module) == (code.co_firstlineno + 2, __name__)
        assert [code.co_qualname for code, _, _ in found[job.ident]][-3:] == [
            "Thread.run",
            "Thread._bootstrap_inner",
            "Thread._bootstrap",
        ]


def test_positions_of_many_threads_are_found() -> None:
    """They are taken some at a time, and none is left out."""
    with a_job() as job:
        found = positions_of([*range(1, 2 * MOST_AT_ONCE), job.ident])
    assert len(found) == 2 * MOST_AT_ONCE
    assert [thread for thread, positions in found.items() if positions] == [job.ident]


def test_method_is_that_of_the_object() -> None:
    """Neither another method of it nor the same one of another object counts."""
    with a_job() as job:
        assert is_within("work", job)
        assert not is_within("play", job)
        assert not is_within("work", Job())
    assert not is_within("work", job)
