"""Where threads are, in words: their frames are held while they stand still, and no longer.

Who holds the frame of a function that ends meanwhile keeps its variables alive, and ends them in a thread
of its own: a file stays locked, a destructor runs where it must not.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain, compress, repeat
from operator import attrgetter, call, is_, methodcaller
from types import CodeType, FrameType

MOST_AT_ONCE = 100
"""Threads whose positions are taken while all others stand still: one to three milliseconds."""
_WAITING = [
    attrgetter(f"{kind}_frame.f_code", f"{kind}_frame.f_lineno", f"{kind}_frame.f_globals")
    for kind in ("cr", "gi", "ag")
]
Position = tuple[CodeType, int | None, object]
"""Where a function is: its code, the line, and what its module calls itself."""


def living_threads() -> frozenset[int]:
    """Return the numbers of the threads that run Python; none where gevent has numbers of its own."""
    numbers: set[int] = set()
    _at_once(map(numbers.update, map(call, (sys._current_frames,))))  # noqa: SLF001 -- no other way to see them
    here = threading.get_ident()  # looked up now: gevent may have been patched in since
    return frozenset(numbers) if here in numbers else frozenset()


def positions_of(threads: Iterable[int]) -> dict[int, list[Position]]:
    """Return where these threads are, innermost first; nothing where gevent has numbers of its own."""
    found: dict[int, list[Position]] = {}
    numbers = list(threads)
    if not numbers or not living_threads():
        return found
    for first in range(0, len(numbers), MOST_AT_ONCE):
        found.update(_positions_of(numbers[first : first + MOST_AT_ONCE]))
    return found


def _positions_of(threads: Sequence[int]) -> dict[int, list[Position]]:
    frames: dict[int, FrameType] = {}
    found: dict[int, list[Position]] = {thread: [] for thread in threads}
    steps: list[Iterator[object]] = [map(frames.update, map(call, (sys._current_frames,)))]  # noqa: SLF001
    for thread, positions in found.items():
        stack: list[FrameType] = []
        modules = map(dict.get, map(attrgetter("f_globals"), stack), repeat("__name__"))
        words = zip(
            map(attrgetter("f_code"), stack), map(attrgetter("f_lineno"), stack), modules, strict=False
        )
        steps += [
            map(stack.extend, [filter(None, chain(map(frames.get, (thread,)), _outwards(stack)))]),
            map(positions.extend, [words]),
            map(call, (stack.clear,)),
        ]
    _at_once(*steps, map(call, (frames.clear,)))
    return found


def position_of(waiting: object) -> Position | None:
    """Return where a coroutine or generator is that waits; None of what has ended, and of other things."""
    for words in _WAITING:
        with suppress(AttributeError):
            code, line, module = words(waiting)  # one call: no frame comes into our hands
            if isinstance(code, CodeType):
                return code, line, module.get("__name__")
    return None


def is_within(method: str, obj: object) -> bool:
    """Whether a thread is in a method of this name of an object."""
    stacks: list[FrameType] = []
    found: list[bool] = []
    are_named = map(method.__eq__, map(attrgetter("f_code.co_name"), stacks))
    variables = map(attrgetter("f_locals"), compress(stacks, are_named))
    _at_once(
        map(stacks.extend, map(dict.values, map(call, (sys._current_frames,)))),  # noqa: SLF001
        map(stacks.extend, [filter(None, _outwards(stacks))]),
        map(found.extend, [map(partial(is_, obj), map(methodcaller("get", "self"), variables))]),
        map(call, (stacks.clear,)),
    )
    return any(found)


def _outwards(stack: list[FrameType]) -> Iterator[FrameType | None]:
    """Yield the callers of what a list has; of a list that is made longer by them, all that there are."""
    return map(attrgetter("f_back"), stack)


def _at_once(*steps: Iterator[object]) -> None:
    """Exhaust iterators one after the other, while no other thread runs and no collection begins.

    That is so where they call nothing that is written in Python: the interpreter lets other threads run
    between two instructions of that, and here is one.

    Until Python 3.12 a collection may begin while the interpreter makes frames and holds its list of
    threads; if it finds a `threading.local`, which asks for that list, the whole process hangs for ever
    (CPython gh-106883). As nothing else runs, no program sees that collections are off for a moment: it
    could neither have its own `gc.disable()` undone, nor fork a child in which they stay off.
    """
    collects = gc.isenabled if sys.version_info < (3, 12) else bool
    # All are iterators: to make one would collect in between, and where that fails, lose all that is left.
    quiet = chain(iter([map(call, (gc.disable,))]), iter(steps), iter([map(call, (gc.enable,))]))
    ways = {True: quiet, False: iter(steps)}
    everything = chain.from_iterable(chain.from_iterable(map(ways.__getitem__, map(call, (collects,)))))
    nothing: deque[object] = deque(maxlen=0)
    try:
        nothing.extend(everything)
    finally:
        nothing.extend(everything)  # what is left where one of them failed: collections go on
