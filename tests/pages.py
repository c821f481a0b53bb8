"""Reading the project's own pages, for the tests that judge them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from tests.sources import ROOT, tracked

DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
WRITTEN = [path for path in tracked(".md") if path.is_relative_to(DOCS) or path.parent == ROOT]
SHELL = ("console", "sh", "bash", "shell")


def name_of(path: Path) -> str:
    """Return how a page is called in a test's name."""
    return str(path.relative_to(ROOT))


def blocks(path: Path) -> Iterator[tuple[str, str]]:
    """Yield language and text of each fenced block of a page."""
    yield from re.findall(r"^```(\w+)\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)


def headings(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in found}


def commands_in(path: Path) -> Iterator[list[str]]:
    """Yield the words of every call of `mooring` in a page's shell blocks."""
    for language, text in blocks(path):
        if language in SHELL:
            joined = text.replace("\\\n", " ")
            for line in joined.splitlines():
                yield from calls(line.removeprefix("$ "))
        elif language in ("yaml", "ini", "dockerfile"):
            for line in text.splitlines():
                if match := re.search(r"(?:run:|ExecStart=|RUN |CMD )\s*(?:\S*/)?(mooring .*)", line):
                    yield from calls(match[1])


def calls(line: str) -> Iterator[list[str]]:
    """Yield the calls of `mooring` in one line of shell."""
    for part in re.split(r"\|\||&&|\||;", line):
        words = shlex.split(part, comments=True)
        while words and re.fullmatch(r"\w+=.*|sudo|exec", words[0]):
            words.pop(0)
        if words and Path(words[0]).name == "mooring":
            yield words[1:]
