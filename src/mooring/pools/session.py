"""What a database driver's own connection tells of itself, for the adapters of pools that hold such ones."""

from __future__ import annotations

from asyncio import isfuture
from gc import get_referents
from typing import Any

from mooring.pools.driver import Activity
from mooring.pools.traffic import activity_of, unread

_ACTIVE = 1
"""libpq's PQTRANS_ACTIVE: a command is in progress."""
_OPEN = frozenset({2, 3})
"""PQTRANS_INTRANS and PQTRANS_INERROR."""
_IN_TRANSACTION = 1
"""MySQL's SERVER_STATUS_IN_TRANS."""
_PAUSE = 1.0
"""Seconds without traffic after which the rows that came tell nothing of those that are to come."""


def activity(connection: Any) -> Activity:
    """Return what happens on a connection of psycopg, psycopg2, asyncpg, PyMySQL, aiomysql or sqlite3.

    Of a driver that is not known by its attributes nothing is told, and nothing runs on a closed one.
    Reads attributes and asks the kernel: nothing is sent, nothing is waited for.
    """
    if _is_closed(connection):
        return Activity(busy=False)
    busy, in_transaction = _state(connection)
    fileno = _fileno(connection)
    traffic = activity_of(fileno) if fileno is not None else Activity()
    if fileno is not None and busy and not traffic.busy:
        # Rows came, and more are to come. Either the program reads them, or it does not and some lie in the
        # socket, or the server works on the next ones. Of a Unix socket nobody says when they came.
        busy = (traffic.idle is None or traffic.idle > _PAUSE) and not unread(fileno)
    return Activity(
        busy=traffic.busy if busy is None else busy,
        in_transaction=in_transaction,
        idle=0.0 if busy else traffic.idle,
        fileno=fileno if traffic.idle is None else None,
    )


def _is_closed(connection: Any) -> bool:
    if hasattr(connection, "is_closed"):  # asyncpg
        return bool(connection.is_closed())
    if hasattr(connection, "closed"):  # psycopg, psycopg2, aiomysql
        return bool(connection.closed)
    return getattr(connection, "open", True) is False  # PyMySQL


def _state(connection: Any) -> tuple[bool | None, bool | None]:
    """Return whether a statement runs and whether a transaction is open, as far as the driver knows."""
    if hasattr(connection, "pgconn"):  # psycopg
        return _of_libpq(int(connection.pgconn.transaction_status))
    if hasattr(connection, "server_status"):  # PyMySQL, aiomysql
        return _awaits_mysql(connection) or None, bool(connection.server_status & _IN_TRANSACTION)
    if hasattr(connection, "is_in_transaction"):  # asyncpg
        return _awaits(connection) or None, bool(connection.is_in_transaction())
    if hasattr(connection, "get_transaction_status"):  # psycopg2
        return _of_libpq(int(connection.get_transaction_status()))
    if hasattr(connection, "in_transaction"):  # sqlite3, aiosqlite
        return None, bool(connection.in_transaction)
    return None, None


def _awaits_mysql(connection: Any) -> bool:
    """Whether PyMySQL or aiomysql sent a command and read nothing of its answer, or its task waits for more.

    The kernel alone does not tell where a command is sent within the millisecond of the last answer.
    """
    reader = getattr(connection, "_reader", None)  # aiomysql's, of asyncio
    if getattr(reader, "_waiter", None) is not None:
        return True
    is_first = getattr(connection, "_next_seq_id", None) == 1  # also after 256 packets, but with a result
    return is_first and getattr(connection, "_result", None) is None


def _awaits(connection: Any) -> bool:
    """Whether an answer is awaited: asyncpg keeps the future of it where only the garbage collector looks.

    The kernel alone does not tell, since asyncpg sends the execution within the millisecond in which the
    answer to its preparation came.
    """
    protocol = getattr(connection, "_protocol", None)
    return any(isfuture(each) and not each.done() for each in get_referents(protocol))


def _of_libpq(status: int) -> tuple[bool, bool]:
    return status == _ACTIVE, status in _OPEN


def _fileno(connection: Any) -> int | None:
    """Return the socket of a connection."""
    if hasattr(connection, "pgconn"):
        return int(connection.pgconn.socket)
    for holder in ("_transport", "_writer"):  # asyncpg's, aiomysql's
        transport = getattr(connection, holder, None)
        if transport is not None:
            sock = transport.get_extra_info("socket")
            return int(sock.fileno()) if sock is not None else None
    sock = getattr(connection, "_sock", None)  # PyMySQL's
    if sock is None and hasattr(connection, "get_transaction_status"):
        sock = connection  # psycopg2's connection is a file to select()
    return int(sock.fileno()) if sock is not None else None
