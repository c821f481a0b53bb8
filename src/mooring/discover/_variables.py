"""The variables of a .env file."""

from __future__ import annotations

import re

LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)\s*=(?P<value>.*)")
LONGEST_VALUE = 65536
"""A value that grows beyond this by naming others is left as it stands."""

_BRACED = re.compile(r"\$\{(?P<name>[A-Za-z_]\w*)(?::?-(?P<default>[^{}]*))?\}|\$(?P<bare>[A-Za-z_]\w*)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def variables_of(text: str) -> dict[str, str]:
    """Return the variables in a text. `${OTHER}` is replaced by what stood above; unknown ones stay."""
    variables: dict[str, str] = {}
    for line in text.splitlines():
        match = LINE.fullmatch(line)
        if match is not None:
            variables[match["name"]] = _value(match["value"].strip(), variables)
    return variables


def expanded(value: str, variables: dict[str, str]) -> str:
    """Return a value with the variables that are known, or have a default, in place."""

    def one(match: re.Match[str]) -> str:
        known = variables.get(match["name"] or match["bare"])
        if known:
            return known
        return match["default"] if match["default"] is not None else match[0]

    grown = _BRACED.sub(one, value)
    return grown if len(grown) <= LONGEST_VALUE else value


def _value(written: str, variables: dict[str, str]) -> str:
    quote = written[:1]
    if quote in ("'", '"') and (end := _closing(written, quote)) > 0:
        inside = written[1:end]
        if quote == "'":
            return inside
        return expanded(re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), inside), variables)
    return expanded(re.split(r"\s#", written, maxsplit=1)[0].strip(), variables)


def _closing(written: str, quote: str) -> int:
    position = 1
    while position < len(written):
        if written[position] == "\\" and quote == '"':
            position += 1
        elif written[position] == quote:
            return position
        position += 1
    return -1
