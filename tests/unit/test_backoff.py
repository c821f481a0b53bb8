"""How long to wait before trying again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mooring.core.backoff import Backoff

backoffs = st.builds(Backoff, base=st.floats(0.001, 100), cap=st.floats(0.001, 10_000))
fractions = st.floats(0, 1, exclude_max=True)


@given(backoffs, st.integers(-5, 10**6), fractions)
def test_delay_is_within_its_bounds(backoff: Backoff, attempt: int, fraction: float) -> None:
    """A delay is never negative, and never past the cap nor the doubled base."""
    delay = backoff.delay(attempt, lambda: fraction)
    assert 0 <= delay <= backoff.cap
    assert delay <= backoff.base * 2.0 ** min(max(attempt, 0), 1000)


@given(backoffs, st.integers(100, 10**6), fractions, fractions)
def test_jitter_comes_after_the_cap(backoff: Backoff, attempt: int, one: float, other: float) -> None:
    """Two clients at the cap wait differently wherever their dice differ: there is no storm."""
    delays = [backoff.delay(attempt, lambda value=value: value) for value in (one, other)]
    assert delays == [backoff.cap * one, backoff.cap * other]


def test_delay_doubles_until_the_cap() -> None:
    """The ceiling goes 0.1, 0.2, 0.4 ... and stops at the cap."""
    backoff = Backoff(base=0.1, cap=1)
    ceilings = [backoff.delay(attempt, lambda: 1.0) for attempt in range(6)]
    assert ceilings == [0.1, 0.2, 0.4, 0.8, 1, 1]
