"""What a watch must never do to the program that it watches."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import ref

import pytest

from mooring.contrib.request import Facts, Request
from mooring.pools import PoolTracker, Watch, holding
from mooring.pools.book import MOST_FAULTS
from mooring.pools.rules import Rules
from mooring.pools.scope import SCOPE
from tests.unit.pools.stepped import Pool, here

SOON = 20.0


class Large:
    """A variable of the application."""


@contextmanager
def no_collection() -> Iterator[None]:
    """Let nothing end but by its last reference."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def test_look_keeps_no_variable_of_a_thread_alive() -> None:
    """What a function holds ends with it: a look leaves no circle with every thread's frames in it."""
    pool, held, goes_on = Pool(), threading.Event(), threading.Event()
    kept: list[ref[Large]] = []

    def work() -> None:
        large = Large()
        kept.append(ref(large))
        held.set()
        goes_on.wait(SOON)

    pool.tracker.track()
    thread = threading.Thread(target=work)
    thread.start()
    held.wait(SOON)
    with no_collection():
        pool.look(after=60)
        goes_on.set()
        thread.join()
        assert kept[0]() is None


class Everything:
    """Awaits a future, and has whatever attribute is asked for, as proxies and mocks do."""

    def __init__(self, future: asyncio.Future[None]) -> None:
        self._future = future

    def __await__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, _: None) -> Any:
        if self._future.done():
            raise StopIteration
        self._future._asyncio_future_blocking = True
        return self._future

    def __getattr__(self, _: str) -> Any:
        return self


async def test_look_ends_whatever_a_task_awaits() -> None:
    """An object that awaits itself, as far as its attributes tell, does not hold up the watch."""
    pool = Pool()
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def hold() -> None:
        with pool.tracker.lease():
            await Everything(future)

    task = asyncio.create_task(hold())
    await asyncio.sleep(0)
    looking = threading.Thread(target=pool.look, kwargs={"after": 60}, daemon=True)
    looking.start()
    looking.join(SOON)
    assert not looking.is_alive()
    assert [leak.kind.value for leak in pool.tracker.leaks()] == ["suspect"]
    future.set_result(None)
    await task


class Green:
    """A thread as gevent has them: none of the classes that Python had before it was patched."""

    name, ident = "green", -1

    def __init__(self) -> None:
        self.lives = True

    def is_alive(self) -> bool:
        return self.lives


def test_green_threads_are_threads() -> None:
    """A lease of a greenlet is a suspect while that lives, and abandoned when it has ended."""
    pool, green = Pool(), Green()
    lease = pool.tracker.track()
    site = here(1)
    lease.owner = type(lease.owner)(green)  # type: ignore[arg-type]
    threads = threading.get_ident
    try:
        threading.get_ident = lambda: -1  # patched after Mooring was imported
        pool.look(after=60)
        assert [(leak.kind.value, leak.site, leak.owner) for leak in pool.tracker.leaks()] == [
            ("suspect", site, "thread green")
        ]
        green.lives = False
        pool.look(times=2)
    finally:
        threading.get_ident = threads
    assert pool.leaks() == [("abandoned", site)]
    assert pool.tracker.faults == 0


async def test_task_of_a_living_request_hands_its_lease_on() -> None:
    """What a request gathers in tasks is the request's: it is abandoned when that is over, and no sooner."""
    pool = Pool()
    request = Request(lambda: Facts("GET", "/report"), lambda _: "/report")
    token = SCOPE.set(request)
    await asyncio.create_task(_takes(pool))
    SCOPE.reset(token)
    pool.look(times=4)
    assert pool.leaks() == []
    request.end()
    pool.look(times=2)
    assert [kind for kind, _ in pool.leaks()] == ["abandoned"]


async def test_lease_that_is_kept_for_ever_needs_no_owner() -> None:
    """A listener that a task set up is declared to be kept, and is no leak when the task has ended."""
    pool = Pool()

    async def set_up() -> None:
        with holding("listener", seconds=float("inf")):
            pool.tracker.track()

    await asyncio.create_task(set_up())
    pool.look(after=60, times=4)
    assert pool.leaks() == []


async def _takes(pool: Pool) -> None:
    pool.tracker.track()


