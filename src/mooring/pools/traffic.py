"""When a connection's socket last sent and received: what the kernel knows, whatever the driver."""

from __future__ import annotations

import socket
import sys
from functools import cache
from typing import Any

from mooring.pools.driver import Activity

_SENT, _RECEIVED = 44, 52
"""Where Linux' struct tcp_info has tcpi_last_data_sent and _recv: 32 bits of milliseconds each."""
_LENGTH = 56


def activity_of(fileno: int) -> Activity:
    """Return what a connection's traffic tells; nothing for other than TCP sockets, or off Linux.

    What was sent after the last answer came is a request that waits for its answer: a statement runs. The
    kernel counts in milliseconds, so a request within the same one as an answer is not seen as running.
    """
    told = _tcp_info(fileno)
    if len(told) < _LENGTH:
        return Activity()
    sent = int.from_bytes(told[_SENT : _SENT + 4], sys.byteorder)
    received = int.from_bytes(told[_RECEIVED : _RECEIVED + 4], sys.byteorder)
    return Activity(busy=sent < received, idle=min(sent, received) / 1000)


def _tcp_info(fileno: int) -> bytes:
    """Return what the kernel tells; nothing where the descriptor is none of a TCP socket.

    By the C library, since Python's own sockets make what they are given non-blocking where the program
    has set `socket.setdefaulttimeout`: the driver's socket would be changed under it.
    """
    if not sys.platform.startswith("linux"):
        return b""
    try:
        import ctypes
    except ImportError:  # a Python without it
        return b""
    told, length = ctypes.create_string_buffer(_LENGTH), ctypes.c_uint32(_LENGTH)
    failed = _libc().getsockopt(fileno, socket.IPPROTO_TCP, socket.TCP_INFO, told, ctypes.byref(length))
    return b"" if failed else told.raw[: length.value]


@cache
def _libc() -> Any:
    import ctypes

    return ctypes.CDLL(None)


def unread(fileno: int) -> int:
    """Return how many bytes came that the program has not read yet; 0 where nobody tells."""
    try:
        from fcntl import ioctl  # not on Windows
        from termios import FIONREAD

        return int.from_bytes(ioctl(fileno, FIONREAD, bytes(4)), sys.byteorder)
    except (ImportError, OSError):
        return 0
