"""A lease of a web request is judged by the request, whichever thread of a pool took it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import copy_context
from queue import SimpleQueue
from threading import Thread, current_thread
from typing import Any
from weakref import ref

import pytest

from mooring.pools import PoolTracker, Watch
from mooring.pools.scope import SCOPE, Scope


class Worker:
    """A thread of a pool: does what it is given, in the scope of whoever gives it."""

    def __init__(self) -> None:
        self._work: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._done: SimpleQueue[Any] = SimpleQueue()
        self.thread = Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            self._done.put(work())
            del work

    def begin(self, work: Callable[[], Any]) -> None:
        """Begin some work in a copy of this context."""
        context = copy_context()
        self._work.put(lambda: context.run(work))

    def do(self, work: Callable[[], Any]) -> Any:
        """Do some work, and return what it does."""
        self.begin(work)
        return self._done.get()

    def end(self) -> None:
        """End the thread, and forget it."""
        if self.thread.is_alive():
            self._work.put(None)
            self.thread.join()


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A thread of a pool."""
    worker = Worker()
    yield worker
    worker.end()


@pytest.fixture
def tracker() -> PoolTracker:
    """A pool that is looked at when a test says so."""
    return PoolTracker("shop", watch=Watch(threaded=False))


@pytest.fixture
def request_scope() -> Iterator[Scope]:
    """The scope of a request that another thread than the test's serves."""
    scope = Scope("GET /orders")
    thread = Thread()
    scope.owner = ref(thread)
    token = SCOPE.set(scope)
    yield scope
    SCOPE.reset(token)


def told(tracker: PoolTracker) -> list[str]:
    """Return the kinds of leaks after two looks."""
    tracker.watch.look()
    tracker.watch.look()
    return [leak.kind.value for leak in tracker.leaks()]


def test_thread_that_ends_amid_a_request(tracker: PoolTracker, worker: Worker, request_scope: Scope) -> None:
    """A pool ends threads that are idle; what one took for a request is told when that is over."""
    worker.do(lambda: tracker.track() and None)
    worker.end()
    assert told(tracker) == []
    request_scope.over = True
    assert told(tracker) == ["abandoned"]


def test_thread_that_is_gone_amid_a_request(tracker: PoolTracker, request_scope: Scope) -> None:
    """The same where the thread is collected; nobody asks where it is now."""
    worker = Worker()
    gone = ref(worker.thread)
    worker.do(lambda: tracker.track() and None)
    worker.end()
    del worker
    assert gone() is None
    assert told(tracker) == []
    request_scope.over = True
    assert told(tracker) == ["abandoned"]


def test_thread_that_is_still_in_the_code(tracker: PoolTracker, worker: Worker, request_scope: Scope) -> None:
    """A thread that works on for a request that has ended is let be, until it has left the code once."""
    begun: SimpleQueue[None] = SimpleQueue()
    go_on: SimpleQueue[None] = SimpleQueue()

    def job() -> None:
        tracker.track()
        begun.put(None)
        go_on.get()

    worker.begin(job)
    begun.get()
    request_scope.over = True
    assert told(tracker) == []
    go_on.put(None)
    worker._done.get()
    assert told(tracker) == ["abandoned"]
    worker.begin(job)
    begun.get()
    assert told(tracker) == ["abandoned"]
    go_on.put(None)
    worker._done.get()


def test_thread_that_serves_the_request(tracker: PoolTracker, request_scope: Scope) -> None:
    """What the thread of a request took is told when that is over, wherever the thread is by then."""
    request_scope.owner = ref(current_thread())
    tracker.track()
    assert told(tracker) == []
    request_scope.over = True
    assert told(tracker) == ["abandoned"]
    [leak] = tracker.leaks()
    assert (leak.scope, leak.now) == ("GET /orders", ())
