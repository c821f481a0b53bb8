"""What waits to be written, whatever comes in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mooring.core.failure import Failure
from mooring.core.health import Health
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Observation, TargetRef
from mooring.core.status import Status
from mooring.core.transition import Transition
from mooring.engine.batch import Batch, is_steady

START = datetime(2026, 1, 1, tzinfo=UTC)
REFUSED = Failure(Reason.REFUSED, None, "ECONNREFUSED", "refused")


def result(number: int, *, passes: bool = True, target_id: int = 1, warning: str = "") -> CheckResult:
    """Return the result of the check that began so many seconds after the start."""
    return CheckResult(
        TargetRef(target_id, "a", "tcp", "h:1"),
        Status.DOWN if not passes else Status.DEGRADED if warning else Status.UP,
        None if passes else REFUSED,
        (),
        Observation(warnings=(warning,) if warning else ()),
        START + timedelta(seconds=number),
        0.1,
    )


def health(last: CheckResult | None, status: Status = Status.UP) -> Health:
    """Return a health with this last result."""
    return Health(status, START, last=last)


passing = st.lists(st.booleans(), max_size=60)


@given(passing, st.integers(0, 60))
def test_shrinking_drops_the_oldest_passing_results_first(passes: list[bool], most: int) -> None:
    """Order is kept; failures go only where no passing result is left; exactly as many go as have to."""
    results = [result(number, passes=each) for number, each in enumerate(passes)]
    transition = Transition(1, Status.UP, Status.DOWN, START)
    batch = Batch(list(results), transitions=[transition])
    dropped = batch.shrink(most)
    assert dropped == max(0, len(results) - most)
    assert len(batch.results) == len(results) - dropped
    assert batch.results == sorted(batch.results, key=lambda each: each.started_at)
    gone = [each for each in results if each not in batch.results]
    if any(each.failure is not None for each in gone):
        assert all(each.failure is not None for each in batch.results)
    assert batch.transitions == [transition]


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=40), st.integers(0, 40))
def test_putting_batches_together_is_like_one_batch(puts: list[tuple[int, bool]], cut: int) -> None:
    """Two batches in a row, one added to the other, hold what one batch of both would hold."""
    one, first, later = Batch(), Batch(), Batch()
    for number, (target_id, news) in enumerate(puts):
        each = result(number, target_id=target_id)
        for batch in (one, first if number < cut else later):
            batch.results.append(each)
            batch.put(target_id, health(each), news=news)
    first.add(later)
    assert first.results == one.results
    assert first.health == one.health
    assert first.steady == one.steady


@given(st.integers(0, 50), st.integers(1, 10))
def test_chunks_hold_everything_once_and_what_is_told_first(count: int, size: int) -> None:
    """No chunk is larger than asked; together they are the batch; changes and healths stand in the first."""
    results = [result(number) for number in range(count)]
    transition = Transition(1, Status.UP, Status.DOWN, START)
    chunks = Batch(list(results), {1: health(None)}, {2: health(None)}, [transition]).chunks(size)
    assert [each for chunk in chunks for each in chunk.results] == results
    assert all(len(chunk.results) <= size for chunk in chunks)
    assert (chunks[0].transitions, set(chunks[0].health), set(chunks[0].steady)) == ([transition], {1}, {2})
    assert all(not chunk.transitions and not chunk.health for chunk in chunks[1:])


def test_forgetting_takes_out_old_settings_and_removed_targets() -> None:
    """Of a target that is set anew results stay; of one that is removed nothing stays."""
    batch = Batch()
    for target_id in (1, 2, 3):
        each = result(target_id, target_id=target_id)
        batch.results.append(each)
        batch.put(target_id, health(each), news=target_id == 1)
        batch.transitions.append(Transition(target_id, Status.UNKNOWN, Status.UP, START))
    batch.forget(reset=[1, 2], removed=[2])
    assert [each.target.id for each in batch.results] == [1, 3]
    assert (set(batch.health), set(batch.steady)) == (set(), {3})
    assert [each.target_id for each in batch.transitions] == [3]


def test_what_is_steady_need_not_be_written() -> None:
    """Only a passing result after a passing one, with the same warnings, says nothing new."""
    steady = health(result(1))
    assert is_steady(steady, health(result(2)))
    assert not is_steady(health(None), health(result(2)))
    assert not is_steady(steady, health(result(2, passes=False)))
    assert not is_steady(health(result(1, passes=False)), health(result(2)))
    assert not is_steady(steady, health(result(2), Status.DOWN))
    assert not is_steady(health(result(1, warning="a")), health(result(2, warning="b")))
    assert is_steady(health(result(1, warning="a")), health(result(2, warning="a")))
