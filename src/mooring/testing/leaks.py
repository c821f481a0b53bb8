"""Prove that a piece of code leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self, TypeAlias

_OPEN_FILES = next((Path(p) for p in ("/proc/self/fd", "/dev/fd") if Path(p).is_dir()), None)
_POLL = 0.01

Held: TypeAlias = Mapping[object, str]


class no_leaks:  # noqa: N801 - it is used like a function
    """`with no_leaks():` or, in a coroutine, `async with no_leaks():`.

    Raises AssertionError naming every file descriptor, thread and (inside a running event loop) task
    that was made inside and is still there. Both wait up to `within` seconds for what is just going
    away; a loop closes its sockets one turn late, so in a coroutine only `async with` can tell.
    Where the body raises, nothing is judged.
    """

    def __init__(self, within: float = 1.0) -> None:
        self._within = within
        self._before: Held = {}

    def __enter__(self) -> Self:
        self._before = _held()
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
        return [shown for key, shown in _held().items() if key not in self._before]

    def _judge(self, kind: type[BaseException] | None) -> None:
        if kind is None and (leaked := self._leaked()):
            raise AssertionError("left behind: " + "; ".join(sorted(leaked)))


def _held() -> Held:
    return {**_descriptors(), **_threads(), **_tasks()}


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
    return {thread: f"thread {thread.name}" for thread in threading.enumerate()}


def _tasks() -> Held:
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:  # no loop runs here
        return {}
    return {task: f"task {task.get_name()} ({task.get_coro()})" for task in tasks}
