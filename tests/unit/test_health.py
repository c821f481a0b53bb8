"""From results to health."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.core.failure import Failure
from mooring.core.health import CALM_INTERVAL, Health, Settled, settle
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Observation, TargetRef, Trigger
from mooring.core.stage import Stage
from mooring.core.status import Status
from mooring.core.target import Schedule

START = datetime(2026, 1, 1, tzinfo=UTC)
PLAIN = Schedule()
REF = TargetRef(7, "orders", "tcp", "db:1")
BLIPS = sorted(reason for reason in Reason if not reason.permanent)
PERMANENT = sorted(reason for reason in Reason if reason.permanent)

outcomes = st.sampled_from([Status.UP, Status.DEGRADED, *Reason])
triggers = st.sampled_from(list(Trigger))
schedules = st.builds(
    Schedule,
    interval=st.floats(1, 100_000),
    retry=st.booleans(),
    retry_delay=st.floats(0.5, 3600),
    failures_before_down=st.integers(1, 10),
    successes_before_up=st.integers(1, 10),
    quorum=st.integers(1, 3),
)


def result(
    outcome: Status | Reason, *, trigger: Trigger = Trigger.SCHEDULE, region: str = "local", after: float = 0
) -> CheckResult:
    """Return a result: a status where the check passed, a reason where it failed."""
    failure = Failure(outcome, Stage.TCP, "CODE", "message") if isinstance(outcome, Reason) else None
    status = outcome.status if isinstance(outcome, Reason) else outcome
    at = START + timedelta(seconds=after)
    return CheckResult(REF, status, failure, (), Observation(), at, 0.1, region, trigger)


results = st.builds(result, outcomes, trigger=triggers, region=st.sampled_from(["local", "eu", "us"]))


def fold(
    outcomes: Iterable[Status | Reason], schedule: Schedule = PLAIN, health: Health | None = None
) -> Settled:
    """Settle one result after the other; returns what the last one made."""
    settled = Settled(health or Health(), None, 0)
    for index, outcome in enumerate(outcomes):
        settled = settle(settled.health, result(outcome, after=float(index)), schedule)
    return settled


@pytest.mark.parametrize("outcome", [Status.UP, Status.DEGRADED, *Reason])
def test_first_result_decides(outcome: Status | Reason) -> None:
    """An unknown target stands at once where its first result says."""
    settled = fold([outcome])
    assert settled.health.status is result(outcome).status
    assert settled.health.confirming is None
    assert settled.health.since == START


@pytest.mark.parametrize("reason", BLIPS)
def test_blip_is_confirmed_first(reason: Reason) -> None:
    """Any failure that may pass by itself is looked at again, quickly, and says how far that is."""
    once, twice, thrice = (fold([Status.UP, *[reason] * n]) for n in (1, 2, 3))
    assert (once.health.status, once.health.confirming, once.transition) == (Status.UP, (1, 3), None)
    assert (twice.health.status, twice.health.confirming, twice.transition) == (Status.UP, (2, 3), None)
    assert (once.delay, twice.delay, thrice.delay) == (4, 4, 30)
    assert (thrice.health.status, thrice.health.confirming) == (reason.status, None)
    assert thrice.transition is not None
    assert (thrice.transition.old, thrice.transition.new) == (Status.UP, reason.status)
    assert thrice.transition.at == START + timedelta(seconds=3)


@pytest.mark.parametrize("reason", PERMANENT)
def test_permanent_reason_decides_at_once(reason: Reason) -> None:
    """What a person has to repair needs no confirmation, and no quick look again."""
    settled = fold([Status.UP, reason])
    assert (settled.health.status, settled.health.confirming, settled.delay) == (Status.DOWN, None, 30)


@pytest.mark.parametrize("trigger", sorted(set(Trigger) - {Trigger.SCHEDULE}))
def test_test_by_a_person_decides_at_once(trigger: Trigger) -> None:
    """A test that somebody asked for settles the health in both directions."""
    down = settle(fold([Status.UP]).health, result(Reason.TIMEOUT, trigger=trigger), PLAIN)
    assert down.health.status is Status.DOWN
    slow = replace(PLAIN, successes_before_up=5)
    assert settle(down.health, result(Status.UP, trigger=trigger), slow).health.status is Status.UP


def test_success_ends_the_confirming() -> None:
    """A blip of two failures is nothing, and the next two count from one again."""
    settled = fold([Status.UP, Reason.TIMEOUT, Reason.TIMEOUT, Status.UP])
    assert (settled.health.status, settled.health.confirming, settled.transition) == (Status.UP, None, None)
    again = fold([Reason.TIMEOUT, Reason.TIMEOUT], health=settled.health)
    assert (again.health.status, again.health.confirming) == (Status.UP, (2, 3))


def test_coming_back_is_confirmed_where_asked_for() -> None:
    """With successes_before_up a target stays down until that many are in, looking again quickly."""
    slow = replace(PLAIN, successes_before_up=2)
    once = fold([Reason.REFUSED, Status.UP], slow)
    assert (once.health.status, once.health.confirming, once.delay) == (Status.DOWN, (1, 2), 4)
    assert fold([Status.UP], slow, once.health).health.status is Status.UP


def test_without_retry_the_first_failure_decides() -> None:
    """With retry = false it keeps the plain schedule and confirms nothing."""
    settled = fold([Status.UP, Reason.TIMEOUT], replace(PLAIN, retry=False))
    assert (settled.health.status, settled.health.confirming, settled.delay) == (Status.DOWN, None, 30)


def test_quick_look_is_never_later_than_the_plan() -> None:
    """Where the interval is shorter than the retry delay, the interval stands."""
    assert fold([Status.UP, Reason.TIMEOUT], replace(PLAIN, interval=1)).delay == 1


def test_rejected_logins_are_calmed() -> None:
    """After three rejected logins in a row a login is tried once an hour."""
    delays = [fold([Reason.AUTH] * n).delay for n in range(1, 6)]
    assert delays == [30, 30, CALM_INTERVAL, CALM_INTERVAL, CALM_INTERVAL]
    assert fold([Reason.AUTH] * 3, replace(PLAIN, interval=7200)).delay == 7200


@pytest.mark.parametrize("reason", [Reason.TIMEOUT, Reason.REFUSED, Reason.INTERNAL])
def test_login_that_nobody_answered_does_not_end_the_calm(reason: Reason) -> None:
    """A rejecting server that is away for a moment is not asked more often for that."""
    assert fold([Reason.AUTH] * 3 + [reason]).delay == CALM_INTERVAL


@pytest.mark.parametrize("outcome", [Status.UP, Status.DEGRADED, Reason.PERMISSION, Reason.ASSERTION])
def test_accepted_login_ends_the_calm(outcome: Status | Reason) -> None:
    """Whatever proves that the login was accepted counts the rejections from zero."""
    settled = fold([Reason.AUTH] * 3 + [outcome])
    assert settled.delay <= 30
    assert settled.health.verdicts["local"].rejections == 0


@pytest.mark.parametrize(
    ("down", "quorum", "status"),
    [
        (0, 2, Status.UP),
        (1, 2, Status.DEGRADED),
        (2, 2, Status.DOWN),
        (3, 2, Status.DOWN),
        (1, 1, Status.DOWN),
        (2, 3, Status.DEGRADED),
    ],
)
def test_quorum_decides_over_regions(down: int, quorum: int, status: Status) -> None:
    """A target is down where as many regions as its quorum say so, degraded where fewer do."""
    settled = Settled(Health(), None, 0)
    for index, region in enumerate(("local", "eu", "us")):
        outcome = Reason.REFUSED if index < down else Status.UP
        settled = settle(settled.health, result(outcome, region=region), replace(PLAIN, quorum=quorum))
    assert settled.health.status is status


def test_regions_keep_their_own_streaks() -> None:
    """A failure in one region does not count for another."""
    schedule = replace(PLAIN, quorum=1)
    health = settle(fold([Status.UP]).health, result(Status.UP, region="eu"), schedule).health
    for region in ("local", "eu", "local", "eu"):
        settled = settle(health, result(Reason.TIMEOUT, region=region), schedule)
        health = settled.health
    assert (health.status, health.confirming) == (Status.UP, (2, 3))


def test_transition_tells_the_deciding_failure() -> None:
    """A change carries the failure that made it, and none where it came back."""
    down = fold([Status.UP, Reason.AUTH])
    assert down.transition is not None
    assert down.transition.failure == result(Reason.AUTH).failure
    assert down.transition.target_id == 7
    up = fold([Status.UP], health=down.health)
    assert up.transition is not None
    assert (up.transition.new, up.transition.failure) == (Status.UP, None)


@given(st.lists(st.tuples(results, schedules), max_size=40))
def test_settling_is_pure(steps: list[tuple[CheckResult, Schedule]]) -> None:
    """The same health, result and schedule always settle the same, and nothing is changed in place."""
    health = Health()
    for each, schedule in steps:
        before = health._replace(verdicts=dict(health.verdicts))
        settled = settle(health, each, schedule)
        assert settle(health, each, schedule) == settled
        assert health == before
        health = settled.health


@given(st.lists(results, max_size=40), schedules)
def test_what_always_holds(steps: list[CheckResult], schedule: Schedule) -> None:
    """A transition is there exactly where the status changed; `since` is its time; waiting is bounded."""
    health = Health()
    for each in steps:
        settled = settle(health, each, schedule)
        changed = settled.health.status is not health.status
        assert (settled.transition is not None) == changed
        assert settled.health.last is each
        assert settled.health.since is not None
        assert 0 < settled.delay <= max(schedule.interval, CALM_INTERVAL)
        if settled.health.confirming is not None:
            done, wanted = settled.health.confirming
            assert 0 < done < wanted
        health = settled.health


@given(st.lists(st.sampled_from(BLIPS), min_size=1, max_size=2), schedules)
def test_two_failures_of_three_are_nothing(blips: list[Reason], schedule: Schedule) -> None:
    """Fewer failures in a row than failures_before_down change no status, whatever else is set."""
    strict = replace(schedule, retry=True, failures_before_down=3, quorum=1)
    assert fold([Status.UP, *blips], strict).health.status is Status.UP


@given(st.lists(outcomes, max_size=20), schedules)
def test_enough_failures_in_a_row_are_always_down(history: list[Status | Reason], schedule: Schedule) -> None:
    """However it stood before, failures_before_down refusals in a row make a target down."""
    settled = fold([*history, *[Reason.REFUSED] * schedule.failures_before_down], replace(schedule, quorum=1))
    assert settled.health.status is Status.DOWN


@given(st.lists(outcomes, max_size=20), schedules)
def test_enough_successes_in_a_row_are_always_up(history: list[Status | Reason], schedule: Schedule) -> None:
    """However it stood before, successes_before_up successes in a row bring a target up."""
    settled = fold([*history, *[Status.UP] * schedule.successes_before_up], replace(schedule, quorum=1))
    assert settled.health.status is Status.UP
