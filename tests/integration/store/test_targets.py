"""Targets as rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mooring.core.clock import SystemClock
from mooring.core.failure import ConflictError, MissingError
from mooring.core.target import Origin
from mooring.store import revisions, targets
from mooring.store.store import Store
from tests.stored import add_target, after, append, stored, up


async def test_target_comes_back_as_it_was_stored(store: Store) -> None:
    """Every key of a target is kept; it gets an id and version 1."""
    new = stored(
        "Bestellungen \U0001f4e6 <script>",
        labels={"team": "shop"},
        enabled=False,
        origin=Origin.FILE,
        version=7,
    )
    made = await store.write(lambda conn: targets.insert(conn, new))
    assert made == replace(new, id=made.id, version=1)
    assert await store.read(lambda conn: targets.get(conn, made.id or 0)) == made
    assert await store.read(targets.all_targets) == [made]


async def test_insert_with_a_name_that_is_taken(store: Store) -> None:
    """A name is unique, and a refused insert leaves nothing behind."""
    first = await store.write(lambda conn: targets.insert(conn, stored("orders")))
    before = await store.read(revisions.current)
    with pytest.raises(ConflictError) as caught:
        await store.write(lambda conn: targets.insert(conn, stored("orders", address="other:1")))
    assert str(caught.value) == "the name 'orders' is taken"
    assert await store.read(targets.all_targets) == [first]
    assert await store.read(revisions.current) == before


async def test_update_counts_the_version(store: Store) -> None:
    """An edit replaces the row and makes its version one higher."""
    made = await store.write(lambda conn: targets.insert(conn, stored()))
    wanted = replace(made, name="other", settings="sealed anew", updated_at=after(hours=1))
    edited = await store.write(lambda conn: targets.update(conn, wanted, expected_version=1))
    assert edited == replace(wanted, version=2)
    assert await store.read(targets.all_targets) == [edited]


async def test_update_of_a_stale_version(store: Store) -> None:
    """An edit of what somebody else changed meanwhile is refused."""
    made = await store.write(lambda conn: targets.insert(conn, stored()))
    await store.write(lambda conn: targets.update(conn, made, expected_version=1))
    with pytest.raises(ConflictError) as caught:
        await store.write(lambda conn: targets.update(conn, made, expected_version=1))
    assert str(caught.value) == "orders was changed meanwhile: it is at version 2, not 1"


async def test_update_to_a_name_that_is_taken(store: Store) -> None:
    """A target cannot take another's name."""
    await store.write(lambda conn: targets.insert(conn, stored("one")))
    other = await store.write(lambda conn: targets.insert(conn, stored("other")))
    with pytest.raises(ConflictError) as caught:
        await store.write(lambda conn: targets.update(conn, replace(other, name="one")))
    assert str(caught.value) == "the name 'one' is taken"


async def test_target_that_is_missing(store: Store) -> None:
    """Reading, editing and removing what is not there say so."""
    gone = stored(id=41)
    for work in (
        lambda conn: targets.get(conn, 41),
        lambda conn: targets.update(conn, gone),
        lambda conn: targets.delete(conn, 41),
    ):
        with pytest.raises(MissingError) as caught:
            await store.write(work)
        assert str(caught.value) == "there is no target 41"


async def test_delete_of_a_stale_version(store: Store) -> None:
    """Removing what somebody else changed meanwhile is refused."""
    made = await store.write(lambda conn: targets.insert(conn, stored()))
    with pytest.raises(ConflictError):
        await store.write(lambda conn: targets.delete(conn, made.id or 0, expected_version=2))
    assert await store.read(targets.all_targets) == [made]


async def test_id_is_never_given_out_twice(store: Store) -> None:
    """A new target cannot inherit the history of one that was removed."""
    first = await store.write(add_target)
    await store.write(lambda conn: targets.delete(conn, first.id or 0))
    second = await store.write(add_target)
    assert (second.id or 0) > (first.id or 0)


async def test_changes_of_targets_are_noticed_by_another_process(store: Store, url: str) -> None:
    """Adding, editing and removing by one store is seen by another that polls; results are told apart."""
    other = await Store.open(url, clock=SystemClock(), migrate=False)
    seen = [await store.read(revisions.of_targets)]
    made = await other.write(lambda conn: targets.insert(conn, stored()))
    seen.append(await store.read(revisions.of_targets))
    await other.write(lambda conn: targets.update(conn, made))
    seen.append(await store.read(revisions.of_targets))
    ref = await other.write(lambda conn: add_target(conn, "second"))
    seen.append(await store.read(revisions.of_targets))
    await other.write(lambda conn: append(conn, [up(ref, after())]))
    unchanged = await store.read(revisions.of_targets)
    await other.write(lambda conn: targets.delete(conn, made.id or 0))
    seen.append(await store.read(revisions.of_targets))
    await other.close()
    assert seen == [0, 1, 2, 3, 5]
    assert unchanged == 3
