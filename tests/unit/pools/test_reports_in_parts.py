"""Services with more pools than one report has room for: they are told in several, one after another."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import pytest

from mooring.pools import PoolTracker
from tests.report_server import Handler, ReportServer, no, yes
from tests.unit.pools.desk import Desk


def many(desk: Desk, count: int) -> list[PoolTracker]:
    """Return so many pools of one service."""
    return [desk.tracker(name=f"pool-{number}") for number in range(count)]


def told(server: ReportServer) -> list[tuple[int, bool]]:
    """Return how many pools each report told, and whether it was the last one."""
    return [(len(report["pools"]), report["last"]) for report in server.reports]


def names(reports: list[dict[str, Any]]) -> list[str]:
    """Return the pools that reports told, in their order."""
    return [pool["name"] for report in reports for pool in report["pools"]]


def taken(server: ReportServer) -> dict[str, int]:
    """Return how many leases each pool had taken as it was told last."""
    parts = [pool for report in server.reports for pool in report["pools"]]
    return {pool["name"]: pool["totals"]["taken"] for pool in parts}


def large_above(server: ReportServer, most: int, status: int = 413) -> None:
    """Have the server refuse reports of more pools."""

    def answer(handler: Handler) -> None:
        (yes() if len(server.reports[-1]["pools"]) <= most else no(status))(handler)

    server.answer = answer


def test_every_pool_is_told_in_each_turn(desk: Desk, server: ReportServer) -> None:
    """A hundred in a report, and the next one at once while something is left; then an interval later."""
    trackers = many(desk, 220)
    assert [desk.round() for _ in range(6)] == [0, 0, 30] * 2
    assert told(server) == [(100, False), (100, False), (20, False)] * 2
    assert names(server.reports[:3]) == names(server.reports[3:]) == [each.name for each in trackers]


def test_the_end_of_the_process_is_told_of_every_pool(desk: Desk, server: ReportServer) -> None:
    """All that was counted is in the last reports, of which only the very last says so."""
    trackers = many(desk, 120)
    desk.reporter.round()  # the first part: the other one is due
    for tracker in trackers:
        tracker.release(tracker.track())
    desk.reporter.close()
    desk.reporter.round()
    assert told(server) == [(100, False), (100, False), (20, True)]
    assert taken(server) == {tracker.name: 1 for tracker in trackers}


def test_last_report_that_is_too_large_is_halved_at_once(desk: Desk, server: ReportServer) -> None:
    """At the end of the process there is no later: it goes on until every pool is told."""
    trackers = many(desk, 101)
    large_above(server, 60)
    desk.reporter.close()
    desk.reporter.round()
    assert told(server)[-3:] == [(50, False), (50, False), (1, True)]
    assert len(server.reports) == 11
    assert names(server.reports[-3:]) == [each.name for each in trackers]


def test_last_report_that_is_always_too_large_is_given_up(desk: Desk, server: ReportServer) -> None:
    """When nothing is left to be halved the process ends."""
    trackers = many(desk, 3)
    server.answer = no(413)
    desk.reporter.close()
    desk.reporter.round()
    assert len(server.reports) == 14
    assert len(trackers) == 3


def test_pools_that_are_closed_amid_a_turn_are_told_to_the_end(desk: Desk, server: ReportServer) -> None:
    """What was told a moment ago is told once more, for the last time; so is what was not told yet."""
    trackers = many(desk, 120)
    desk.round()
    for tracker in (*trackers[:5], *trackers[110:]):
        tracker.release(tracker.track())
        tracker.close()
    desk.round()
    assert told(server) == [(100, False), (25, False)]
    assert Counter(taken(server).values()) == {0: 105, 1: 15}


def test_no_last_word_is_lost_of_many_that_are_closed(desk: Desk, server: ReportServer) -> None:
    """Where a report has room for fewer, the others wait for the next one."""
    trackers = many(desk, 80)
    large_above(server, 30)
    for tracker in trackers:
        tracker.close()
    while desk.reporter.round() == 0:
        pass
    assert told(server)[-4:] == [(25, False), (25, False), (25, False), (5, True)]
    assert sorted(names(server.reports[-4:])) == sorted(each.name for each in trackers)


def test_turn_begins_anew_when_the_server_was_away(desk: Desk, server: ReportServer) -> None:
    """What was told before is old by then."""
    trackers = many(desk, 120)
    desk.round()
    server.answer = no(503)
    assert desk.round() == 1
    server.answer = yes()
    assert [desk.round() for _ in range(2)] == [0, 30]
    assert told(server) == [(100, False), (20, False), (100, False), (20, False)]
    assert len(trackers) == 120


def test_part_that_is_refused_is_told_once(
    desk: Desk, server: ReportServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The service is tried rarely then, as with any refusal; it is well when every part was taken."""
    caplog.set_level(logging.INFO, logger="mooring.pools")
    trackers = many(desk, 120)

    def whole_only(handler: Handler) -> None:
        (yes() if len(server.reports[-1]["pools"]) == 100 else no(409, "x"))(handler)

    server.answer = whole_only
    assert [desk.round() for _ in range(4)] == [0, 300, 0, 300]
    server.answer = yes()
    assert [desk.round() for _ in range(2)] == [0, 30]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert len(trackers) == 120


def test_longer_interval_is_announced_to_every_part_first(desk: Desk, server: ReportServer) -> None:
    """The first part was told under the shorter one: the next turn comes within it."""
    trackers = many(desk, 120)
    server.answer = yes(interval=100)
    assert [desk.round() for _ in range(4)] == [0, 30, 0, 100]
    assert [report["interval"] for report in server.reports] == [30, 100, 100, 100]
    assert len(trackers) == 120
