"""Why a check did not pass.

A probe says what it saw by returning, and why it could not by raising; nothing else.

    MooringError                   temporary: can trying again help?
    |-- CheckError                 raised by a probe that knows its reason
    |-- InputError                 somebody has to correct something; lists every mistake
    |-- ConflictError              the thing was changed or taken by somebody else
    |-- MissingError               no such thing
    `-- StoreError                 the store is locked, full or gone; trying again can help
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.stage import Stage


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a check failed: safe to show to anybody, with what a person can do about it.

    `fix` is what can be pasted as it stands into the other side, a shell or a configuration file.
    """

    reason: Reason
    stage: Stage | None
    code: str
    message: str
    hint: str | None = None
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """What a probe makes of an error. What it leaves None is taken from the error or the reason.

    `stage` is given only where the error itself proves another stage than the running one. `hint` makes
    sense without `fix`, a line to be pasted. A `message` of our own words alone is a Prose too.
    """

    reason: Reason
    code: str | None = None
    message: str | None = None
    hint: Prose | None = None
    stage: Stage | None = None
    fix: str | None = None


class MooringError(Exception):
    """Everything that Mooring raises on purpose. `temporary` says whether trying again can help."""

    temporary = False


class CheckError(MooringError):
    """A check found that the connection does not work, and why."""

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        code: str | None = None,
        hint: Prose | None = None,
        stage: Stage | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(message)
        self.cause = Cause(reason, code, message, hint, stage, fix)

    @property
    def temporary(self) -> bool:  # type: ignore[override]
        """True where nobody useful answered."""
        return self.cause.reason.unreachable


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in what somebody wrote: where it stands, what is wrong, what would be right."""

    field: str
    message: str
    where: str | None = None

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.field}: {self.message}" if self.field else f"{place}{self.message}"


class InputError(MooringError):
    """What somebody wrote cannot be used. Holds every mistake found, not just the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class ConflictError(MooringError):
    """The change clashes with what is there: a name that is taken, a version that is stale.

    `field` is what has to be another, where it is one.
    """

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class MissingError(MooringError):
    """There is no such thing."""


class StoreError(MooringError):
    """The store is locked, full or gone. What was to be written was not."""

    temporary = True
