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


def log_to_stderr(secrets: Iterable[str] = (), *, chatty: str | None = None) -> None:
    """Send what programs log to standard error, from the level that MOORING_LOG names, else warnings.

    `chatty` is a logger that is heard from "info" on. Drivers are never heard below "info": at
    "debug" they log what they send, and nobody can mask a login whose form is not known.
    """
    said = os.environ.get(VARIABLE, "").lower()
    if said and said not in LEVELS:
        raise InputError([Problem(VARIABLE, f"has to be one of {', '.join(LEVELS)}", "environment")])
    level = logging.getLevelNamesMapping()[(said or "warning").upper()]
    handler = logging.StreamHandler()
    handler.setFormatter(Masked(secrets))
    logging.basicConfig(level=max(level, logging.INFO), handlers=[handler], force=True)
    logging.getLogger("mooring").setLevel(level)
    if chatty is not None and not said:
        logging.getLogger(chatty).setLevel(logging.INFO)
