"""What the processes of one pool tell, as one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mooring.core.pool import (
    Durations,
    Leak,
    LeakKind,
    PoolAlert,
    PoolRule,
    PoolSnapshot,
    PoolTotals,
    Severity,
    SiteUse,
)
from mooring.core.pool_view import PoolMember
from mooring.core.report import Instance
from mooring.engine.pool_sum import alerts_of, sites_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def member(pid: int, rule: PoolRule, value: float, message: str, leaks: tuple[Leak, ...] = ()) -> PoolMember:
    """Return a process that tells one alert."""
    snapshot = PoolSnapshot(
        *("shop", "orders", "sqlalchemy", NOW, 4, 1, 5, 10, 0, 0, 5),
        totals=PoolTotals(),
        wait=Durations(),
        use=Durations(),
        create=Durations(),
        leaks=leaks,
        alerts=(PoolAlert(rule, Severity.CRITICAL, f"shop/orders: {message}", "", NOW, value, None),),
    )
    instance = Instance(f"id-{pid}", "web1", pid, NOW)
    return PoolMember(instance, NOW, 30, 0, live=True, ended=False, snapshot=snapshot)


@pytest.mark.parametrize(
    ("rule", "values", "told", "value"),
    [
        (PoolRule.ABANDONED, [4], "4 leases of a.py:1, in process web1:1", 4),
        (PoolRule.ABANDONED, [1, 4, 3], "8 leases of a.py:1, in 3 processes, most in web1:2", 8),
        (PoolRule.UTILIZATION, [0.5, 1], "1 leases of a.py:1, in process web1:2 and in 1 more", 1),
    ],
    ids=["one", "counts", "shares"],
)
def test_alerts_of_processes_are_one(rule: PoolRule, values: list[float], told: str, value: float) -> None:
    """The worst process is named, counts are added up, shares are not, and no pool is named twice."""
    alert = alerts_of(
        member(
            pid, rule, each, f"{each:g} lease{'s' * (each != 1 or rule is PoolRule.UTILIZATION)} of a.py:1"
        )
        for pid, each in enumerate(values, start=1)
    )[rule]
    assert (alert.message, alert.value) == (told, value)


def test_processes_that_say_different_things_are_not_made_one() -> None:
    """Where each has a line of its own, that of the worst is told, with how many there are in all."""
    told = alerts_of(
        [
            member(1, PoolRule.ABANDONED, 1, "1 lease of a.py:1"),
            member(2, PoolRule.ABANDONED, 2, "2 leases of b.py:2"),
        ]
    )
    assert told[PoolRule.ABANDONED].message == "2 leases of b.py:2, in process web1:2; 3 in 2 processes"


@pytest.mark.parametrize(("most", "said"), [(1, "1 request waits"), (7, "7 requests wait")])
def test_waiting_requests_of_processes_are_added_up(most: int, said: str) -> None:
    """One that waits and some that wait say the same, but for their number."""
    waits = [member(9, PoolRule.WAITING, 1, "1 request waits for a connection")]
    waits.insert(0, member(2, PoolRule.WAITING, most, f"{said} for a connection"))
    alert = alerts_of(waits)[PoolRule.WAITING]
    told = f"{1 + most} requests wait for a connection, in 2 processes, most in web1:2"
    assert (alert.message, alert.value) == (told, 1 + most)


def of_routes(pid: int, *scopes: str) -> PoolMember:
    """Return a process with one lease of the same line that was never returned for each of these routes."""
    leaks = tuple(
        Leak(LeakKind.ABANDONED, "w/a.py:1", "f", 9.0, None, "Task-1", None, each) for each in scopes
    )
    text = f"{len(scopes)} lease{'s' * (len(scopes) > 1)} of w/a.py:1 in {scopes[0]}: never returned"
    return member(pid, PoolRule.ABANDONED, len(scopes), text, leaks)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ([("GET /a",), ("GET /a",)], "2 leases of w/a.py:1 in GET /a: never returned"),
        ([("GET /a",), ("GET /b",)], "2 leases of w/a.py:1 in 2 scopes: never returned"),
        (
            [("GET /b", "GET /a"), ("GET /a",)],
            "3 leases of w/a.py:1 in 2 scopes, most in GET /a (2): never returned",
        ),
    ],
    ids=["one", "two", "most"],
)
def test_a_route_is_named_where_it_is_that_of_all(members: list[tuple[str, ...]], told: str) -> None:
    """A helper takes for many routes: none is blamed for what the others of another process took."""
    alert = alerts_of(of_routes(pid, *scopes) for pid, scopes in enumerate(members, start=1))
    assert alert[PoolRule.ABANDONED].message == f"{told}, in 2 processes, most in web1:1"


@pytest.mark.parametrize(
    ("scopes", "told"),
    [
        ((("GET /a", 1), ("GET /a", 2)), "GET /a"),
        ((("GET /a", 1), ("GET /b", 2)), None),
        ((("GET /a", 1), (None, 1)), None),
        ((("GET /a", 1), (None, 0)), "GET /a"),
    ],
)
def test_a_line_has_a_route_where_it_is_that_of_all(
    scopes: tuple[tuple[str | None, int], ...], told: str | None
) -> None:
    """What two processes took at one line for two routes is of neither."""
    snapshots = [
        member(1, PoolRule.ABANDONED, 1, "").snapshot._replace(
            sites=(SiteUse("a.py", 1, "f", out, 5, None, None, None, scope),)
        )
        for scope, out in scopes
    ]
    assert [each.scope for each in sites_of(snapshots)] == [told]
