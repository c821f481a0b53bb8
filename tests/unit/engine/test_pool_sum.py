"""What the processes of one pool tell, as one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mooring.core.pool import Durations, PoolAlert, PoolRule, PoolSnapshot, PoolTotals, Severity
from mooring.core.pool_view import PoolMember
from mooring.core.report import Instance
from mooring.engine.pool_sum import alerts_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def member(pid: int, rule: PoolRule, value: float, message: str) -> PoolMember:
    """Return a process that tells one alert."""
    snapshot = PoolSnapshot(
        *("shop", "orders", "sqlalchemy", NOW, 4, 1, 5, 10, 0, 0, 5),
        totals=PoolTotals(),
        wait=Durations(),
        use=Durations(),
        create=Durations(),
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
