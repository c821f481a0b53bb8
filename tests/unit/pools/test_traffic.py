"""What the kernel tells of a connection."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mooring.pools.driver import Activity
from mooring.pools.traffic import activity_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a TCP connection: the driver's and the server's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        with client, server:
            yield client, server


def opened_files() -> int:
    """Return how many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def until(holds: Callable[[], bool]) -> None:
    """Look again until something holds."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end


def test_request_without_an_answer_is_busy(ends: tuple[socket.socket, socket.socket]) -> None:
    """From a request to its answer a statement runs, and then no more."""
    client, server = ends
    until(lambda: (activity_of(client.fileno()).idle or 0) > 0.01)
    client.send(b"select 1")
    assert activity_of(client.fileno()).busy is True
    until(lambda: (activity_of(client.fileno()).idle or 0) > 0.01)  # in another millisecond
    assert activity_of(client.fileno()).busy is True
    assert server.recv(100) == b"select 1"
    server.send(b"1")
    until(lambda: activity_of(client.fileno()).busy is False)
    assert (activity_of(client.fileno()).idle or 0) < 5


def test_looking_changes_nothing(ends: tuple[socket.socket, socket.socket]) -> None:
    """A blocking socket stays blocking, also where the program has a default timeout; nothing stays open."""
    client, _ = ends
    before = socket.getdefaulttimeout()
    opened = opened_files()
    try:
        socket.setdefaulttimeout(30)
        assert activity_of(client.fileno()).idle is not None
    finally:
        socket.setdefaulttimeout(before)
    assert os.get_blocking(client.fileno()) is True
    assert opened_files() == opened


def test_other_than_tcp_tells_nothing() -> None:
    """Of a Unix socket, a file and a closed descriptor nothing is told, and none stays open."""
    one, other = socket.socketpair()
    with one, other, Path(os.devnull).open("rb") as file:
        opened = opened_files()
        assert activity_of(one.fileno()) == activity_of(file.fileno()) == activity_of(-1) == Activity()
        assert opened_files() == opened
