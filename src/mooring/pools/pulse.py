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
        self._process = 0
        """Whose epoll it is: a forked child that takes a socket out of it takes it from its parent."""
        self._sockets: dict[int, int] = {}
        """The numbers that epoll tells of, and the inodes of their sockets."""
        self._strangers = 0
        """How many more it may tell of: what was closed here lives on where a forked child has it open."""
        self._felt: dict[Lease, _Felt] = {}
        self._asked: set[Lease] = set()

    def idle(self, lease: Lease, fileno: int, now: float) -> float | None:
        """Return the seconds since a lease's socket did something, 0 at first; None where nobody tells."""
        self._leave_to_parent()
        felt = self._felt.get(lease)
        try:
            inode = os.fstat(fileno).st_ino
            if felt is None or (felt.fileno, felt.inode) != (fileno, inode):
                if not self._begin(fileno, inode, now):
                    return None
                felt = self._felt[lease] = _Felt(fileno, inode, now)
        except OSError:  # it was closed a moment ago, or is no socket
            return None
        self._asked.add(lease)
        return now - felt.at

    def feel(self, now: float) -> None:
        """Note which sockets did something since the last time; forget those that nobody asks for now."""
        self._leave_to_parent()
        if self._epoll is None:
            return
        for lease in self._felt.keys() - self._asked:
            self._end(lease)
        self._asked.clear()
        if not self._felt:
            self._close()
            return
        if self._strangers:
            with suppress(OSError):  # no file may be opened now: at the next look
                self._renew(now)
        self._note(self._awake(), now)

    def _begin(self, fileno: int, inode: int, now: float) -> bool:
        """Feel a socket from now on. False where there is no epoll."""
        known = self._sockets.get(fileno)
        if known not in (None, inode):
            self._strangers += 1
        if self._epoll is None or self._strangers:
            self._renew(now)
        if self._epoll is None:
            return False
        first = set() if known == inode else {fileno}  # that it can be written to is an edge
        self._register(fileno, inode)
        self._note(self._awake() - first, now)
        return True

    def _register(self, fileno: int, inode: int) -> None:
        import select

        if self._sockets.get(fileno) != inode:
            self._epoll.register(fileno, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
            self._sockets[fileno] = inode

    def _renew(self, now: float) -> None:
        """Feel with a new epoll what is open still. The old one is asked last, so that nothing is lost."""
        import select

        old, most, sockets = self._epoll, self._most(), self._sockets
        self._epoll, self._process, self._sockets, self._strangers = _epoll(select), os.getpid(), {}, 0
        for fileno, inode in sockets.items():
            if _is_open(fileno, inode):
                with suppress(OSError):  # it was closed a moment ago
                    self._register(fileno, inode)
        if old is not None:
            self._awake()  # that they can be written to is an edge
            self._note({fileno for fileno, _ in old.poll(0, most)}, now)
            old.close()

    def _awake(self) -> set[int]:
        return {fileno for fileno, _ in self._epoll.poll(0, self._most())}

    def _most(self) -> int:
        return len(self._sockets) + self._strangers + 1

    def _note(self, awake: set[int], now: float) -> None:
        if not awake:
            return
        for lease, felt in self._felt.items():
            if felt.fileno in awake:
                self._felt[lease] = felt._replace(at=now)

    def _end(self, lease: Lease) -> None:
        felt = self._felt.pop(lease)
        if self._sockets.get(felt.fileno) != felt.inode:
            return  # it was left out of a new epoll
        if any(felt[:2] == other[:2] for other in self._felt.values()):
            return  # a later lease of the same connection
        del self._sockets[felt.fileno]
        if _is_open(felt.fileno, felt.inode):
            with suppress(OSError):  # it was closed a moment ago
                self._epoll.unregister(felt.fileno)
                return
        self._strangers += 1

    def _leave_to_parent(self) -> None:
        """Begin anew in a forked child, without a word to the epoll that it shares with its parent."""
        if self._epoll is not None and self._process != os.getpid():
            self._felt.clear()
            self._close()

    def _close(self) -> None:
        self._epoll.close()
        self._epoll = None
        self._sockets.clear()
        self._strangers = 0


def _is_open(fileno: int, inode: int) -> bool:
    try:
        return os.fstat(fileno).st_ino == inode
    except OSError:
        return False


def _epoll(select: ModuleType) -> Any:
    """Return a new epoll; None where there is none. gevent puts Python's aside."""
    if not sys.platform.startswith("linux"):
        return None
    if hasattr(select, "epoll"):
        return select.epoll()
    gevent: Any = sys.modules.get("gevent.monkey")
    return gevent.get_original("select", "epoll")() if gevent is not None else None
