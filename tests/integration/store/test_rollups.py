"""Roll-ups."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, update

from mooring.core import histogram
from mooring.store import history, stage_times, targets
from mooring.store.results import mark_pending
from mooring.store.rollups import DAY, HOUR
from mooring.store.schema import SLOT, pending, results, rollups
from mooring.store.store import Store
from tests.stored import BEGAN, add_target, after, append, down, roll_up, steady, up

HOUR_SLOT = int(BEGAN.timestamp()) // HOUR


def rows_of(conn: Connection, seconds: int) -> list[tuple[Any, ...]]:
    """Return a roll-up's rows without their level."""
    query = select(rollups).where(rollups.c.seconds == seconds).order_by(rollups.c.slot, rollups.c.target_id)
    return [tuple(row)[1:] for row in conn.execute(query)]


def stages_of(passed: int) -> bytes:
    """Return what roll-ups keep of the stages of so many checks that passed."""
    return stage_times.pack({0: [passed, passed * 400], 1: [passed, passed * 1250]}, passed)


async def test_roll_up_of_a_slot(store: Store) -> None:
    """Ten minutes become one row: checks, failures, and the durations of those that passed."""
    ref = await store.write(add_target)
    batch = [
        up(ref, after(seconds=1), 0.010),
        up(ref, after(seconds=31), 0.030),
        down(ref, after(seconds=61)),
    ]
    await store.write(lambda conn: append(conn, batch))
    assert await store.write(lambda conn: roll_up(conn, after(minutes=10, seconds=59))) == 0
    await store.write(lambda conn: roll_up(conn, after(minutes=11)))
    counts = {histogram.index_of(10_000): 1, histogram.index_of(30_000): 1}
    assert await store.read(lambda conn: rows_of(conn, SLOT)) == [
        (HOUR_SLOT * 6, ref.id, 3, 1, 40_000, 10_000, 30_000, histogram.pack(counts), stages_of(2))
    ]


