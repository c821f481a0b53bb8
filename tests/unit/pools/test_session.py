"""What a driver's connection tells without being asked anything."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator

import pytest

from mooring.pools.driver import Activity
from mooring.pools.session import activity

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells of sockets")
_ACTIVE = 1


class PyMySQL:
    """The attributes of PyMySQL's connection that are read."""

    open = True
    server_status = 1

    def __init__(self, sock: socket.socket, awaited: int, result: object) -> None:
        self._sock = sock
        self._next_seq_id = awaited
        self._result = result


class Psycopg2:
    """The same of psycopg2's."""

    closed = 0

    def __init__(self, sock: socket.socket) -> None:
        self.fileno = sock.fileno

    def get_transaction_status(self) -> int:
        return _ACTIVE


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a Unix socket: the driver's and the server's."""
    client, server = socket.socketpair()
    with client, server:
        yield client, server


@pytest.mark.parametrize(
    ("awaited", "result", "runs"), [(1, None, True), (2, None, None), (1, object(), None)]
)
def test_pymysql_awaits_the_first_packet_of_an_answer(
    ends: tuple[socket.socket, socket.socket], awaited: int, result: object, runs: bool | None
) -> None:
    """A statement runs until the first packet came; after 256 of them the number is the same again."""
    told = activity(PyMySQL(ends[0], awaited, result))
    assert told == Activity(runs, True, 0.0 if runs else None, ends[0].fileno())


def test_rows_that_nobody_reads_are_no_running_statement(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """What libpq calls active is the server's turn, until something came that the program has to read."""
    client, server = ends
    assert activity(Psycopg2(client)) == Activity(True, False, 0.0, client.fileno())
    server.send(b"rows")
    assert activity(Psycopg2(client)) == Activity(False, False, None, client.fileno())
