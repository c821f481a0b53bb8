"""`${VARIABLE}` and `file:///path` in settings: secrets stand elsewhere, the configuration names them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mooring.core.failure import Problem

LARGEST_FILE = 64 * 1024
FILE = "file:///"

_REFERENCE = re.compile(r"\$?\$\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class References:
    """Resolves references and collects what could not be; `spoiled` holds (where, field) of these.

    `$${` stands for a plain `${`. A value that begins with `file:///` is replaced by what the file
    holds, without the line break at its end.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[Problem] = []
        self.spoiled: set[tuple[str | None, str]] = set()

    def resolve(self, value: Any, field: str, where: str | None = None) -> Any:
        """Return the value with every reference in its texts resolved, however deep they stand."""
        if isinstance(value, Mapping):
            return {key: self.resolve(item, f"{field}.{key}", where) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item, f"{field}.{index}", where) for index, item in enumerate(value)]
        if not isinstance(value, str):
            return value
        try:
            return _read(value) if value.startswith(FILE) else _REFERENCE.sub(self._variable, value)
        except ValueError as error:
            self.problems.append(Problem(field, str(error), where))
            self.spoiled.add((where, field))
            return value

    def _variable(self, match: re.Match[str]) -> str:
        text, name = match[0], match[1]
        if text.startswith("$$"):
            return text[1:]
        if not _NAME.fullmatch(name):
            raise ValueError(f"{text[:40]!r} names no environment variable; a plain ${{ is written $${{")
        if name not in self._environ:
            raise ValueError(f"the environment variable {name} is not set")
        return self._environ[name]


def _read(reference: str) -> str:
    path = Path(reference.removeprefix("file://"))
    try:
        with path.open("rb") as file:
            held = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise ValueError(f"{reference} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(held) > LARGEST_FILE:
        raise ValueError(f"{reference} is larger than {LARGEST_FILE // 1024} kB")
    try:
        return held.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError(f"{reference} is not UTF-8 text") from None
