"""What strangers say, made fit to be shown."""

import math

import pytest

from mooring.core.redact import Redactor
from mooring.core.shown import CUT, LONGEST_NAME, Shown


@pytest.fixture
def shown() -> Shown:
    """Return what masks one secret."""
    return Shown(Redactor(["canary"]))


def test_facts_that_are_fit_come_out_as_they_are_each_time_of_their_own(shown: Shown) -> None:
    """The same facts again are told the same, and what a reader does to them stays with the reader."""
    first = shown.facts({"role": "primary", "port": 5432})
    first["role"] = "changed"
    assert shown.facts({"role": "primary", "port": 5432}) == {"role": "primary", "port": 5432}


def test_facts_after_fit_ones_are_looked_at_anew(shown: Shown) -> None:
    """That the check before told nothing secret says nothing of this one."""
    shown.facts({"role": "primary"})
    assert shown.facts({"role": "canary\x1b"}) == {"role": "***\ufffd"}
    assert shown.facts({"role": "canary\x1b"}) == {"role": "***\ufffd"}


def test_secrets_of_one_check_are_masked_though_their_text_was_fit_before(shown: Shown) -> None:
    """A secret that is handed out on the way is masked by the check that was given it."""
    assert shown.facts({"user": "visitor"}) == {"user": "visitor"}
    assert shown.also({"visitor"}).facts({"user": "visitor"}) == {"user": "***"}


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 1e301])
def test_numbers_that_no_chart_takes_are_left_out_whatever_came_before(shown: Shown, number: float) -> None:
    """JSON and databases know no infinity, in the first check of a target as in a later one."""
    assert shown.numbers({"lag_seconds": number, "used": 3}) == {"used": 3}
    assert shown.numbers({"lag_seconds": 1.0, "used": 3}) == {"lag_seconds": 1.0, "used": 3}
    assert shown.numbers({"lag_seconds": number, "used": 3}) == {"used": 3}


def test_names_of_numbers_are_cleaned_each_time(shown: Shown) -> None:
    """A program that prints numbers may print any name."""
    for _ in range(2):
        assert shown.numbers({"a\x1b" + "b" * 200: 1.0}) == {
            "a\ufffd" + "b" * (LONGEST_NAME - 2 - len(CUT)) + CUT: 1.0
        }
