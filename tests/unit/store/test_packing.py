"""Results as small rows, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from mooring.core.failure import Failure
from mooring.core.reason import Reason
from mooring.core.result import Observation, TargetRef
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.store import packing
from tests.stored import BEGAN, TIMEOUT, down, up

REF = TargetRef(1, "orders", "tcp", "db.example:5432")
micros = st.integers(0, packing.LONGEST)
stages = st.lists(
    st.builds(
        StageResult,
        st.sampled_from(Stage),
        st.sampled_from(StageStatus),
        st.none() | micros.map(lambda time: time / 1_000_000),
    ),
    max_size=12,
).map(tuple)
texts = st.text(st.characters(codec=None), max_size=30)
plain = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | texts
maybe = st.none() | texts
failures = st.builds(
    Failure, st.sampled_from(Reason), st.none() | st.sampled_from(Stage), texts, texts, maybe, maybe
)
observations = st.builds(
    Observation,
    st.dictionaries(texts, plain | st.lists(plain, max_size=3), max_size=4),
    st.dictionaries(texts, st.floats(allow_nan=False), max_size=4),
    st.lists(texts, max_size=3).map(tuple),
)


@given(stages)
def test_stages_of_any_trail(trail: tuple[StageResult, ...]) -> None:
    """Stages come back in their order, their times to the microsecond."""
    assert packing.unpack_stages(packing.pack_stages(trail)) == trail


def test_stages_are_five_bytes_each() -> None:
    """Three stages take fifteen bytes."""
    assert len(packing.pack_stages(up(REF, BEGAN).stages)) == 15


def test_stages_longer_than_an_hour() -> None:
    """A time that does not fit counts as the longest that does, and a negative one as none."""
    trail = (
        StageResult(Stage.TCP, StageStatus.FAILED, 1e9),
        StageResult(Stage.TLS, StageStatus.PASSED, -1.0),
    )
    assert [each.seconds for each in packing.unpack_stages(packing.pack_stages(trail))] == [
        packing.LONGEST / 1_000_000,
        0.0,
    ]


@given(st.none() | failures, observations)
def test_body_of_anything_that_is_said(failure: Failure | None, seen: Observation) -> None:
    """Whatever a server said comes back, control characters included, and can be written as JSON again."""
    result = up(REF, BEGAN)._replace(failure=failure, observation=seen)
    told = packing.said_in(packing.body_of(result))
    to_json(told)
    if r"\ud" not in repr((failure, seen)):
        assert told == (failure, seen)


def test_stored_surrogates_are_replaced() -> None:
    """What has no bytes, as older versions stored it, comes back as a question mark, keys included."""
    failure = Failure(Reason.AUTH, None, "\ud800", "refus\udce9 \U0001f4a5", "\udfff", None)
    result = down(REF, BEGAN, failure)._replace(
        observation=Observation({"\ud800": ["\ud800"]}, {}, ("\ud800",))
    )
    told = replace(failure, code="?", message="refus? \U0001f4a5", hint="?")
    assert packing.said_in(packing.body_of(result)) == (told, Observation({"?": ["?"]}, {}, ("?",)))
    assert packing.unpack_failure(packing.pack_failure(failure)) == told


@given(st.none() | failures, observations)
def test_body_is_text_that_a_database_takes(failure: Failure | None, seen: Observation) -> None:
    """No body holds a NUL or a lone surrogate, which PostgreSQL and SQLite refuse."""
    body = packing.body_of(up(REF, BEGAN)._replace(failure=failure, observation=seen))
    assert "\0" not in body
    body.encode()


def test_body_of_values_that_json_does_not_know() -> None:
    """A value of a strange type is kept as its text, and does not stop the batch."""

    class Strange:
        def __str__(self) -> str:
            return "strange"

    details: dict[Any, Any] = {"one": Strange(), "two": float("inf")}
    result = up(REF, BEGAN, observation=Observation(details))
    assert packing.said_in(packing.body_of(result))[1].details == {"one": "strange", "two": float("inf")}


def test_body_of_a_steady_up() -> None:
    """A result with nothing to say has no body at all."""
    assert packing.body_of(up(REF, BEGAN)) == ""


def test_note_id_depends_on_the_body_alone() -> None:
    """The same words have the same number, others another, within 64 signed bits."""
    one, other = (
        packing.body_of(down(REF, BEGAN)),
        packing.body_of(down(REF, BEGAN, replace(TIMEOUT, code="X"))),
    )
    assert packing.note_id(one) == packing.note_id(packing.body_of(down(REF, BEGAN)))
    assert packing.note_id(one) != packing.note_id(other)
    assert -(2**63) <= packing.note_id(one) < 2**63


@given(failures)
def test_failure_alone(failure: Failure) -> None:
    """A change's failure comes back as it was."""
    assert packing.unpack_failure(packing.pack_failure(failure)) == failure


def test_a_failure_of_before_there_were_fixes() -> None:
    """What an older Mooring stored comes back, without a fix."""
    packed = '{"reason":"auth","stage":"auth","code":"28P01","message":"no","hint":"Set one."}'
    failure = Failure(Reason.AUTH, Stage.AUTH, "28P01", "no", "Set one.")
    assert packing.unpack_failure(packed) == failure
    assert packing.pack_failure(failure) == packed
    assert packing.said_in(f'{{"failure":{packed}}}') == (failure, Observation())
