"""Where every target stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from mooring.core.health import Health, settle
from mooring.core.result import Observation
from mooring.core.status import Status
from mooring.core.target import Schedule
from mooring.store import health, revisions, targets
from mooring.store.store import Store
from tests.stored import TIMEOUT, add_target, after, down, up


async def test_health_comes_back_with_its_streaks(store: Store) -> None:
    """A confirming failure, its stages and words, and the next check survive a restart."""
    ref = await store.write(add_target)
    schedule = Schedule()
    seen = Observation({"server_version": "15.4"}, {"clients_used": 3.0}, ())
    stands = settle(Health(), up(ref, after(), observation=seen), schedule).health
    stands = settle(stands, down(ref, after(seconds=30)), schedule).health
    stands = stands._replace(next_check_at=after(seconds=34), checking=True)
    await store.write(lambda conn: health.save(conn, {ref.id or 0: stands}))
    assert await store.read(health.load) == {ref.id: stands._replace(checking=False)}
    assert stands.confirming == (1, 3)
    assert stands.last == down(ref, after(seconds=30))


async def test_health_of_a_steady_target_keeps_details(store: Store) -> None:
    """The last result's details and numbers are there though its raw row has none."""
    ref = await store.write(add_target)
    seen = Observation({"role": "primary"}, {"lag": 0.0}, ())
    stands = settle(Health(), up(ref, after(), observation=seen), Schedule()).health
    await store.write(lambda conn: health.save(conn, {ref.id or 0: stands}))
    assert (await store.read(health.load))[ref.id or 0].last == up(ref, after(), observation=seen)


async def test_health_of_several_regions(store: Store) -> None:
    """Each region's verdict is kept."""
    ref = await store.write(add_target)
    schedule = Schedule(failures_before_down=2, quorum=2)
    stands = Health()
    for region in ("local", "eu-1", "us west"):
        for second in (0, 4):
            result = down(ref, after(seconds=second), TIMEOUT, region=region)
            stands = settle(stands, result, schedule).health
    await store.write(lambda conn: health.save(conn, {ref.id or 0: stands}))
    kept = (await store.read(health.load))[ref.id or 0]
    assert kept.verdicts == stands.verdicts
    assert set(kept.verdicts) == {"local", "eu-1", "us west"}


async def test_health_that_was_never_checked(store: Store) -> None:
    """A target that waits for its first check has no last result."""
    ref = await store.write(add_target)
    await store.write(lambda conn: health.save(conn, {ref.id or 0: Health()}))
    assert await store.read(health.load) == {ref.id: Health()}


async def test_health_of_a_renamed_target(store: Store) -> None:
    """The last result carries the target's present name."""
    ref = await store.write(add_target)
    stands = settle(Health(), up(ref, after()), Schedule()).health

    def work(conn: object) -> None:
        health.save(conn, {ref.id or 0: stands})
        targets.update(conn, replace(targets.get(conn, ref.id or 0), name="renamed"))

    await store.write(work)
    last = (await store.read(health.load))[ref.id or 0].last
    assert last is not None
    assert last.target == ref._replace(name="renamed")


async def test_health_of_a_removed_target(store: Store) -> None:
    """A removed target's health is not loaded any more."""
    ref = await store.write(add_target)
    await store.write(lambda conn: health.save(conn, {ref.id or 0: Health(Status.UP, after())}))
    await store.write(lambda conn: targets.delete(conn, ref.id or 0))
    assert await store.read(health.load) == {}


async def test_health_of_a_thousand_targets(store: Store) -> None:
    """Many are saved at once, and again, each keeping its own."""
    refs = await store.write(lambda conn: [add_target(conn, f"target {number}") for number in range(1000)])
    first = {ref.id or 0: Health(Status.UP, after(seconds=ref.id or 0)) for ref in refs}
    second = {key: each._replace(status=Status.DOWN) for key, each in first.items() if key % 3 == 0}
    await store.write(lambda conn: health.save(conn, first))
    await store.write(lambda conn: health.save(conn, second))
    assert await store.read(health.load) == first | second


async def test_after_revision(store: Store) -> None:
    """Only what later revisions changed is told."""
    one, two = await store.write(lambda conn: (add_target(conn, "one"), add_target(conn, "two")))
    stands = Health(Status.UP, after(), next_check_at=after() + timedelta(seconds=30))
    first = await store.write(revisions.next_revision)
    await store.write(lambda conn: health.save(conn, {one.id or 0: stands, two.id or 0: stands}, first))
    second = await store.write(revisions.next_revision)
    await store.write(lambda conn: health.save(conn, {two.id or 0: stands}, second))
    assert set(await store.read(lambda conn: health.after_revision(conn, first))) == {two.id}
    assert await store.read(lambda conn: health.after_revision(conn, second)) == {}
