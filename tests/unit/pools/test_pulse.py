"""When sockets did something, of which the kernel keeps no times."""

from __future__ import annotations

import errno
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


@pytest.mark.parametrize("looks", [1, 2], ids=["felt-still", "felt-no-more"])
def test_a_number_that_is_given_again_feels_no_stranger(
    ends: tuple[socket.socket, socket.socket], looks: int
) -> None:
    """What was closed here and lives on in another process is not taken for the next one of its number."""
    pulse, earlier, lease, other, (client, server) = Pulse(), Lease(), Lease(), Lease(), ends
    number = client.fileno()
    pulse.idle(earlier, number, 0.0)
    kept = client.dup()  # as in a forked child
    anew, peer = socket.socketpair()
    with kept, anew, peer:
        os.dup2(anew.fileno(), number)
        for _ in range(looks):
            pulse.idle(other, peer.fileno(), 1.0)
            pulse.feel(1.0)
        assert pulse.idle(lease, number, 3.0) == 0.0
        server.send(b"1")
        pulse.feel(8.0)
        assert pulse.idle(lease, number, 8.0) == 5.0
        peer.send(b"1")
        pulse.feel(9.0)
        assert pulse.idle(lease, number, 9.0) == 0.0


def test_a_lease_that_has_another_connection_feels_no_stranger(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """Nor is it where the lease went on with a socket of another number meanwhile."""
    pulse, moved, lease, (client, server) = Pulse(), Lease(), Lease(), ends
    number = client.fileno()
    pulse.idle(moved, number, 0.0)
    kept = client.dup()
    anew, peer = socket.socketpair()
    with kept, anew, peer:
        os.dup2(peer.fileno(), number)
        assert pulse.idle(moved, anew.fileno(), 1.0) == 0.0
        assert pulse.idle(lease, number, 3.0) == 0.0
        server.send(b"1")
        pulse.feel(8.0)
        assert pulse.idle(lease, number, 8.0) == 5.0
        assert pulse.idle(moved, anew.fileno(), 8.0) == 7.0


@pytest.mark.parametrize("forgotten", [True, False], ids=["at-a-look", "at-another-lease"])
def test_what_others_did_before_a_stranger_was_forgotten_is_felt(
    ends: tuple[socket.socket, socket.socket], forgotten: bool
) -> None:
    """Nothing that was sent on the other sockets is lost with the one that was closed, nor is any awoken."""
    pulse, closed, busy, silent, (client, _) = Pulse(), Lease(), Lease(), Lease(), ends
    number = client.fileno()
    one, busy_peer = socket.socketpair()
    other, silent_peer = socket.socketpair()
    pulse.idle(closed, number, 0.0)
    with one, other, busy_peer, silent_peer:
        if forgotten:
            pulse.feel(0.0)
        pulse.idle(busy, one.fileno(), 0.0)
        pulse.idle(silent, other.fileno(), 0.0)
        client.close()
        busy_peer.send(b"1")
        if forgotten:
            pulse.feel(5.0)
        else:
            anew, peer = socket.socketpair()
            with anew, peer:
                assert anew.fileno() == number
                pulse.idle(Lease(), number, 5.0)
        assert pulse.idle(busy, one.fileno(), 9.0) == 4.0
        assert pulse.idle(silent, other.fileno(), 9.0) == 9.0
        silent_peer.send(b"1")
        pulse.feel(10.0)
        assert pulse.idle(busy, one.fileno(), 10.0) == 5.0
        assert pulse.idle(silent, other.fileno(), 10.0) == 0.0


def test_where_no_file_can_be_opened_it_is_felt_as_before(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That strangers cannot be forgotten now ends no look, and loses nothing of the others."""
    pulse, lease, (client, server) = Pulse(), Lease(), ends
    closed, peer = socket.socketpair()
    with closed, peer:
        pulse.idle(Lease(), closed.fileno(), 0.0)
    pulse.feel(0.0)
    pulse.idle(lease, client.fileno(), 0.0)

    def none_left() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as full:
        full.setattr(select, "epoll", none_left)
        server.send(b"1")
        pulse.feel(5.0)
        assert pulse.idle(lease, client.fileno(), 6.0) == 1.0
    pulse.feel(7.0)
    assert pulse.idle(lease, client.fileno(), 8.0) == 3.0


def test_a_forked_child_takes_nothing_from_its_parent(ends: tuple[socket.socket, socket.socket]) -> None:
    """What a child lets go its parent feels on, and the child feels for itself."""
    pulse, lease, (client, server) = Pulse(), Lease(), ends
    pulse.idle(lease, client.fileno(), 0.0)
    pulse.feel(1.0)
    child = os.fork()
    if child == 0:
        try:
            pulse.feel(2.0)
            began = pulse.idle(lease, client.fileno(), 3.0)
            pulse.feel(4.0)
            os._exit(10 * int(began == 0.0) + int(pulse.idle(lease, client.fileno(), 4.0) or 0))
        finally:
            os._exit(255)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 11
    assert pulse.idle(lease, client.fileno(), 4.0) == 4.0
    server.send(b"1")
    pulse.feel(5.0)
    assert pulse.idle(lease, client.fileno(), 5.0) == 0.0


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
