"""Pools' past on both databases."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select

from mooring.core.failure import InputError
from mooring.store import pools, targets
from mooring.store.pools import PoolSample, StoredPool
from mooring.store.schema import pool_rollups, pool_samples
from mooring.store.schema import pools as pool_table
from mooring.store.service_past import FIT, fitting, service_past
from mooring.store.store import Store
from tests.stored import after, stored


def sample(target_id: int = 1, **keys: Any) -> PoolSample:
    """Return a sample: 4 of 10 used by two processes, but for what is given."""
    given = {
        "at": after(),
        "instances": 2,
        "used": 4,
        "peak": 5,
        "size": 6,
        "limit": 10,
        "share": 0.4,
        "waiting": 0,
        "taken": 30,
        "timeouts": 0,
        "errors": 0,
    }
    return PoolSample(target_id, **{**given, **keys})


async def put(store: Store, *samples: PoolSample) -> None:
    """Store samples."""
    await store.write(lambda conn: pools.save(conn, [], samples))


async def rolled(store: Store, **span: float) -> None:
    """Roll up and prune all that is due so long after the beginning."""
    now = after(**span)
    steps = (partial(pools.roll_up, now=now), partial(pools.prune, now=now, hours=24))
    for step in steps:
        while await store.write(step):
            pass


async def rows(store: Store, table: Any) -> int:
    """Return how many rows a table has."""
    return int(
        await store.read(lambda conn: conn.execute(select(func.count()).select_from(table)).scalar_one())
    )


def every_half_minute(hours: float, target_id: int = 1) -> Iterable[PoolSample]:
    """Return samples of so many hours; each hour uses one connection more."""
    for place in range(int(hours * 120)):
        used = 1 + place // 120
        yield sample(target_id, at=after(seconds=30 * place), used=used, share=used / 10)


async def test_a_sample_comes_back_in_its_minute(store: Store) -> None:
    """The hour has sixty steps; the two samples of one minute are its mean and its highest."""
    await put(store, sample(), sample(at=after(seconds=30), used=8, share=0.8, peak=9, waiting=3, timeouts=1))
    past = await store.read(lambda conn: pools.window(conn, 1, "1h", after(minutes=1)))
    assert (past.step, len(past.buckets)) == (60.0, 60)
    step = past.buckets[-2]
    assert (step.start, step.samples, step.used, step.used_max, step.peak) == (after(), 2, 6.0, 8, 9)
    assert step.utilization == pytest.approx(0.6)
    assert (step.utilization_max, step.waiting, step.taken, step.timeouts) == (0.8, 3, 60, 1)
    assert (past.buckets[0].samples, past.buckets[0].used) == (0, None)
    assert (past.total.samples, past.total.used, past.total.taken) == (2, 6.0, 60)


async def test_a_sample_stored_twice_is_one(store: Store) -> None:
    """A batch that is written again after a fault changes nothing."""
    for _ in range(2):
        await put(store, sample())
    assert await rows(store, pool_samples) == 1


@pytest.mark.parametrize("window", ["24h", "7d"])
async def test_rolling_up_changes_nothing_that_is_told(store: Store, window: str) -> None:
    """A window is the same before and after its samples were rolled up."""
    await put(store, *every_half_minute(3), *every_half_minute(1, target_id=2))
    now = after(hours=2, minutes=59)

    async def told() -> Any:
        return await store.read(lambda conn: pools.window(conn, 1, window, now))

    before = await told()
    assert (before.total.samples, before.total.used, before.total.used_max) == (360, 2.0, 3)
    await rolled(store, hours=2, minutes=59)
    assert await rows(store, pool_rollups) == 17 + 6
    afterwards = await told()
    assert afterwards.total.utilization == pytest.approx(before.total.utilization)
    assert [each[:8] for each in afterwards.buckets] == [each[:8] for each in before.buckets]


async def test_samples_without_a_limit_do_not_lower_the_share(store: Store) -> None:
    """The mean share is of the samples that have one, also once they are rolled up."""
    await put(store, sample(share=0.8), sample(at=after(seconds=30), limit=None, share=None))
    await rolled(store, minutes=11)
    past = await store.read(lambda conn: pools.window(conn, 1, "24h", after(minutes=12)))
    assert (past.total.samples, past.total.utilization) == (2, 0.8)


async def test_a_late_sample_comes_into_the_newest_roll_up(store: Store) -> None:
    """Samples that waited for the store are rolled up, too."""
    await put(store, sample())
    await rolled(store, minutes=11)
    await put(store, sample(at=after(minutes=9), used=9))
    await rolled(store, minutes=12)
    past = await store.read(lambda conn: pools.window(conn, 1, "24h", after(minutes=12)))
    assert (past.total.samples, past.total.used_max) == (2, 9)


async def test_samples_go_after_their_hours_and_roll_ups_after_a_week(store: Store) -> None:
    """After a day only roll-ups are left, after a week nothing."""
    await put(store, *every_half_minute(1))
    await rolled(store, hours=24, minutes=30)
    assert (await rows(store, pool_samples), await rows(store, pool_rollups)) == (60, 6)
    await rolled(store, hours=25)
    assert (await rows(store, pool_samples), await rows(store, pool_rollups)) == (0, 6)
    await rolled(store, days=7, hours=1)
    assert await rows(store, pool_rollups) == 0


async def test_what_processes_told_is_kept(store: Store) -> None:
    """The newest state of each pool comes back as it was stored."""
    first = StoredPool(1, after(), b"one")
    second = StoredPool(2, None, b"two")
    await store.write(lambda conn: pools.save(conn, [first, second], []))
    newer = first._replace(heard_at=after(seconds=5), body=b"newer")
    await store.write(lambda conn: pools.save(conn, [newer], []))
    assert await store.read(pools.load) == [newer, second]


async def test_a_removed_pool_leaves_nothing(store: Store) -> None:
    """With its target go samples, roll-ups and state."""
    kept = await store.write(lambda conn: targets.insert(conn, stored(kind="pool")))
    target_id = kept.id or 0
    state = StoredPool(target_id, after(), b"state")
    await store.write(lambda conn: pools.save(conn, [state], [sample(target_id)]))
    await rolled(store, minutes=11)
    await store.write(lambda conn: targets.delete(conn, target_id, None))
    await rolled(store, minutes=12)
    assert [await rows(store, table) for table in (pool_samples, pool_rollups, pool_table)] == [0, 0, 0]


async def test_another_window_is_refused(store: Store) -> None:
    """The message names the windows there are."""
    with pytest.raises(InputError, match="it has to be one of 1h, 24h, 7d"):
        await store.read(lambda conn: pools.window(conn, 1, "2h", after() + timedelta(days=1)))


async def sums(store: Store, window: str, **span: float) -> Any:
    """Return the past of the pools 1 and 2 added up, so long after the beginning."""
    return await store.read(lambda conn: service_past(conn, [1, 2], window, after(**span)))


async def test_pools_of_a_service_are_added_up_step_by_step(store: Store) -> None:
    """Means, highest and counts of each pool are added, whenever in the step its samples are."""
    await put(store, sample(), sample(at=after(seconds=30), used=8, share=0.8, waiting=3, timeouts=1))
    await put(store, sample(2, at=after(seconds=7), used=1, share=0.05, limit=20, waiting=2, instances=1))
    await put(store, sample(3, used=99))
    past = await sums(store, "1h", minutes=1)
    assert (past.name, past.step, len(past.buckets)) == ("1h", 60.0, 60)
    step = past.buckets[-2]
    assert (step.start, step.samples, step.instances) == (after(), 3, 3)
    assert (step.used, step.used_max, step.limit, step.waiting) == (7.0, 9, 30, 5)
    assert (step.taken, step.timeouts, step.errors) == (90, 1, 0)
    assert step.utilization == pytest.approx(7 / 30)
    assert step.utilization_max == pytest.approx(9 / 30)
    assert (past.buckets[0].samples, past.buckets[0].used) == (0, None)


@pytest.mark.parametrize("window", ["24h", "7d"])
async def test_rolling_up_changes_nothing_that_is_told_of_a_service(store: Store, window: str) -> None:
    """It is the sum of what each pool's own window tells, before and after its samples were rolled up."""
    await put(store, *every_half_minute(3), *every_half_minute(1, target_id=2))
    span = {"hours": 2, "minutes": 59}
    before = await sums(store, window, **span)
    one, two = [
        await store.read(lambda conn, each=each: pools.window(conn, each, window, after(**span)))
        for each in (1, 2)
    ]
    for both, first, second in zip(before.buckets, one.buckets, two.buckets, strict=True):
        parts = [each for each in (first, second) if each.samples]
        assert both.start == first.start
        assert both.used == (sum(each.used or 0 for each in parts) if parts else None)
        assert both.limit == (10 * len(parts) if parts else None)
        assert both.taken == first.taken + second.taken
    await rolled(store, **span)
    afterwards = await sums(store, window, **span)
    told = [(each[:8], each[10:]) for each in afterwards.buckets]
    assert told == [(each[:8], each[10:]) for each in before.buckets]
    shares = [each.utilization for each in before.buckets if each.samples]
    assert [each.utilization for each in afterwards.buckets if each.samples] == pytest.approx(shares)


