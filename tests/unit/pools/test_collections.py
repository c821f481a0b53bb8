"""Garbage collections amid what the watch lists: they call our hooks, and so change what is listed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mooring.pools import Rules
from mooring.pools.checkouts import Checkouts
from tests.unit.pools.stepped import EVERY, Connection, Pool, collections


def loses_one(pool: Pool) -> Callable[[], None]:
    """Return what loses one lease, then takes two, and so on."""
    turn = iter(range(10**9))

    def change() -> None:
        if next(turn) % 2:
            pool.tracker.track()
            pool.tracker.track()
        else:
            pool.tracker.lost(next(iter(pool.tracker.open)))

    return change


@pytest.mark.parametrize(
    "asks",
    [
        lambda pool: pool.tracker.errors.within(60),
        lambda pool: pool.tracker.errors.why_refused(60),
        lambda pool: pool.tracker.snapshot(),
        lambda pool: pool.tracker.aggregated(),
        lambda pool: pool.look(),
        lambda pool: pool.tracker.inspector._why_full(30, 30),
    ],
    ids=["errors", "refused", "snapshot", "past", "look", "holders"],
)
def test_leases_may_be_lost_while_they_are_listed(asks: Callable[[Pool], object]) -> None:
    """Wherever a collection loses a lease, what is asked of the tracker is told, and nothing is at fault."""
    pool = Pool(limit=30, rules=Rules(errors=1))
    for lease in [pool.tracker.track() for _ in range(60)][30:]:
        pool.tracker.lost(lease)
    pool.look()
    for every in EVERY:
        with collections(every, loses_one(pool)):
            asks(pool)
    assert (pool.tracker.faults, pool.tracker.forgotten > 30) == (0, True)


def test_connections_may_be_closed_while_they_are_listed() -> None:
    """Wherever a collection ends connections, those that are closed are counted, each once."""
    pool = Pool()
    book, made, new = Checkouts(pool.tracker), [Connection() for _ in range(200)], []
    for each in range(200):
        book.opened(made[each], None)
    for every in EVERY:
        with collections(every, lambda: made and made.pop()):
            book.count_closed(lambda _: new.append([]) is not None)
    ended = 200 - len(made)
    assert (pool.tracker.closed_total, ended > 100, pool.tracker.faults) == (ended, True, 0)
