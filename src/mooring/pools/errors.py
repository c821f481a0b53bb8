"""Errors that the application met with its connections."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import NamedTuple

from mooring.core.clock import Clock
from mooring.pools.scope import words
from mooring.pools.verdict import is_session_error

MOST = 50
"""Errors that are kept, the newest ones."""
LONGEST = 500
"""Characters of a message."""


class PoolError(NamedTuple):
    """One error of the application."""

    at: datetime
    name: str
    """The exception's class."""
    message: str
    operation: str | None
    session: bool
    """Whether the login or the session failed, and not a statement."""


class Errors:
    """Counts errors, and keeps the newest."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.total = self.session = 0
        self.kept: deque[PoolError] = deque(maxlen=MOST)
        self._moments: deque[float] = deque(maxlen=MOST)

    def add(self, error: BaseException, operation: str | None) -> PoolError:
        """Keep one. Its message is redacted of what looks like a secret, and cut."""
        from mooring.core.redact import Redactor, cut

        session = is_session_error(error)
        message = cut(Redactor()(cut(words(error) or "", 4 * LONGEST)), LONGEST)
        kept = PoolError(self._clock.now(), type(error).__name__, message, words(operation), session)
        self.total += 1
        self.session += session
        self.kept.append(kept)
        self._moments.append(self._clock.monotonic())
        return kept

    def within(self, seconds: float) -> int:
        """Return how many there were in the last seconds, at most the number that is kept."""
        since = self._clock.monotonic() - seconds
        return sum(moment >= since for moment in tuple(self._moments))
