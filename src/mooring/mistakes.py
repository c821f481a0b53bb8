"""What Pydantic finds wrong in what somebody wrote, in words for people."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from mooring.core.failure import Problem
from mooring.core.spelling import LONGEST_SHOWN, did_you_mean

_CHOICE = re.compile(r"bool|int|float|str|[a-z-]+\[.*\]")
"""How Pydantic names one of several types that could stand somewhere."""

_TABLE = "has to be a table: keys with their values"
_WHOLE = ("int_type", "int_parsing", "int_parsing_size", "int_from_float")
_WORDS = {
    "missing": "is missing",
    **dict.fromkeys(("string_type", "string_sub_type", "string_unicode"), "has to be text"),
    **dict.fromkeys(("float_type", "float_parsing"), "has to be a number"),
    **dict.fromkeys(_WHOLE, "has to be a whole number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "has to be true or false"),
    **dict.fromkeys(("dict_type", "mapping_type", "dataclass_type", "model_type"), _TABLE),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), "has to be a list"),
    "finite_number": "has to be a finite number",
    **dict.fromkeys(("literal_error", "enum"), "has to be {expected}"),
    "greater_than": "has to be more than {gt}",
    "greater_than_equal": "has to be at least {ge}",
    "less_than": "has to be less than {lt}",
    "less_than_equal": "has to be at most {le}",
    "too_short": "has to hold at least {min_length}",
    "too_long": "may hold at most {max_length}",
    "string_too_short": "has to have at least {min_length} characters",
    "string_too_long": "may have at most {max_length} characters",
    "string_pattern_mismatch": "has to match {pattern}",
    "path_type": "has to be a path",
}


def words_of(each: Mapping[str, Any]) -> str:
    """Return what is wrong, never the value that was refused: it may be a secret."""
    words = _WORDS.get(each["type"])
    if words is None:
        return str(each["msg"]).removeprefix("Value error, ")
    told = {key: _number(value) for key, value in each.get("ctx", {}).items()}
    return words.format(**told) if "{" in words else words


def _number(value: Any) -> Any:
    return f"{value:.15g}" if isinstance(value, float) else value


def problems_of(error: ValidationError, known: Iterable[str] = ()) -> list[Problem]:
    """Return a validation error as problems, without ever showing the value that was refused.

    `known` are the names among which a near miss is looked for.
    """
    problems: dict[str, Problem] = {}
    errors = error.errors(include_url=False, include_input=False)
    tried = Counter(each["loc"][:-1] for each in errors if _may_be_choice(each["loc"]))
    for each in errors:
        loc = each["loc"]
        chosen = _may_be_choice(loc) and tried[loc[:-1]] > 1  # alone it is a key of that name
        message = words_of(each)
        if len(loc) > 2 and loc[-1] == "[key]":  # noqa: PLR2004 -- a table, its key, and Pydantic's word for it
            loc, message = loc[:-1], f"the key itself {message}"
        field = ".".join(_shown(str(part)) for part in (loc[:-1] if chosen else loc))
        inside, separator, rest = message.partition(": ")
        if separator and _names_field(inside):  # a validator of several fields names the one it means
            field, message = f"{field}.{inside}" if field else inside, rest
        if each["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            message = _unknown(str(loc[-1]), known)
        if chosen and field in problems:
            message = _either(problems[field].message, message)
        name = field if chosen else f"{field} {len(problems)}"
        problems[name] = Problem(field, message)
    return list(problems.values())


def _names_field(text: str) -> bool:
    """Whether this is a setting, or one within another: `token`, `steps.0.url`."""
    first, *rest = text.split(".")
    return first.isidentifier() and all(each.isidentifier() or each.isdecimal() for each in rest)


def _may_be_choice(loc: tuple[int | str, ...]) -> bool:
    return bool(loc) and _CHOICE.fullmatch(str(loc[-1])) is not None


def _either(one: str, other: str) -> str:
    return one if one.endswith(other) else f"{one}, or {other.removeprefix('has to be ')}"


def _unknown(key: str, known: Iterable[str]) -> str:
    guess = did_you_mean(key, known)
    return f"is not a known setting; {guess}`mooring kinds KIND` lists the settings of a kind"


def _shown(key: str) -> str:
    """Return a key for a message: as it is where it is an ordinary one, else quoted and cut short."""
    return key if key.isprintable() and len(key) <= LONGEST_SHOWN else repr(key[:LONGEST_SHOWN])
