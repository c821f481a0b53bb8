"""What an answer is expected to hold, in words that stand in a configuration file."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from email.message import Message
from typing import Any

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut

PATTERN_SECONDS = 0.1
"""Some patterns take years on some texts, and nothing else runs meanwhile."""
COMPARE = Prose("Ask the service by hand: correct it, or what this target expects of its answer.")
_STATUS = re.compile(r"([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?", re.IGNORECASE)
_COMPARISON = re.compile(r"(<=|>=|<|>|!=)\s*(-?\d+(?:\.\d+)?)")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "!=": operator.ne,
}


def status_codes(wanted: Iterable[int | str]) -> frozenset[int]:
    """Return the codes that 200, "2xx" and "200-399" mean. Raises ValueError."""
    found: set[int] = set()
    for each in wanted:
        match = _STATUS.fullmatch(str(each))
        if match is None:
            raise ValueError(f'{str(each)[:20]!r} is no status code: 200, "2xx" and "200-399" are')
        hundred, first, last = match.groups()
        low = int(hundred) * 100 if hundred else int(first)
        found.update(range(low, (low + 99 if hundred else int(last or first)) + 1))
    return frozenset(found)


def demand_text(body: str, wanted: str, note: str) -> None:
    """Raise CheckError(assertion) where the text is not in the body."""
    if wanted not in body:
        raise CheckError(
            Reason.ASSERTION,
            f"the body does not hold {cut(wanted)!r}{note}",
            code="BODY_WITHOUT_TEXT",
            hint=COMPARE,
        )


def demand_pattern(body: str, pattern: str, note: str) -> None:
    """Raise CheckError: assertion where the pattern is not found, config where that takes too long."""
    first_match(body, pattern, note, "expect_regex")


def first_match(body: str, pattern: str, note: str = "", setting: str = "save") -> str:
    """Return what a pattern finds first: its first group, or all of it. Raises CheckError as above."""
    import regex

    try:
        found = regex.search(pattern, body, timeout=PATTERN_SECONDS)
    except TimeoutError:
        text = f"{setting} takes more than {PATTERN_SECONDS:g} s on this body"
        hint = Prose("Repeats inside repeats, such as (a+)+, take that long: write it without.")
        raise CheckError(Reason.CONFIG, text, code="PATTERN_TOO_SLOW", hint=hint) from None
    if found is None:
        text = f"nothing in the body matches {cut(pattern)!r}{note}"
        raise CheckError(Reason.ASSERTION, text, code="BODY_WITHOUT_MATCH", hint=COMPARE)
    return str(found[1] or "" if found.re.groups else found[0])


def demand_json(body: bytes, wanted: Mapping[str, Any], content_type: str, note: str) -> None:
    """Raise CheckError(assertion) where the body is no JSON or one of these values is another."""
    document = document_of(body, content_type, note)
    for path, value in wanted.items():
        found = _all_at(document, path, note)
        if not any(_holds(actual, value) for actual in found):
            text = f"the JSON has {_shown(found[0])} at {cut(path)!r}, expected {_shown(value)}"
            raise CheckError(Reason.ASSERTION, text, code="JSON_MISMATCH", hint=COMPARE)


def document_of(body: bytes, content_type: str, note: str = "") -> Any:
    """Return what a body holds as JSON. Raises CheckError(assertion) where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _no_json(body, content_type, note) from error


def value_at(body: bytes, path: str, content_type: str) -> Any:
    """Return what stands at a dotted path of a body's JSON. Raises CheckError(assertion)."""
    return _all_at(document_of(body, content_type), path, "")[0]


def text_of(body: bytes, content_type: str) -> str:
    """Return the body as text, in the character set that its header names, where that is one."""
    message = Message()
    message["content-type"] = content_type
    try:
        return body.decode(message.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", "replace")


def demand_header(name: str, actual: str | None, wanted: str) -> None:
    """Raise CheckError(assertion) where the header is missing or does not hold the text, in any case."""
    if actual is None:
        text = f"the answer has no header {name}"
        raise CheckError(Reason.ASSERTION, text, code="HEADER_MISSING", hint=COMPARE)
    if wanted.lower() not in actual.lower():
        text = f"the header {name} is {cut(actual)!r}, expected {cut(wanted)!r} in it"
        raise CheckError(Reason.ASSERTION, text, code="HEADER_MISMATCH", hint=COMPARE)


def demand_compilable(pattern: str) -> None:
    """Raise ValueError that says what is wrong with a pattern."""
    import regex

    try:
        regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"is no regular expression: {error}") from None


def _all_at(document: Any, path: str, note: str) -> list[Any]:
    found = list(_at(document, path))
    if not found:
        raise CheckError(
            Reason.ASSERTION,
            f"the JSON has nothing at {cut(path)!r}{note}",
            code="JSON_MISSING",
            hint=COMPARE,
        )
    return found


def _at(value: Any, path: str) -> Iterator[Any]:
    """Yield what stands at a dotted path: keys, and numbers in lists. A key may itself hold a dot."""
    if not path:
        yield value
    elif isinstance(value, Mapping):
        for key in value:
            if path == key:
                yield value[key]
            elif path.startswith(f"{key}."):
                yield from _at(value[key], path[len(key) + 1 :])
    elif isinstance(value, list):
        index, _, rest = path.partition(".")
        if index.isdecimal() and int(index) < len(value):
            yield from _at(value[int(index)], rest)


def _holds(actual: Any, wanted: Any) -> bool:
    """Whether a value is the one that is wanted: equal and of the same type, or a number on its side."""
    if isinstance(wanted, str) and (match := _COMPARISON.fullmatch(wanted)):
        number = isinstance(actual, int | float) and not isinstance(actual, bool)
        return number and _COMPARE[match[1]](actual, float(match[2]))
    return bool(actual == wanted and isinstance(actual, bool) == isinstance(wanted, bool))


def _no_json(body: bytes, content_type: str, note: str) -> CheckError:
    html = "html" in content_type.lower() or body.lstrip()[:1] == b"<"
    if html:
        return CheckError(
            Reason.ASSERTION,
            f"the answer is HTML, expected JSON{note}",
            code="HTML_NOT_JSON",
            hint=Prose(
                "This is a page for people: a login page, a front end or an error page. Compare the path."
            ),
        )
    text = f"the body is no JSON: {cut(repr(body[:200]))}{note}"
    return CheckError(Reason.ASSERTION, text, code="NOT_JSON", hint=COMPARE)


def _shown(value: Any) -> str:
    return cut(json.dumps(value, ensure_ascii=False))
