"""What is counted of PyMongo's pools while its threads go on: a thread may be switched to at any line."""

from __future__ import annotations

import gc
import threading
from itertools import count
from typing import Any
from weakref import ref

from mooring.pools.pymongo_events import MongoDB, PoolEvents
from tests.unit.pools.stepped import EVERY, collections


class MongoPool:
    """PyMongo's pool of one server; while it is asked, a pool of another server is made."""

    address = ("127.0.0.1", 27017)
    conns: tuple[Any, ...] = ()

    def __init__(self, events: PoolEvents, others: list[MongoPool]) -> None:
        self.opts = type("Options", (), {"max_pool_size": 3, "min_pool_size": 0})
        self._events = events
        self._others = others

    @property
    def operation_count(self) -> int:
        other = MongoPool(self._events, self._others)
        other.address = ("127.0.0.1", 27018 + len(self._others))
        self._others.append(other)
        self._events.adopt(other)
        return 0


class Asked:
    """A pool of which nobody asks anything."""

    operation_count = 0


def test_pools_may_be_made_while_they_are_counted() -> None:
    """A server that is discovered meanwhile is counted from the next time on; what is gone is not."""
    events, others = PoolEvents(MongoDB()), []
    first = MongoPool(events, others)
    events.adopt(first)
    assert events.driver.gauges().limit == 3
    assert events.driver.gauges().limit == 3
    assert [len(others), len(events.driver.pools)] == [3, 4]
    others.clear()
    gc.collect()
    assert len(events.driver.pools) == 1


def test_who_asks_may_begin_while_they_are_looked_through() -> None:
    """Wherever a collection has a thread begin to ask or be answered, those who gave up are told."""
    driver, told, numbers = MongoDB(), [], count()
    driver.add(asked := Asked())
    driver.gave_up = lambda: told.append(1)
    this = threading.current_thread()

    def change() -> None:
        driver.pending.pop(next(iter(driver.pending), None), None)
        driver.pending.update({next(numbers): ref(this), next(numbers): ref(this)})

    for every in EVERY:
        driver.pending.update({next(numbers): ref(this) for _ in range(20)})
        with collections(every, change):
            driver.gauges()
    assert ([weak() for weak in driver.pools], len(told) > 20) == ([asked], True)
