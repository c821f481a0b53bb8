"""What somebody should know of a pool, in words."""

from __future__ import annotations

from typing import NamedTuple

from mooring.core.pool import Severity


class Finding(NamedTuple):
    """Something about a pool that is worth a person's while; a `severity` of None is advice alone."""

    code: str
    severity: Severity | None
    message: str
    recommendation: str
