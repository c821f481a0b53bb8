"""The store: one writer thread, a few reader threads, and errors that say what to do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from datetime import datetime
from typing import Self, TypeVar

from sqlalchemy import URL, Connection

from mooring.core.clock import Clock
from mooring.core.failure import InputError, Problem, StoreError
from mooring.store.engines import create_file, engine_of, file_of, in_memory, store_url
from mooring.store.lane import Lane
from mooring.store.sole import WatchedError, claim_each_connection, sole_watcher

log = logging.getLogger(__name__)

READERS = 3
PATIENCE = 30.0
"""Seconds after which a database that does not answer is given up, so that it can be tried afresh."""

T = TypeVar("T")
Work = Callable[[Connection], T]


class Store:
    """Runs work on the database in threads of its own. Safe for many tasks of one event loop.

    `write` runs one transaction at a time, `read` a few at once. Where the database is locked, full,
    gone or damaged both raise StoreError, which says what to do; nothing of that work was written, but
    for a PostgreSQL that vanished while it committed. Nothing has to be opened again afterwards.
    """

    def __init__(self, url: URL, clock: Clock) -> None:
        self.url = url
        self._clock = clock
        self._failing_since: datetime | None = None
        self._working = 0
        self._watched = False
        self._stack = ExitStack()
        self._writing = engine_of(url, writes=True, connections=1)
        self._writer = Lane(self._writing, 1, file_of(url))
        self._readers = (
            self._writer
            if in_memory(url)
            else Lane(engine_of(url, writes=False, connections=READERS), READERS, file_of(url))
        )

    @classmethod
    async def open(cls, url: str, *, clock: Clock, migrate: bool, watch: bool = False) -> Self:
        """Open the store at an address.

        With `migrate` an empty or older database is brought up to date first (an SQLite file is
        copied beside itself before); without, it is refused. With `watch` take the right to watch it, as
        `watch()` does, before anything is changed under somebody else's feet. Raises InputError for what
        a person has to put right, StoreError where the database does not answer.
        """
        parsed = store_url(url)
        path = file_of(parsed)
        if path is not None and migrate:
            create_file(path)
        store = cls(parsed, clock)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(store.close)
            if watch:
                await store.watch()
            await store._prepare(migrate=migrate)
            stack.pop_all()
        return store

    async def watch(self) -> None:
        """Take the right to watch what is stored, until the store is closed or the process ends.

        Raises InputError while somebody else has it. Call it before the first `write`.
        """
        path = file_of(self.url)
        if path is not None:
            self._stack.enter_context(sole_watcher(path))
        elif not in_memory(self.url):
            claim_each_connection(self._writing, self._writer.forget)
            try:
                await self.write(lambda _: None)
            except WatchedError as error:
                raise InputError([Problem("store.url", str(error))]) from None
        self._watched = True

    async def write(self, work: Work[T], *, patience: float = PATIENCE) -> T:
        """Run `work` in one transaction on the writer thread and return what it returns, committed.

        Cancelling the caller does not undo work that has begun.
        """
        return await self._run(self._writer, work, patience)

    async def read(self, work: Work[T], *, patience: float = PATIENCE) -> T:
        """Run `work` on a reader thread, on one consistent state."""
        return await self._run(self._readers, work, patience)

    async def close(self) -> None:
        """Wait for the running work, `PATIENCE` at the most, and let go of the database."""
        for lane in {id(lane): lane for lane in (self._readers, self._writer)}.values():
            await lane.close(PATIENCE)
        self._stack.close()

    @property
    def failing_since(self) -> datetime | None:
        """When writing began to fail; None while it works."""
        return self._failing_since

    @property
    def busy(self) -> bool:
        """Whether work is under way or waits for its turn."""
        return self._working > 0

    async def _run(self, lane: Lane, work: Work[T], patience: float) -> T:
        self._working += 1
        try:
            result = await lane.run(work, patience)
        except StoreError as error:
            if self._failing_since is None and lane is self._writer:
                self._failing_since = self._clock.now()
                log.warning("the store fails: %s", error)
            raise
        finally:
            self._working -= 1
        if self._failing_since is not None and lane is self._writer:
            took = self._clock.now() - self._failing_since
            log.warning("the store works again after %.0f s", took.total_seconds())
            self._failing_since = None
        return result

    async def _prepare(self, *, migrate: bool) -> None:
        from mooring.store import upgrade  # here, because Alembic takes long to import

        state = await self.read(upgrade.state)
        if state is upgrade.State.CURRENT:
            return
        if not migrate or not state.migratable:
            raise InputError([Problem("store.url", state.advice)])
        if in_memory(self.url):
            await self.write(upgrade.migrate)
        else:
            await asyncio.to_thread(upgrade.upgrade, self.url, watched=self._watched)
