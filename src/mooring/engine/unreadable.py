"""What stands in for a stored target that cannot be read."""

from __future__ import annotations

from pydantic import PrivateAttr

from mooring.core.failure import CheckError, MooringError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.net.trail import Trail
from mooring.probes import Probe


class Unreadable(Probe):
    """Says why its target cannot be tested. One bad row must not keep the others from being watched."""

    _address: str = PrivateAttr("")
    _message: str = PrivateAttr("")

    @classmethod
    def because(cls, error: MooringError, kind: str, address: str) -> Unreadable:
        """Stand in for a target of this kind and address."""
        probe = cls(kind=kind)
        probe._address, probe._message = address, str(error)
        return probe

    @property
    def address(self) -> str:
        return self._address

    async def check(self, trail: Trail) -> Observation:  # noqa: ARG002 -- the contract gives it
        raise CheckError(
            Reason.CONFIG,
            f"the stored settings cannot be used: {self._message}",
            code="SETTINGS",
            hint=Prose(
                "Put back the key file that they were saved with, or save this target's settings anew."
            ),
        )
