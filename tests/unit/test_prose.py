"""Our own words, and what is put into them."""

from __future__ import annotations

import copy
import pickle

import pytest

from mooring.core.prose import Prose
from mooring.core.redact import Redactor
from mooring.core.stage import Stage

REDACT = Redactor(["wrong", "auth"])


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (Prose("The password is wrong."), "The password is wrong."),
        (Prose("{wrong} {} {0"), "{wrong} {} {0"),
        (Prose("wrong at {place}", place="wrong.example"), "wrong at ***.example"),
        (Prose("wrong at {place}", place="{wrong}"), "wrong at {***}"),
        (Prose("wrong at {stage}", stage=Stage.AUTH), "wrong at auth"),
        (Prose("{words}: {said}", words=Prose("wrong {a}", a="wrong"), said="wrong"), "wrong ***: ***"),
        (Prose("wrong: {said}").filled(said="wrong"), "wrong: ***"),
        (Prose("wrong") + " wrong", "*** ***"),
        (Prose("wrong")[:50], "***"),
        (f"{Prose('wrong')} wrong", "*** ***"),
    ],
)
def test_only_what_was_put_in_is_redacted(words: str, shown: str) -> None:
    """The sentence stays as it is written; whatever else was made of it is redacted as a whole."""
    told = REDACT(words)
    assert (type(told), told) == (str, shown)


def test_a_number_is_redacted_too() -> None:
    """A part is redacted as it is shown."""
    assert Redactor(["12345"])(Prose("{count} of 12345", count=12345)) == "*** of 12345"


def test_a_sentence_survives_copies() -> None:
    """Copied or pickled it still knows its parts."""
    words = Prose("wrong: {said}", said="wrong")
    for each in (copy.deepcopy(words), pickle.loads(pickle.dumps(words))):
        assert (each, REDACT(each)) == ("wrong: wrong", "wrong: ***")


def test_a_missing_part_is_told_at_once() -> None:
    """A sentence that lacks a part cannot be made."""
    with pytest.raises(KeyError, match="place"):
        Prose("{said} at {place}", said="no")
