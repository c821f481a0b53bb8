"""Whether an error is of a session or a login, or of a statement."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from socket import gaierror
from typing import Any

STATES = ("08", "25P03", "25P04", "28", "3D000", "53300", "57P0")
"""SQLSTATEs, by how they begin: the connection broke, the server ended it since it took too long, the
login was refused, there is no such database, there are too many, the server is going or gone (PostgreSQL,
appendix A)."""
_NUMBERS = """
1040 1042 1043 1044 1045 1047 1049 1053 1077 1079 1080 1129 1130 1152 1153 1154 1155 1156 1157 1158
1159 1160 1161 1184 1203 1226 1251 1275 1698 1820 1862 1927 2000 2001 2002 2003 2004 2005 2006 2012
2013 2026 2027 2048 2055 2059 2061 3118 3159 3955 4031 4151
"""
MYSQL = frozenset(map(int, _NUMBERS.split()))
"""The numbers of MySQL and MariaDB for the same, with those of its client library."""
MYSQL_CLOSED = (0, "")
"""What PyMySQL raises as InterfaceError for a connection that is closed."""
MONGODB = frozenset({6, 7, 11, 18, 89, 91, 206, 225, 391, 9001, 11600})
"""Codes of MongoDB: the host or the network, the login, the session, a server that shuts down."""
NETWORK = frozenset(
    {
        errno.ECONNABORTED,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETRESET,
        errno.ENETUNREACH,
        errno.ENOTCONN,
        errno.ETIMEDOUT,
    }
)
YES = frozenset(
    {
        "AuthenticationError",  # redis, and others' word for it
        "AuthenticationFailed",
        "AuthenticationWrongNumberOfArgsError",  # redis
        "BusyLoadingError",  # redis: it has just been started
        "ConnectionClosed",
        "ConnectionError",  # redis, and Python's own for ECONNREFUSED, ECONNRESET and EPIPE
        "ConnectionFailure",  # pymongo
        "ConnectionLost",
        "DisconnectionError",  # sqlalchemy
        "LoginError",
        "SSLError",
        "ServerSelectionTimeoutError",
    }
)
"""Classes, also as parents of others."""
NO = frozenset(
    {
        "MaxConnectionsError",  # redis: the pool's own limit
        "NotPrimaryError",  # pymongo: the connection works
        "WaitQueueTimeoutError",  # pymongo: the pool gave none in time
    }
)
"""Classes that are none, whatever their parents."""
_MYSQL_DRIVERS = frozenset({"MySQLdb", "aiomysql", "asyncmy", "mysql", "pymysql"})
_LIBPQ = frozenset({"psycopg", "psycopg2"})


def is_session_error(error: BaseException) -> bool:
    """Whether a login or a session failed, rather than a statement or the wait for a connection.

    Asks the error first, then what it was raised from: the first that tells anything is believed.
    """
    return next((verdict for each in _causes(error) if (verdict := _verdict(each)) is not None), False)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from; SQLAlchemy keeps the driver's as `orig`."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        orig = getattr(at, "orig", None)
        at = orig if isinstance(orig, BaseException) else at.__cause__


def _verdict(error: BaseException) -> bool | None:
    """Return what one error tells by itself; None where it tells nothing."""
    if getattr(error, "connection_invalidated", False):  # SQLAlchemy's dialect knows its driver
        return True
    package = type(error).__module__.partition(".")[0]
    if package in _MYSQL_DRIVERS and error.args and isinstance(error.args[0], int):
        # Before the state: 1049 (no such database) has that of a misspelt statement.
        return error.args[0] in MYSQL or error.args[:2] == MYSQL_CLOSED
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if isinstance(state, str):
        return state.startswith(STATES)
    code: Any = getattr(error, "code", None)
    if package == "pymongo" and isinstance(code, int):
        return code in MONGODB
    return _by_class(error, package)


def _by_class(error: BaseException, package: str) -> bool | None:
    names = {each.__name__ for each in type(error).__mro__}
    if names & NO:
        return False
    if names & YES or isinstance(error, gaierror):
        return True
    if isinstance(error, OSError) and error.errno in NETWORK:
        return True
    if package == "redis" and "TimeoutError" in names:  # the connection is given up
        return True
    if package in _LIBPQ and "OperationalError" in names:  # the server has said nothing
        return True
    is_closed = package == "asyncpg" and "InterfaceError" in names and "connection is closed" in str(error)
    return True if is_closed else None
