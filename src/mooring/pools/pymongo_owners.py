"""Who asks PyMongo for a connection: a task or a thread, and whether it still does."""

from __future__ import annotations

from asyncio import Task, isfuture
from gc import get_referents
from threading import Thread
from typing import Any

from mooring.pools.awaiting import AWAITED, MOST_AWAITED
from mooring.pools.frames import position_of

_PACKAGE = "pymongo"


def asks_no_more(owner: Any) -> bool:
    """Whether a task or thread has ended, or a task waits for something else.

    PyMongo tells nobody that a task was cancelled while it waited for a connection, and 4.13 counts it as one
    that waits for ever. Of a thread nothing is known before it ends.
    """
    if isinstance(owner, Task):
        return owner.done() or _is_elsewhere(owner)
    return owner is None or (isinstance(owner, Thread) and not owner.is_alive())


def _is_elsewhere(task: Task[Any]) -> bool:
    """Whether a task is suspended outside of PyMongo; False where that is not certain."""
    future: Any = getattr(task, "_fut_waiter", None)
    at: Any = task.get_coro()
    for _ in range(MOST_AWAITED):
        if at is None or _is_of_pymongo(at):
            return False
        if at is future:
            return getattr(task, "_fut_waiter", None) is future  # else it has gone on meanwhile
        at = _awaited(at)
    return False


def _is_of_pymongo(waiting: Any) -> bool:
    position = position_of(waiting)
    return position is not None and str(position[2]).partition(".")[0] == _PACKAGE


def _awaited(waiting: Any) -> Any:
    """Return what a coroutine or a generator awaits; of what only stands for one, that one."""
    for name in AWAITED:
        if hasattr(waiting, name):
            return getattr(waiting, name)
    return next((each for each in get_referents(waiting) if isfuture(each) or _can_await(each)), None)


def _can_await(each: Any) -> bool:
    return any(hasattr(each, name) for name in AWAITED)
