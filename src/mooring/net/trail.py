"""What a check is given: where to write its stages, and the way to the network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import TypeVar

from mooring.core.prose import Prose
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.net.network import Network

T = TypeVar("T")
OnStage = Callable[[Stage | StageResult], None]
"""Called with a stage when it begins, and with what became of it when that is known."""

SHARE_OF_QUEUE = 0.75
"""Part of the time left that a blocking call waits for a thread, so that the rest is enough for the call."""
_PASSED = StageStatus.PASSED  # each look-up of an enum's member costs a fifth of a stage's record


class Trail:
    """The stages of one check in the order they happened. One check, one task."""

    __slots__ = (
        "_began",
        "_on_stage",
        "_results",
        "deadline",
        "failed",
        "monotonic",
        "net",
        "notes",
        "numbers",
        "part",
        "running",
        "secrets",
        "warnings",
    )

    def __init__(self, net: Network, *, timeout: float, on_stage: OnStage | None = None) -> None:
        self.net = net
        self.notes: dict[str, object] = {}
        self.numbers: dict[str, float] = {}
        self.warnings: list[str] = []
        self.secrets: set[str] = set()
        self.part: Prose | None = None
        """What the check is at, where it has several parts: begins the message of a failure."""
        self.running: Stage | None = None
        self.failed: Stage | None = None
        self._on_stage = on_stage
        self._results: dict[Stage, StageResult] = {}
        self._began = 0.0
        self.monotonic = net.clock.monotonic
        self.deadline = self.monotonic() + timeout

    @property
    def remaining(self) -> float:
        """Seconds until the deadline, never below zero."""
        return max(0.0, self.deadline - self.monotonic())

    def aside(self) -> Trail:
        """Return a trail for what is asked besides, until the same deadline: its stages are no news."""
        return Trail(self.net, timeout=self.remaining)

    def in_thread(self, work: Callable[[], T]) -> Awaitable[T]:
        """Run a blocking call. Raises CheckError(internal) where others hold all threads for too long."""
        return self.net.threads.run(work, self.remaining * SHARE_OF_QUEUE)

    @property
    def stages(self) -> Mapping[Stage, StageResult]:
        """The stages so far, in the order they began, by their name."""
        return self._results

    @property
    def results(self) -> Sequence[StageResult]:
        """The stages so far, in the order they began."""
        return tuple(self._results.values())

    def stage(self, stage: Stage | str) -> _Span:
        """Time one stage: `async with trail.stage("auth"):`. What is raised inside is its failure."""
        return _Span(self, Stage(stage))

    def begin(self, stage: Stage, at: float) -> None:
        """Say which stage is running, at a moment of `monotonic`; `end` says that it passed.

        For what runs thousands of times a second or learns of a stage afterwards; else use `stage`.
        What is raised in between is the running stage's failure: the runner calls `fail`.
        """
        self.running = stage
        self._began = at
        if self._on_stage is not None:
            self._on_stage(stage)

    def end(self, at: float) -> None:
        """Record that the running stage passed, at a moment of `monotonic`."""
        stage = self.running
        if stage is None:
            return
        self.running = None
        if self.warnings:
            self.finish(stage, at - self._began, passed=True)
        else:  # the usual case in one step: this runs four times a check
            self._record(StageResult(stage, _PASSED, at - self._began))

    def fail(self) -> None:
        """Record that the running stage, if there is one, failed now."""
        stage, self.running = self.running, None
        if stage is not None:
            self.finish(stage, self.monotonic() - self._began, passed=False)

    def passed(self, stage: Stage, seconds: float | None = None) -> None:
        """Record a stage that passed; without seconds where it has no time of its own."""
        self._record(StageResult(stage, StageStatus.PASSED, seconds))

    def warn(self, text: str, stage: Stage | None = None) -> None:
        """Note what degrades a connection that works, and mark the stage where it was seen.

        The text is redacted as a whole unless it is a Prose.
        """
        if text not in self.warnings:
            self.warnings.append(text)
        if stage is not None:
            known = self._results.get(stage)
            self._record(StageResult(stage, StageStatus.WARNING, known.seconds if known else None))

    def note(self, **facts: object) -> None:
        """Keep facts for the result's details even where the check fails later."""
        self.notes.update(facts)

    def measure(self, **numbers: float) -> None:
        """Keep numbers to chart, even where the check fails later."""
        self.numbers.update(numbers)

    def hide(self, *secrets: str) -> None:
        """Mask these in all that this check tells: secrets that it was given on the way, such as a token."""
        self.secrets.update(secrets)

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

    def finish(self, stage: Stage, seconds: float, *, passed: bool) -> None:
        """Record how a stage ended; one that was warned about stays so."""
        status = _PASSED
        if not passed:
            status = StageStatus.FAILED
            self.failed = self.failed or stage
        elif self.warnings and self._warned(stage):
            status = StageStatus.WARNING
        self._record(StageResult(stage, status, seconds))

    def _warned(self, stage: Stage) -> bool:
        known = self._results.get(stage)
        return known is not None and known.status is StageStatus.WARNING

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
        self._began = self._trail.monotonic()
        self._trail.begin(self._stage, self._began)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        trail = self._trail
        trail.running = None
        trail.finish(self._stage, trail.monotonic() - self._began, passed=error is None)
