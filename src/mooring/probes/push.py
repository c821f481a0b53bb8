"""Something that reports in by itself."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.trail import Trail
from mooring.probes._base import KindDefaults, Probe
from mooring.probes._form import MORE


class Push(Probe):
    """Push: a job or a worker reports in by HTTP; its silence is a failure."""

    kind: Literal["push"] = "push"
    defaults = KindDefaults(retry=False)
    passive: ClassVar[bool] = True
    proves: ClassVar = {Stage.FUNCTION: "a report came within the interval and its grace"}

    grace: float = Field(
        10, ge=0, le=604800, description="Seconds past the interval in which a report is still in time."
    )
    token: SecretStr | None = Field(
        None,
        min_length=16,
        json_schema_extra={**MORE},
        description="Secret part of the address that is reported to; made where it is left out.",
    )

    async def check(self, trail: Trail) -> Observation:
        """Say that nobody reported: this is only called when a report is overdue."""
        async with trail.stage(Stage.FUNCTION):
            raise CheckError(
                Reason.TIMEOUT,
                Prose("no report came in time"),
                code="NO_REPORT",
                hint=Prose("Does the job still run, and does it report to the right address of this server?"),
            )
