"""What a check is given: where to write its stages, and the way to the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType

from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.net.network import Network

OnStage = Callable[[StageResult], None]


class Trail:
    """The stages of one check in the order they happened. One check, one task.

    `staged` asks for every stage to be made and timed by ourselves, even where a driver would dial
    by itself: a person is looking.
    """

    __slots__ = (
        "_monotonic",
        "_on_stage",
        "_results",
        "deadline",
        "failed",
        "net",
        "notes",
        "running",
        "staged",
        "warnings",
    )

    def __init__(
        self,
        net: Network,
        *,
        timeout: float,
        staged: bool = False,
        on_stage: OnStage | None = None,
    ) -> None:
        self.net = net
        self.staged = staged
        self.notes: dict[str, object] = {}
        self.warnings: list[str] = []
        self.running: Stage | None = None
        self.failed: Stage | None = None
        self._on_stage = on_stage
        self._results: dict[Stage, StageResult] = {}
        self._monotonic = net.clock.monotonic
        self.deadline = self._monotonic() + timeout

    @property
    def remaining(self) -> float:
        """Seconds until the deadline, never below zero."""
        return max(0.0, self.deadline - self._monotonic())

    @property
    def results(self) -> Sequence[StageResult]:
        """The stages so far, in the order they began."""
        return tuple(self._results.values())

    def stage(self, stage: Stage | str) -> _Span:
        """Time one stage: `async with trail.stage("auth"):`. What is raised inside is its failure."""
        return _Span(self, Stage(stage))

    def passed(self, stage: Stage, seconds: float | None = None) -> None:
        """Record a stage that passed; without seconds where it has no time of its own."""
        self._record(StageResult(stage, StageStatus.PASSED, seconds))

    def warn(self, text: str, stage: Stage | None = None) -> None:
        """Note what degrades a connection that works, and mark the stage where it was seen."""
        if text not in self.warnings:
            self.warnings.append(text)
        if stage is not None:
            known = self._results.get(stage)
            self._record(StageResult(stage, StageStatus.WARNING, known.seconds if known else None))

    def note(self, **facts: object) -> None:
        """Keep facts for the result's details even where the check fails later."""
        self.notes.update(facts)

    def retract(self, stage: Stage) -> None:
        """Forget a stage whose failure is about to be looked into stage by stage."""
        self._results.pop(stage, None)
        if self.failed is stage:
            self.failed = None

    def restore(self, result: StageResult) -> None:
        """Put back a stage that was retracted."""
        if result.status is StageStatus.FAILED and self.failed is None:
            self.failed = result.stage
        self._record(result)

    def _begin(self, stage: Stage) -> float:
        self.running = stage
        return self._monotonic()

    def _end(self, stage: Stage, began: float, *, passed: bool) -> None:
        self.running = None
        seconds = self._monotonic() - began
        if not passed and self.failed is None:
            self.failed = stage
        status = StageStatus.PASSED if passed else StageStatus.FAILED
        if passed and (known := self._results.get(stage)) and known.status is StageStatus.WARNING:
            status = StageStatus.WARNING
        self._record(StageResult(stage, status, seconds))

    def _record(self, result: StageResult) -> None:
        self._results[result.stage] = result
        if self._on_stage is not None:
            self._on_stage(result)


class _Span:
    """One running stage."""

    __slots__ = ("_began", "_stage", "_trail")

    def __init__(self, trail: Trail, stage: Stage) -> None:
        self._trail = trail
        self._stage = stage

    async def __aenter__(self) -> None:
        self._began = self._trail._begin(self._stage)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._trail._end(self._stage, self._began, passed=error is None)
