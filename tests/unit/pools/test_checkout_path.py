"""What a program pays: nothing that waits on the path of a checkout, hardly anything at import."""

from __future__ import annotations

import ast
import asyncio
import gc
import inspect
import sys
import textwrap
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.pool import QueuePool

from mooring.pools import PoolTracker, Watch, instrument
from tests.sources import run_python

HARMLESS = frozenset(
    {
        "ContextVar.get",
        "_get_running_loop",
        "_getframe",
        "current_task",
        "dict.get",
        "dict.pop",
        "dict.setdefault",
        "id",
        "int.bit_length",
        "len",
        "monotonic_ns",
        "object.__new__",
    }
)
"""What is called of the interpreter's own: none of it waits, opens, reads or writes."""


class Path:
    """What of Mooring ran, and which functions in C it called."""

    def __init__(self) -> None:
        self.codes: set[CodeType] = set()
        self.called: set[str] = set()

    def note(self, frame: FrameType, event: str, what: Any) -> None:
        """Note a call."""
        if not frame.f_globals.get("__name__", "").startswith("mooring."):
            return
        self.codes.add(frame.f_code)
        if event == "c_call":
            self.called.add(what.__qualname__)

    def names(self) -> set[str]:
        """Return the functions of Mooring's that ran."""
        return {code.co_qualname for code in self.codes}

    def has_block(self) -> bool:
        """Whether one of them has a `with` block, whose calls nothing tells of."""
        sources = [ast.parse(textwrap.dedent(inspect.getsource(code))) for code in self.codes]
        blocks = (ast.With, ast.AsyncWith)
        return any(isinstance(node, blocks) for source in sources for node in ast.walk(source))


def path_of(checkout: Callable[[], object]) -> Path:
    """Return what runs of a checkout and its return, at a line that is known."""
    path = Path()

    def run() -> None:
        for at in (None, path.note):
            sys.setprofile(at)
            checkout()
        sys.setprofile(None)

    gc.disable()  # what is collected meanwhile calls functions of its own
    before = sys.getprofile()
    try:
        run()
    finally:
        sys.setprofile(before)
        gc.enable()
    return path


def pair(tracker: PoolTracker) -> None:
    """Ask for a connection, take it and return it."""
    tracker.release(tracker.track("load", asked=tracker.ask()))


def test_checkout_takes_no_lock_and_does_no_io() -> None:
    """In a thread three functions run, and call nothing but the interpreter's cheapest."""
    tracker = PoolTracker("shop", watch=Watch(threaded=False))
    path = path_of(lambda: pair(tracker))
    assert path.names() == {"PoolTracker.ask", "PoolTracker.track", "PoolTracker.release"}
    assert "monotonic_ns" in path.called
    assert path.called <= HARMLESS
    assert not path.has_block()
    assert tracker.snapshot().totals.returned == 2


async def test_checkout_in_a_task_takes_no_lock_and_does_no_io() -> None:
    """The same holds in a task."""
    tracker = PoolTracker("shop", watch=Watch(threaded=False))
    assert asyncio.current_task() is not None
    path = path_of(lambda: pair(tracker))
    assert path.names() == {"PoolTracker.ask", "PoolTracker.track", "PoolTracker.release"}
    assert path.called <= HARMLESS
    assert not path.has_block()


class Nothing:
    """A connection of a DBAPI that does nothing."""

    def rollback(self) -> None:
        """Do nothing."""

    commit = close = rollback


def test_hooks_take_no_lock_and_do_no_io() -> None:
    """The hooks of an instrumented engine add nothing that waits to SQLAlchemy's own path."""
    engine = create_engine("sqlite://", creator=Nothing, poolclass=QueuePool, _initialize=False)
    tracker = instrument(engine, watch=Watch(threaded=False))
    path = path_of(lambda: engine.connect().close())
    assert {"PoolTracker.ask", "PoolTracker.track", "PoolTracker.release"} < path.names()
    assert path.called <= HARMLESS
    assert not path.has_block()
    assert (tracker.taken, tracker.returned, tracker.faults) == (2, 2, 0)
    engine.dispose()


def test_import_brings_hardly_anything() -> None:
    """On top of asyncio and dataclasses the import of the tracker loads datetime, and gc, a built-in."""
    told = run_python(
        "import asyncio, dataclasses, sys\n"
        "before = set(sys.modules)\n"
        "from mooring.pools import PoolTracker\n"
        "print(*sorted(set(sys.modules) - before))"
    ).split()
    assert "mooring.pools.tracker" in told
    others = {name for name in told if name.partition(".")[0] != "mooring"}
    assert others <= {"__future__", "_datetime", "datetime", "gc"}
