"""The one vocabulary of health."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where a target stands. Checking is a flag and paused is `Target.enabled`; neither is a status."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"

    @property
    def works(self) -> bool:
        """Whether the connection can be used: up, or degraded."""
        return self in (Status.UP, Status.DEGRADED)

    @property
    def severity(self) -> int:
        """Order for "worst first": down 3, unknown 2, degraded 1, up 0."""
        return _SEVERITY[self]


_SEVERITY = {Status.UP: 0, Status.DEGRADED: 1, Status.UNKNOWN: 2, Status.DOWN: 3}
