"""Raw results."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from sqlalchemy import select

from mooring.core.failure import Failure
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Observation, Trigger
from mooring.core.status import Status
from mooring.store import results, targets
from mooring.store.schema import notes
from mooring.store.schema import results as results_table
from mooring.store.store import Store
from tests.stored import REFUSED, add_target, after, append, down, steady, up


async def test_failing_result_comes_back_whole(store: Store) -> None:
    """Failure, stages, details, numbers, warnings, region and trigger of a failing result are kept."""
    ref = await store.write(add_target)
    seen = Observation({"address": "10.0.0.7", "chain": ["a", "b"]}, {"days": 3.5}, ("certificate ends",))
    result = down(ref, after(seconds=1.000_001), region="eu-1", trigger=Trigger.PUSH, observation=seen)
    await store.write(lambda conn: append(conn, [result]))
    assert await store.read(lambda conn: results.recent(conn, ref.id or 0)) == [result]


async def test_steady_up_says_nothing(store: Store) -> None:
    """A passing result without warnings is stored as integers and a blob, its details left out."""
    ref = await store.write(add_target)
    result = up(ref, after(), 0.012_345, observation=Observation({"server_version": "15.4"}))
    await store.write(lambda conn: append(conn, [result]))
    row = await store.read(lambda conn: conn.execute(select(results_table)).one())
    assert row.note_id is None
    assert await store.read(lambda conn: conn.execute(select(notes)).all()) == []
    assert await store.read(lambda conn: results.recent(conn, ref.id or 0)) == [
        result._replace(observation=Observation())
    ]


async def test_equal_words_are_stored_once(store: Store) -> None:
    """A failure that is said a thousand times is one note."""
    ref = await store.write(add_target)
    batch = [down(ref, after(seconds=number)) for number in range(1000)]
    await store.write(lambda conn: append(conn, batch))
    assert len(await store.read(lambda conn: conn.execute(select(notes)).all())) == 1
    assert await store.read(lambda conn: results.recent(conn, ref.id or 0, limit=1000)) == batch[::-1]


async def test_batch_stored_twice(store: Store) -> None:
    """A batch may be repeated after a doubtful end: nothing is stored twice."""
    ref = await store.write(add_target)
    batch = [up(ref, after()), down(ref, after(seconds=30)), up(ref, after(seconds=30), region="eu-1")]
    await store.write(lambda conn: append(conn, batch))
    await store.write(lambda conn: append(conn, batch))
    assert len(await store.read(lambda conn: results.recent(conn, ref.id or 0))) == 3


async def test_words_that_databases_refuse(store: Store) -> None:
    """A server's answer with NUL, lone surrogates and quotes is stored beside the others of its batch.

    What has no bytes comes back as a question mark.
    """
    ref = await store.write(add_target)
    hostile = Failure(
        Reason.PROTOCOL, None, "\0\ud800", "'); DROP TABLE results; -- \0 \udfff \U0001f4a5 %s ?"
    )
    batch = [down(ref, after(), hostile), down(ref, after(seconds=1), REFUSED)]
    await store.write(lambda conn: append(conn, batch))
    told = replace(hostile, code="\0?", message=hostile.message.replace("\udfff", "?"))
    batch[0] = down(ref, after(), told)
    assert await store.read(lambda conn: results.recent(conn, ref.id or 0)) == batch[::-1]


async def test_recent_over_many_slots(store: Store) -> None:
    """The newest come first, as many as were asked for, from hours back, and no other target's."""
    ref, other = await store.write(lambda conn: (add_target(conn, "one"), add_target(conn, "other")))
    mine = steady(ref, after(), after(hours=20), every=120)
    await store.write(lambda conn: append(conn, [*mine, *steady(other, after(), after(hours=20), every=300)]))
    assert await store.read(lambda conn: results.recent(conn, ref.id or 0, limit=3)) == mine[:-4:-1]
    assert await store.read(lambda conn: results.recent(conn, ref.id or 0, limit=10_000)) == mine[::-1]
    pages: list[CheckResult] = []
    while True:
        before = pages[-1].started_at if pages else None
        page = await store.read(lambda conn, before=before: results.recent(conn, ref.id or 0, before, 77))
        if not page:
            break
        pages += page
    assert pages == mine[::-1]


async def test_recent_of_a_status_and_a_reason(store: Store) -> None:
    """Failures can be asked for alone, and those of one reason."""
    ref = await store.write(add_target)
    refused, timeout = down(ref, after(hours=1), REFUSED), down(ref, after(hours=2))
    warning = up(ref, after(hours=3), status=Status.DEGRADED, observation=Observation(warnings=("slow",)))
    batch = [*steady(ref, after(), after(hours=1)), refused, timeout, warning]
    await store.write(lambda conn: append(conn, batch))

    asked = [
        (Status.DOWN, None, [timeout, refused]),
        (None, Reason.REFUSED, [refused]),
        (Status.DEGRADED, None, [warning]),
        (Status.UP, Reason.TIMEOUT, []),
    ]
    for status, reason, expected in asked:
        work = partial(results.recent, target_id=ref.id or 0, status=status, reason=reason)
        assert await store.read(work) == expected


async def test_recent_of_a_target_that_was_removed(store: Store) -> None:
    """A removed target has no results to show, though its rows wait for the pruning."""
    ref = await store.write(add_target)
    await store.write(lambda conn: append(conn, [up(ref, after())]))
    await store.write(lambda conn: targets.delete(conn, ref.id or 0))
    assert await store.read(lambda conn: results.recent(conn, ref.id or 0)) == []
