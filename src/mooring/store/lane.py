"""Threads that work on one engine, and how they get loose from a database that hangs."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine, event

from mooring.core.failure import StoreError
from mooring.store.errors import explained

T = TypeVar("T")


class Lane:
    """A bounded number of threads, each with its own connection. `path` is the file of an SQLite store."""

    def __init__(self, engine: Engine, threads: int, path: Path | None) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="mooring-store")
        self._path = path
        self._file = _identity(path)
        self._connections: set[Any] = set()
        self._running: set[_Job[Any]] = set()
        event.listen(engine, "connect", lambda connection, _record: self._connections.add(connection))
        event.listen(engine, "close", lambda connection, _record: self.forget(connection))

    async def run(self, work: Callable[[Connection], T], patience: float) -> T:
        """Run `work` in a transaction. Raises StoreError, also when it takes more seconds than `patience`.

        What was given up is not committed later, unless the database hung in the middle of the commit.
        """
        job = _Job(work)
        future = asyncio.get_running_loop().run_in_executor(self._threads, self._transact, job)
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(future)
        except TimeoutError:
            if not job.end_by(committing=False):
                with suppress(TimeoutError):
                    async with asyncio.timeout(patience):
                        return await asyncio.shield(future)
            if job in self._running or any(each.given_up for each in tuple(self._running)):
                self._cut()  # again with each caller who waits in vain: a cut between two statements misses
            raise StoreError(
                f"the database did not answer within {patience:g} s; is it stopped, or overloaded?"
            ) from None
        finally:
            future.cancel()  # has no effect on what has begun

    def forget(self, connection: Any) -> None:
        """Know no more of a connection, which is closed."""
        self._connections.discard(connection)

    async def close(self, patience: float) -> None:
        """Wait for what runs, cut what hangs, and close every connection."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        try:
            async with asyncio.timeout(patience):
                await asyncio.to_thread(self._threads.shutdown)
        except TimeoutError:
            self._cut()
        await asyncio.to_thread(self._engine.dispose)

    def _transact(self, job: _Job[T]) -> T:
        self._running.add(job)
        try:
            with explained(self._engine.url):
                self._look_for_file()
                with self._engine.begin() as conn:
                    result = job.work(conn)
                    if not job.end_by(committing=True):
                        raise StoreError("given up")  # rolls back; nobody waits for it any more
                return result
        finally:
            self._running.discard(job)

    def _look_for_file(self) -> None:
        """Notice that the file was taken away or replaced: SQLite would go on writing to the old one."""
        if self._path is None:
            return
        file = _identity(self._path)
        if file is None:
            raise StoreError(
                f"the database file {self._path} is gone; put it back, or restart Mooring to begin a new one"
            )
        if file != self._file:
            self._engine.dispose()
            self._file = file

    def _cut(self) -> None:
        """Make the threads' drivers return: one that waits for a stopped server would never do so."""
        for connection in tuple(self._connections):
            if isinstance(connection, sqlite3.Connection):
                connection.interrupt()
            else:
                _shut(connection)


class _Job(Generic[T]):
    """Work, and whether it ends by a commit or by being given up: whoever decides first has decided."""

    def __init__(self, work: Callable[[Connection], T]) -> None:
        self.work = work
        self._committing: bool | None = None
        self._lock = Lock()

    @property
    def given_up(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._committing is False

    def end_by(self, *, committing: bool) -> bool:
        """Decide the end, unless it is decided. Returns whether it is this one."""
        with self._lock:
            if self._committing is None:
                self._committing = committing
            return self._committing is committing


def _identity(path: Path | None) -> tuple[int, int] | None:
    try:
        status = None if path is None else path.stat()
    except OSError:
        return None
    return None if status is None else (status.st_dev, status.st_ino)


def _shut(connection: Any) -> None:
    # an error means that it was closed meanwhile, which is all we want
    with suppress(Exception), socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)
