"""The services of this process, and the pools that each of them has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mooring.core.pool import PoolSnapshot
from mooring.pools.line import Line
from mooring.pools.report import Wording
from mooring.pools.watched import Watched

MOST_LINES = 100
"""Services that are remembered after their last pool has gone."""


class Lines:
    """A line for each service. Belongs to the thread that reports."""

    def __init__(self, words: Wording) -> None:
        self._words = words
        self._lines: dict[str, Line] = {}

    def __iter__(self) -> Iterator[Line]:
        """Yield the services, also those whose last pool has gone."""
        yield from list(self._lines.values())

    def living(self, trackers: Iterable[Watched]) -> dict[str, dict[str, Watched]]:
        """Return the trackers by what they are told as, and see to a line for each service."""
        living: dict[str, dict[str, Watched]] = {}
        for tracker in trackers:
            service, name = self._words.names(tracker)
            living.setdefault(service, {})[name] = tracker
        for service in living:
            self._line(service).over = False
        return living

    def leave(self, tracker: Watched, snapshot: PoolSnapshot, now: float) -> None:
        """Keep the last words of a tracker that is closed."""
        service, name = self._words.names(tracker)
        self._words.forget(tracker)
        self._line(service).leave(snapshot._replace(name=name), now)

    def is_over(self, line: Line, pools: Mapping[str, Watched]) -> bool:
        """Whether nothing of a service is left to be told; where there are too many, such are forgotten."""
        if pools or line.leaving or not line.over:
            return False
        if len(self._lines) > MOST_LINES:
            del self._lines[line.service]
        return True

    def due(self, otherwise: float) -> float:
        """Return when the next report is due, or what is given where there is none to come."""
        return min((line.due for line in self if not line.over or line.leaving), default=otherwise)

    def forked(self) -> None:
        """Begin anew in a child process."""
        self._lines = {line.service: Line(line.service, line.known) for line in self}

    def _line(self, service: str) -> Line:
        return self._lines.setdefault(service, Line(service))
