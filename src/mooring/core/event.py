"""What happened, in the order it was committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mooring.core.health import Health
from mooring.core.result import CheckResult
from mooring.core.transition import Transition


class TargetChange(StrEnum):
    """What happened to a target's definition."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Commit:
    """One committed batch. `revision` is assigned inside its transaction and only ever grows."""

    revision: int
    results: Sequence[CheckResult] = ()
    transitions: Sequence[Transition] = ()
    health: Mapping[int, Health] = field(default_factory=dict)
    targets: Mapping[int, TargetChange] = field(default_factory=dict)
