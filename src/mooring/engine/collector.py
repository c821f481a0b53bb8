"""Python's garbage collector, set for a server."""

from __future__ import annotations

import gc

YOUNG = 10_000
MIDDLE = 20
OLD = 50
"""Objects, then rounds, between collections. Python's own 700, 10, 10 spend a quarter of a check."""


def settle_down() -> None:
    """Leave what is there now out of every collection, and collect the rest less often.

    Call it once everything is built and loaded. It concerns the whole process, so it is for programs
    that are ours: never inside somebody else's.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
