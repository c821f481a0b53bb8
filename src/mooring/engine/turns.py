"""Long work on the event loop, in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

AT_ONCE = 10
"""Pools that are looked at or written before others have their turn: some milliseconds."""

Item = TypeVar("Item")


async def in_turns(items: Iterable[Item]) -> AsyncIterator[Item]:
    """Yield each of these. Now and then others have their turn, and may change what was not yielded yet."""
    for place, item in enumerate(items, 1):
        yield item
        if place % AT_ONCE == 0:
            await asyncio.sleep(0)
