"""Trackers that are stopped, by a person or by too many faults of our own."""

from __future__ import annotations

import threading

from mooring.pools import Rules
from tests.unit.pools.stepped import Pool


def test_nothing_is_found_of_what_is_not_watched() -> None:
    """A stopped tracker tells no leak, ends its alerts, and finds anew what is left when it is started."""
    pool = Pool(limit=1, rules=Rules(cooldown=0))
    pool.hear("alert_ended")
    thread = threading.Thread(target=pool.tracker.track)
    thread.start()
    thread.join()
    pool.look(times=2)
    assert [kind for kind, _ in pool.leaks()] == ["abandoned"]
    pool.tracker.stop()
    snapshot = pool.tracker.snapshot()
    assert (snapshot.leaks, snapshot.alerts, snapshot.active, snapshot.used) == ((), (), False, 1)
    pool.look()
    assert {alert.rule.value for _, alert in pool.told} == {"abandoned", "utilization"}
    assert (pool.leaks(), pool.tracker.alerts) == ([], ())
    pool.tracker.start()
    pool.look(times=2)
    assert [kind for kind, _ in pool.leaks()] == ["abandoned"]


def test_nothing_is_found_after_too_many_faults() -> None:
    """A tracker that switched itself off tells no leak and no alert: a lease may be returned meanwhile."""
    pool = Pool(rules=Rules(held=0))
    lease = pool.tracker.track()
    pool.look()
    assert ([kind for kind, _ in pool.leaks()], len(pool.tracker.alerts)) == (["suspect"], 1)
    pool.driver.broken = True
    while not pool.tracker.is_off:
        pool.tracker.gauges()
    snapshot = pool.tracker.snapshot()
    assert (snapshot.leaks, snapshot.alerts, snapshot.active) == ((), (), False)
    pool.driver.broken = False
    pool.tracker.release(lease)
    pool.tracker.start()
    assert (pool.leaks(), pool.tracker.alerts) == ([], ())
    pool.look()
    assert (pool.leaks(), pool.tracker.alerts) == ([], ())


def test_look_that_meets_the_end_of_tracking_finds_nothing() -> None:
    """What a look has found is not told where the tracker was stopped meanwhile."""
    pool = Pool(rules=Rules(held=0))
    pool.tracker.track()
    pool.tracker.on("leak", lambda _: pool.tracker.stop())
    pool.look()
    assert (pool.leaks(), pool.tracker.alerts, pool.tracker.active) == ([], (), False)
