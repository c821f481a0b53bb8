"""What cannot wait for the next report: newly abandoned leases and critical alerts."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from mooring.pools import PoolTracker, Rules
from tests.report_server import ReportServer, no
from tests.unit.pools.desk import Desk


def abandon(tracker: PoolTracker, desk: Desk) -> None:
    """Take a lease in a thread that ends, and look until that is certain, one second later."""
    thread = threading.Thread(target=tracker.track)
    thread.start()
    thread.join()
    for _ in range(2):
        desk.clock.seconds += 0.5
        desk.watch.look()


def leaks(server: ReportServer) -> list[int]:
    """Return how many leaks each report told."""
    return [len(report["pools"][0]["leaks"]) for report in server.reports]


def test_abandoned_lease_is_reported_soon(desk: Desk, server: ReportServer) -> None:
    """It wakes the reporter, which reports within a second at random, and two after the last report."""
    tracker = desk.tracker()
    assert desk.reporter.round() == 30.0
    abandon(tracker, desk)
    assert desk.reporter._wake.is_set()
    assert desk.round() == 2.0  # one second was over; two apart, and the most by chance
    assert desk.round() == 30.0
    assert leaks(server) == [0, 1]


def test_what_was_reported_wakes_nobody_again(desk: Desk, server: ReportServer) -> None:
    """A leak that stays is told with the next report in its turn; a further one is told soon again."""
    tracker = desk.tracker()
    abandon(tracker, desk)
    desk.reporter.round()
    desk.reporter._wake.clear()
    desk.clock.seconds += 0.5
    desk.watch.look()
    assert (desk.reporter._wake.is_set(), desk.reporter.round()) == (False, 29.5)
    desk.clock.seconds += 10.0
    abandon(tracker, desk)
    assert desk.round() == 1.0
    desk.reporter.round()
    assert leaks(server) == [1, 2]


@pytest.mark.parametrize("goes", [PoolTracker.reset, PoolTracker.close], ids=["reset", "closed"])
def test_news_of_one_pool_are_not_made_up_for_by_another(
    desk: Desk, server: ReportServer, goes: Callable[[PoolTracker], None]
) -> None:
    """What is found is told soon, also where a pool that found something goes or begins anew just then."""
    former, tracker = desk.tracker(name="a"), desk.tracker(name="b")
    abandon(former, desk)
    desk.reporter.round()
    desk.clock.seconds += 10.0
    goes(former)
    desk.reporter._wake.clear()
    desk.reporter._left.clear()  # the last words of what is closed are told soon as well
    abandon(tracker, desk)
    assert desk.reporter._wake.is_set()
    assert desk.round() == 1.0
    desk.reporter.round()
    assert [len(pool["leaks"]) for pool in server.reports[-1]["pools"]][-1] == 1


def test_news_after_a_reset_are_news(desk: Desk, server: ReportServer) -> None:
    """A pool that begins anew and finds as much as before within one round tells it soon."""
    tracker = desk.tracker()
    abandon(tracker, desk)
    desk.reporter.round()
    desk.clock.seconds += 10.0
    tracker.reset()
    abandon(tracker, desk)
    assert desk.round() == 1.0
    desk.reporter.round()
    assert leaks(server) == [1, 1]


def test_critical_alert_is_reported_soon_and_a_warning_in_its_turn(desk: Desk, server: ReportServer) -> None:
    """A pool that is full is told at once; one that is nearly full can wait."""
    tracker = desk.tracker(max_size=10, rules=Rules(cooldown=0))
    desk.reporter.round()
    kept = [tracker.track() for _ in range(8)]
    desk.watch.look()
    assert ([alert.severity.value for alert in tracker.alerts], desk.reporter.round()) == (["warning"], 30.0)
    assert not desk.reporter._wake.is_set()
    kept += [tracker.track() for _ in range(2)]
    desk.watch.look()
    assert ([alert.severity.value for alert in tracker.alerts], desk.reporter.round()) == (["critical"], 3.0)
    assert desk.reporter._wake.is_set()
    assert len(server.reports) == 1


def test_server_that_refuses_is_not_asked_sooner(desk: Desk, server: ReportServer) -> None:
    """What is found changes nothing where the server takes no reports."""
    tracker = desk.tracker()
    server.answer = no(403)
    assert desk.reporter.round() == 300.0
    abandon(tracker, desk)
    assert desk.reporter.round() == 299.0
