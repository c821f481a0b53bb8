"""Where every thread is."""

from __future__ import annotations

import gc
import sys
from types import FrameType


def current_frames() -> dict[int, FrameType]:
    """Return the innermost frame of each thread, by its number.

    Until Python 3.12 a collection may begin while the interpreter makes these frames and holds its list of
    threads; if it finds a `threading.local`, which asks for that list, the whole process hangs for ever
    (CPython gh-106883). So none may begin meanwhile.

    Whoever looks at a frame with a variable may not keep the answer under a name: a frame whose variable it
    is makes a circle with it, and keeps alive what every function of every thread holds.
    """
    if sys.version_info >= (3, 12) or not gc.isenabled():
        return sys._current_frames()  # noqa: SLF001 -- there is no other way to see a thread
    gc.disable()
    try:
        return sys._current_frames()  # noqa: SLF001
    finally:
        gc.enable()
