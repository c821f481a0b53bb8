"""Which lease is of which connection, whatever the driver hands out."""

from __future__ import annotations

import sys

from mooring.pools.checkouts import Checkouts
from tests.unit.pools.stepped import Connection, Pool


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
