"""What a terminal is shown: colours where they are wanted, columns that line up, nothing that acts on it."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Mapping
from typing import TextIO

from mooring.core.status import Status

MARKS = {Status.UP: "✓", Status.DEGRADED: "!", Status.DOWN: "✗", Status.UNKNOWN: "?"}
_COLOURS = {Status.UP: "32", Status.DEGRADED: "33", Status.DOWN: "31", Status.UNKNOWN: "35"}
_DIM = "2"
_JOINER = "\u200d"


class Palette:
    """Colours text where the stream is a terminal and NO_COLOR is not set."""

    def __init__(self, stream: TextIO, environ: Mapping[str, str] = os.environ) -> None:
        self.on = stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"

    def status(self, status: Status, text: str) -> str:
        """Return text in the colour of a status."""
        return self._paint(_COLOURS[status], text)

    def dim(self, text: str) -> str:
        """Return text that stands back."""
        return self._paint(_DIM, text)

    def _paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.on else text


class Progress:
    """A line on a terminal that is written over and goes away. On anything else it is silent."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._on = self._stream.isatty()
        self._shown = False

    def show(self, text: str) -> None:
        """Replace the line."""
        if self._on:
            self._stream.write(f"\r\033[K{safe(text)}")
            self._stream.flush()
            self._shown = True

    def clear(self) -> None:
        """Take the line away, before something else is printed."""
        if self._shown:
            self._stream.write("\r\033[K")
            self._stream.flush()
            self._shown = False


def safe(text: str) -> str:
    """Return text on one line that cannot act on a terminal: a server chooses its own messages."""
    return "".join(c if c.isprintable() or c == _JOINER else "\ufffd" for c in " ".join(text.split()))


def pad(text: str, width: int) -> str:
    """Return text with spaces up to a width in columns, in which some characters take two."""
    return text + " " * (width - columns(text))


def columns(text: str) -> int:
    """Return how many columns a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) or c == _JOINER else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def table(rows: list[list[str]]) -> list[str]:
    """Return rows of cells as lines whose columns line up."""
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(pad, row, widths)).rstrip() for row in rows]
