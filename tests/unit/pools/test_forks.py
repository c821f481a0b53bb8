"""What a fork does to the watches and trackers of a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from mooring.pools import PoolTracker, Watch
from mooring.pools.watch import _forks
from tests.unit.pools.stepped import Told
from tests.unit.pools.test_watch import SOON, a_watch


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_child_has_an_empty_book_and_a_living_watch() -> None:
    """After a fork the child counts from zero and finds its own leaks, and the parent is unharmed."""
    with a_watch() as watch:
        tracker = PoolTracker("shop", watch=watch)
        lease = tracker.track("of the parent")
        child = os.fork()
        if child == 0:
            os._exit(_in_child(tracker, watch))
        status = _ended(child)
        assert (os.WIFEXITED(status), os.WEXITSTATUS(status)) == (True, 0)
        assert (tracker.used, watch._thread is not None and watch._thread.is_alive()) == (1, True)
        tracker.release(lease)
        totals = tracker.snapshot().totals
        assert (totals.taken, totals.returned, totals.unmatched, totals.internal_errors) == (1, 1, 0, 0)


def _in_child(tracker: PoolTracker, watch: Watch) -> int:
    """Return the number of what is wrong; 0 for nothing."""
    if tracker.open or tracker.taken or not (watch._thread and watch._thread.is_alive()):
        return 1
    told = threading.Event()
    tracker.on("leak_confirmed", lambda _: told.set())
    thread = threading.Thread(target=tracker.track)
    thread.start()
    thread.join()
    if not told.wait(SOON):
        return 2
    return 0 if [leak.kind.value for leak in tracker.leaks()] == ["abandoned"] else 3


def _ended(child: int) -> int:
    """Return how a child ended; ends one that hangs."""
    until = time.monotonic() + 2 * SOON
    while time.monotonic() < until:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        threading.Event().wait(0.01)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_fork_waits_for_a_look() -> None:
    """No fork happens amid a look: a driver's lock that it holds would stay locked in the child."""
    lock, inside, goes_on = threading.Lock(), threading.Event(), threading.Event()

    class Locked(Told):
        def gauges(self) -> object:
            with lock:
                inside.set()
                goes_on.wait(SOON)
                return self.said

    watch = Watch(threaded=False)
    tracker = PoolTracker("shop", driver=Locked(), watch=watch)
    looking = threading.Thread(target=watch.look)
    looking.start()
    inside.wait()
    threading.Timer(0.05, goes_on.set).start()
    child = os.fork()
    if child == 0:
        os._exit(0 if lock.acquire(timeout=1) else 1)
    status = _ended(child)
    looking.join()
    assert (os.WIFEXITED(status), os.WEXITSTATUS(status), tracker.faults) == (True, 0, 0)


_HOOKS = """
import os
from mooring.pools import PoolTracker, Watch
from mooring.pools.watch import _forks

calls, register = [], os.register_at_fork
os.register_at_fork = lambda **hooks: (calls.append(sorted(hooks)), register(**hooks))
first = Watch(threaded=False)
tracker = PoolTracker("shop", watch=first)
for _ in range(100):
    Watch(threaded=False)
last = Watch(threaded=False)
other = PoolTracker("shop", "other", watch=last)
tracker.track(), other.track()
child = os.fork()
if child == 0:
    os._exit(len(tracker.open) + len(other.open))
print(calls, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(tracker.open) + len(other.open))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_all_watches_share_their_hooks_at_a_fork() -> None:
    """However many watches there were, three hooks, which nobody can take back, reach all that live."""
    done = subprocess.run(
        [sys.executable, "-c", _HOOKS], capture_output=True, text=True, check=True, timeout=2 * SOON
    )
    assert (done.stdout, done.stderr) == ("[['after_in_child', 'after_in_parent', 'before']] 0 2\n", "")


def test_forgotten_watch_leaves_nothing() -> None:
    """What tells watches of a fork keeps none alive, and nothing of it."""
    told, watch = _forks()._watches, Watch(threaded=False)
    (weak,) = [each for each in told if each() is watch]
    del watch
    assert (weak(), weak in told) == (None, False)
