"""What waits to be written."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from mooring.core.health import Health
from mooring.core.result import CheckResult
from mooring.core.transition import Transition


@dataclass(slots=True)
class Batch:
    """Results in order, the health that each target has after them, and the changes on the way."""

    results: list[CheckResult] = field(default_factory=list)
    health: dict[int, Health] = field(default_factory=dict)
    steady: dict[int, Health] = field(default_factory=dict)
    """Healths that differ from the stored ones by nothing but a newer result: told, not written."""
    transitions: list[Transition] = field(default_factory=list)
    written: asyncio.Future[None] | None = None
    """Done when the batch was written, or when the store has refused it and will be tried again."""

    def __bool__(self) -> bool:
        return bool(self.results or self.health or self.transitions)

    @property
    def parts(self) -> int:
        """How many pieces it has."""
        return len(self.results) + len(self.health) + len(self.transitions)

    def chunks(self, size: int) -> list[Batch]:
        """Return it in parts that do not keep the store's writer long; what people are told comes first."""
        parts = [Batch(self.results[:size], self.health, self.steady, self.transitions)]
        parts += [Batch(self.results[i : i + size]) for i in range(size, len(self.results), size)]
        parts[-1].written = self.written
        return parts

    def singles(self) -> Iterator[Batch]:
        """Yield it piece by piece, to find the one that cannot be written."""
        yield from (Batch([result]) for result in self.results)
        yield from (Batch(transitions=[transition]) for transition in self.transitions)
        yield from (Batch(health={target_id: health}) for target_id, health in self.health.items())

    def add(self, later: Batch) -> None:
        """Put what came later behind this."""
        self.results += later.results
        self.transitions += later.transitions
        for target_id, health in later.health.items():
            self.put(target_id, health, news=True)
        for target_id, health in later.steady.items():
            self.put(target_id, health, news=False)

    def put(self, target_id: int, health: Health, *, news: bool) -> None:
        """Take a target's newest health; `news` says that it has to be written."""
        if news or target_id in self.health:
            self.health[target_id] = health
            self.steady.pop(target_id, None)
        else:
            self.steady[target_id] = health

    def forget(self, reset: Collection[int], removed: Collection[int]) -> None:
        """Take out what older settings made of targets; their results too where they were removed."""
        for target_id in reset:
            self.health.pop(target_id, None)
            self.steady.pop(target_id, None)
        if reset:
            self.transitions = [t for t in self.transitions if t.target_id not in reset]
        if removed:
            self.results = [r for r in self.results if r.target.id not in removed]

    def done(self) -> None:
        """Let nobody wait for it any more."""
        if self.written is not None and not self.written.done():
            self.written.set_result(None)

    def shrink(self, most: int) -> int:
        """Drop the oldest results until at most so many are left, those that pass first; return how many.

        Changes of health are never dropped.
        """
        excess = len(self.results) - most
        if excess <= 0:
            return 0
        steady = [i for i, result in enumerate(self.results) if result.failure is None][:excess]
        gone = set(steady)
        kept = [result for i, result in enumerate(self.results) if i not in gone]
        self.results = kept[excess - len(steady) :]
        return excess


def is_steady(before: Health, after: Health) -> bool:
    """Whether nothing but the newest result differs, and that passed as the one before."""
    old, new = before.last, after.last
    return (
        old is not None
        and new is not None
        and old.failure is None
        and new.failure is None
        and old.status is new.status
        and before.status is after.status
        and before.confirming is None
        and after.confirming is None
        and old.observation.warnings == new.observation.warnings
    )
