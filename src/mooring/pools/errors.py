"""Errors that the application met with its connections."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from mooring.core.clock import Clock
from mooring.core.redact import Redactor, cut

MOST = 50
"""Errors that are kept, the newest ones."""
LONGEST = 500
"""Characters of a message."""
SESSION_STATES = ("08", "28", "57P0", "3D000")
"""SQLSTATEs, by how they begin: the connection broke, the login was refused, the server is going or
gone, there is no such database (PostgreSQL, appendix A)."""
SESSION_CODES = frozenset({1040, 1044, 1045, 1049, 1129, 1130, 1698, 2002, 2003, 2006, 2013, 2055})
"""MySQL's numbers for the same."""
SESSION_NAMES = ("auth", "connection", "disconnect", "login", "session", "handshake", "timeout")
"""Words in the names of exceptions for the same, in drivers without codes."""


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
        self._redact = Redactor()
        self.total = self.session = 0
        self.kept: deque[PoolError] = deque(maxlen=MOST)
        self._moments: deque[float] = deque(maxlen=MOST)

    def add(self, error: BaseException, operation: str | None) -> PoolError:
        """Keep one. Its message is redacted of what looks like a secret, and cut."""
        session = is_session_error(error)
        message = cut(self._redact(cut(str(error), 4 * LONGEST)), LONGEST)
        kept = PoolError(self._clock.now(), type(error).__name__, message, operation, session)
        self.total += 1
        self.session += session
        self.kept.append(kept)
        self._moments.append(self._clock.monotonic())
        return kept

    def within(self, seconds: float) -> int:
        """Return how many there were in the last seconds, at most the number that is kept."""
        since = self._clock.monotonic() - seconds
        return sum(moment >= since for moment in tuple(self._moments))


def is_session_error(error: BaseException) -> bool:
    """Whether a login or a session failed, rather than a statement."""
    for each in _causes(error):
        state = getattr(each, "sqlstate", None) or getattr(each, "pgcode", None)
        if isinstance(state, str):
            return state.startswith(SESSION_STATES)
        number = each.args[0] if each.args else None
        if isinstance(number, int) and not isinstance(each, OSError):
            return number in SESSION_CODES
    names = " ".join(type(each).__name__.lower() for each in _causes(error))
    return any(word in names for word in SESSION_NAMES)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from; SQLAlchemy keeps the driver's as `orig`."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        orig = getattr(at, "orig", None)
        at = orig if isinstance(orig, BaseException) else at.__cause__
