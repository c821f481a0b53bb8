"""What somebody may have meant."""

from __future__ import annotations

import pytest

from mooring.core.spelling import did_you_mean

KNOWN = ["interval", "internal", "intervals", "url"]


@pytest.mark.parametrize(
    ("written", "question"),
    [
        ("intervall", "did you mean interval or intervals? "),
        ("ulr", "did you mean url? "),
        ("weather", ""),
        ("interval" * 1000, ""),
    ],
)
def test_the_nearest_names_are_asked_for(written: str, question: str) -> None:
    """The two nearest are named, the nearest first; where nothing is near nothing is asked."""
    assert did_you_mean(written, KNOWN) == question
