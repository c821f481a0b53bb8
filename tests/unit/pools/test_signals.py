"""A signal's handler that raises amid our code: what it raised is the application's, and comes there."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import QueuePool

from mooring.pools import PoolTracker, Watch
from mooring.pools.book import MOST_FAULTS
from mooring.pools.instrument import instrument
from tests.unit.pools.stepped import StepClock


class TimeLimitError(Exception):
    """What a handler raises."""


def over(_number: int, _frame: object) -> None:
    """Say that a job's time is over."""
    raise TimeLimitError


class Handler:
    """A handler that is an object."""

    def __call__(self, number: int, frame: object) -> None:
        over(number, frame)

    def method(self, number: int, frame: object) -> None:
        over(number, frame)


class Interrupting(StepClock):
    """A clock that is asked as a signal comes."""

    signalled = False

    def monotonic(self) -> float:
        if self.signalled:
            signal.raise_signal(signal.SIGALRM)
        return super().monotonic()


@pytest.fixture(params=[over, Handler(), Handler().method], ids=["function", "object", "method"])
def alarm(request: pytest.FixtureRequest) -> Iterator[None]:
    """Raise at SIGALRM, in different ways."""
    before = signal.signal(signal.SIGALRM, request.param)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize(
    "use", [lambda tracker: tracker.ask(), lambda tracker: tracker.track(asked=1)], ids=["ask", "track"]
)
def test_what_a_handler_raises_reaches_the_application(use: Callable[[PoolTracker], Any]) -> None:
    """It is no fault of ours, and what was about to be noted is not."""
    clock = Interrupting()
    tracker = PoolTracker("shop", watch=Watch(threaded=False), clock=clock)
    clock.signalled = True
    with pytest.raises(TimeLimitError):
        use(tracker)
    clock.signalled = False
    assert (tracker.faults, tracker.used, tracker.active) == (0, 0, True)


@pytest.mark.usefixtures("alarm")
def test_a_checkout_that_a_handler_ended_loses_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLAlchemy's pool has the connection again, as soon as nobody holds the error."""
    engine = create_engine("sqlite://", poolclass=QueuePool, pool_size=1, max_overflow=0)
    tracker = instrument(engine, watch=Watch(threaded=False))
    engine.connect().close()
    monkeypatch.setattr(tracker.sites, "stack", lambda _: signal.raise_signal(signal.SIGALRM))
    monkeypatch.setattr(tracker, "stacks_from", 0)
    is_over = False
    try:
        engine.connect()
    except TimeLimitError:
        is_over = True
    assert is_over
    assert "Connections in pool: 1 Current Overflow: 0" in engine.pool.status()
    assert (tracker.faults, tracker.used, tracker.waiting, len(tracker.open)) == (0, 0, 0, 0)


@pytest.mark.parametrize("error", [RecursionError("too deep"), MemoryError()])
def test_the_end_of_stack_or_memory_does_not_switch_off(error: Exception) -> None:
    """Such an error is counted; that the program ran into it says nothing of us."""
    tracker = PoolTracker("shop", watch=Watch(threaded=False))
    for _ in range(2 * MOST_FAULTS):
        tracker.broken(error)
    assert (tracker.faults, tracker.active) == (2 * MOST_FAULTS, True)
    for _ in range(MOST_FAULTS):
        tracker.broken(ValueError("no number"))
    assert tracker.active is False
