"""The steps of a check and what became of each."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Stage(StrEnum):
    """One step of a check. Their order is the trail's: some protocols speak before TLS."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    PROTOCOL = "protocol"
    AUTH = "auth"
    PERMISSION = "permission"
    FUNCTION = "function"


class StageStatus(StrEnum):
    """The verdict on one stage."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class StageResult(NamedTuple):
    """One stage of one check. `seconds` is None where it was skipped or has no time of its own."""

    stage: Stage
    status: StageStatus
    seconds: float | None = None
