"""What stages took, as small bytes and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.store import packing, stage_times
from mooring.store.codes import STAGE

counts = st.integers(1, 2**33)
times = st.dictionaries(st.sampled_from(sorted(STAGE.values())), st.tuples(counts, st.integers(0, 2**60)))


@given(times, counts)
def test_times_come_back_whole(listed: dict[int, tuple[int, int]], passed: int) -> None:
    """Counts and sums of any size come back, whether or not all checks timed a stage."""
    kept = {stage: list(pair) for stage, pair in listed.items()}
    assert stage_times.unpack(stage_times.pack(kept, passed), passed) == kept


def test_steady_stages_are_small() -> None:
    """Five stages of twenty checks of some milliseconds take four bytes each."""
    kept = {stage: [20, 20 * 5_000] for stage in range(5)}
    assert len(stage_times.pack(kept, 20)) == 5 * 4


@given(st.lists(st.tuples(st.sampled_from(Stage), st.none() | st.integers(0, 10**6)), max_size=9))
def test_means_are_of_what_was_timed(stages: list[tuple[Stage, int | None]]) -> None:
    """Adding packed checks up gives each stage's mean, in seconds, of those with a time of their own."""
    kept: stage_times.StageTimes = {}
    for stage, time in stages:
        seconds = None if time is None else time / 1e6
        stage_times.add(kept, packing.pack_stages([StageResult(stage, StageStatus.PASSED, seconds)]))
    timed = {stage: [t for s, t in stages if s is stage and t is not None] for stage, _ in stages}
    expected = {stage: sum(each) / len(each) / 1e6 for stage, each in timed.items() if each}
    assert stage_times.means(kept) == expected


def test_merging_is_adding_up() -> None:
    """Two spans together have the counts and sums of both."""
    kept = {0: [1, 10]}
    stage_times.merge(kept, {0: [2, 30], 3: [1, 5]})
    assert kept == {0: [3, 40], 3: [1, 5]}


def test_a_row_of_before_has_no_times() -> None:
    """NULL is a row that was made before stages were kept."""
    assert stage_times.unpack(None, 7) == {}


@given(st.binary(max_size=9), st.integers(0, 300))
def test_a_damaged_row_has_times_that_can_be_used_or_none(packed: bytes, passed: int) -> None:
    """No bytes make trouble where they are read, added up or told."""
    kept = stage_times.unpack(packed, passed)
    stage_times.merge(kept, stage_times.unpack(packed[:-1], passed))
    assert set(stage_times.means(kept)) <= set(Stage)
    assert stage_times.unpack(stage_times.pack(kept, passed), passed) == kept
