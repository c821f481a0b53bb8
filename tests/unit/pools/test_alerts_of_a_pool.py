"""When a pool's limits are told, and when that is over."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mooring.core.pool import PoolRule, Severity
from mooring.pools import Rules, holding
from mooring.pools.driver import Gauges
from tests.unit.pools.stepped import Pool, here


def fill(pool: Pool, used: int) -> None:
    """Let the driver say that so many of 100 connections are used."""
    pool.driver.said = Gauges(size=100, idle=100 - used, limit=100)


def severities(pool: Pool) -> list[str]:
    """Return what is open."""
    return [alert.severity.value for alert in pool.tracker.alerts]


def test_utilization_has_two_limits_with_hysteresis() -> None:
    """80 % is a warning, 95 % critical; each is over five points below, and not one sooner."""
    pool = Pool()
    seen = []
    for used in (79, 80, 94, 95, 91, 90, 89, 76, 75, 74, 79, 80):
        fill(pool, used)
        pool.look()
        seen.append((used, severities(pool)))
    assert seen == [
        (79, []),
        (80, ["warning"]),
        (94, ["warning"]),
        (95, ["critical"]),
        (91, ["critical"]),
        (90, ["critical"]),
        (89, ["warning"]),
        (76, ["warning"]),
        (75, ["warning"]),
        (74, []),
        (79, []),
        (80, ["warning"]),
    ]


def test_getting_worse_is_told_at_once_and_coming_again_is_not() -> None:
    """An alert is told once in five minutes; that it becomes critical is told at once, and its end, too."""
    pool = Pool()
    pool.hear("utilization_high", "alert_ended")
    for used in (80, 95, 70, 80, 70, 95, 70):
        fill(pool, used)
        pool.look()
    assert [(event, alert.severity.value, alert.ended is None) for event, alert in pool.told] == [
        ("utilization_high", "warning", True),
        ("utilization_high", "critical", True),
        ("alert_ended", "critical", False),
    ]
    pool.told.clear()
    fill(pool, 80)
    pool.look(after=300)
    assert [(event, alert.suppressed) for event, alert in pool.told] == [("utilization_high", 2)]


def test_cooldown_is_of_one_rule_of_one_pool() -> None:
    """What was just told keeps neither another rule of that pool nor the same one of another quiet."""
    pool, other = Pool(), Pool()
    pool.hear("alert")
    other.hear("alert")
    for used in (95, 70, 95):
        fill(pool, used)
        pool.look()
    pool.tracker.ask()
    pool.tracker.gave_up(timed_out=True)
    pool.look()
    fill(other, 95)
    other.look()
    assert [alert.rule for _, alert in pool.told] == [PoolRule.UTILIZATION, PoolRule.TIMEOUTS]
    assert [alert.rule for _, alert in other.told] == [PoolRule.UTILIZATION]


def test_what_came_within_the_cooldown_and_stays_is_told_after_it() -> None:
    """An alert that is still open when the cooldown is over is told then, with when it began."""
    pool = Pool(rules=Rules(cooldown=60))
    pool.hear("alert")
    for used in (80, 70, 80):
        fill(pool, used)
        pool.look()
    since = pool.clock.now()
    pool.look(after=58)
    assert len(pool.told) == 1
    pool.look(after=2)
    assert [(alert.suppressed, alert.since) for _, alert in pool.told[1:]] == [(1, since)]
    pool.look(after=600)
    assert len(pool.told) == 2


def test_full_pool_names_who_holds_most() -> None:
    """What is said names service, pool and use; the advice names the line that holds most, and how many."""
    pool = Pool(limit=10)

    def orders() -> str:
        pool.tracker.track()
        return here(1)

    lines = [orders() for _ in range(7)]
    for _ in range(2):
        pool.tracker.track()
    pool.look()
    (alert,) = pool.tracker.alerts
    place = "/".join(lines[0].split("/")[-2:])
    assert (alert.rule, alert.severity) == (PoolRule.UTILIZATION, Severity.WARNING)
    assert alert.message == "shop/orders: 9 of 10 connections are in use (90%)"
    assert alert.recommendation == (
        f"7 of 9 leases come from {place}: hold them for less, or raise the limit."
    )
    assert (alert.value, alert.limit) == (0.9, 0.8)


def test_leaks_are_grouped_by_line() -> None:
    """One alert counts the leaks of all lines, and names the one with most of them."""
    pool = Pool()

    def first() -> str:
        pool.tracker.track()
        return here(1)

    lines = [first() for _ in range(3)]
    pool.tracker.track()
    pool.look(after=10)
    (alert,) = pool.tracker.alerts
    place = "/".join(lines[0].split("/")[-2:])
    assert alert.message == (
        f"shop/orders: 4 leases of {place} (3) and 1 more line: held for long, and nothing runs"
    )
    assert alert.recommendation == (
        f"See where the owner of {place} is now; return it before other work, or declare the hold."
    )
    use = pool.tracker.snapshot().sites
    assert [(site.open, site.total, site.oldest) for site in use] == [(3, 3, 10.0), (1, 1, 10.0)]
    assert use[0].place == place


@pytest.mark.parametrize(
    ("scopes", "told"),
    [
        (["GET /a", "GET /a"], "in GET /a"),
        (["GET /a", "GET /b", "GET /c"], "in 3 scopes"),
        (["GET /a", "GET /b", "GET /b", "GET /c"], "in 3 scopes, most in GET /b (2)"),
        (["GET /a", "GET /a", "GET /b", "GET /b"], "in 2 scopes"),
        (["GET /a", None], "1 of them in GET /a"),
        (["GET /a", "GET /b", "GET /b", None], "3 of them in 2 scopes, most in GET /b (2)"),
    ],
)
def test_leaks_name_a_scope_where_it_is_that_of_all(scopes: list[str | None], told: str) -> None:
    """A helper takes for many routes: the alert blames one alone only where all leases are of it."""
    pool = Pool()
    for scope in scopes:
        with holding(scope):
            pool.tracker.track()
    place = "/".join(here(1).split("/")[-2:])
    pool.look(after=10)
    (alert,) = pool.tracker.alerts
    comma = "," if "of them" in told else ""
    assert alert.message == (
        f"shop/orders: {len(scopes)} leases of {place}{comma} {told}: held for long, and nothing runs"
    )


@pytest.mark.parametrize(
    ("scopes", "told"),
    [(["GET /a", "GET /a"], "GET /a"), (["GET /a", "GET /b"], None), ([None, "GET /a"], None)],
)
def test_a_line_has_a_scope_where_it_is_that_of_all(scopes: list[str | None], told: str | None) -> None:
    """Who holds most is named with a route only where all that is out was taken for it."""
    pool = Pool()
    for scope in scopes:
        with holding(scope):
            pool.tracker.track()
    (use,) = pool.tracker.snapshot().sites
    assert use.scope == told


def test_waiting_is_told_where_it_lasts() -> None:
    """Requests that wait at two looks in a row are told, and that none waits any more."""
    pool = Pool()
    pool.hear("waiting", "alert_ended")
    pool.tracker.ask()
    pool.look()
    pool.tracker.gave_up()
    pool.look()
    first, second = pool.tracker.ask(), pool.tracker.ask()
    pool.look()
    assert pool.told == []
    pool.look()
    assert [alert.message for _, alert in pool.told] == ["shop/orders: 2 requests wait for a connection"]
    pool.tracker.track(asked=first)
    pool.tracker.track(asked=second)
    pool.look()
    assert [event for event, _ in pool.told] == ["waiting", "alert_ended"]


def test_timeouts_are_told_and_calm_down() -> None:
    """Requests that got no connection are told with their number, until a minute brought no more."""
    pool = Pool()
    pool.hear("timeouts", "alert_ended")
    pool.tracker.ask()
    pool.tracker.gave_up(timed_out=True)
    pool.look()
    assert [(alert.severity, alert.message) for _, alert in pool.told] == [
        (Severity.CRITICAL, "shop/orders: 1 request got no connection in time")
    ]
    pool.look(after=30)
    pool.tracker.gave_up(timed_out=True)
    pool.look(after=29)
    pool.look(after=59)
    assert [alert.value for alert in pool.tracker.alerts] == [2]
    pool.look(after=1)
    assert ([event for event, _ in pool.told], pool.tracker.alerts) == (["timeouts", "alert_ended"], ())
    pool.look(after=300)
    pool.tracker.gave_up(timed_out=True)
    pool.look()
    assert [alert.value for alert in pool.tracker.alerts] == [1]


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (
            lambda: ConnectionResetError("reset by peer\n[SQL: SELECT 1]\n[parameters: ('Jane',)]"),
            "Look at the login and the network; the newest is ConnectionResetError: reset by peer",
        ),
        (
            lambda: ValueError("Key (name)=(Jane) already exists"),
            "Look at the statements; the newest is ValueError",
        ),
    ],
    ids=["session", "statement"],
)
def test_errors_are_told_above_a_rate(error: Callable[[], Exception], advice: str) -> None:
    """Five errors within a minute are told, with what they are mostly about; never a statement or a row."""
    pool = Pool()
    for _ in range(5):
        assert pool.tracker.alerts == ()
        pool.tracker.record_error(error())
        pool.look(after=1)
    (alert,) = pool.tracker.alerts
    session = 5 if "login" in advice else 0
    assert alert.message == f"shop/orders: 5 errors within 60 s, {session} of them of the login or session"
    assert alert.recommendation == advice
    pool.look(after=58)
    assert pool.tracker.alerts == ()


def test_forgotten_connections_are_told_with_their_line() -> None:
    """Where most errors are of connections that became garbage, the line is told that took most of them."""
    pool = Pool()
    for line in (13, 13, 13, 88):
        pool.tracker.record_error(ResourceWarning(f"a connection was never returned: /srv/app.py:{line}"))
    pool.tracker.record_error(ValueError("Key (name)=(Jane) already exists"))
    pool.look()
    (alert,) = pool.tracker.alerts
    assert alert.message == (
        "shop/orders: 5 errors within 60 s, 4 of them since a connection was never returned"
    )
    assert alert.recommendation == (
        "A connection was never returned: /srv/app.py:13 (3 times). Take it in a `with` or "
        "`async with` block, so that it is always returned."
    )


def test_no_limit_is_no_utilization() -> None:
    """A pool without a limit is never nearly full."""
    pool = Pool()
    for _ in range(50):
        pool.tracker.track()
    pool.look()
    assert pool.tracker.alerts == ()


def timed_out(pool: Pool) -> str:
    """Let a request time out, and return the advice."""
    pool.tracker.ask()
    pool.tracker.gave_up(timed_out=True)
    pool.look()
    (advice,) = [alert.recommendation for alert in pool.tracker.alerts if alert.rule is PoolRule.TIMEOUTS]
    return advice


@pytest.mark.parametrize("limit", [10, None])
@pytest.mark.parametrize("held", [0, 1])
def test_a_pool_that_cannot_connect_is_not_called_full(limit: int | None, held: int) -> None:
    """Where connecting failed of late and few are in use, nobody is told to return or to raise anything."""
    pool = Pool(limit=limit)
    leases = [pool.tracker.track() for _ in range(held)]
    pool.tracker.record_error(ConnectionRefusedError("nobody listens"))
    pool.clock.step(200)  # a pool tries less and less often
    assert timed_out(pool) == (
        "Connections cannot be opened: look at the login and the network; "
        "the newest error is ConnectionRefusedError: nobody listens"
    )
    pool.clock.step(100)
    assert len(leases) == held
    assert "cannot be opened" not in timed_out(pool)


@pytest.mark.parametrize(("used", "limit"), [(8, 10), (2, 2)])
def test_a_pool_that_is_full_is_called_full_whatever_failed(used: int, limit: int) -> None:
    """A login that failed of late is not why nobody gets a connection where all are held."""
    pool = Pool(limit=limit)
    leases = [pool.tracker.track() for _ in range(used)]
    pool.tracker.record_error(ConnectionRefusedError("nobody listens"))
    assert timed_out(pool).startswith(f"{len(leases)} of {used} leases come from ")


def test_what_fails_but_connecting_is_no_reason_for_a_time_out() -> None:
    """A statement that failed says nothing of connecting; what holds all and is not tracked is outside."""
    pool = Pool(limit=10)
    fill(pool, 3)
    pool.tracker.record_error(ValueError("bad statement"))
    assert timed_out(pool) == "Something outside of what is watched holds the connections."
    fill(pool, 0)
    assert timed_out(pool) == "None is in use now: opening one takes too long, or it is over."
