"""When sockets last sent or received of which the kernel keeps no times: those of Unix, for the most part."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mooring.pools.lease import Lease


class _Felt(NamedTuple):
    """A socket, and when it last did something; its inode, since numbers are given again."""

    fileno: int
    inode: int
    at: float


class Pulse:
    """Feels the sockets of some leases, from the first time that they are asked for.

    An edge-triggered `epoll` says that there was traffic since it was asked last, also where the driver has
    read it all meanwhile: what wakes the socket counts, not what lies in it. The driver misses nothing.
    Elsewhere than on Linux nothing is felt. Only the watching thread may call it.
    """

    def __init__(self) -> None:
        self._epoll: Any = None
        self._felt: dict[Lease, _Felt] = {}
        self._asked: set[Lease] = set()

    def idle(self, lease: Lease, fileno: int, now: float) -> float | None:
        """Return the seconds since a lease's socket did something, 0 at first; None where nobody tells."""
        felt = self._felt.get(lease)
        try:
            inode = os.fstat(fileno).st_ino
            if felt is None or (felt.fileno, felt.inode) != (fileno, inode):
                if not self._begin(fileno, now):
                    return None
                felt = self._felt[lease] = _Felt(fileno, inode, now)
        except OSError:  # it was closed a moment ago, or is no socket
            return None
        self._asked.add(lease)
        return now - felt.at

    def feel(self, now: float) -> None:
        """Note which sockets did something since the last time; forget those that nobody asks for now."""
        if self._epoll is None:
            return
        for lease in self._felt.keys() - self._asked:
            self._end(self._felt.pop(lease))
        self._asked.clear()
        if self._felt:
            self._note(self._awake(), now)
        else:
            self._epoll.close()
            self._epoll = None

    def _begin(self, fileno: int, now: float) -> bool:
        """Feel a socket from now on. False where there is no epoll."""
        import select

        self._epoll = self._epoll or _epoll(select)
        if self._epoll is None:
            return False
        first = {fileno}  # that it can be written to is an edge
        try:
            self._epoll.register(fileno, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        except FileExistsError:  # felt already, for an earlier lease of the same connection
            first = set()
        self._note(self._awake() - first, now)
        return True

    def _awake(self) -> set[int]:
        return {fileno for fileno, _ in self._epoll.poll(0, len(self._felt) + 1)}

    def _note(self, awake: set[int], now: float) -> None:
        if not awake:
            return
        for lease, felt in self._felt.items():
            if felt.fileno in awake:
                self._felt[lease] = felt._replace(at=now)

    def _end(self, felt: _Felt) -> None:
        if any(felt[:2] == other[:2] for other in self._felt.values()):
            return  # a later lease of the same connection
        with suppress(OSError):  # it was closed
            if os.fstat(felt.fileno).st_ino == felt.inode:
                self._epoll.unregister(felt.fileno)


def _epoll(select: ModuleType) -> Any:
    """Return a new epoll; None where there is none. gevent puts Python's aside."""
    if not sys.platform.startswith("linux"):
        return None
    if hasattr(select, "epoll"):
        return select.epoll()
    gevent: Any = sys.modules.get("gevent.monkey")
    return gevent.get_original("select", "epoll")() if gevent is not None else None
