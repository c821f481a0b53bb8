"""Which lease is of which connection, whatever the driver hands out."""

from __future__ import annotations

import sys

import pytest

from mooring.core.pool import LeakKind
from mooring.pools.checkouts import Checkouts
from tests.unit.pools.stepped import Connection, Pool, here


class Holder:
    """What asyncpg 0.30 hands out: nothing that can be referred to weakly."""

    __slots__ = ()


def test_what_has_no_weak_references_is_tracked_as_well() -> None:
    """Its lease begins and ends as others do, and what came back can go out again."""
    pool, holder = Pool(limit=2), Holder()
    book = Checkouts(pool.tracker)
    for _ in range(2):
        book.answered(book.asked(), holder, sys._getframe(), Connection())
        assert (len(pool.tracker.open), len(book.out)) == (1, 1)
        book.returned(holder)
    totals = pool.tracker.snapshot().totals
    assert (totals.taken, totals.returned, totals.unmatched, totals.internal_errors) == (2, 2, 0, 0)


def test_what_became_garbage_while_out_is_lost() -> None:
    """Without a limit it is out no more: its lease is lost, with its line. What is stopped notes it, too."""
    pool = Pool()
    pool.hear("leak")
    book = Checkouts(pool.tracker, limited=False)
    given = Connection()
    book.answered(book.asked(), given, sys._getframe())
    line = here(1)
    returned = Connection()
    book.answered(book.asked(), returned, sys._getframe())
    book.returned(returned)
    del given, returned
    pool.look()
    assert [(leak.kind, leak.site) for _, leak in pool.told] == [(LeakKind.ABANDONED, line)]
    assert (book.out, pool.tracker.open, pool.tracker.forgotten, pool.tracker.errors.total) == ({}, {}, 1, 1)
    pool.tracker.stop()
    book.answered(book.asked(), Connection(), sys._getframe())
    assert (book.out, pool.tracker.forgotten, pool.tracker.faults) == ({}, 1, 0)


def test_what_became_garbage_keeps_its_place_in_a_limited_pool() -> None:
    """A pool with a limit waits for it, so that it is out still, and told as abandoned from look to look."""
    pool = Pool(limit=2)
    book = Checkouts(pool.tracker)
    book.answered(book.asked(), Connection(), sys._getframe())
    line = here(1)
    pool.look(times=3)
    assert (pool.leaks(), len(book.out), pool.tracker.forgotten) == ([("abandoned", line)], 1, 0)


def test_what_becomes_garbage_is_counted_as_closed_at_once() -> None:
    """Also where tracking is stopped, and nobody looks: nothing is kept of it."""
    pool = Pool()
    book, kept = Checkouts(pool.tracker), Connection()
    book.opened(kept, 0.001)
    pool.tracker.stop()
    for _ in range(3):
        book.opened(Connection(), 0.001)
    assert (len(book._open), pool.tracker.created_total, pool.tracker.closed_total) == (1, 4, 3)
    book.count_closed(lambda _: True)
    book.closed(kept)
    del kept
    assert (book._open, pool.tracker.closed_total, pool.tracker.faults) == ({}, 4, 0)


def test_fault_amid_garbage_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong where a connection becomes garbage is counted, and Python has nothing to print."""
    pool = Pool()
    book = Checkouts(pool.tracker, limited=False)
    book.opened(held := Connection(), None)
    book.answered(book.asked(), held, sys._getframe())
    monkeypatch.setattr(book, "_open", None)
    monkeypatch.setattr(book, "out", None)
    del held
    assert pool.tracker.faults == 2
