"""Where pools are reported to, as a program is told by its code or its environment."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

SERVER, TOKEN, TOKEN_FILE = "MOORING_SERVER", "MOORING_TOKEN", "MOORING_TOKEN_FILE"
INTERVAL = "METRICS_COLLECTION_INTERVAL"
"""Milliseconds between two reports."""
MONITORING = "DB_CONNECTION_MONITORING"
NO = frozenset({"0", "false", "no", "off"})
YES = frozenset({"", "1", "true", "yes", "on"})

log = logging.getLogger(__name__)


class ReportTo(Protocol):
    """What `Watch.report_to` is."""

    def __call__(self, server: str, token: str | Path, *, interval: float | None = None) -> object:
        """Report to a server from now on. Raises ValueError."""
        ...


def is_off(environ: Mapping[str, str]) -> bool:
    """Whether the environment says that pools are not to be watched."""
    return _monitoring(environ) in NO


def warn_of_nonsense(environ: Mapping[str, str]) -> None:
    """Say in the log where the environment leaves open whether pools are watched."""
    if _monitoring(environ) not in NO | YES:
        log.warning(
            "%s: %r means nothing, and pools are watched; give one of %s to have none watched",
            MONITORING,
            environ[MONITORING][:40],
            ", ".join(sorted(NO)),
        )


def report_as_told(
    report_to: ReportTo,
    server: str | None = None,
    token: str | Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Have a watch report where a program's code says; its environment says what the code leaves open.

    Raises ValueError for what the code says. What is wrong in the environment is logged: nobody's program
    ends for that.
    """
    where = server or environ.get(SERVER)
    if not where or is_off(environ):
        return
    try:
        report_to(where, token or _token(environ), interval=_interval(environ))
    except (OSError, ValueError) as error:  # OSError: a relative path, and the folder is gone
        if server or token:
            raise
        log.warning("pools are not reported, as the environment says it wrongly: %s", error)


def _monitoring(environ: Mapping[str, str]) -> str:
    return environ.get(MONITORING, "").strip().lower()


def _token(environ: Mapping[str, str]) -> str | Path:
    if environ.get(TOKEN):
        return environ[TOKEN]
    if environ.get(TOKEN_FILE):
        from pathlib import Path

        return Path(environ[TOKEN_FILE])
    raise ValueError(
        f"token: there is none; give one of the server's as token=, {TOKEN} or the file {TOKEN_FILE}"
    )


def _interval(environ: Mapping[str, str]) -> float | None:
    told = environ.get(INTERVAL)
    if not told:
        return None
    try:
        return float(told) / 1000
    except ValueError:
        log.warning("%s: %r is no number of milliseconds; it is left out", INTERVAL, told[:40])
        return None
