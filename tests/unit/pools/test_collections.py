"""Garbage collections amid what the watch lists: they call our hooks, and so change what is listed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool.base import _ConnectionRecord

from mooring.pools import PoolTracker, Rules, Watch
from mooring.pools.checkouts import Checkouts
from mooring.pools.sqlalchemy_entries import Entries
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


def test_entries_of_sqlalchemy_may_end_while_they_are_listed() -> None:
    """Wherever a collection closes an entry's connection, those that are left are counted."""
    engine = create_engine("sqlite://")
    driver = Entries(engine)
    kept = [_ConnectionRecord(engine.pool, connect=False) for _ in range(400)]
    for each in kept:
        each.dbapi_connection = Connection()
        driver.opened(each)
    left = iter(kept)
    for every in EVERY:
        with collections(every, lambda: driver.closed(next(left))):
            driver.gauges()
    still = len([*left])
    assert (driver.gauges().size, 0 < still < 400) == (still, True)


def test_trackers_may_be_closed_while_they_are_listed() -> None:
    """Wherever a collection closes a tracker, those that are left are listed."""
    watch = Watch(threaded=False)
    kept = [PoolTracker("shop", f"{number}", watch=watch) for number in range(400)]
    left = iter(kept)
    for every in EVERY:
        with collections(every, lambda: next(left).close()):
            list(watch)
    assert list(watch) == [*left]