async def test_roll_up_of_a_day(store: Store) -> None:
    """Hours and the day hold what all their results together hold, whatever the levels between."""
    ref = await store.write(add_target)
    rng = random.Random(7)
    batch = [
        down(ref, each.started_at) if rng.random() < 0.1 else up(ref, each.started_at, rng.expovariate(50))
        for each in steady(ref, after(), after(days=1), every=300)
    ]
    await store.write(lambda conn: append(conn, batch))
    await store.write(lambda conn: roll_up(conn, after(days=1, minutes=2)))
    passed = [round(each.seconds * 1e6) for each in batch if each.failure is None]
    counts: dict[int, int] = {}
    for duration in passed:
        counts[histogram.index_of(duration)] = counts.get(histogram.index_of(duration), 0) + 1
    assert await store.read(lambda conn: rows_of(conn, DAY)) == [
        (
            *(HOUR_SLOT // 24, ref.id, len(batch), len(batch) - len(passed)),
            *(sum(passed), min(passed), max(passed), histogram.pack(counts), stages_of(len(passed))),
        )
    ]
    assert len(await store.read(lambda conn: rows_of(conn, HOUR))) == 24
    assert len(await store.read(lambda conn: rows_of(conn, SLOT))) == 144
    assert await store.read(lambda conn: conn.execute(select(pending)).all()) == []


async def test_roll_up_done_again(store: Store) -> None:
    """A row that is made again is the same row."""
    refs = await store.write(lambda conn: [add_target(conn, name) for name in "ab"])
    await store.write(
        lambda conn: append(conn, [r for ref in refs for r in steady(ref, after(), after(hours=2))])
    )
    await store.write(lambda conn: roll_up(conn, after(hours=3)))
    before = await store.read(lambda conn: [rows_of(conn, seconds) for seconds in (SLOT, HOUR)])
    slots = range(HOUR_SLOT * 6, HOUR_SLOT * 6 + 12)
    await store.write(lambda conn: mark_pending(conn, SLOT, slots))
    assert await store.write(lambda conn: roll_up(conn, after(hours=3))) == 12 + 2
    assert await store.read(lambda conn: [rows_of(conn, seconds) for seconds in (SLOT, HOUR)]) == before


async def test_roll_up_in_small_parts(store: Store) -> None:
    """However little a transaction may touch, the rows are the same."""
    refs = await store.write(lambda conn: [add_target(conn, f"target {number}") for number in range(7)])
    batch = [result for ref in refs for result in steady(ref, after(), after(hours=1), seconds=ref.id or 0)]
    await store.write(lambda conn: append(conn, batch))
    assert await store.write(lambda conn: roll_up(conn, after(hours=2), rows=25)) > 6 * 7 / 2
    parts = await store.read(lambda conn: [rows_of(conn, seconds) for seconds in (SLOT, HOUR)])
    await store.write(lambda conn: conn.execute(delete(rollups)))
    await store.write(lambda conn: mark_pending(conn, SLOT, {row[0] for row in parts[0]}))
    await store.write(lambda conn: roll_up(conn, after(hours=2)))
    whole = await store.read(lambda conn: [rows_of(conn, seconds) for seconds in (SLOT, HOUR)])
    assert parts == whole
    assert len(whole[0]) == 42


async def test_late_results_are_rolled_up(store: Store) -> None:
    """Results of a slot that was made already, kept while the store failed, are added at every level."""
    ref = await store.write(add_target)
    await store.write(lambda conn: append(conn, steady(ref, after(), after(minutes=5))))
    await store.write(lambda conn: roll_up(conn, after(days=1, hours=1)))
    await store.write(lambda conn: append(conn, steady(ref, after(minutes=5), after(minutes=10))))
    await store.write(lambda conn: roll_up(conn, after(days=1, hours=1)))
    for seconds in (SLOT, HOUR, DAY):
        [row] = await store.read(lambda conn, seconds=seconds: rows_of(conn, seconds))
        assert row[2] == 20


async def test_late_results_in_the_middle_of_a_slot_that_is_being_made(store: Store) -> None:
    """A slot of which a part is made begins again when results come in for that part."""
    refs = await store.write(lambda conn: [add_target(conn, name) for name in "abc"])
    batch = [result for ref in refs for result in steady(ref, after(), after(minutes=10))]
    await store.write(lambda conn: append(conn, batch[:-1]))
    await store.write(lambda conn: roll_up_once(conn, rows=20))
    await store.write(lambda conn: append(conn, [up(refs[0], after(seconds=1))]))
    await store.write(lambda conn: roll_up(conn, after(hours=1), rows=20))
    rows = await store.read(lambda conn: rows_of(conn, SLOT))
    assert [row[2] for row in rows] == [21, 20, 19]


def roll_up_once(conn: Connection, rows: int) -> None:
    """Do one step alone."""
    from mooring.store.history import Limits
    from mooring.store.history import roll_up as step

    assert step(conn, after(minutes=20), Limits(rows=rows))


async def test_late_results_of_a_slot_that_is_pruned(store: Store) -> None:
    """A few results that come in after the raw rows went do not replace the fuller row."""
    ref = await store.write(add_target)
    await store.write(lambda conn: append(conn, steady(ref, after(), after(minutes=10))))
    await store.write(lambda conn: roll_up(conn, after(hours=1)))
    before = await store.read(lambda conn: rows_of(conn, SLOT))
    await store.write(lambda conn: conn.execute(delete(results)))
    await store.write(lambda conn: append(conn, [up(ref, after(seconds=7), 9.0)]))
    await store.write(lambda conn: roll_up(conn, after(hours=1)))
    assert await store.read(lambda conn: rows_of(conn, SLOT)) == before


async def test_removed_targets_are_not_rolled_up(store: Store) -> None:
    """Nothing is made of the results of a target that is gone."""
    ref = await store.write(add_target)
    await store.write(lambda conn: append(conn, steady(ref, after(), after(minutes=10))))
    await store.write(lambda conn: targets.delete(conn, ref.id or 0))
    await store.write(lambda conn: roll_up(conn, after(hours=1)))
    assert await store.read(lambda conn: rows_of(conn, SLOT)) == []


@pytest.mark.parametrize(
    "blob", [b"\x1e", b"\x1e\xff", b"\x1e\x05"], ids=["no count", "cut", "another count"]
)
async def test_a_damaged_row_does_not_stop_the_rest(
    store: Store, blob: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged histogram costs its own ten minutes of its own target, and is told; the rest is rolled up."""
    one, two = await store.write(lambda conn: [add_target(conn, name) for name in "ab"])
    batch = [each for ref in (one, two) for each in steady(ref, after(), after(hours=1), every=300)]
    await store.write(lambda conn: append(conn, batch))
    await store.write(lambda conn: roll_up(conn, after(minutes=12)))
    slot = (rollups.c.seconds == SLOT) & (rollups.c.target_id == one.id)
    await store.write(lambda conn: conn.execute(update(rollups).where(slot).values(histogram=blob)))
    await store.write(lambda conn: roll_up(conn, after(hours=1, minutes=2)))
    assert await store.read(lambda conn: conn.scalars(select(pending.c.seconds)).all()) == [DAY]
    assert [row[1:3] for row in await store.read(lambda conn: rows_of(conn, HOUR))] == [
        (one.id, 10),
        (two.id, 12),
    ]
    (told,) = [record.getMessage() for record in caplog.records if record.name == "mooring.store.rollups"]
    begin = (
        f"a damaged row of history of target {one.id} from 2026-03-02 00:00 UTC on is left out: the histogram"
    )
    assert told.startswith(begin)
    window = await store.read(lambda conn: history.window(conn, one.id or 0, "24h", after(hours=1)))
    assert sum(bucket.count for bucket in window.buckets) == 10


@pytest.mark.parametrize("blob", [b"\x00", b"\xff\x01\x00\x00\x00"], ids=["cut", "no such stage"])
async def test_a_damaged_result_does_not_stop_the_rest(
    store: Store, blob: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A result whose stages are damaged is left out, and told; those beside it are rolled up."""
    one, two = await store.write(lambda conn: [add_target(conn, name) for name in "ab"])
    batch = [up(one, after()), up(one, after(seconds=30)), up(two, after())]
    await store.write(lambda conn: append(conn, batch))
    first = (results.c.target_id == one.id) & (results.c.started_at == BEGAN.timestamp() * 1e6)
    await store.write(lambda conn: conn.execute(update(results).where(first).values(stages=blob)))
    await store.write(lambda conn: roll_up(conn, after(minutes=11)))
    assert [row[1:3] for row in await store.read(lambda conn: rows_of(conn, SLOT))] == [
        (one.id, 1),
        (two.id, 1),
    ]
    assert f"a damaged result of target {one.id} from 2026-03-02 00:00 UTC on is left out" in caplog.text
    window = await store.read(lambda conn: history.window(conn, one.id or 0, "1h", after(minutes=1)))
    assert sum(bucket.count for bucket in window.buckets) == 1
