"""Under which name, and for how long, the code that runs holds its leases."""

from __future__ import annotations

from asyncio import _get_running_loop, current_task
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from threading import Thread, current_thread
from typing import Any
from weakref import ref

SCOPE: ContextVar[Scope | None] = ContextVar("mooring_pools_scope", default=None)
"""The scope of the task or thread that runs; tasks inherit it."""


class ThreadRef(ref[Thread]):
    """A thread, weakly. Tells a thread that is gone from a task that is gone."""

    __slots__ = ()


class Scope:
    """What a lease is for: a route, a job, and how long it may rightly be held.

    Attributes:
        name: for people, such as `GET /orders/{id}`; None where only the time is declared.
        hold: seconds for which a lease is no suspect; None for the pool's own threshold.
        over: whether the code that it stands for has ended.
        kept: whether what is taken is kept as long as the process, by whoever has it.
        owner: of a web request, the task or thread that serves it, weakly. Its work may go from thread to
            thread, so that it has ended when it is `over`, and no sooner. None for a block of code.
    """

    __slots__ = ("__weakref__", "hold", "kept", "name", "over", "owner")

    def __init__(self, name: str | None, hold: float | None = None) -> None:
        self.name = name
        self.hold = hold
        self.over = self.kept = False
        self.owner: ref[Any] | None = None


def words(given: object) -> str | None:
    """Return as text what a program gave as a name; of what has none, its class. None stays None."""
    if given is None or isinstance(given, str):
        return given
    try:
        return str(given)
    except Exception:
        return type(given).__name__


def name_of(scope: Scope | None) -> str | None:
    """Return what is told of a scope."""
    return None if scope is None else words(scope.name)


def here() -> Any:
    """Return the task that runs, else the thread."""
    loop = _get_running_loop()
    task = None if loop is None else current_task(loop)
    return current_thread() if task is None else task


def without_limit() -> Scope:
    """Return a scope of the name that runs, in which nothing is held for too long."""
    outer = SCOPE.get()
    return Scope(outer.name if outer is not None else None, inf)


@contextmanager
def holding(name: str | None = None, *, seconds: float | None = None) -> Iterator[Scope]:
    """Name the leases that are taken inside, and declare how long they may be held.

    A declared hold keeps a nightly job from being told as a suspected leak until its time is over. One
    inside another takes over what it does not say itself. A lease whose owner is gone is told at once,
    whatever was declared; but `seconds=math.inf` says that it is kept as long as the process, whoever took
    it: a listener or a lock that a task sets up and leaves behind.

    Raises:
        TypeError: for a name that is no text, or seconds that are no number.
        ValueError: for an empty name, or seconds below zero.
    """
    _check_name(name)
    _check_seconds(seconds)
    outer = SCOPE.get()
    if outer is not None:
        name = name if name is not None else outer.name
        seconds = seconds if seconds is not None else outer.hold
    scope = Scope(name, seconds)
    scope.kept = seconds == inf
    token = SCOPE.set(scope)
    try:
        yield scope
    finally:
        scope.over = True
        SCOPE.reset(token)


def _check_name(name: object) -> None:
    if name is None:
        return
    if not isinstance(name, str):
        raise TypeError(f"name: {name!r:.80} is no text; give one such as 'nightly export'")
    if not name.strip():
        raise ValueError("name: it is empty; give one such as 'nightly export', or None")


def _check_seconds(seconds: object) -> None:
    if seconds is None:
        return
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise TypeError(f"seconds: {seconds!r:.80} is no number; give one such as 3600, or math.inf")
    if not seconds >= 0:
        raise ValueError(f"seconds: {seconds!r:.80} is no time; give 0 or more, or math.inf")
