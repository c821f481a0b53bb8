"""Our own words to people, told apart from those of strangers."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Self


class Prose(str):
    """A sentence written here, with what is put in by name: `Prose("Add {address} to it.", address=address)`.

    A secret may be a common word: masked in a sentence that everybody knows, it could be read from the
    gap. So the sentence is shown as it is written, and only the parts are redacted. A part that is a
    Prose or a member of an enum holds our own words too. Any other string, such as one made of a Prose
    by `+`, is redacted as a whole: nothing is trusted that does not say so.

    The sentence has to be a literal. Without parts its braces mean nothing.
    """

    __slots__ = ("_parts", "_sentence")
    _sentence: str
    _parts: dict[str, object]

    def __new__(cls, sentence: str, /, **parts: object) -> Self:
        self = super().__new__(cls, _filled(sentence, parts, str))
        self._sentence, self._parts = sentence, parts
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        """Have copies and pickles made as this was."""
        return (self._sentence,), self._parts

    def filled(self, **parts: object) -> Prose:
        """Return the sentence with these parts, where it comes from a table."""
        return Prose(self._sentence, **parts)

    def redacted(self, redact: Callable[[str], str]) -> str:
        """Return the sentence with its parts redacted."""
        return _filled(self._sentence, self._parts, redact)


def _filled(sentence: str, parts: dict[str, object], redact: Callable[[str], str]) -> str:
    if not parts:
        return sentence
    shown = {name: _shown(part, redact) for name, part in parts.items()}
    return sentence.format_map(shown)


def _shown(part: object, redact: Callable[[str], str]) -> str:
    if isinstance(part, Prose):
        return part.redacted(redact)
    return str(part) if isinstance(part, Enum) else redact(str(part))
