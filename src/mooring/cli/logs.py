"""Logging to standard error, with every secret masked whoever wrote the line."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable

from mooring.core.failure import InputError, Problem
from mooring.core.redact import Redactor

LEVELS = ("debug", "info", "warning", "error")
VARIABLE = "MOORING_LOG"


class Masked(logging.Formatter):
    """Masks the whole finished line, tracebacks included: drivers log what they send."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redact = Redactor(secrets)

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


def log_to_stderr(secrets: Iterable[str] = (), *, level: str = "warning") -> None:
    """Send what programs log to standard error, from the level that MOORING_LOG names, else from `level`."""
    level = os.environ.get(VARIABLE, level).lower()
    if level not in LEVELS:
        raise InputError([Problem(VARIABLE, f"has to be one of {', '.join(LEVELS)}", "environment")])
    handler = logging.StreamHandler()
    handler.setFormatter(Masked(secrets))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
