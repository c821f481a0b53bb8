"""An error of a login or a session is told from one of a statement: by drivers' own classes."""

from __future__ import annotations

import errno
import socket
import ssl

import asyncpg
import psycopg
import psycopg_pool
import pymysql
import pytest
import sqlalchemy.exc
from pymongo import errors as mongodb
from redis import exceptions as redis

from mooring.pools.verdict import is_session_error


def of_mysql(number: int, state: str) -> Exception:
    """Return an error that has its SQLSTATE, as those of PyMySQL 1.2 and mysql-connector do."""
    error = pymysql.err.OperationalError(number, "no")
    error.sqlstate = state  # type: ignore[attr-defined]  # not declared
    return error


SESSION = {
    "refused login": psycopg.errors.InvalidPassword("no"),
    "server going": psycopg.errors.AdminShutdown("going"),
    "too many sessions": psycopg.errors.TooManyConnections("full"),
    "idle in transaction": psycopg.errors.IdleInTransactionSessionTimeout("too long"),
    "no such database": psycopg.errors.InvalidCatalogName("none"),
    "connect timeout": psycopg.errors.ConnectionTimeout("slow"),
    "no answer of libpq's server": psycopg.OperationalError("connection refused"),
    "asyncpg: refused login": asyncpg.InvalidPasswordError("no"),
    "asyncpg: broken": asyncpg.ConnectionDoesNotExistError("gone"),
    "asyncpg: closed": asyncpg.InterfaceError("connection is closed"),
    "mysql: refused login": pymysql.err.OperationalError(1045, "no"),
    "mysql: lost": pymysql.err.OperationalError(2013, "lost"),
    "mysql: killed": pymysql.err.OperationalError(1927, "killed"),
    "mysql: idle too long": pymysql.err.OperationalError(4031, "idle"),
    "mysql: closed": pymysql.err.InterfaceError(0, ""),
    "mysql: no such database, with its state": of_mysql(1049, "42000"),
    "mysql: host blocked, with its state": of_mysql(1129, "HY000"),
    "redis: refused login": redis.AuthenticationError("no"),
    "redis: login without a user": redis.AuthenticationWrongNumberOfArgsError("no"),
    "redis: broken": redis.ConnectionError("broken"),
    "redis: no answer": redis.TimeoutError("slow"),
    "redis: loading": redis.BusyLoadingError("loading"),
    "mongodb: refused login": mongodb.OperationFailure("no", 18),
    "mongodb: no server": mongodb.ServerSelectionTimeoutError("none"),
    "mongodb: broken": mongodb.AutoReconnect("broken"),
    "mongodb: no such session": mongodb.OperationFailure("gone", 206),
    "sqlalchemy: found dead": sqlalchemy.exc.DisconnectionError("dead"),
    "refused": ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
    "reset": ConnectionResetError(errno.ECONNRESET, "reset"),
    "no route": OSError(errno.EHOSTUNREACH, "no route"),
    "timed out in the kernel": TimeoutError(errno.ETIMEDOUT, "slow"),
    "no such host": socket.gaierror(socket.EAI_NONAME, "none"),
    "certificate": ssl.SSLCertVerificationError(1, "expired"),
}
STATEMENT = {
    "duplicate": psycopg.errors.UniqueViolation("twice"),
    "grant": psycopg.errors.InsufficientPrivilege("no"),
    "lock": psycopg.errors.LockNotAvailable("taken"),
    "cancelled": psycopg.errors.QueryCanceled("cancelled"),
    "pool empty": psycopg_pool.PoolTimeout("none in time"),
    "pool closed": psycopg_pool.PoolClosed("closed"),
    "asyncpg: duplicate": asyncpg.UniqueViolationError("twice"),
    "asyncpg: busy": asyncpg.InterfaceError("another operation is in progress"),
    "mysql: duplicate": pymysql.err.IntegrityError(1062, "twice"),
    "mysql: lock": pymysql.err.OperationalError(1205, "Lock wait timeout exceeded"),
    "mysql: none chosen, with its state": of_mysql(1046, "3D000"),
    "redis: wrong type": redis.ResponseError("WRONGTYPE"),
    "redis: grant": redis.NoPermissionError("no"),
    "redis: pool empty": redis.MaxConnectionsError("all in use"),
    "mongodb: duplicate": mongodb.DuplicateKeyError("twice", 11000),
    "mongodb: grant": mongodb.OperationFailure("no", 13),
    "mongodb: too slow": mongodb.ExecutionTimeout("slow", 50),
    "mongodb: pool empty": mongodb.WaitQueueTimeoutError("none in time"),
    "mongodb: not primary": mongodb.NotPrimaryError("no", {"code": 10107}),
    "sqlalchemy: pool empty": sqlalchemy.exc.TimeoutError("QueuePool limit"),
    "sqlalchemy: rolled back": sqlalchemy.exc.PendingRollbackError("rolled back"),
    "application: a number of MySQL's": KeyError(1045),
    "application: a word of its own": type("SessionExpired", (Exception,), {})("expired"),
    "application: another word": type("AuthorNotFound", (LookupError,), {})("nobody"),
    "application: out of time": TimeoutError(),
    "no such file": FileNotFoundError(errno.ENOENT, "none"),
}


@pytest.mark.parametrize("error", SESSION.values(), ids=SESSION)
def test_session_errors(error: Exception) -> None:
    """What says that a login or a session failed counts as that, plain and wrapped by SQLAlchemy."""
    assert is_session_error(error)
    assert is_session_error(wrapped(error))


@pytest.mark.parametrize("error", STATEMENT.values(), ids=STATEMENT)
def test_other_errors(error: Exception) -> None:
    """What says that a statement failed, or that the pool gave nothing, does not, plain and wrapped."""
    assert not is_session_error(error)
    assert not is_session_error(wrapped(error))


def test_cause_is_asked_where_the_error_itself_tells_nothing() -> None:
    """An application's own error is judged by what it was raised from."""
    assert is_session_error(raised(RuntimeError("no orders"), ConnectionResetError()))
    assert not is_session_error(raised(RuntimeError("no orders"), KeyError("orders")))


def test_error_itself_is_believed_before_its_cause() -> None:
    """A statement's error is none of the session, whatever was wrong before."""
    assert not is_session_error(raised(psycopg.errors.UniqueViolation("twice"), ConnectionResetError()))


def test_errors_in_a_circle_come_to_an_end() -> None:
    """Two errors that name each other as cause are judged."""
    one, other = RuntimeError("one"), RuntimeError("other")
    one.__cause__, other.__cause__ = other, one
    assert not is_session_error(one)


def test_sqlalchemy_knows_when_a_connection_is_lost() -> None:
    """What SQLAlchemy calls invalidated is a lost session, whatever the driver says."""
    lost = sqlalchemy.exc.OperationalError("select 1", {}, Exception("gone"), connection_invalidated=True)
    assert is_session_error(lost)


def wrapped(error: Exception) -> Exception:
    """Return an error as SQLAlchemy raises it."""
    return sqlalchemy.exc.OperationalError("select 1", {}, error)


def raised(error: Exception, cause: Exception) -> Exception:
    """Return an error that was raised from another."""
    error.__cause__ = cause
    return error