def test_requests_that_wait_are_known_after_a_reset() -> None:
    """Who waits while the book begins anew is counted, and so is who asks after them."""
    tracker = Pool().tracker
    asked = [tracker.ask() for _ in range(3)]
    tracker.reset()
    assert tracker.waiting == 3
    for each in asked:
        tracker.track(asked=each)
    tracker.ask()
    assert tracker.waiting == 1


def test_callbacks_that_fail_do_not_switch_off() -> None:
    """A chat that is down is no fault of the tracking, which goes on."""
    pool = Pool(limit=1, rules=Rules(cooldown=0))

    def fails(_: object) -> None:
        raise OSError("the chat is down")

    pool.tracker.on("utilization_high", fails)
    for _ in range(2 * MOST_FAULTS):
        with pool.tracker.lease():
            pool.look()
        pool.look()
    assert (pool.tracker.active, pool.tracker.faults) == (True, 2 * MOST_FAULTS)


@pytest.mark.parametrize("error", [SystemExit(1), asyncio.CancelledError()])
def test_callback_that_wants_to_end_the_thread_does_not(error: BaseException) -> None:
    """`sys.exit()` in a callback, or a cancelled call into a loop, ends neither the look nor the watch."""
    pool = Pool(limit=1)

    def exits(_: object) -> None:
        raise error

    pool.tracker.on("utilization_high", exits)
    pool.hear("utilization_high")
    with pool.tracker.lease():
        pool.look()
    assert ([event for event, _ in pool.told], pool.tracker.faults) == (["utilization_high"], 1)


def test_coroutine_function_is_no_callback() -> None:
    """Nobody would await it: it is refused where it is given."""

    async def told(_: object) -> None:
        """Never run."""

    with pytest.raises(TypeError, match=r"^told: a callback is called in a thread .* give a plain function"):
        Pool().tracker.on("leak", told)


def test_close_does_not_wait_for_a_callback_that_hangs() -> None:
    """A tracker that is closed meanwhile is told all the same, and the application goes on."""
    watch = Watch(threaded=False)
    watch.report_to("http://127.0.0.1:9", "token")
    tracker, other = PoolTracker("shop", max_size=1, watch=watch), PoolTracker("shop", "other", watch=watch)
    inside, goes_on = threading.Event(), threading.Event()
    tracker.on("utilization_high", lambda _: (inside.set(), goes_on.wait(4 * SOON)))
    with tracker.lease():
        looking = threading.Thread(target=watch.look)
        looking.start()
        inside.wait(SOON)
        closing = threading.Thread(target=other.close)
        closing.start()
        closing.join(SOON)
        assert not closing.is_alive()
        goes_on.set()
        looking.join()
    assert watch._reporter is not None
    assert [closed.name for closed, _ in watch._reporter._left] == ["other"]


_FORKS = """
import os, sys, threading
from mooring.pools import PoolTracker, Watch

imports, forked = threading.Event(), threading.Event()

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "http.client":
            imports.set()
            forked.wait(0.5)

sys.meta_path.insert(0, Slow())
watch = Watch()
tracker = PoolTracker("shop", watch=watch)
watch.report_to("http://127.0.0.1:9", "token")
watch._reporter._wake.set()
imports.wait()
child = os.fork()
if child == 0:
    import http.client, ssl, gzip
    os._exit(0)
forked.set()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_no_fork_happens_amid_an_import_of_the_reporters_thread() -> None:
    """A child would wait for ever for a module that a thread of its parent was importing."""
    program = subprocess.Popen([sys.executable, "-c", _FORKS], stdout=subprocess.PIPE, start_new_session=True)
    try:
        told, _ = program.communicate(timeout=2 * SOON)
    except subprocess.TimeoutExpired:
        os.killpg(program.pid, signal.SIGKILL)
        program.communicate()
        raise
    assert told.decode().split() == ["0"]


_ENDS = """
from mooring.pools import PoolTracker, Watch

class Last:
    def __init__(self):
        self.tracker = PoolTracker("shop", watch=Watch(threaded=False))

    def __del__(self):
        self.tracker.record_error(LookupError("what is told needs a module that was never imported"))

last = Last()
"""


def test_end_of_the_interpreter_is_no_fault() -> None:
    """What is garbage at the interpreter's end may be told to a tracker, which keeps quiet then."""
    done = subprocess.run([sys.executable, "-c", _ENDS], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
