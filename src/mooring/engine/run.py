"""One running check that several callers share."""

from __future__ import annotations

import asyncio
import logging

from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage, StageResult
from mooring.core.target import Target
from mooring.net.trail import OnStage

log = logging.getLogger(__name__)


class Run:
    """A check under way. It goes on as long as somebody shares it; the last one to leave cancels it."""

    __slots__ = ("_listeners", "_running", "_sharers", "_stages", "target", "task", "trigger", "written")

    def __init__(self, target: Target, trigger: Trigger) -> None:
        self.target = target
        self.trigger = trigger
        """The weightiest among those of the sharers: a person's test decides health at once."""
        self.task: asyncio.Task[CheckResult]
        self.written: asyncio.Future[None] | None = None
        """Done when the result was written, where somebody waits for that."""
        self._sharers = 0
        self._running: Stage | None = None
        self._stages: list[StageResult] = []
        self._listeners: list[OnStage] = []

    def saw(self, stage: Stage | StageResult) -> None:
        """Tell everybody who listens that a stage began, or what became of it."""
        if isinstance(stage, Stage):
            self._running = stage
        else:
            self._running = None
            self._stages.append(stage)
        for listener in self._listeners:
            _tell(listener, stage)

    def share(self, trigger: Trigger, on_stage: OnStage | None = None) -> None:
        """Take part. A late listener hears first of the stages that it missed, and which one runs."""
        self._sharers += 1
        if trigger.decides:
            self.trigger = trigger
        if on_stage is not None:
            for stage in self._stages:
                _tell(on_stage, stage)
            if self._running is not None:
                _tell(on_stage, self._running)
            self._listeners.append(on_stage)

    def leave(self, on_stage: OnStage | None = None) -> None:
        """Take part no longer."""
        self._sharers -= 1
        if on_stage is not None:
            self._listeners.remove(on_stage)
        if not self._sharers and not self.task.done():
            self.task.cancel()


def _tell(listener: OnStage, stage: Stage | StageResult) -> None:
    try:
        listener(stage)
    except Exception:  # a viewer's fault must not fail the check
        log.exception("a listener of stages failed")
