"""Errors that the application met with its connections."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from weakref import ref

from mooring.core.clock import Clock
from mooring.pools.scope import words
from mooring.pools.verdict import is_session_error

MOST = 50
"""Errors that are kept, the newest ones."""
LONGEST = 500
"""Characters of a message."""
FORGOTTEN = ResourceWarning.__name__
"""The class of an error where what was taken became garbage without being returned."""


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
        self._known: deque[ref[BaseException]] = deque(maxlen=MOST)
        """Those that the program may yet record by itself, though they are counted."""

    def add(self, error: BaseException, operation: str | None, *, session: bool | None = None) -> None:
        """Keep one. Its message is redacted of what looks like a secret, and cut.

        One that `add_once` has kept is not kept again.

        `session`: whether it is of the session; None where the error itself is to tell.
        """
        from mooring.core.redact import Redactor, cut

        if any(known() is error for known in list(self._known)):
            return
        session = is_session_error(error) if session is None else session
        message = cut(Redactor()(cut(words(error) or "", 4 * LONGEST)), LONGEST)
        kept = PoolError(self._clock.now(), type(error).__name__, message, words(operation), session)
        self.total += 1
        self.session += session
        self.kept.append(kept)
        self._moments.append(self._clock.monotonic())

    def add_once(self, error: BaseException) -> None:
        """Keep one of a driver, which whoever handles it may record again."""
        self.add(error, None)
        self._known.append(ref(error))

    def within(self, seconds: float) -> int:
        """Return how many there were in the last seconds, at most the number that is kept."""
        since = self._clock.monotonic() - seconds
        # No tuple: it is made once its iterator is, and that may begin a collection which adds an error.
        return sum(moment >= since for moment in list(self._moments))

    def why_refused(self, seconds: float) -> str | None:
        """Return what to do where a login or session failed in the last seconds; else None."""
        newest = self.within(seconds)
        of_session = [error for error in list(self.kept)[-newest:] if error.session] if newest else []
        if not of_session:
            return None
        advice = "Connections cannot be opened: look at the login and the network"
        return f"{advice}; the newest error is {_in_words(of_session[-1])}"


def cause_of(errors: Sequence[PoolError]) -> tuple[str, str]:
    """Return what most of the newest errors are about, and what to do about it."""
    count = len(errors)
    forgotten = Counter(each.message for each in errors if each.name == FORGOTTEN)
    if forgotten.total() * 2 > count:
        (message, times), *_ = forgotten.most_common(1)
        where = f"{message[:1].upper()}{message[1:]} ({times} times)"
        advice = f"{where}. Take it in a `with` or `async with` block, so that it is always returned."
        return f"{forgotten.total()} of them since a connection was never returned", advice
    session = sum(each.session for each in errors)
    advice = "Look at the login and the network" if session * 2 > count else "Look at the statements"
    return f"{session} of them of the login or session", f"{advice}; the newest is {_in_words(errors[-1])}"


def _in_words(error: PoolError) -> str:
    """Return what may be told of an error to others: what a statement fails with may quote a row."""
    if not error.session:
        return error.name
    first, _, _ = error.message.partition("\n")  # SQLAlchemy adds the statement and its parameters
    return f"{error.name}: {first}"
