"""`holding` refuses at once what it cannot mean: a lease that is taken later has nobody to tell."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest

from mooring.pools import holding
from tests.unit.pools.stepped import Pool


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            {"seconds": "3600"},
            TypeError,
            "seconds: '3600' is no number; give one such as 3600, or math.inf",
        ),
        ({"seconds": True}, TypeError, "seconds: True is no number; give one such as 3600, or math.inf"),
        ({"seconds": -1}, ValueError, "seconds: -1 is no time; give 0 or more, or math.inf"),
        ({"seconds": nan}, ValueError, "seconds: nan is no time; give 0 or more, or math.inf"),
        ({"name": 5}, TypeError, "name: 5 is no text; give one such as 'nightly export'"),
        ({"name": " "}, ValueError, "name: it is empty; give one such as 'nightly export', or None"),
    ],
)
def test_what_is_no_hold_is_refused(given: Any, error: type[Exception], message: str) -> None:
    """The error says which field it is and what would be right, and no lease is taken under it."""
    with pytest.raises(error) as caught, holding(**given):
        pytest.fail("the block began")
    assert str(caught.value) == message


@pytest.mark.parametrize("seconds", [None, 0, 0.5, 3600, inf])
def test_what_is_a_hold_breaks_no_look(seconds: float | None) -> None:
    """Every time that is accepted can be judged."""
    pool = Pool()
    with holding("job", seconds=seconds) as scope:
        pool.tracker.track()
        pool.look(after=60, times=2)
    assert (scope.name, scope.hold, pool.tracker.faults) == ("job", seconds, 0)
