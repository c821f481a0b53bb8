"""Who awaits the task that runs: `asyncio.wait_for` and its like make one for what they are given."""

from __future__ import annotations

from asyncio import _get_running_loop, current_task, isfuture
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType
from typing import Any
from weakref import ref

from mooring.pools.site import Sites, Stack

MOST_AWAITED = 1000
"""Coroutines that are followed from one to the next; what says that it awaits itself has no end."""
AWAITED = ("cr_await", "gi_yieldfrom", "ag_await")
"""What a coroutine, a generator and an asynchronous generator await: only what is one of these has it."""
_DEEPEST = 8
"""Tasks that are followed from one to the next."""


class Caller:
    """Who asks for a connection: the line as it is now, since its frame moves on, and the task."""

    __slots__ = ("f_code", "f_lasti", "owner", "stack")

    def __init__(self, frame: FrameType, owner: ref[Any] | None, stack: Stack = ()) -> None:
        self.f_code = frame.f_code
        self.f_lasti = frame.f_lasti
        self.owner = owner
        self.stack = stack


def awaiting_caller(sites: Sites) -> Caller | None:
    """Return the application's line that awaits the task that runs, and its task; None where none is seen.

    To be asked where the task that runs has no line of the application's itself. Before Python 3.12
    `wait_for(session.execute(...), 5)` is such a task, everywhere `gather(engine.connect(), ...)`.
    """
    if _get_running_loop() is None:
        return None
    task: Any = current_task()
    for _ in range(_DEEPEST):
        task = _awaiter(task)
        if task is None:
            return None
        ours = [frame for frame in _frames_of(task.get_coro()) if sites.is_application(frame)]
        if ours:
            return Caller(ours[-1], ref(task))
    return None


def awaited_by(waiting: Any) -> Iterator[Any]:
    """Yield a suspended coroutine and what it awaits, outermost first."""
    for _ in range(MOST_AWAITED):
        yield waiting
        waiting = next(
            (inner for name in AWAITED if (inner := getattr(waiting, name, None)) is not None),
            None,
        )
        if waiting is None:
            return


def _frames_of(waiting: Any) -> Iterator[FrameType]:
    for each in awaited_by(waiting):
        for kind in ("cr", "gi", "ag"):
            frame = getattr(each, f"{kind}_frame", None)
            if isinstance(frame, FrameType):
                yield frame
                break


def _awaiter(task: Any) -> Any:
    """Return the task that is woken when another one is done; None where nobody tells."""
    futures = [task]
    for future in futures:
        for callback, *_ in getattr(future, "_callbacks", None) or ():
            woken = getattr(callback, "__self__", None)
            awaiter = woken if hasattr(woken, "get_coro") else getattr(woken, "_parent_task", None)
            if awaiter is not None:
                return awaiter
            futures += [each for each in _settled(callback) if each not in futures]
    return None


def _settled(callback: Any) -> Iterator[Any]:
    """Yield the futures that a callback settles: wait_for's takes them, gather's encloses them."""
    yield from filter(isfuture, getattr(callback, "args", ()))
    for cell in getattr(callback, "__closure__", None) or ():
        with suppress(ValueError):  # it is empty
            if isfuture(cell.cell_contents):
                yield cell.cell_contents