async def test_a_pool_without_a_limit_leaves_its_service_without_one(store: Store) -> None:
    """No limit and no share is told then; one that ended and was counted late says nothing of limits."""
    await put(store, sample(), sample(2, limit=None, share=None))
    ended = {"instances": 0, "used": 0, "limit": None, "share": None, "taken": 5}
    await put(store, sample(at=after(minutes=1)), sample(2, at=after(minutes=1), **ended))
    *_, first, second = (await sums(store, "1h", minutes=1)).buckets
    assert (first.used, first.limit, first.utilization, first.utilization_max) == (8.0, None, None, None)
    assert (second.used, second.limit, second.utilization, second.taken) == (4.0, 10, 0.4, 35)


@pytest.mark.parametrize(
    ("span", "fits"),
    [
        ({"minutes": 0}, "1h"),
        ({"minutes": 58}, "1h"),
        ({"minutes": 61}, "24h"),
        ({"hours": 23, "minutes": 49}, "24h"),
        ({"hours": 24, "minutes": 1}, "24h"),
        ({"days": 6, "hours": 23}, "24h"),
    ],
)
@pytest.mark.parametrize("kept", [True, False])
async def test_the_window_that_fits_is_an_hour_or_a_day(
    store: Store, span: dict[str, float], fits: str, kept: bool
) -> None:
    """A past of minutes is shown in an hour, any longer one in a day, whether it is rolled up or not."""
    await put(store, sample(2), *every_half_minute(0.2, target_id=3))
    if not kept:
        await rolled(store, **span)
    told = await store.read(lambda conn: fitting(conn, [1, 2], FIT, after(**span)))
    others = await store.read(lambda conn: fitting(conn, [1], FIT, after(**span)))
    assert (told, others) == (fits, "1h")
    assert await store.read(lambda conn: fitting(conn, [1, 2], "24h", after(**span))) == "24h"
