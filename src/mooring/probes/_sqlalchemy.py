"""SQLAlchemy in threads, with an end. Imported only where it is needed."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import sqlalchemy
from sqlalchemy import exc
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.pool import NullPool

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.net.trail import Trail
from mooring.probes import _dialects
from mooring.probes._relay import Relay

T = TypeVar("T")
MOST_SECONDS = 3600


class Warehouse:
    """A session with a database, whose calls run in threads, one at a time.

    Once it is dropped, whatever runs is cut off, and its thread closes what it held.
    """

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._lock = threading.Lock()
        self._over = False
        self._busy = False
        self.relay: Relay | None = None
        self._connection: Connection | None = None

    @property
    def connected(self) -> bool:
        """Whether the login is done."""
        return self._connection is not None

    @property
    def connection(self) -> Connection:
        """The open connection."""
        if self._connection is None:
            raise LookupError("not connected")
        return self._connection

    async def run(self, work: Callable[[], T]) -> T:
        """Run a blocking call."""
        return await self._trail.in_thread(lambda: self._work(work))

    def _work(self, work: Callable[[], T]) -> T:
        with self._lock:
            self._busy = True
        try:
            return work()
        finally:
            with self._lock:
                self._busy, over = False, self._over
            if over:
                self.close()

    def connect(self, engine: Engine) -> None:
        """Log in; blocking."""
        self._connection = engine.connect()

    def close(self) -> None:
        """Leave politely; blocking."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with suppress(Exception):  # whatever a goodbye says, it is over
            connection.invalidate()
        with suppress(Exception):
            connection.close()

    def drop(self) -> None:
        """Cut off what still runs: the connection under it, or the query where the driver has a way."""
        if self.relay is not None:
            self.relay.drop()
        with self._lock:
            self._over, busy, connection = True, self._busy, self._connection
        if connection is None:
            return
        if not busy:  # a driver may wait for its server even to say goodbye
            threading.Thread(target=self.close, name="mooring-closing", daemon=True).start()
            return
        with suppress(Exception):  # it may have ended meanwhile
            interrupt = getattr(connection.connection.dbapi_connection, "interrupt", None)
            if interrupt is not None:
                interrupt()


def engine_for(address: str, password: str | None, seconds: float) -> Engine:
    """Return an engine that keeps no connection. Imports dialect and driver; blocking.

    Raises CheckError: driver where one of them is missing, config where it cannot be used here.
    """
    url = make_url(address)
    if password is not None:
        url = url.set(password=password)
    dialect = url.get_backend_name()
    try:
        driver = url.get_dialect().driver
        limits = _dialects.limits(driver, _whole(seconds))
        thread = {"check_same_thread": False} if driver == "pysqlite" else {}
        engine = sqlalchemy.create_engine(
            url, poolclass=NullPool, connect_args={**limits, **thread}, hide_parameters=True
        )
    except exc.NoSuchModuleError:
        package = _dialects.distribution_of(dialect)
        raise CheckError(
            Reason.DRIVER,
            f"SQLAlchemy has no dialect {dialect} here",
            code="DIALECT_MISSING",
            hint=Prose("Install what brings the dialect where Mooring runs, and start Mooring anew."),
            fix=f"pip install '{package}'" if package else None,
        ) from None
    except ModuleNotFoundError as error:
        name = error.name or ""
        raise CheckError(
            Reason.DRIVER,
            f"the driver {name} is not installed",
            code="DRIVER_MISSING",
            hint=Prose("Install the driver where Mooring runs, and start Mooring anew."),
            fix=f"pip install '{_dialects.distribution_with(name)}'",
        ) from None
    if driver == "pysqlite":
        only_open(engine)
    if engine.dialect.is_async:
        raise CheckError(
            Reason.CONFIG,
            f"the driver {engine.dialect.driver} works only with asyncio",
            code="ASYNC_DRIVER",
            hint=Prose("Name another driver behind the dialect: postgresql+psycopg, mysql+pymysql."),
        )
    return engine


def point(engine: Engine, **place: Any) -> None:
    """Have a driver dial another place than the address names."""

    @sqlalchemy.event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, _words: Any, arguments: Any) -> None:
        arguments.update(place)


def only_open(engine: Engine) -> None:
    """Have SQLite open files that are there, and make none. Raises FileNotFoundError when it connects."""

    @sqlalchemy.event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, words: list[Any], arguments: Any) -> None:
        path = str(words[0])
        if path.startswith("file:") or path == ":memory:":
            return
        if not Path(path).exists():
            raise FileNotFoundError(path)
        words[0] = f"file:{quote(str(Path(path).absolute()))}?mode=rw"
        arguments["uri"] = True


def hand_over(engine: Engine, sock: Any) -> None:
    """Have PyMySQL talk over a socket instead of dialling; its TLS still looks for the host's own name."""

    @sqlalchemy.event.listens_for(engine, "do_connect")
    def _connect(dialect: Any, _record: Any, words: Any, arguments: Any) -> Any:
        connection = dialect.loaded_dbapi.connect(*words, **arguments, defer_connect=True)
        connection.connect(sock)
        return connection


def bounded(connection: Connection, trail: Trail) -> None:
    """Have the server end by itself what nobody waits for any more; blocking."""
    mariadb = getattr(connection.dialect, "is_mariadb", False)
    name = "mariadb" if mariadb else connection.dialect.name
    statement = _dialects.bound(name, _whole(trail.remaining + 1))
    if statement is not None:
        _as_written(connection, statement)


def version_of(connection: Connection) -> str | None:
    """Return the server's version as the dialect read it."""
    version = getattr(connection.dialect, "server_version_info", None)
    return ".".join(map(str, version)) if version else None


def read_table(connection: Connection, name: str) -> None:
    """Read no row of a table, which needs the right to read one; blocking."""
    quoted = connection.dialect.identifier_preparer.quote
    table = ".".join(quoted(part) for part in name.split("."))
    _as_written(connection, f"SELECT 1 FROM {table} WHERE 1 = 0").close()  # noqa: S608 - quoted above


def first_row(connection: Connection, query: str | None) -> tuple[Any, ...] | None:
    """Return the first row of a query, without one of the simplest that the dialect knows; blocking."""
    if query is None:
        result: sqlalchemy.CursorResult[Any] = connection.execute(
            sqlalchemy.select(sqlalchemy.literal_column("1"))
        )
    else:
        result = _as_written(connection, query)
    if not result.returns_rows:
        return None
    row = result.fetchone()
    result.close()
    return None if row is None else tuple(row)


def _as_written(connection: Connection, statement: str) -> sqlalchemy.CursorResult[Any]:
    """Run a statement in which a percent sign means nothing."""
    return connection.execution_options(no_parameters=True).exec_driver_sql(statement)


def _whole(seconds: float) -> int:
    return min(max(1, math.ceil(seconds)), MOST_SECONDS)
