"""A MySQL or MariaDB database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, SecretStr

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.aside import SHARE_OF_GREETING
from mooring.net.dial import dial
from mooring.net.trail import Trail
from mooring.probes._mysql import LOST, Login, cause, host_of, literal, quoted
from mooring.probes._sql import GRACE, SQLProbe

if TYPE_CHECKING:
    from mooring.probes._aiomysql import DialledConnection

Privilege = Literal["SELECT", "INSERT", "UPDATE", "DELETE"]

MOST_ROWS = 1000
_STATE = "SELECT version(), @@global.read_only, @@max_connections"
_USED = "SHOW GLOBAL STATUS LIKE 'Threads_connected'"
_REPLICATION = ("SHOW REPLICA STATUS", "SHOW SLAVE STATUS")  # MySQL 8.4 knows no slave, 5.7 no replica
_LAG = ("Seconds_Behind_Source", "Seconds_Behind_Master")
_DENIED, _SYNTAX, _UNKNOWN_VARIABLE, _UNKNOWN_COLUMN, _NO_DATABASE_GRANT = 1227, 1064, 1193, 1054, 1044
_NO_TABLE_GRANT = 1142

# Prepared and never run: the server itself says whether the statement would be allowed.
_PROBING = {
    "SELECT": "SELECT 1 FROM {table}",
    "INSERT": "INSERT INTO {table} () VALUES ()",
    "UPDATE": "UPDATE {table} SET `no column of this name` = 1",  # told only after the grant was checked
    "DELETE": "DELETE FROM {table}",
}


class MySQL(SQLProbe["DialledConnection"]):
    """MySQL and MariaDB: log in, look at grants, role and head-room, and run one query."""

    kind: Literal["mysql"] = "mysql"
    schemes: ClassVar[tuple[str, ...]] = ("mysql", "mariadb", "mysql2", "mysqlgis", "mysql-connector")
    drivers: ClassVar[bool] = True
    default_port: ClassVar[int] = 3306
    extra: ClassVar[str | None] = "mysql"
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.PROTOCOL: "it greets as MySQL does, and has room for a client from this host",
        Stage.TLS: "TLS is offered, and the certificate is as ssl-mode or the TLS settings demand",
        Stage.AUTH: "the account may log in, and the database exists",
        Stage.PERMISSION: "the account may use the database, and has the privileges on the tables named",
        Stage.FUNCTION: "the server has the role asked for, and the query returns what is expected",
    }

    url: SecretStr = Field(
        description="mysql://user:password@host:port/database, with ?ssl-mode=... as clients know it.",
        examples=["mysql://app:secret@db.example:3306/orders"],
    )
    privileges: tuple[Privilege, ...] = Field(
        ("SELECT",), description="The privileges that `tables` have to grant."
    )

    @property
    def _login(self) -> Login:
        return Login(self.user, self.database)

    async def open(self, trail: Trail) -> DialledConnection:
        from mooring.probes._aiomysql import DialledConnection

        stream = await dial(trail, self.parts.host, self.port)
        with ExitStack() as undo:
            undo.callback(stream.drop)
            connection = DialledConnection(
                stream,
                user=self.user,
                password=self.secret,
                db=self.database or None,
                charset="utf8mb4",
                program_name="mooring",
            )
            undo.callback(connection.close)
            async with trail.stage(Stage.PROTOCOL):
                await _greeted(connection, trail)
            await self._encrypt(connection, trail)
            await _log_in(connection, trail)
            undo.pop_all()
        return connection

    async def _encrypt(self, connection: DialledConnection, trail: Trail) -> None:
        wanted = self.encryption
        if wanted.tls is None or not (connection.offers_tls or wanted.required):
            return
        async with trail.stage(Stage.TLS):
            if not connection.offers_tls:
                raise wanted.refused()
            connection.request_tls()
            await connection.stream.start_tls(trail, wanted.tls, self.parts.host, quiet=wanted.unverified)
            trail.note(tls_verified=wanted.verified)

    async def inspect(self, session: DialledConnection, trail: Trail) -> Observation:
        async with trail.stage(Stage.PERMISSION):
            await _bound(session, trail.remaining + GRACE)
            for table in self.tables:
                for privilege in self.privileges:
                    await _demand_privilege(session, privilege, table)
        async with trail.stage(Stage.FUNCTION):
            [(version, read_only, most)] = await _rows(session, _STATE)
            [(_, used)] = await _rows(session, _USED)
            replication = await _replication(session) if read_only or self.role else None
            replica = bool(read_only or replication)
            trail.note(server_version=version, role="replica" if replica else "primary")
            if replication:
                _judge_replication(trail, replication)
            self.judge_head_room(trail, int(used), int(most))
            self.demand_role(replica)
            self.demand_expected(await _first_row(session, self.query))
        return Observation()

    async def ping(self, session: DialledConnection) -> None:
        await session.ping(reconnect=False)

    async def close(self, session: DialledConnection) -> None:
        await session.ensure_closed()

    def drop(self, session: DialledConnection) -> None:
        session.stream.drop()
        session.close()

    def reason(self, error: Exception) -> Reason | Cause | None:
        from pymysql.err import MySQLError

        if not isinstance(error, MySQLError):
            return None
        number, message, account = (*error.args, "", "", "")[:3]
        if not isinstance(number, int):
            return Cause(Reason.PROTOCOL, "PROTOCOL")
        if number in LOST:
            return None if error.__cause__ else Cause(Reason.NETWORK, str(number), str(message))
        return cause(number, str(message), self._login._replace(host=host_of(str(account))))


async def _greeted(connection: DialledConnection, trail: Trail) -> None:
    try:
        async with asyncio.timeout(trail.remaining * SHARE_OF_GREETING):
            await connection.greet()
    except TimeoutError as error:
        raise CheckError(
            Reason.TIMEOUT,
            Prose("the port accepts connections, and no greeting comes"),
            code="NO_GREETING",
            hint=Prose("MySQL speaks first: the server hangs, or what listens there is something else."),
        ) from error


async def _log_in(connection: DialledConnection, trail: Trail) -> None:
    from pymysql.err import OperationalError

    async with trail.stage(Stage.AUTH):
        try:
            await connection.log_in()
            # An expired password is let in, and everything else refused.
            [(connection.account,)] = await _rows(connection, "SELECT CURRENT_USER()")
        except OperationalError as error:
            if error.args[0] != _NO_DATABASE_GRANT:
                raise
            denied = error
        else:
            return
    async with trail.stage(Stage.PERMISSION):  # the login was accepted; the database is asked for afterwards
        raise denied


async def _bound(session: DialledConnection, seconds: float) -> None:
    """Have the server roll back what is done here, and end a query that nobody waits for any more."""
    from pymysql.err import MySQLError

    mariadb = "MariaDB" in session.server_version
    limit = f"max_statement_time = {seconds:.3f}" if mariadb else f"max_execution_time = {seconds * 1000:.0f}"
    try:
        await _rows(session, f"SET autocommit = 0, SESSION {limit}")
    except MySQLError as error:
        if error.args[0] != _UNKNOWN_VARIABLE:  # MySQL before 5.7.8
            raise
        await _rows(session, "SET autocommit = 0")


async def _demand_privilege(session: DialledConnection, privilege: str, table: str) -> None:
    from pymysql.err import MySQLError

    name = ".".join(quoted(part) for part in table.split("."))
    statement = literal(_PROBING[privilege].format(table=name))
    try:
        await _rows(session, f"PREPARE mooring_probing FROM {statement}")
    except MySQLError as error:
        if error.args[0] != _UNKNOWN_COLUMN:
            raise


async def _replication(session: DialledConnection) -> dict[str, Any] | None:
    """Return what a replica says of its replication; None on a primary, and where we may not ask."""
    from aiomysql import DictCursor
    from pymysql.err import MySQLError

    for question in _REPLICATION:
        try:
            found: list[dict[str, Any]] = await _rows(session, question, DictCursor)
        except MySQLError as error:
            if error.args[0] not in (_DENIED, _SYNTAX):
                raise
        else:
            return found[0] if found else None
    return None


def _judge_replication(trail: Trail, replication: dict[str, Any]) -> None:
    lag = next((replication[key] for key in _LAG if key in replication), None)
    if lag is not None:
        trail.measure(replica_lag=float(lag))
        return
    said = next((value for key, value in replication.items() if key.startswith("Last_") and value), None)
    words = Prose("replication does not run")
    trail.warn(Prose("{words}: {said}", words=words, said=said) if isinstance(said, str) else words)


async def _rows(session: DialledConnection, statement: str, *kinds: Any) -> list[Any]:
    cursor = await session.cursor(*kinds)
    with _of_account(session):
        await cursor.execute(statement)
    return list(await cursor.fetchall())


@contextmanager
def _of_account(session: DialledConnection) -> Iterator[None]:
    """Have an error tell to whom a right on a table is denied: the server names the client's host."""
    from pymysql.err import MySQLError

    try:
        yield
    except MySQLError as error:
        if error.args[0] != _NO_TABLE_GRANT:
            raise
        raise type(error)(*error.args, session.account) from error


async def _first_row(session: DialledConnection, query: str) -> tuple[Any, ...] | None:
    """Return the first row of a query without ever holding all of a large answer."""
    from aiomysql import SSCursor

    cursor = await session.cursor(SSCursor)
    with _of_account(session):
        await cursor.execute(query)
    rows = await cursor.fetchmany(MOST_ROWS) if cursor.description else []
    if len(rows) == MOST_ROWS:
        session.close()  # the rest would have to be read before anything else can be asked
    return rows[0] if rows else None
