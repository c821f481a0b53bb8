"""One thing we watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from mooring.core.result import TargetRef


class Origin(StrEnum):
    """Who owns a target: a configuration file, or the API (and so the page and the command line)."""

    FILE = "file"
    API = "api"


class Testable(Protocol):
    """What a target needs of its probe to be listed; `probes.Probe` is the whole contract."""

    @property
    def kind(self) -> str: ...

    @property
    def address(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a target is tested and how results become health. Times are seconds.

    `retry = False` keeps the plain schedule after a failure and lets the first one decide.
    """

    interval: float = 30
    timeout: float = 5
    retry: bool = True
    retry_delay: float = 4
    failures_before_down: int = 3
    successes_before_up: int = 1
    degraded_above: float | None = None
    quorum: int = 1


@dataclass(frozen=True, slots=True)
class Target:
    """One thing we watch. `id` is None until it is stored.

    `version` counts its edits; the last was at `changed_at`.
    """

    name: str
    probe: Any
    schedule: Schedule = field(default_factory=Schedule)
    labels: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True
    depends_on: tuple[str, ...] = ()
    regions: tuple[str, ...] = ("local",)
    origin: Origin = Origin.API
    id: int | None = None
    version: int = 1
    changed_at: datetime | None = None

    @property
    def ref(self) -> TargetRef:
        """The part of the target that results carry."""
        probe: Testable = self.probe
        return TargetRef(self.id, self.name, probe.kind, probe.address)
