"""When sockets did something, of which the kernel keeps no times."""

from __future__ import annotations

import os
import select
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest

from mooring.pools.lease import Lease
from mooring.pools.pulse import Pulse

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has epoll")


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a Unix socket: the driver's and the server's."""
    client, server = socket.socketpair()
    with client, server:
        yield client, server


def opened_files() -> int:
    """Return how many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_was_sent_and_read_meanwhile_is_felt(ends: tuple[socket.socket, socket.socket]) -> None:
    """An answer counts though the driver has read it before anybody looked, and silence is measured."""
    pulse, lease, (client, server) = Pulse(), Lease(), ends
    assert pulse.idle(lease, client.fileno(), 10.0) == 0.0
    pulse.feel(15.0)
    assert pulse.idle(lease, client.fileno(), 15.0) == 5.0
    server.send(b"1")
    assert client.recv(10) == b"1"
    pulse.feel(20.0)
    assert pulse.idle(lease, client.fileno(), 20.0) == 0.0
    pulse.feel(27.0)
    assert pulse.idle(lease, client.fileno(), 27.0) == 7.0


def test_what_nobody_reads_is_silent(ends: tuple[socket.socket, socket.socket]) -> None:
    """Bytes that lie in the socket are felt when they come, and no more while they lie there."""
    pulse, lease, (client, server) = Pulse(), Lease(), ends
    pulse.idle(lease, client.fileno(), 0.0)
    server.send(b"1")
    pulse.feel(1.0)
    assert pulse.idle(lease, client.fileno(), 1.0) == 0.0
    pulse.feel(9.0)
    assert pulse.idle(lease, client.fileno(), 9.0) == 8.0


def test_sockets_are_told_apart(ends: tuple[socket.socket, socket.socket]) -> None:
    """Only the socket that did something is felt, also where another one begins to be felt in between."""
    pulse, one, other = Pulse(), Lease(), Lease()
    client, server = ends
    pulse.idle(one, client.fileno(), 0.0)
    client.send(b"1")
    server.recv(10)
    silent, peer = socket.socketpair()
    with silent, peer:
        assert pulse.idle(other, silent.fileno(), 3.0) == 0.0
        assert pulse.idle(one, client.fileno(), 3.0) == 0.0
        server.send(b"1")
        pulse.feel(9.0)
        assert pulse.idle(one, client.fileno(), 9.0) == 0.0
        assert pulse.idle(other, silent.fileno(), 9.0) == 6.0


def test_a_number_that_is_given_again_is_another_socket(ends: tuple[socket.socket, socket.socket]) -> None:
    """A connection that was made anew within one lease is felt from then on."""
    pulse, lease, (client, _) = Pulse(), Lease(), ends
    number = client.fileno()
    pulse.idle(lease, number, 0.0)
    anew, peer = socket.socketpair()
    with anew, peer:
        os.dup2(anew.fileno(), number)
        pulse.feel(5.0)
        assert pulse.idle(lease, number, 5.0) == 0.0
        peer.send(b"1")
        pulse.feel(8.0)
        assert pulse.idle(lease, number, 8.0) == 0.0
        pulse.feel(9.0)
        assert pulse.idle(lease, number, 9.0) == 1.0


def test_a_later_lease_of_the_same_connection_is_felt(ends: tuple[socket.socket, socket.socket]) -> None:
    """That an earlier lease is asked for no more does not end what a later one feels."""
    pulse, later, (client, server) = Pulse(), Lease(), ends
    pulse.idle(Lease(), client.fileno(), 0.0)
    pulse.feel(1.0)
    pulse.idle(later, client.fileno(), 1.0)
    pulse.feel(2.0)
    assert pulse.idle(later, client.fileno(), 2.0) == 1.0
    server.send(b"1")
    pulse.feel(3.0)
    assert pulse.idle(later, client.fileno(), 3.0) == 0.0


def test_nothing_stays_open(ends: tuple[socket.socket, socket.socket]) -> None:
    """What nobody asks for any more is let go, and so is the kernel's object with the last of them."""
    pulse, (client, _) = Pulse(), ends
    before = opened_files()
    pulse.idle(Lease(), client.fileno(), 0.0)
    assert opened_files() == before + 1
    pulse.feel(1.0)
    pulse.feel(2.0)
    assert opened_files() == before


def test_what_is_no_socket_has_no_pulse(tmp_path: Path) -> None:
    """Of a file and of a closed descriptor nothing is told."""
    pulse = Pulse()
    file = tmp_path / "file"
    file.touch()
    with closing(file.open()) as opened:
        assert pulse.idle(Lease(), opened.fileno(), 0.0) is None
    assert pulse.idle(Lease(), -1, 0.0) is None
    pulse.feel(1.0)


def test_gevent_puts_epoll_aside(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where gevent took Python's epoll away it is asked for it; where nobody has one nothing is told."""
    original = select.epoll
    monkeypatch.delattr(select, "epoll")
    monkeypatch.delitem(sys.modules, "gevent.monkey", raising=False)
    assert Pulse().idle(Lease(), ends[0].fileno(), 0.0) is None
    gevent = ModuleType("gevent.monkey")
    gevent.get_original = lambda module, name: {("select", "epoll"): original}[module, name]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gevent.monkey", gevent)
    assert Pulse().idle(Lease(), ends[0].fileno(), 0.0) == 0.0
