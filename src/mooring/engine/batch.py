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
    transitions: list[Transition] = field(default_factory=list)
    written: asyncio.Future[None] | None = None
    """Done when the batch was written, or when the store has refused it and will be tried again."""

    def __bool__(self) -> bool:
        return bool(self.results or self.health or self.transitions)

    @property
    def parts(self) -> int:
        """How many pieces it can be halved into."""
        return len(self.results) + len(self.health) + len(self.transitions)

    def chunks(self, size: int) -> list[Batch]:
        """Return it in parts that do not keep the store's writer long; what people are told comes first."""
        parts = [Batch(self.results[:size], self.health, self.transitions)]
        parts += [Batch(self.results[i : i + size]) for i in range(size, len(self.results), size)]
        parts[-1].written = self.written
        return parts

    def halves(self) -> Iterator[Batch]:
        """Yield two parts, to find the one that cannot be written."""
        results, health = len(self.results) // 2, list(self.health.items())
        transitions, middle = len(self.transitions) // 2, len(health) // 2
        if len(self.results) > 1:
            yield Batch(self.results[:results])
            yield Batch(self.results[results:], self.health, self.transitions)
        elif self.results and (self.health or self.transitions):
            yield Batch(self.results)
            yield Batch([], self.health, self.transitions)
        elif self.transitions and self.health:
            yield Batch([], {}, self.transitions)
            yield Batch([], self.health)
        else:
            yield Batch([], dict(health[:middle]), self.transitions[:transitions])
            yield Batch([], dict(health[middle:]), self.transitions[transitions:])

    def add(self, later: Batch) -> None:
        """Put what came later behind this."""
        self.results += later.results
        self.health.update(later.health)
        self.transitions += later.transitions

    def forget(self, reset: Collection[int], removed: Collection[int]) -> None:
        """Take out what older settings made of targets; their results too where they were removed."""
        for target_id in reset:
            self.health.pop(target_id, None)
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
