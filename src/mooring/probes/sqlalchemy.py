"""Any database that SQLAlchemy has a dialect for: warehouses above all."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal, InvalidOperation
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar
from urllib.parse import quote

from pydantic import Field, SecretStr, model_validator

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.dial import dial, reach, resolve
from mooring.net.trail import Trail
from mooring.probes import _dialects
from mooring.probes._base import Probe
from mooring.probes._password import Password
from mooring.probes._session import SessionProbe
from mooring.probes._sql import as_text
from mooring.probes._sqlalchemy_errors import CONNECTION_LOST, Asked, cause
from mooring.probes._url import Url

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.exc import DBAPIError

    from mooring.probes._sqlalchemy import Warehouse

T = TypeVar("T")
PREFIX = "sqlalchemy+"
_HIDDEN = re.compile(r"private_key|credentials|odbc_connect|sas|jwt|auth", re.IGNORECASE)
_ODBC_PASSWORD = re.compile(r"(?:PWD|Password)=([^;]+)", re.IGNORECASE)
_DRIVERS = frozenset({"sqlalchemy", "psycopg", "psycopg2", "pymysql", "MySQLdb", "sqlite3"})
"""Packages whose errors come to us bare as well, where SQLAlchemy had no hand in it."""
_ANY = "SQLITE_ERROR"
"""What SQLite calls most mistakes; its words tell more."""
_YES = ("1", "true", "yes", "y", "t")


class SQLAlchemy(SessionProbe["Warehouse"]):
    """SQLAlchemy: log in by any dialect, look at grants, and run one query.

    psycopg and PyMySQL are given the address that the egress policy allowed. Other drivers resolve the name
    again themselves: a name that changes in between gets them past a policy by address.
    """

    kind: Literal["sqlalchemy"] = "sqlalchemy"
    schemes: ClassVar[tuple[str, ...]] = (f"{PREFIX}*",)
    extra: ClassVar[str | None] = "sqlalchemy"
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves, where the address names a host and its port is known",
        Stage.TCP: "something accepts connections on the port",
        Stage.AUTH: "the driver logs in",
        Stage.PERMISSION: "the tables can be read, and the grant query says yes",
        Stage.FUNCTION: "the query succeeds and returns what is expected",
    }

    url: SecretStr = Field(
        description="sqlalchemy+ and an address as SQLAlchemy takes it, with an installed dialect.",
        examples=["sqlalchemy+snowflake://app:secret@account/orders?warehouse=small"],
    )
    password: Password = None
    tables: tuple[str, ...] = Field(
        (), max_length=100, description="Tables that have to be readable.", examples=[["public.orders"]]
    )
    grant_query: str | None = Field(
        None,
        max_length=10_000,
        description="A query whose first value has to be true: whether a grant is there.",
        examples=["SELECT has_table_privilege('orders', 'INSERT')"],
    )
    query: str | None = Field(
        None, max_length=10_000, description="What is run as the real operation; without it, SELECT 1."
    )
    expect: str | int | float | bool | None = Field(
        None, description="The value that the query's first row has to hold in its first column."
    )

    @model_validator(mode="after")
    def _fits(self) -> SQLAlchemy:
        if not self._parts.scheme.removeprefix(PREFIX) or not self._parts.scheme.startswith(PREFIX):
            raise ValueError(
                f"url: begins with {PREFIX} and a dialect: {PREFIX}snowflake://user:password@account"
            )
        if self.expect is not None and self.query is None:
            raise ValueError("expect: is of no use without query, whose answer it is compared with")
        return self

    @cached_property
    def _parts(self) -> Url:
        return Url.parse(self.url.get_secret_value())

    @cached_property
    def _dialect(self) -> str:
        return self._parts.scheme.removeprefix(PREFIX).partition("+")[0]

    @property
    def _port(self) -> int | None:
        """The port to dial; None where the host may be no host: an account, a project, a name of ODBC's."""
        named = self._parts.scheme.endswith("+pyodbc") and "driver" not in self._parts.query
        return self._parts.port or (None if named else _dialects.PORTS.get(self._dialect))

    @property
    def _asked(self) -> Asked:
        return Asked(self._dialect, self._parts.user or "", self._parts.name or self._parts.user or "")

    @property
    def address(self) -> str:
        if not self._parts.host:
            return self._parts.path.removeprefix("/") or self._dialect
        place = self._parts.authority(self._port)
        return f"{place}/{self._parts.name}" if self._parts.name else place

    @property
    def reads_machine(self) -> bool:
        """Whether a file or socket of this machine may be opened: all that is not surely elsewhere."""
        elsewhere = self._dialect in _dialects.NETWORKED and bool(self._parts.host)
        return not (elsewhere and _dialects.HARMLESS.issuperset(self._parts.query))

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        for key, value in self._parts.query.items():
            if value and _HIDDEN.search(key):
                yield value
                yield from _ODBC_PASSWORD.findall(value)

    async def open(self, trail: Trail) -> Warehouse:
        from mooring.probes._sqlalchemy import Warehouse, engine_for

        session = Warehouse(trail)
        with ExitStack() as undo:
            undo.callback(session.drop)
            engine = await session.run(lambda: engine_for(*self._place, trail.remaining))
            if self._parts.host and self._port is not None:
                await self._dial(session, engine, trail)
            elif self._parts.host and self._dialect in _dialects.HOSTED:
                await resolve(trail, self._parts.host)  # the driver dials: at least no denied address
            denied = None
            async with trail.stage(Stage.AUTH):
                try:
                    await self._told(session, lambda: session.connect(engine))
                except CheckError as error:
                    if error.cause.reason is not Reason.PERMISSION:
                        raise
                    denied = error
            if denied is not None:  # the login was accepted; the database is asked for afterwards
                async with trail.stage(Stage.PERMISSION):
                    raise denied
            undo.pop_all()
        return session

    @property
    def _place(self) -> tuple[str, str | None]:
        """The address as SQLAlchemy takes it, and the password that it does not hold."""
        text = self.url.get_secret_value()
        address = text[text.lower().index(PREFIX) + len(PREFIX) :]
        return address, None if self.password is None else self.password.get_secret_value()

    async def _dial(self, session: Warehouse, engine: Engine, trail: Trail) -> None:
        """Dial, and give the connection to drivers that can be given one; others dial themselves."""
        from mooring.probes._relay import Relay
        from mooring.probes._sqlalchemy import hand_over, point

        host, port, driver = self._parts.host, self._port or 0, engine.dialect.driver
        if driver not in _dialects.LIBPQ and driver != _dialects.PYMYSQL:
            await reach(trail, host, port)
            return
        session.relay = relay = Relay(await dial(trail, host, port))
        if driver == _dialects.PYMYSQL:
            hand_over(engine, await relay.pair())
        else:
            # Nor may what the server's own user keeps for other databases be sent there.
            own = {} if "passfile" in self._parts.query else {"passfile": os.devnull}
            point(engine, hostaddr="127.0.0.1", port=await relay.listen(), **own)

    async def _told(self, session: Warehouse, work: Callable[[], T]) -> T:
        """Run a blocking call; what its driver complains of is told by who is at fault."""
        from sqlalchemy.exc import DBAPIError

        try:
            return await session.run(work)
        except DBAPIError as error:
            known = self._explained(error, connecting=not session.connected)
            lost = session.relay.lost if session.relay is not None else None
            if lost is not None and known.code in (CONNECTION_LOST, type(error.orig).__name__):
                raise lost from error
            raise CheckError(
                known.reason,
                known.message or "",
                code=known.code,
                hint=known.hint,
                stage=known.stage,
                fix=known.fix,
            ) from error

    def _explained(self, error: DBAPIError, *, connecting: bool = True) -> Cause:
        if self._dialect == "sqlite" and getattr(error.orig, "sqlite_errorname", _ANY) != _ANY:
            known = self._file.reason(error.orig) if isinstance(error.orig, Exception) else None
            if isinstance(known, Cause):
                return known
        asked = self._asked._replace(connecting=connecting)
        return cause(error.orig if isinstance(error.orig, Exception) else error, asked)

    @property
    def _file(self) -> Probe:
        """The kind that knows the errors of files."""
        from mooring.probes.sqlite import SQLite

        return SQLite.model_validate({"url": f"sqlite://{quote(self._parts.path) or '/x'}"})

    async def inspect(self, session: Warehouse, trail: Trail) -> Observation:
        from mooring.probes import _sqlalchemy as calls

        connection = session.connection
        async with trail.stage(Stage.PERMISSION):
            await self._told(session, lambda: calls.bounded(connection, trail))
            trail.note(dialect=connection.dialect.name, driver=connection.dialect.driver)
            if (version := calls.version_of(connection)) is not None:
                trail.note(server_version=version)
            for table in self.tables:
                await self._told(session, partial(calls.read_table, connection, table))
            if self.grant_query is not None:
                query = self.grant_query
                _demand_grant(await self._told(session, lambda: calls.first_row(connection, query)))
        async with trail.stage(Stage.FUNCTION):
            self._demand_expected(await self._told(session, lambda: calls.first_row(connection, self.query)))
        return Observation()

    def _demand_expected(self, row: tuple[Any, ...] | None) -> None:
        if self.expect is None:
            return
        if not row:
            raise CheckError(Reason.ASSERTION, Prose("the query returned no row"), code="NO_ROW")
        found, wanted = as_text(row[0]), as_text(self.expect)
        if found != wanted and not _same_number(found, wanted):
            raise CheckError(
                Reason.ASSERTION,
                f"the query returned {cut(found)!r}, not {cut(wanted)!r}",
                code="UNEXPECTED_VALUE",
            )

    async def ping(self, session: Warehouse) -> None:
        from mooring.probes import _sqlalchemy as calls

        await self._told(session, lambda: calls.first_row(session.connection, None))

    async def close(self, session: Warehouse) -> None:
        await session.run(session.close)

    def drop(self, session: Warehouse) -> None:
        session.drop()

    def reason(self, error: Exception) -> Reason | Cause | None:
        from sqlalchemy import exc

        if isinstance(error, exc.DBAPIError):
            return self._explained(error)
        if isinstance(error, FileNotFoundError) and self._dialect == "sqlite":
            return self._file.reason(error)
        if isinstance(error, exc.TimeoutError):
            return Cause(Reason.TIMEOUT, "TIMEOUT")
        if isinstance(error, exc.SQLAlchemyError):
            return Cause(Reason.CONFIG, type(error).__name__)
        if type(error).__module__.partition(".")[0] in _DRIVERS:
            return cause(error, self._asked)
        return None


def _demand_grant(row: tuple[Any, ...] | None) -> None:
    found = as_text(row[0]).lower() if row else "no row"
    if found not in _YES:
        raise CheckError(
            Reason.PERMISSION,
            f"the grant query answers {cut(found)!r}",
            code="MISSING_GRANT",
            hint=Prose("Grant the account what this target's grant query asks for."),
        )


def _same_number(found: str, wanted: str) -> bool:
    """Whether both are numbers and equal: averages and sums come as decimals with zeros behind."""
    try:
        return Decimal(found) == Decimal(wanted)
    except InvalidOperation:
        return False
