"""Changes of health, and revisions."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Connection

from mooring.core.clock import SystemClock
from mooring.core.status import Status
from mooring.core.transition import Transition
from mooring.store import revisions, transitions
from mooring.store.store import Store
from tests.stored import TIMEOUT, add_target, after


def store_changes(conn: Connection, target_id: int, count: int, since: int = 0) -> list[Transition]:
    """Store changes between up and down, one a minute, each in a revision of its own."""
    made = []
    for number in range(since, since + count):
        old, new = (Status.UP, Status.DOWN) if number % 2 == 0 else (Status.DOWN, Status.UP)
        change = Transition(
            target_id, old, new, after(minutes=number), TIMEOUT if new is Status.DOWN else None
        )
        transitions.append(conn, [change], revisions.next_revision(conn))
        made.append(change)
    return made


async def test_transitions_of_a_target_are_paged(store: Store) -> None:
    """One target's changes come newest first, page by page, whole, and no other's."""
    ref, other = await store.write(lambda conn: (add_target(conn, "one"), add_target(conn, "other")))
    made = await store.write(lambda conn: store_changes(conn, ref.id or 0, 7))
    await store.write(lambda conn: store_changes(conn, other.id or 0, 3))
    found: list[Transition] = []
    before = None
    while True:
        page = await store.read(
            lambda conn, before=before: transitions.of_target(conn, ref.id or 0, before, limit=3)
        )
        if not page:
            break
        found += [each.transition for each in page]
        before = page[-1].id
    assert found == made[::-1]


async def test_transitions_of_all_targets_are_paged(store: Store) -> None:
    """All targets' changes come in the order in which they were stored, the newest first."""
    ref, other = await store.write(lambda conn: (add_target(conn, "one"), add_target(conn, "other")))
    first = await store.write(lambda conn: store_changes(conn, ref.id or 0, 2))
    second = await store.write(lambda conn: store_changes(conn, other.id or 0, 2))
    page = await store.read(lambda conn: transitions.latest(conn, limit=3))
    assert [each.transition for each in page] == [second[1], second[0], first[1]]
    rest = await store.read(lambda conn: transitions.latest(conn, before=page[-1].id))
    assert [each.transition for each in rest] == [first[0]]


async def test_transition_stored_twice(store: Store) -> None:
    """A change that is repeated after a doubtful end is stored once; its note is kept."""
    ref = await store.write(add_target)
    change = Transition(ref.id, Status.UP, Status.UNKNOWN, after(), None, "paused")
    for _ in range(2):
        await store.write(lambda conn: transitions.append(conn, [change], revisions.next_revision(conn)))
    found = await store.read(lambda conn: transitions.of_target(conn, ref.id or 0))
    assert [each.transition for each in found] == [change]


async def test_transitions_after_a_revision(store: Store) -> None:
    """A viewer that comes back is told what later revisions changed, oldest first."""
    ref = await store.write(add_target)
    await store.write(lambda conn: store_changes(conn, ref.id or 0, 3))
    seen = await store.read(revisions.current)
    later = await store.write(lambda conn: store_changes(conn, ref.id or 0, 2, since=3))
    found = await store.read(lambda conn: transitions.after_revision(conn, seen))
    assert [each.transition for each in found] == later
    assert [each.revision for each in found] == [seen + 1, seen + 2]


async def test_revisions_of_two_servers(store: Store, url: str) -> None:
    """Two servers that write at the same time never share a revision, and none is lost."""
    other = await Store.open(url, clock=SystemClock(), migrate=False)
    writes = [each.write(revisions.next_revision) for _ in range(30) for each in (store, other)]
    taken = await asyncio.gather(*writes)
    await other.close()
    assert sorted(taken) == list(range(1, 61))
    assert await store.read(revisions.current) == 60


async def test_revision_of_work_that_fails(store: Store) -> None:
    """A revision that is not committed is taken again by the next."""

    def fail(conn: Connection) -> None:
        revisions.next_revision(conn)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.write(fail)
    assert await store.write(revisions.next_revision) == 1


async def test_beat(store: Store) -> None:
    """When a server last lived is known to the microsecond; a new store has no beat."""
    assert await store.read(revisions.last_beat) is None
    await store.write(lambda conn: revisions.beat(conn, after(seconds=1.5)))
    assert await store.read(revisions.last_beat) == after(seconds=1.5)
