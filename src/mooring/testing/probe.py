"""A kind that answers what a test tells it to."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import PrivateAttr

from mooring.core.failure import CheckError
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.trail import Trail
from mooring.probes import Probe


class ScriptedProbe(Probe):
    """Scripted: answers by a script, for tests of what watches targets.

    Each check plays one step; the last one is played for ever. A step is `up`, `degraded`,
    `slow SECONDS` (passes after that time), `hang` (until its deadline), `bug` (raises what no kind
    should) or a reason such as `refused`. All waiting goes through the network's clock.
    """

    kind: Literal["scripted"] = "scripted"
    proves: ClassVar = {Stage.TCP: "always passes", Stage.FUNCTION: "the step passes"}

    script: tuple[str, ...] = ("up",)

    _steps: list[str] = PrivateAttr(default_factory=list)
    _runs: list[datetime] = PrivateAttr(default_factory=list)
    _at_once: int = PrivateAttr(0)
    _most_at_once: int = PrivateAttr(0)

    @property
    def runs(self) -> list[datetime]:
        """When each check began."""
        return self._runs

    @property
    def most_at_once(self) -> int:
        """The most checks that ran at the same time."""
        return self._most_at_once

    @property
    def address(self) -> str:
        return "script"

    def play(self, *steps: str) -> None:
        """Go on with these steps instead."""
        self._steps[:] = steps

    async def check(self, trail: Trail) -> Observation:
        if not self._runs and not self._steps:
            self.play(*self.script)
        self._runs.append(trail.net.clock.now())
        self._at_once += 1
        self._most_at_once = max(self._most_at_once, self._at_once)
        try:
            async with trail.stage(Stage.TCP):
                pass
            async with trail.stage(Stage.FUNCTION):
                return await self._answer(trail)
        finally:
            self._at_once -= 1

    async def _answer(self, trail: Trail) -> Observation:
        step, _, seconds = (self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]).partition(" ")
        if step == "hang":
            await trail.net.clock.sleep(trail.remaining)
            raise TimeoutError
        if step == "bug":
            raise RuntimeError("a fault in the kind")
        if step == "slow":
            await trail.net.clock.sleep(float(seconds))
        elif step == "degraded":
            return Observation(warnings=("as the script says",))
        elif step != "up":
            raise CheckError(Reason(step), f"{step}, as the script says", code="SCRIPT")
        return Observation(numbers={"run": float(len(self._runs))})
