"""Pruning."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, func, select

from mooring.core.clock import SystemClock
from mooring.core.health import Health
from mooring.core.result import Observation
from mooring.core.status import Status
from mooring.store import failures, health, history, results, targets, tokens
from mooring.store.failures import FailureDay
from mooring.store.history import Limits
from mooring.store.schema import (
    metadata,
)
from mooring.store.store import Store
from tests.stored import (
    BEGAN,
    REFUSED,
    TIMEOUT,
    add_target,
    after,
    append,
    change,
    down,
    prune,
    roll_up,
    steady,
    up,
)

MINUTE = timedelta(minutes=1)


def count(conn: Connection, table: str, **where: int) -> int:
    """Return how many rows a table has."""
    columns = metadata.tables[table].c
    query = select(func.count()).select_from(metadata.tables[table])
    return int(
        conn.execute(query.where(*(columns[key] == value for key, value in where.items()))).scalar_one()
    )


async def test_passing_results_go_after_their_hours(store: Store) -> None:
    """Passing results of whole slots past their hours are gone, the younger ones stay."""
    ref = await store.write(add_target)
    batch = steady(ref, after(), after(hours=8), every=60)
    await store.write(lambda conn: append(conn, batch))
    now = after(hours=8, minutes=1)
    await store.write(lambda conn: roll_up(conn, now))
    await store.write(lambda conn: prune(conn, now, raw_hours=6))
    left = await store.read(lambda conn: results.recent(conn, ref.id or 0, limit=1000))
    assert left == [each for each in batch if each.started_at >= after(hours=2)][::-1]


async def test_results_stay_until_they_are_rolled_up(store: Store) -> None:
    """Nothing goes before the roll-up was made of it, however old it is."""
    ref = await store.write(add_target)
    await store.write(lambda conn: append(conn, steady(ref, after(), after(minutes=10))))
    assert await store.write(lambda conn: prune(conn, after(days=3))) == 0
    await store.write(lambda conn: roll_up(conn, after(days=3)))
    await store.write(lambda conn: prune(conn, after(days=3)))
    assert await store.read(lambda conn: count(conn, "results")) == 0
    window = await store.read(lambda conn: history.window(conn, ref.id or 0, "7d", after(days=3)))
    assert sum(bucket.count for bucket in window.buckets) == 20


async def test_failures_stay_whole_for_a_day(store: Store) -> None:
    """Failing and warning results are still whole after the passing ones went."""
    ref = await store.write(add_target)
    warning = up(ref, after(minutes=2), status=Status.DEGRADED, observation=Observation(warnings=("slow",)))
    said = [down(ref, after(minutes=1), TIMEOUT), warning, down(ref, after(minutes=3), REFUSED)]
    await store.write(lambda conn: append(conn, [*said, *steady(ref, after(seconds=1), after(minutes=9))]))
    now = after(hours=23, minutes=59)
    await store.write(lambda conn: roll_up(conn, now))
    await store.write(lambda conn: prune(conn, now))
    assert await store.read(lambda conn: results.recent(conn, ref.id or 0)) == said[::-1]
    assert await store.read(lambda conn: failures.of_target(conn, ref.id or 0)) == []


async def test_failures_become_first_last_and_count(store: Store) -> None:
    """After a day each cause of each day is told by its first, its last and how many there were."""
    ref = await store.write(add_target)
    first = replace(TIMEOUT, message="no answer at tcp within 5 s (attempt 1)")
    last = replace(TIMEOUT, message="no answer at tcp within 5 s (attempt 9)")
    batch = [
        down(ref, after(minutes=1), first, observation=Observation({"address": "10.0.0.7"})),
        *[down(ref, after(minutes=minute)) for minute in range(2, 100)],
        down(ref, after(minutes=100), last),
        down(ref, after(minutes=50.5), REFUSED),
        down(ref, after(minutes=51), REFUSED, region="eu-1"),
        down(ref, after(days=1, minutes=1), first),
    ]
    await store.write(lambda conn: append(conn, batch))
    now = after(days=3)
    await store.write(lambda conn: roll_up(conn, now))
    await store.write(lambda conn: prune(conn, now))
    assert await store.read(lambda conn: count(conn, "results")) == 0
    days = await store.read(lambda conn: failures.of_target(conn, ref.id or 0))
    assert days == [
        _day(1, first, at=after(days=1, minutes=1)),
        replace(
            _day(100, first, at=after(minutes=1)),
            last_at=after(minutes=100),
            last=last,
            first_seen=Observation({"address": "10.0.0.7"}),
        ),
        _day(1, REFUSED, at=after(minutes=50.5)),
        _day(1, REFUSED, at=after(minutes=51), region="eu-1"),
    ]
    before = await store.read(lambda conn: failures.of_target(conn, ref.id or 0, before=days[0].day, limit=1))
    assert before == [days[1]]


def _day(count: int, failure: object, at: object, region: str = "local") -> FailureDay:
    day = at.date()  # type: ignore[attr-defined]  # a time
    return FailureDay(day, region, count, at, at, failure, failure, Observation(), Observation())  # type: ignore[arg-type]  # as given


async def test_pruning_in_small_parts(store: Store) -> None:
    """However little a transaction may touch, the same is left and counted."""
    refs = await store.write(lambda conn: [add_target(conn, f"target {number}") for number in range(5)])
    batch = [
        down(ref, each.started_at) if number % 4 == 0 else each
        for ref in refs
        for number, each in enumerate(steady(ref, after(), after(minutes=20)))
    ]
    await store.write(lambda conn: append(conn, batch))
    await store.write(lambda conn: roll_up(conn, after(hours=12)))
    steps = await store.write(lambda conn: prune(conn, after(hours=12), rows=7))
    assert steps >= 10
    assert await store.read(lambda conn: count(conn, "results")) == 50
    assert await store.write(lambda conn: prune(conn, after(days=3), rows=7)) >= 50 / 7
    assert await store.read(lambda conn: count(conn, "results")) == 0
    for ref in refs:
        [day] = await store.read(lambda conn, ref=ref: failures.of_target(conn, ref.id or 0))
        assert day.count == 10


async def test_upkeep_by_two_servers_at_once(store: Store, url: str) -> None:
    """However many servers roll up and prune while results come in, each is counted once."""
    other = await Store.open(url, clock=SystemClock(), migrate=False)
    ref = await store.write(add_target)
    now = after(days=3)

    async def add(part: int) -> None:
        since = after(minutes=part)
        batch = [down(ref, each.started_at) for each in steady(ref, since, since + MINUTE, every=1)]
        await store.write(lambda conn: append(conn, batch))

    async def tend(server: Store) -> None:
        for _ in range(20):
            await server.write(lambda conn: history.roll_up(conn, now, Limits(rows=50)))
            await server.write(lambda conn: history.prune(conn, now, Limits(rows=50)))

    await asyncio.gather(*map(add, range(30)), tend(store), tend(other))
    await store.write(lambda conn: roll_up(conn, now))
    await store.write(lambda conn: prune(conn, now))
    await other.close()
    [day] = await store.read(lambda conn: failures.of_target(conn, ref.id or 0))
    assert day.count == 30 * 60


async def test_roll_ups_go_after_their_days(store: Store) -> None:
    """Ten minutes go after a week, hours after 90 days, days never."""
    ref = await store.write(add_target)
    await store.write(lambda conn: append(conn, steady(ref, after(), after(days=1), every=600)))
    await store.write(lambda conn: roll_up(conn, after(days=2)))
    for days, left in (
        (2, (144, 24, 1)),
        (7.5, (72, 24, 1)),
        (9, (0, 24, 1)),
        (90.5, (0, 12, 1)),
        (999, (0, 0, 1)),
    ):
        await store.write(lambda conn, days=days: prune(conn, after(days=days)))
        found = await store.read(
            lambda conn: tuple(count(conn, "rollups", seconds=seconds) for seconds in (600, 3600, 86400))
        )
        assert found == left, days


async def test_notes_go_with_the_last_result_that_said_them(store: Store) -> None:
    """A message is kept as long as a raw result of its last day is there, and no longer."""
    ref = await store.write(add_target)
    await store.write(lambda conn: append(conn, [down(ref, after(), REFUSED), down(ref, after(seconds=1))]))
    await store.write(lambda conn: append(conn, [down(ref, after(days=2))]))
    await store.write(lambda conn: roll_up(conn, after(days=5)))
    await store.write(lambda conn: prune(conn, after(days=2, hours=20)))
    assert await store.read(lambda conn: results.recent(conn, ref.id or 0)) == [down(ref, after(days=2))]
    assert await store.read(lambda conn: count(conn, "notes")) == 1
    await store.write(lambda conn: prune(conn, after(days=4)))
    assert await store.read(lambda conn: count(conn, "notes")) == 0


async def test_removed_target_leaves_nothing(store: Store) -> None:
    """All rows of a target that was removed go, and nobody else's."""
    gone, kept = await store.write(lambda conn: (add_target(conn, "gone"), add_target(conn, "kept")))
    now = after(days=4)
    for ref in (gone, kept):
        batch = steady(ref, after(), now, every=600)
        failing = [down(ref, after(minutes=1)), down(ref, after(days=3, hours=23))]
        await store.write(lambda conn, batch=batch, failing=failing: append(conn, [*batch, *failing]))
        await store.write(lambda conn, ref=ref: change(conn, ref, Status.UNKNOWN, Status.UP, after()))
        stands = Health(Status.UP, after(), last=up(ref, now))
        await store.write(lambda conn, ref=ref, stands=stands: health.save(conn, {ref.id or 0: stands}))
    await store.write(lambda conn: roll_up(conn, now))
    await store.write(lambda conn: prune(conn, now))
    tables = ("results", "rollups", "failure_days", "transitions", "health", "observations")

    def rows(conn: Connection, ref_id: int) -> list[int]:
        return [count(conn, table, target_id=ref_id) for table in tables]

    before = await store.read(lambda conn: rows(conn, kept.id or 0))
    assert await store.read(lambda conn: rows(conn, gone.id or 0)) == before
    assert 0 not in before
    await store.write(lambda conn: targets.delete(conn, gone.id or 0))
    await store.write(lambda conn: prune(conn, now))
    assert await store.read(lambda conn: rows(conn, gone.id or 0)) == [0] * len(tables)
    assert await store.read(lambda conn: rows(conn, kept.id or 0)) == before


async def test_expired_sessions_go(store: Store) -> None:
    """Sessions and codes that open nothing any more are deleted."""
    token, _ = await store.write(lambda conn: tokens.create(conn, "ci", "admin", BEGAN))
    for days in (1, 3):
        await store.write(
            lambda conn, days=days: tokens.open_session(conn, token.id, BEGAN, after(days=days))
        )
        await store.write(lambda conn, days=days: tokens.make_code(conn, token.id, after(days=days)))
    await store.write(lambda conn: prune(conn, after(days=2)))
    assert await store.read(lambda conn: [count(conn, name) for name in ("sessions", "sign_ins")]) == [1, 1]
