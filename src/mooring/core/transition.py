"""One change of health: a row, never a guess made later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mooring.core.failure import Failure
from mooring.core.status import Status


@dataclass(frozen=True, slots=True)
class Transition:
    """A target's health went from `old` to `new`. `failure` is that of the deciding result."""

    target_id: int | None
    old: Status
    new: Status
    at: datetime
    failure: Failure | None = None
    note: str | None = None
