"""Viewers are told in order, and nobody waits for a slow one."""

from __future__ import annotations

import asyncio

import pytest

from mooring.core.event import Commit
from mooring.engine.bus import Bus, Lagged


async def test_a_reader_gets_commits_in_order() -> None:
    """Everything published after `async with` comes, in the order of publishing."""
    bus = Bus()
    bus.publish(Commit(1))
    async with bus.subscribe() as events:
        for revision in (2, 3, 4):
            bus.publish(Commit(revision))
        assert [(await anext(events)).revision for _ in range(3)] == [2, 3, 4]
    assert bus.revision == 4


async def test_a_reader_waits_for_what_is_to_come() -> None:
    """A reader with nothing to read is woken by the next commit."""
    bus = Bus()
    async with bus.subscribe() as events:
        reading = asyncio.create_task(anext(events))
        await asyncio.sleep(0)
        bus.publish(Commit(7))
        assert (await reading).revision == 7


async def test_a_slow_reader_is_told_to_begin_anew() -> None:
    """A reader that is too far behind raises Lagged; the others are not concerned."""
    bus = Bus(most_waiting=3)
    async with bus.subscribe() as slow, bus.subscribe() as quick:
        for revision in range(1, 6):
            bus.publish(Commit(revision))
            assert (await anext(quick)).revision == revision
        with pytest.raises(Lagged, match="some commits were missed"):
            await anext(slow)


async def test_closing_ends_reading_after_what_is_there() -> None:
    """A closed bus hands out what was published before, then readers end."""
    bus = Bus()
    async with bus.subscribe() as events:
        bus.publish(Commit(1))
        bus.close()
        assert [commit.revision async for commit in events] == [1]


async def test_whoever_leaves_is_forgotten() -> None:
    """Nothing is kept for a reader that has left."""
    bus = Bus()
    async with bus.subscribe():
        assert len(bus.readers) == 1
    assert not bus.readers
