"""What an answer is expected to hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.core.failure import CheckError
from mooring.core.reason import Reason
from mooring.probes._expect import (
    demand_compilable,
    demand_header,
    demand_json,
    demand_pattern,
    demand_text,
    status_codes,
)

DOCUMENT = {
    "status": "ok",
    "count": 3,
    "share": 0.5,
    "ready": True,
    "none": None,
    "db.main": {"lag": 1},
    "db": {"connected": True, "main": {"lag": 2}},
    "nodes": [{"name": "a"}, {"name": "b"}],
}
scalars = st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=5)
documents = st.dictionaries(
    st.text(max_size=5), st.recursive(scalars, lambda inner: st.lists(inner, max_size=3)), max_size=4
)


def failure(body: bytes, wanted: dict[str, Any], content_type: str = "") -> tuple[str | None, str]:
    """Return code and message of a JSON expectation that is not met."""
    with pytest.raises(CheckError) as caught:
        demand_json(body, wanted, content_type, "")
    assert caught.value.cause.reason is Reason.ASSERTION
    return caught.value.cause.code, str(caught.value)


@pytest.mark.parametrize(
    ("wanted", "codes"),
    [
        (["2xx"], range(200, 300)),
        (["200-399"], range(200, 400)),
        ([204], [204]),
        (["204"], [204]),
        ([200, "5XX"], [200, *range(500, 600)]),
        (["404-404"], [404]),
    ],
)
def test_status_codes_are_read(wanted: list[int | str], codes: Any) -> None:
    """A number, a hundred and a range mean the codes that they say."""
    assert status_codes(wanted) == frozenset(codes)


@pytest.mark.parametrize("wanted", ["6xx", "20", "2000", "abc", 0, 99, "200-", "-200", "200-600", ""])
def test_what_is_no_status_code_is_refused(wanted: int | str) -> None:
    """Anything else is refused, with what would be right."""
    with pytest.raises(ValueError, match='is no status code: 200, "2xx" and "200-399" are'):
        status_codes([wanted])


@pytest.mark.parametrize(
    "wanted",
    [
        {"status": "ok"},
        {"count": 3, "share": 0.5, "ready": True, "none": None},
        {"count": 3.0},
        {"db.connected": True},
        {"db.main.lag": 1},
        {"db.main.lag": 2},
        {"nodes.0.name": "a", "nodes.1.name": "b"},
        {"nodes.1": {"name": "b"}},
        {"count": "> 2", "share": "<=0.5"},
        {"count": ">= 3"},
        {"count": "!= 4"},
        {"count": "< 3.5"},
    ],
)
def test_json_that_holds_what_is_expected_passes(wanted: dict[str, Any]) -> None:
    """Paths go through keys, keys with dots and lists; numbers compare."""
    demand_json(json.dumps(DOCUMENT).encode(), wanted, "application/json", "")


@pytest.mark.parametrize(
    ("wanted", "code", "message"),
    [
        ({"status": "up"}, "JSON_MISMATCH", 'the JSON has "ok" at \'status\', expected "up"'),
        ({"ready": 1}, "JSON_MISMATCH", "the JSON has true at 'ready', expected 1"),
        ({"count": True}, "JSON_MISMATCH", "the JSON has 3 at 'count', expected true"),
        ({"count": "3"}, "JSON_MISMATCH", "the JSON has 3 at 'count', expected \"3\""),
        ({"count": "> 3"}, "JSON_MISMATCH", "the JSON has 3 at 'count', expected \"> 3\""),
        ({"status": "> 3"}, "JSON_MISMATCH", 'the JSON has "ok" at \'status\', expected "> 3"'),
        ({"ready": "> 0"}, "JSON_MISMATCH", "the JSON has true at 'ready', expected \"> 0\""),
        ({"db.size": 1}, "JSON_MISSING", "the JSON has nothing at 'db.size'"),
        ({"nodes.2.name": "c"}, "JSON_MISSING", "the JSON has nothing at 'nodes.2.name'"),
        ({"nodes.-1.name": "b"}, "JSON_MISSING", "the JSON has nothing at 'nodes.-1.name'"),
        ({"status.x": "c"}, "JSON_MISSING", "the JSON has nothing at 'status.x'"),
    ],
)
def test_json_that_differs_is_told(wanted: dict[str, Any], code: str, message: str) -> None:
    """What is missing and what is different are told apart; true is not 1, and 3 is not "3"."""
    assert failure(json.dumps(DOCUMENT).encode(), wanted) == (code, message)


@given(documents)
def test_every_document_equals_itself(document: dict[str, Any]) -> None:
    """Whatever a document holds at a key is what is expected of it there."""
    wanted = {key: value for key, value in document.items() if key}
    demand_json(json.dumps(document).encode(), wanted, "", "")


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"<!doctype html>", "", "HTML_NOT_JSON"),
        (b"  <html>", "", "HTML_NOT_JSON"),
        (b"welcome", "text/html; charset=utf-8", "HTML_NOT_JSON"),
        (b"welcome", "text/plain", "NOT_JSON"),
        (b"", "application/json", "NOT_JSON"),
        (b'{"a": 1', "application/json", "NOT_JSON"),
        (b"\xff\xfe", "application/json", "NOT_JSON"),
        (b"[" * 100_000, "application/json", "NOT_JSON"),
    ],
)
def test_body_that_is_no_json_is_told(body: bytes, content_type: str, code: str) -> None:
    """A page for people is told apart from JSON that cannot be read."""
    assert failure(body, {"a": 1}, content_type)[0] == code


def test_text_has_to_be_there() -> None:
    """A text that the body does not hold is told, with what is known of the body."""
    demand_text("all is well", "is", "")
    with pytest.raises(CheckError) as caught:
        demand_text("all is well", "ill", " (redirected to http://h/)")
    assert caught.value.cause.code == "BODY_WITHOUT_TEXT"
    assert str(caught.value) == "the body does not hold 'ill' (redirected to http://h/)"


def test_pattern_has_to_match_somewhere() -> None:
    """A pattern that matches nowhere is told."""
    demand_pattern("count: 42", r"count: \d+", "")
    with pytest.raises(CheckError) as caught:
        demand_pattern("count: none", r"count: \d+", "")
    assert caught.value.cause.code == "BODY_WITHOUT_MATCH"
    assert str(caught.value) == r"nothing in the body matches 'count: \\d+'"


def test_pattern_that_takes_for_ever_is_stopped() -> None:
    """A pattern that would run for years is a mistake of ours, and stops nobody else."""
    with pytest.raises(CheckError) as caught:
        demand_pattern("a" * 40 + "b", r"(a|aa)+$", "")
    assert (caught.value.cause.reason, caught.value.cause.code) == (Reason.CONFIG, "PATTERN_TOO_SLOW")


def test_pattern_that_cannot_be_read_is_refused() -> None:
    """A pattern that is none says where."""
    demand_compilable(r"\d+")
    with pytest.raises(ValueError, match="is no regular expression: missing \\) at position 1"):
        demand_compilable("(")


def test_header_has_to_hold_the_text() -> None:
    """A header is compared as a text within it, in any case."""
    demand_header("Content-Type", "Application/JSON; charset=utf-8", "application/json")
    with pytest.raises(CheckError) as caught:
        demand_header("Server", None, "nginx")
    assert (caught.value.cause.code, str(caught.value)) == (
        "HEADER_MISSING",
        "the answer has no header Server",
    )
    with pytest.raises(CheckError) as caught:
        demand_header("Server", "apache", "nginx")
    assert caught.value.cause.code == "HEADER_MISMATCH"
    assert str(caught.value) == "the header Server is 'apache', expected 'nginx' in it"
