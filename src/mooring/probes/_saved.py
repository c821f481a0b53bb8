"""`{{name}}` in a request: what an earlier answer held. `${NAME}` is the environment's, and another thing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, quote_plus

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.net.http import Response
from mooring.probes import _expect as expect

LONGEST = 16 * 1024
"""Characters of a saved value; a token is a tenth of that."""
PLACES = ("header:", "cookie:", "regex:")
_REFERENCE = re.compile(r"(\$?)\{\{([^{}]*)\}\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Spell = Callable[[str], str]


def names_in(text: str) -> Iterator[str]:
    """Yield the names that a text refers to. Raises ValueError where a reference is written wrongly."""
    for dollar, inner in _REFERENCE.findall(text):
        shown = f"{{{{{inner[:40]}}}}}"
        if dollar:
            raise ValueError(f"${shown} is neither: a saved value is {{{{name}}}}, a variable ${{NAME}}")
        if not _NAME.fullmatch(inner.strip()):
            raise ValueError(f"{shown} is no name: a saved value is written {{{{name}}}}")
        yield inner.strip()


def filled(text: str, saved: Mapping[str, str], spell: Spell = str) -> str:
    """Return the text with each reference replaced by its value, spelled as it has to be there."""
    return _REFERENCE.sub(lambda found: spell(saved[found[2].strip()]), text)


def without(text: str) -> str:
    """Return the text with a number in the place of each reference, to see what it will be like."""
    return _REFERENCE.sub("0", text)


def in_url(value: str) -> str:
    """Spell a value for a path or a query: it never makes a path of its own."""
    return quote(value, safe="")


def in_body(content_type: str) -> Spell:
    """Return how a value is spelled in a body of this type, so that it cannot end the text it stands in."""
    if "json" in content_type.lower():
        return lambda value: json.dumps(value)[1:-1]
    return quote_plus if "form-urlencoded" in content_type.lower() else str


def demand_place(where: str) -> str:
    """Return where in an answer a value stands. Raises ValueError where that says nothing."""
    kind, colon, rest = where.partition(":")
    if f"{kind}{colon}" in PLACES and not rest:
        raise ValueError(f"names no {kind}: {kind}:NAME")
    if where.startswith("regex:"):
        expect.demand_compilable(rest)
    if not where:
        raise ValueError(
            "is empty: a dotted path in the answer's JSON, header:NAME, cookie:NAME or regex:..."
        )
    return where


def taken(response: Response, cookies: Mapping[str, str], where: str) -> str:
    """Return a value of an answer as text. Raises CheckError(assertion) where it is not there."""
    value = _found(response, cookies, where)
    if not value or len(value) > LONGEST or not value.isprintable():
        text = f"what the answer has at {cut(where)!r} is empty, too long or holds a line break"
        raise CheckError(Reason.ASSERTION, text, code="NOT_SAVED", hint=_HINT)
    return value


def _found(response: Response, cookies: Mapping[str, str], where: str) -> str:
    kind, _, name = where.partition(":")
    if kind == "header" and name:
        return _there(response.header(name), f"the answer has no header {name}")
    if kind == "cookie" and name:
        return _there(cookies.get(name), f"the answer sets no cookie {name}")
    content_type = response.header("content-type") or ""
    body = response.plain_body()
    if kind == "regex" and name:
        return expect.first_match(expect.text_of(body, content_type), name)
    try:
        value = expect.value_at(body, where, content_type)
    except CheckError as error:
        if error.cause.code != "JSON_MISSING":
            raise
        raise CheckError(Reason.ASSERTION, str(error), code="NOT_SAVED", hint=_HINT) from None
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (dict, list)):
        text = f"the JSON has no text or number at {cut(where)!r}, and nothing else can be saved"
        raise CheckError(Reason.ASSERTION, text, code="NOT_SAVED", hint=_HINT)
    return json.dumps(value)


def _there(value: str | None, text: str) -> str:
    if value is None:
        raise CheckError(Reason.ASSERTION, text, code="NOT_SAVED", hint=_HINT)
    return value


_HINT = Prose("Look at what it answers there: some services tell a rejected login with a success.")
