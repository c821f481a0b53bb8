"""Prove that a piece of code leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Self, TypeAlias

from mooring.pools.lease import Lease
from mooring.pools.tracker import PoolTracker, trackers_of
from mooring.pools.watch import watch_of_this_process

_OPEN_FILES = next((Path(p) for p in ("/proc/self/fd", "/dev/fd") if Path(p).is_dir()), None)
_POLL = 0.01

Held: TypeAlias = Mapping[object, str]
EVERYTHING = ("leases", "descriptors", "threads", "tasks")
_OURS = ("mooring-pools", "mooring-reports")
"""Threads of what watches pools, which stay as long as the process."""


class no_leaks:  # noqa: N801 - it is used like a function
    """`with no_leaks():` or, in a coroutine, `async with no_leaks():`.

    Raises AssertionError naming every lease of a pool with the line that took it, every file descriptor,
    thread and (inside a running event loop) task that was made inside and is still there. Both wait up
    to `within` seconds for what is just going away; a loop closes its sockets one turn late, so in a
    coroutine only `async with` can tell. Where the body raises, nothing is judged.

    Args:
        within: seconds that are waited at most.
        of: what is judged. A pool may open a connection inside and keep it, which is no leak: with
            `of=["leases"]` that is left alone.
        trackers: pools beside those that are instrumented in this process.
    """

    def __init__(
        self,
        within: float = 1.0,
        *,
        of: Collection[str] = EVERYTHING,
        trackers: Iterable[PoolTracker] = (),
    ) -> None:
        if unknown := set(of) - set(EVERYTHING):
            raise ValueError(f"of: there is no {sorted(unknown)}; there are {', '.join(EVERYTHING)}")
        self._within = within
        self._of = frozenset(of)
        self._trackers = trackers_of(trackers)
        self._before: Held = {}

    def __enter__(self) -> Self:
        self._before = self._held()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        deadline = time.monotonic() + self._within
        while kind is None and self._leaked() and time.monotonic() < deadline:
            time.sleep(_POLL)
        self._judge(kind)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        deadline = time.monotonic() + self._within
        while kind is None and self._leaked() and time.monotonic() < deadline:  # noqa: ASYNC110 - nothing announces a closed descriptor
            await asyncio.sleep(_POLL)
        self._judge(kind)

    def _leaked(self) -> list[str]:
        return [shown for key, shown in self._held().items() if key not in self._before]

    def _judge(self, kind: type[BaseException] | None) -> None:
        if kind is None and (leaked := self._leaked()):
            counted = sorted(Counter(leaked).items(), key=_leases_first)
            shown = [each if count == 1 else f"{count} times a {each}" for each, count in counted]
            raise AssertionError("left behind: " + "; ".join(shown))

    def _held(self) -> Held:
        held: dict[object, str] = {}
        if "leases" in self._of:
            held.update(_leases({*_watched(), *self._trackers}))
        for what, look in _LOOKS.items():
            if what in self._of:
                held.update(look())
        return held


def _leases_first(counted: tuple[str, int]) -> tuple[bool, str]:
    """Order what is told: the line to mend, and then what came of it, such as the lease's socket."""
    return not counted[0].startswith("lease "), counted[0]


def _watched() -> Iterable[PoolTracker]:
    """Return the pools of this process. Asks no watch to begin: that may send reports."""
    return [each for each in watch_of_this_process.made or () if isinstance(each, PoolTracker)]


def _leases(trackers: Iterable[PoolTracker]) -> Held:
    return {
        lease: f"lease of {tracker.service}/{tracker.name}, taken at {_taken(lease)}"
        for tracker in trackers
        for lease in (*tracker.open, *tracker.gone.copy())
    }


def _taken(lease: Lease) -> str:
    name = lease.scope.name if lease.scope is not None else None
    of = f" for {name}" if name else ""
    return f"{lease.site.file}:{lease.site.line} in {lease.site.function}{of}"


def _descriptors() -> Held:
    if _OPEN_FILES is None:
        return {}
    held: dict[object, str] = {}
    for entry in list(_OPEN_FILES.iterdir()):
        name = entry.name
        try:
            what = str(entry.readlink())
        except OSError:  # the one that this listing used
            continue
        held["fd", name, what] = f"file descriptor {name} ({_described(int(name), what)})"
    return held


def _described(descriptor: int, what: str) -> str:
    if not what.startswith("socket:"):
        return what
    try:
        with socket.socket(fileno=os.dup(descriptor)) as sock:
            return f"socket {_shown(sock.getsockname())} -> {_shown(sock.getpeername())}"
    except OSError:  # it listens, or its peer has gone
        return what


def _shown(address: object) -> str:
    return ":".join(map(str, address[:2])) if isinstance(address, tuple) else str(address) or "unnamed"


def _threads() -> Held:
    return {each: f"thread {each.name}" for each in threading.enumerate() if not each.name.startswith(_OURS)}


def _tasks() -> Held:
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:  # no loop runs here
        return {}
    return {task: f"task {task.get_name()} ({task.get_coro()})" for task in tasks}


_LOOKS = {"descriptors": _descriptors, "threads": _threads, "tasks": _tasks}
