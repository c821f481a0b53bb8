"""What is told of the past."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Connection, event, update

from mooring.core.failure import InputError
from mooring.core.result import TargetRef
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.core.status import Status
from mooring.store import history
from mooring.store.history import HistoryBucket, Window
from mooring.store.newcomers import MOST, first_sparklines, newcomers
from mooring.store.schema import rollups
from mooring.store.store import Store
from tests.stored import add_target, after, append, change, down, prune, roll_up, steady, up


async def told(store: Store, target: TargetRef, name: str, now: datetime) -> Window:
    """Return a window."""
    return await store.read(lambda conn: history.window(conn, target.id or 0, name, now))


@contextmanager
def statements(conn: Connection) -> Iterator[list[str]]:
    """Collect the statements that are executed."""
    seen: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(conn, "before_cursor_execute", note)
    yield seen
    event.remove(conn, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("name", "step", "count"),
    [
        ("1h", 60, 60),
        ("24h", 600, 144),
        ("7d", 3600, 168),
        ("30d", 21600, 120),
        ("90d", 86400, 90),
        ("365d", 86400, 365),
    ],
)
async def test_window_has_every_bucket(store: Store, name: str, step: float, count: int) -> None:
    """A window is made of equal steps up to the running one, also where nothing was measured."""
    ref = await store.write(add_target)
    window = await told(store, ref, name, after(hours=1, seconds=5))
    starts = [each.start for each in window.buckets]
    assert (window.step, len(starts)) == (step, count)
    assert {later - earlier for earlier, later in pairwise(starts)} == {timedelta(seconds=step)}
    assert starts[-1] <= window.until < starts[-1] + timedelta(seconds=step)
    assert window.buckets[0] == HistoryBucket(starts[0], 0, 0, None, None, None, None, None, None)
    assert window.uptime is None


@pytest.mark.parametrize("name", ["24h", "7d", "30d", "90d", "365d"])
async def test_window_is_the_same_before_and_after_rolling_up(store: Store, name: str) -> None:
    """What is told does not depend on how far the roll-up is, the running step included."""
    ref, other = await store.write(lambda conn: (add_target(conn, "one"), add_target(conn, "other")))
    now = after(days=1, hours=7, minutes=34)
    mine = [
        down(ref, each.started_at) if number % 50 == 0 else each
        for number, each in enumerate(steady(ref, after(), now, every=120, seconds=0.02))
    ]
    await store.write(lambda conn: append(conn, [*mine, *steady(other, after(), now, every=600, seconds=3)]))
    raw = await told(store, ref, name, now)
    await store.write(lambda conn: roll_up(conn, after(hours=20)))
    halfway = await told(store, ref, name, now)
    await store.write(lambda conn: roll_up(conn, now))
    rolled_up = await told(store, ref, name, now)
    await store.write(lambda conn: prune(conn, now))
    pruned = await told(store, ref, name, now)
    expected = [each for each in mine if each.started_at >= raw.buckets[0].start]
    assert sum(each.count for each in raw.buckets) == len(expected)
    assert sum(each.failures for each in raw.buckets) == sum(each.failure is not None for each in expected)
    assert raw == halfway == rolled_up == pruned


async def test_window_of_an_hour(store: Store) -> None:
    """The last hour is told by the minute from raw results."""
    ref = await store.write(add_target)
    batch = [up(ref, after(hours=1, seconds=1), 0.010), up(ref, after(hours=1, seconds=31), 0.030)]
    await store.write(lambda conn: append(conn, [*batch, down(ref, after(hours=1, seconds=59))]))
    window = await told(store, ref, "1h", after(hours=1, minutes=30))
    [bucket] = [each for each in window.buckets if each.count]
    assert (bucket.start, bucket.count, bucket.failures) == (after(hours=1), 3, 1)
    assert (bucket.min, bucket.mean, bucket.max) == (0.010, 0.020, 0.030)
    assert bucket.stages == {Stage.DNS: 0.000_4, Stage.TCP: 0.001_25}


async def test_stages_are_the_means_of_the_checks_that_passed_and_timed_them(store: Store) -> None:
    """A failed check, and a stage without a time of its own, leave no trace; all levels tell the same."""
    ref = await store.write(add_target)
    tls = StageResult(Stage.TLS, StageStatus.WARNING, 0.003)
    untimed = StageResult(Stage.TCP, StageStatus.PASSED)
    batch = [
        up(ref, after(seconds=1), stages=(StageResult(Stage.TCP, StageStatus.PASSED, 0.001), tls)),
        up(ref, after(minutes=31), stages=(untimed, tls)),
        up(ref, after(hours=1, minutes=1), stages=(StageResult(Stage.TCP, StageStatus.PASSED, 0.002),)),
        down(ref, after(hours=1, minutes=2)),
    ]
    await store.write(lambda conn: append(conn, batch))
    raw = await told(store, ref, "90d", after(hours=30))
    await store.write(lambda conn: roll_up(conn, after(hours=30)))
    rolled_up = await told(store, ref, "90d", after(hours=30))
    assert raw == rolled_up
    assert rolled_up.buckets[-2].stages == {Stage.TCP: 0.001_5, Stage.TLS: 0.003}
    assert rolled_up.buckets[-1].stages == {}


async def test_roll_ups_of_before_stages_were_kept(store: Store) -> None:
    """A row without stages is told without them, and does not spoil the mean of a longer step."""
    ref = await store.write(add_target)
    await store.write(lambda conn: append(conn, steady(ref, after(), after(hours=2), every=600)))
    await store.write(lambda conn: roll_up(conn, after(hours=3)))
    old = update(rollups).where(rollups.c.slot == int(after().timestamp()) // 3600).values(stages=None)
    await store.write(lambda conn: conn.execute(old))
    week = {each.start: each for each in (await told(store, ref, "7d", after(hours=3))).buckets}
    assert (week[after()].count, week[after()].stages) == (6, {})
    assert week[after(hours=1)].stages == {Stage.DNS: 0.000_4, Stage.TCP: 0.001_25}
    month = {each.start: each for each in (await told(store, ref, "30d", after(hours=3))).buckets}
    assert (month[after()].count, month[after()].stages) == (12, week[after(hours=1)].stages)


async def test_window_of_an_unknown_length(store: Store) -> None:
    """A window that is not offered is refused, with those that are."""
    with pytest.raises(InputError) as caught:
        await store.read(lambda conn: history.window(conn, 1, "2h", after()))
    assert str(caught.value) == "window: is '2h'; it has to be one of 1h, 24h, 7d, 30d, 90d, 365d"


async def test_uptime_leaves_unknown_time_out(store: Store) -> None:
    """Pauses, and times when Mooring was off, count neither as up nor as down."""
    ref = await store.write(add_target)
    for old, new, hours in (
        (Status.UNKNOWN, Status.UP, 2),
        (Status.UP, Status.DOWN, 8),
        (Status.DOWN, Status.DEGRADED, 9),
        (Status.DEGRADED, Status.UNKNOWN, 10),
        (Status.UNKNOWN, Status.UP, 20),
    ):
        await store.write(
            lambda conn, old=old, new=new, hours=hours: change(conn, ref, old, new, after(hours=hours))
        )
    uptime = await store.read(lambda conn: history.uptime(conn, after(), after(hours=24)))
    assert uptime == {ref.id: (6 + 1 + 4) / (6 + 1 + 1 + 4)}
    window = await told(store, ref, "24h", after(hours=24))
    assert window.uptime == uptime[ref.id or 0]
    by_start = {each.start: each.uptime for each in window.buckets}
    assert [by_start[after(hours=hours)] for hours in (1, 3, 8.5, 9.5, 12, 21)] == [None, 1, 0, 1, None, 1]


async def test_uptime_of_all_targets(store: Store) -> None:
    """Targets that never changed, changed before, or were never checked each get theirs, in one statement."""
    steady_one, broken, new, unseen = await store.write(
        lambda conn: [add_target(conn, name) for name in ("steady", "broken", "new", "unseen")]
    )

    def work(conn: Connection) -> None:
        change(conn, steady_one, Status.UNKNOWN, Status.UP, after())
        change(conn, broken, Status.UNKNOWN, Status.DOWN, after())
        change(conn, new, Status.UNKNOWN, Status.UP, after(hours=30))
        change(conn, new, Status.UP, Status.DOWN, after(hours=36))

    await store.write(work)

    def look(conn: Connection) -> tuple[dict[int, float | None], list[str]]:
        with statements(conn) as seen:
            return history.uptime(conn, after(hours=24), after(hours=48)), seen

    uptime, seen = await store.read(look)
    assert uptime == {steady_one.id: 1.0, broken.id: 0.0, new.id: 6 / 18}
    assert unseen.id not in uptime
    assert len(seen) == 1


async def test_uptime_of_the_past(store: Store) -> None:
    """A window that ended before the last change is told from what was before that change."""
    ref = await store.write(add_target)
    await store.write(lambda conn: change(conn, ref, Status.UNKNOWN, Status.UP, after()))
    await store.write(lambda conn: change(conn, ref, Status.UP, Status.DOWN, after(hours=10)))
    assert await store.read(lambda conn: history.uptime(conn, after(hours=1), after(hours=5))) == {
        ref.id: 1.0
    }


async def test_sparklines_of_all_targets(store: Store) -> None:
    """Each of the last 24 hours has its mean latency, in one statement; hours without a pass have none."""
    ref, other, silent = await store.write(
        lambda conn: [add_target(conn, name) for name in ("one", "other", "silent")]
    )
    now = after(days=1, minutes=25)
    batch = [
        *steady(ref, after(), now, every=300, seconds=0.02),
        *steady(other, after(hours=23), after(hours=24), every=300, seconds=0.5),
        *[down(silent, each.started_at) for each in steady(silent, after(), now, every=300)],
    ]
    await store.write(lambda conn: append(conn, batch))
    await store.write(lambda conn: roll_up(conn, now))

    def look(conn: Connection) -> tuple[dict[int, list[float | None]], list[str]]:
        with statements(conn) as seen:
            return history.sparklines(conn, now), seen

    sparks, seen = await store.read(look)
    assert sparks == {ref.id: [0.02] * 24, other.id: [None] * 22 + [0.5, None]}
    assert len(seen) == 1


async def test_sparklines_right_after_the_hour(store: Store) -> None:
    """An hour that just ended is told though it is not rolled up yet."""
    ref = await store.write(add_target)
    await store.write(
        lambda conn: append(conn, steady(ref, after(hours=1), after(hours=2), every=60, seconds=0.02))
    )
    await store.write(lambda conn: roll_up(conn, after(hours=1, minutes=55)))
    sparks = await store.read(lambda conn: history.sparklines(conn, after(hours=2, seconds=30)))
    assert sparks == {ref.id: [None] * 22 + [0.02, None]}


async def test_a_new_target_has_a_line_after_minutes(store: Store) -> None:
    """As long as the hours make no line the minutes do; one without a pass is a gap."""
    ref, old = await store.write(lambda conn: [add_target(conn, name) for name in ("new", "old")])
    batch = [
        *steady(ref, after(minutes=5), after(minutes=7), every=30, seconds=0.02),
        down(ref, after(minutes=8)),
        *steady(ref, after(minutes=10), after(minutes=11), every=60, seconds=0.04),
    ]
    await store.write(lambda conn: append(conn, batch))
    now = after(minutes=12)
    assert newcomers({old.id: [0.1, None, 0.1]}, [ref.id, old.id]) == [ref.id]
    lines = await store.read(lambda conn: first_sparklines(conn, [ref.id], now))
    assert lines == {ref.id: [0.02, 0.02, None, 0.04]}
    assert newcomers({}, range(MOST)) == list(range(MOST))
    assert newcomers({}, range(MOST + 1)) == ()
