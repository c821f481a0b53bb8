"""Words and times as numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.core.reason import Reason
from mooring.core.result import Trigger
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.store import codes


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (codes.STATUS, Status),
        (codes.TRIGGER, Trigger),
        (codes.STAGE, Stage),
        (codes.STAGE_STATUS, StageStatus),
        (codes.REASON, Reason),
    ],
)
def test_codes_of_a_set_of_words(table: dict[Enum, int], words: type[Enum]) -> None:
    """Every word has one number, and no two words share one."""
    assert set(table) == set(words)
    assert codes.inverse(table) == {table[word]: word for word in words}


@given(st.datetimes(timezones=st.just(UTC)))
def test_moment_of_any_time(at: datetime) -> None:
    """A time comes back from its microseconds exactly."""
    assert codes.moment(codes.micros(at)) == at


def test_micros_of_another_zone() -> None:
    """The same moment gives the same number in every time zone."""
    at = datetime(2026, 3, 2, 1, 30, tzinfo=timezone(timedelta(hours=1)))
    assert codes.micros(at) == codes.micros(datetime(2026, 3, 2, 0, 30, tzinfo=UTC))
