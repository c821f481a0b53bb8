"""One run of a probe on a target, and what it saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from mooring.core.failure import Failure
from mooring.core.stage import StageResult
from mooring.core.status import Status


class Trigger(StrEnum):
    """Who asked for a check."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    CLI = "cli"
    API = "api"
    PUSH = "push"

    @property
    def decides(self) -> bool:
        """Whether the result settles health at once: a person asked, or the watched thing itself spoke."""
        return self is not Trigger.SCHEDULE


class _Empty(Mapping[str, Any]):
    """Nothing, for ever; a mappingproxy could not be pickled."""

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


_EMPTY = _Empty()


class Observation(NamedTuple):
    """What a probe saw when it worked: facts to show, numbers to chart, warnings that degrade."""

    details: Mapping[str, Any] = _EMPTY
    numbers: Mapping[str, float] = _EMPTY
    warnings: Sequence[str] = ()


class TargetRef(NamedTuple):
    """What a result says of its target: enough to show it, nothing secret."""

    id: int | None
    name: str
    kind: str
    address: str


class CheckResult(NamedTuple):
    """One run of a probe on a target from one region. `seconds` is its whole duration."""

    target: TargetRef
    status: Status
    failure: Failure | None
    stages: Sequence[StageResult]
    observation: Observation
    started_at: datetime
    seconds: float
    region: str = "local"
    trigger: Trigger = Trigger.SCHEDULE
