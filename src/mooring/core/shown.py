"""What strangers say, made fit to be shown and kept: no secrets, nothing that does harm, and an end to it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any

from mooring.core.prose import Prose
from mooring.core.redact import Redactor, cut

LONGEST = 2000
"""Characters of a text."""
LONGEST_NAME = 100
"""Characters of a code, and of the name of a fact."""
LONGEST_READ = 20_000
"""Characters of a text that are searched for secrets."""
MOST = 20_000
"""Characters of all facts together; a value that is no text counts like a short one."""
DEEPEST = 8
CUT = " … (cut)"
"""Ends a text of which there was more, and stands for facts that are left out."""

_LARGEST = 1e300
_SHORT = 10
# What moves a terminal's cursor, turns the direction of a text, or has no bytes: lone surrogates.
_HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: str) -> str:
    """Return a text with what does harm replaced. Line breaks and tabs stay."""
    return text if text.isprintable() else _HARMFUL.sub("\ufffd", text.replace("\r\n", "\n"))


def ended(text: str, most: int = LONGEST) -> str:
    """Return a text that has an end, and says that there was more."""
    return text if len(text) <= most else text[: most - len(CUT)] + CUT


def name(text: object) -> str:
    """Return a code, or the name of a fact or number."""
    if isinstance(text, str) and len(text) <= LONGEST_NAME and text.isprintable():
        return text
    return ended(clean(str(text)), LONGEST_NAME)


class Shown:
    """Makes what a target's checks say fit to be shown."""

    def __init__(self, redact: Redactor) -> None:
        self.redact = redact
        self._fit: dict[str, Any] = {}
        self._names: AbstractSet[str] = frozenset()

    def also(self, secrets: Collection[str]) -> Shown:
        """Return one that masks these secrets, too: those that one check was given on its way."""
        return Shown(self.redact.also(secrets)) if secrets else self

    def text(self, text: str, most: int = LONGEST) -> str:
        """Return what may be shown of a text. It is redacted before it is cut, so no half of a secret stays.

        Of a Prose each part may take half of the room: what comes after it is to be read, too.
        """
        if isinstance(text, Prose):
            return ended(text.redacted(lambda part: self.text(part, most // 2)), most)
        told = self.redact(cut(text, LONGEST_READ))
        return told if len(told) <= most and told.isprintable() else ended(clean(told), most)

    def facts(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return what may be shown of facts of any shape.

        Facts that were fit as they are, are fit again: most checks see what the one before saw.
        """
        if facts != self._fit:
            told = _Facts(self).mapping(facts, 0)
            if told != facts:
                return told
            self._fit = told
        return self._fit.copy()

    def numbers(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """Return the numbers that can be charted: JSON and databases know no infinity."""
        if numbers.keys() == self._names and sum(map(abs, numbers.values())) <= _LARGEST:
            return dict(numbers)
        told = {name(key): number for key, number in numbers.items() if abs(number) <= _LARGEST}
        self._names = told.keys()
        return told


class _Facts:
    """One walk through facts, with the room that is left."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._left = MOST

    def mapping(self, facts: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for key, value in facts.items():
            if self._left <= 0:
                told["…"] = CUT.strip()
                break
            short = name(key)
            self._left -= len(short)
            told[short] = self._value(value, depth + 1)
        return told

    def _list(self, values: Any, depth: int) -> list[Any]:
        told: list[Any] = []
        for value in values:
            if self._left <= 0:
                told.append(CUT.strip())
                break
            told.append(self._value(value, depth + 1))
        return told

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, (Mapping, list, tuple, set, frozenset)):
            if depth > DEEPEST:
                return self._text(CUT.strip())
            return self.mapping(value, depth) if isinstance(value, Mapping) else self._list(value, depth)
        if isinstance(value, (bytes, bytearray)):
            return self._text(bytes(value).decode(errors="replace"))
        self._left -= _SHORT
        return value if isinstance(value, _PLAIN) else self._text(str(value))

    def _text(self, text: str) -> str:
        told = self._shown.text(text)
        self._left -= len(told) + 1
        return told


_PLAIN = (type(None), bool, int, float, date)
