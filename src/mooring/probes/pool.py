"""A pool of connections inside a program, which reports it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.trail import Trail
from mooring.probes._base import KindDefaults, Probe


class Pool(Probe):
    """Pool: a service's pool of connections, summed over the processes that report it."""

    kind: Literal["pool"] = "pool"
    defaults = KindDefaults(retry=False)
    passive: ClassVar[bool] = True
    derived: ClassVar[bool] = True
    proves: ClassVar = {
        Stage.FUNCTION: "how many connections the pool has left, and whether all that were taken come back"
    }

    service: str = Field(min_length=1, max_length=95, description="The program, as its reports name it.")
    pool: str = Field("main", min_length=1, max_length=95, description="The pool's name within the service.")

    @property
    def address(self) -> str:
        """Which pool of which service."""
        return f"{self.service}/{self.pool}"

    async def check(self, trail: Trail) -> Observation:
        """Say that there is nothing to ask: what its processes report is judged as it comes."""
        async with trail.stage(Stage.FUNCTION):
            raise CheckError(
                Reason.CONFIG,
                Prose("no process reports this pool"),
                code="NOT_REPORTED_YET",
                hint=Prose("Call mooring.instrument() in the service, and name this server to it."),
            )
