"""Tell viewers what was committed. It feeds viewers only, never duties: what must not be lost is a row."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import Generic, Self, TypeVar

from mooring.core.event import Commit
from mooring.core.failure import MooringError

MOST_WAITING = 1000
"""Commits that one reader may be behind: minutes, at a few commits a second."""

Item = TypeVar("Item")


class Lagged(MooringError):  # noqa: N818 -- a reader's state more than an error
    """A reader was too slow and has missed commits: read the store again, and subscribe anew."""

    temporary = True


class Subscription(Generic[Item]):
    """What one reader has still to read. Iterating raises Lagged when too slow, ends with the source."""

    def __init__(self, source: Fanout[Item]) -> None:
        self._source = source
        self._waiting: deque[Item] = deque()
        self._lagged = False
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._source.readers.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._source.readers.discard(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        while True:
            if self._lagged:
                raise Lagged("too slow: some commits were missed")
            if self._waiting:
                return self._waiting.popleft()
            if self._source.closed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()

    def skip(self) -> None:
        """Leave out what waits: the reader is about to look at everything as it is."""
        self._waiting.clear()

    def put(self, item: Item) -> None:
        """Keep an item for the reader, or remember that it is too slow."""
        if len(self._waiting) >= self._source.most_waiting:
            self.lag()
        elif not self._lagged:
            self._waiting.append(item)
        self._news.set()

    def lag(self) -> None:
        """Have the reader told that it missed something."""
        self._lagged = True
        self._waiting.clear()
        self._news.set()

    def wake(self) -> None:
        """Let the reader see that the source was closed."""
        self._news.set()


class Fanout(Generic[Item]):
    """Hands each item to everybody who reads. Publishing never waits for a reader."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self.most_waiting = most_waiting
        self.readers: set[Subscription[Item]] = set()
        self.closed = False

    def subscribe(self) -> Subscription[Item]:
        """Return a reader of all that is published from `async with` on."""
        return Subscription(self)

    def publish(self, item: Item) -> None:
        """Hand on an item."""
        for reader in self.readers:
            reader.put(item)

    def close(self) -> None:
        """End every reader's iteration once it has read what is there."""
        self.closed = True
        for reader in self.readers:
            reader.wake()


class Bus(Fanout[Commit]):
    """Tells of every commit, and knows the newest revision."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        super().__init__(most_waiting)
        self.revision = 0

    def publish(self, item: Commit) -> None:
        """Hand on what was committed."""
        self.revision = max(self.revision, item.revision)
        super().publish(item)
