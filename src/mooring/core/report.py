"""What a process tells a server of its pools, and what the server wants of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from mooring.core.pool import PoolSnapshot


class WishKind(StrEnum):
    """What a server may want of a pool's tracker."""

    CLEANUP = "cleanup"
    """Forget the abandoned leases."""
    RESET = "reset"
    """Begin an empty book."""
    START = "start"
    STOP = "stop"


class Wish(NamedTuple):
    """Something to be done once. The id is the milliseconds from 1970 to when it was made.

    It is above those of all wishes that wait; after a server's clock was set back, not of those of before.
    """

    pool: str
    do: WishKind
    id: int

    @property
    def made_at(self) -> datetime:
        """When somebody wanted it, by the server's clock."""
        return datetime.fromtimestamp(self.id / 1000, UTC)


class Instance(NamedTuple):
    """One process. Its id is random, and new after a fork."""

    id: str
    host: str
    pid: int
    started_at: datetime

    @property
    def key(self) -> str:
        """What tells it from all others: a copied machine or process has the id of its original."""
        return f"{self.id} {self.host} {self.pid}"


class PoolReport(NamedTuple):
    """What one process tells of its pools. Times are its own clock's; counts are since it began."""

    service: str
    instance: Instance
    sent_at: datetime
    interval: float
    """Seconds until the next one."""
    last: bool
    """Whether the process ends."""
    pools: Sequence[PoolSnapshot]
    done: Sequence[int] = ()
    """Ids of the wishes that were carried out."""
    sequence: int = 0
    """Which report of its process it is; 0 where that is not told."""


class Reply(NamedTuple):
    """What the server answers: when it wants to hear again, in seconds, and what is to be done."""

    interval: float
    wishes: Sequence[Wish] = ()
