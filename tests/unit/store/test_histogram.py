"""The latency histogram and what is added up with it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mooring.core import histogram
from mooring.store.buckets import Bucket

durations = st.integers(0, 3_600_000_000)


@given(durations)
def test_index_of_any_duration(duration: int) -> None:
    """A duration lies between its bucket's lowest and the next one's."""
    index = histogram.index_of(duration)
    assert histogram.lowest(index) <= duration < histogram.lowest(index + 1)
    assert index < 256


@given(st.integers(8, 127))
def test_bucket_is_narrow(index: int) -> None:
    """A bucket is at most a quarter as wide as its lowest duration."""
    low = histogram.lowest(index)
    assert (histogram.lowest(index + 1) - low) * 4 <= low


@given(st.dictionaries(st.integers(0, 255), st.integers(1, 10**12), max_size=40))
def test_pack_of_any_counts(counts: dict[int, int]) -> None:
    """Counts come back as they were."""
    assert histogram.unpack(histogram.pack(counts)) == counts


def test_pack_of_a_steady_target_is_small() -> None:
    """Twenty results in five buckets take ten bytes."""
    assert len(histogram.pack({30: 2, 31: 8, 32: 6, 33: 3, 40: 1})) == 10


@given(st.lists(durations, min_size=1, max_size=60), st.floats(0, 1))
def test_quantile_of_any_durations(all_of_them: list[int], share: float) -> None:
    """A quantile lies in the bucket of the duration that it stands for."""
    bucket = Bucket()
    for duration in all_of_them:
        bucket.add(duration, b"", failed=False)
    value = histogram.quantile(bucket.counts, share)
    rank = max(0, min(len(all_of_them) - 1, -(-len(all_of_them) * share // 1) - 1))
    exact = sorted(all_of_them)[int(rank)]
    index = histogram.index_of(exact)
    assert value is not None
    assert histogram.lowest(index) - 1e-6 <= value <= histogram.lowest(index + 1) + 1e-6


def test_quantile_of_nothing() -> None:
    """Nothing has no quantile."""
    assert histogram.quantile({}, 0.5) is None


@given(st.lists(st.tuples(durations, st.booleans()), max_size=40), st.integers(0, 40))
def test_buckets_merge_like_their_results(checks: list[tuple[int, bool]], cut: int) -> None:
    """Two buckets merged are the bucket of all their results, wherever they were cut."""
    whole, first, second = Bucket(), Bucket(), Bucket()
    for number, (duration, failed) in enumerate(checks):
        whole.add(duration, b"", failed=failed)
        (first if number < cut else second).add(duration, b"", failed=failed)
    first.merge(second)
    assert first == whole


def test_seconds_of_a_bucket_in_which_nothing_passed() -> None:
    """Failures have no latency: how long we waited says nothing of the target."""
    bucket = Bucket()
    bucket.add(5_000_000, b"", failed=True)
    assert bucket.seconds() == dict.fromkeys(("min", "mean", "max", "p50", "p95"))


def test_seconds_of_equal_durations() -> None:
    """Quantiles never lie outside what was measured."""
    bucket = Bucket()
    for _ in range(3):
        bucket.add(10_000, b"", failed=False)
    assert bucket.seconds() == dict.fromkeys(("min", "mean", "max", "p50", "p95"), 0.01)
