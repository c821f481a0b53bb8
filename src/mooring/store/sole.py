"""One server watches a database: two would check everything twice and take each other's end for theirs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mooring.core.failure import InputError, Problem, StoreError

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def sole_watcher(path: Path) -> Iterator[None]:
    """Hold the right to watch an SQLite store, until the process ends however it ends.

    Raises InputError while another process has it. The file beside the database stays: to delete it
    would take it from whoever opened it meanwhile.
    """
    if fcntl is None:
        yield
        return
    beside = path.with_name(f"{path.name}-watched")
    try:
        lock = os.open(beside, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StoreError(f"{beside} cannot be opened: {error.strerror}") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            words = f"{path} is watched by another Mooring already; stop that one, or give this one its own"
            raise InputError([Problem("store.url", words)]) from None
        yield
    finally:
        os.close(lock)
