"""Leases whose connection a driver took back from the garbage, since nobody returned it."""

from __future__ import annotations

import threading

import pytest

from mooring.core.pool import LeakKind
from mooring.testing import no_leaks
from tests.unit.pools.stepped import Pool, here


def test_lost_lease_is_told_as_a_leak_once() -> None:
    """At the next look a lease that was lost is told as abandoned with its line, and never again."""
    pool = Pool()
    pool.hear("leak", "returned_late", "leak_confirmed")
    lease, line = pool.tracker.track("export"), here()
    pool.clock.step(3)
    pool.tracker.lost(lease)
    assert pool.told == []
    pool.look(after=1)
    pool.look(times=3)
    [(event, leak)] = pool.told
    assert (event, leak.kind, leak.site, leak.held) == ("leak", LeakKind.ABANDONED, line, 4.0)
    assert (leak.owner, leak.operation) == (f"thread {threading.current_thread().name}", "export")
    assert (pool.tracker.forgotten, len(pool.tracker.open), pool.leaks()) == (1, 0, [])
    assert [each.message for each in pool.tracker.errors.kept] == [f"a connection was never returned: {line}"]


def test_lost_lease_that_was_told_as_abandoned_is_not_told_again() -> None:
    """Where its thread had ended the leak is known; where it was a suspect it is one for certain now."""
    pool = Pool()
    pool.hear("leak", "returned_late")
    leases = []
    thread = threading.Thread(target=lambda: leases.append(pool.tracker.track()))
    thread.start()
    thread.join()
    pool.look(times=2)
    leases.append(pool.tracker.track())
    pool.look(after=10)
    assert sorted(leak.kind.value for _, leak in pool.told) == ["abandoned", "suspect"]
    pool.told.clear()
    for lease in leases:
        pool.tracker.lost(lease)
    pool.look(times=3)
    assert [(event, leak.kind) for event, leak in pool.told] == [("leak", LeakKind.ABANDONED)]
    assert pool.tracker.forgotten == 2


def test_lease_that_came_back_is_not_lost() -> None:
    """What is in no book is neither a leak nor an error: it was returned, or the book is a new one."""
    pool = Pool()
    pool.hear("leak")
    returned, older = pool.tracker.track(), pool.tracker.track()
    pool.tracker.release(returned)
    pool.tracker.reset()
    for lease in (returned, older):
        pool.tracker.lost(lease)
    pool.look(times=2)
    assert (pool.told, pool.tracker.forgotten, pool.tracker.errors.total) == ([], 0, 0)


def test_lost_while_stopped_is_not_told_later() -> None:
    """A tracker that somebody stopped tells no leaks, nor does it afterwards of that time."""
    pool = Pool()
    pool.hear("leak")
    lease = pool.tracker.track()
    pool.tracker.stop()
    pool.tracker.lost(lease)
    pool.look()
    pool.tracker.start()
    pool.look(times=2)
    assert pool.told == []


def test_no_leaks_names_what_was_lost_inside() -> None:
    """That the driver took the connection back does not hide that the block did not return it."""
    pool = Pool()
    before, earlier = pool.tracker.track(), pool.tracker.track()
    pool.tracker.lost(earlier)
    with no_leaks(within=0, of=["leases"], trackers=[pool.tracker]):
        pool.tracker.lost(before)
    watching = no_leaks(within=0, of=["leases"], trackers=[pool.tracker])
    watching.__enter__()
    lease, line = pool.tracker.track(), here()
    pool.tracker.lost(lease)
    with pytest.raises(AssertionError) as raised:
        watching.__exit__(None)
    name = test_no_leaks_names_what_was_lost_inside.__name__
    assert str(raised.value) == f"left behind: lease of shop/orders, taken at {line} in {name}"
