"""What a process has one of, however many threads ask for it first."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from threading import Event, Thread
from typing import Any

import pytest

import mooring
from mooring.pools import Watch, instrument
from mooring.pools.driver import ByHand
from mooring.pools.instrument import Make
from mooring.pools.once import Once, OwnLock
from mooring.pools.watch import watch_of_this_process
from tests.unit.pools.test_watch import SOON

ALONE = 0.2
"""Seconds that the first waits for a second one, which is not to come."""


class Doorway:
    """Lets the first that comes in wait for a second."""

    def __init__(self) -> None:
        self.entered = 0
        self.first, self._second = Event(), Event()

    def enter(self) -> None:
        self.entered += 1
        if self.entered == 1:
            self.first.set()
            self._second.wait(ALONE)
        else:
            self._second.set()


def two_at_once(doorway: Doorway, call: Callable[[], Any]) -> list[Any]:
    """Call in two threads, the second amid the first, and return what they got."""
    got: list[Any] = []
    threads = [Thread(target=lambda: got.append(call())) for _ in range(2)]
    threads[0].start()
    assert doorway.first.wait(SOON)
    threads[1].start()
    for thread in threads:
        thread.join(SOON)
    return got


def test_two_threads_make_one() -> None:
    """What one thread is making is not made by another, which gets the same."""
    doorway = Doorway()

    def make() -> object:
        """Make something."""
        doorway.enter()
        return object()

    once = Once(make)
    assert (once.made, once.__doc__) == (None, "Make something.")
    one, other = two_at_once(doorway, once)
    assert one is other is once() is once.made
    assert doorway.entered == 1


def test_a_process_has_one_watch() -> None:
    """The watch that trackers get by default is made once."""
    assert isinstance(watch_of_this_process, Once)
    assert watch_of_this_process() is watch_of_this_process()


def test_two_threads_instrument_one_object_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object that two threads instrument at once gets hooks once, and one tracker."""
    doorway, watch = Doorway(), Watch(threaded=False)

    class Slow:
        MATCHES = ("builtins.object",)

        @staticmethod
        def instrument(_: object, make: Make) -> mooring.pools.PoolTracker:
            doorway.enter()
            return make(ByHand(1))

    monkeypatch.setattr(import_module("mooring.pools.instrument"), "_adapter_of", lambda _: Slow)
    pool = object()
    one, other = two_at_once(doorway, lambda: instrument(pool, watch=watch))
    assert one is other
    assert (doorway.entered, list(watch)) == (1, [one])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_lock_that_a_thread_holds_at_a_fork_is_free_in_the_child() -> None:
    """A child does not wait for ever for a thread that only its parent has."""
    lock, held, ends = OwnLock(), Event(), Event()

    def hold() -> None:
        with lock.held:
            held.set()
            ends.wait(SOON)

    thread = Thread(target=hold)
    thread.start()
    held.wait(SOON)
    child = os.fork()
    if child == 0:
        os._exit(0 if lock.held.acquire(timeout=1) else 1)
    ends.set()
    thread.join(SOON)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
