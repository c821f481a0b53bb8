"""Where every thread is, asked of the interpreter without harm to it."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading

from mooring.pools.frames import current_frames

SOON = 30
_LOOKS_WHILE_GARBAGE_WAITS = """
import gc, threading
from mooring.pools import PoolTracker, Watch

tracker = PoolTracker("shop", watch=Watch(threaded=False))
lease = tracker.track()
done = threading.Event()
for more in range(40):
    for _ in range(20):  # each one's frame becomes an object, and one of them is one too many
        threading.Thread(target=done.wait, daemon=True).start()
    gc.collect()
    circle = [threading.local()]
    circle.append(circle)
    del circle
    gc.set_threshold(gc.get_count()[0] + more)
    tracker.look()
    gc.set_threshold(700)
done.set()
print(tracker.faults)
"""


def test_look_amid_garbage_of_threads_hangs_nothing() -> None:
    """A collection that began within would wait for ever for what the interpreter holds meanwhile."""
    done = subprocess.run(
        [sys.executable, "-c", _LOOKS_WHILE_GARBAGE_WAITS],
        capture_output=True,
        text=True,
        check=True,
        timeout=SOON,
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_collections_go_on_as_they_were() -> None:
    """They are on again afterwards, and stay off in a program that has switched them off."""
    assert threading.get_ident() in current_frames()
    assert gc.isenabled()
    gc.disable()
    try:
        current_frames()
        assert not gc.isenabled()
    finally:
        gc.enable()
