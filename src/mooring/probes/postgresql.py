"""A PostgreSQL database."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, SecretStr

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.dial import Stream, dial
from mooring.net.trail import Trail
from mooring.probes._postgresql import CONNECTION_LOST, NO_SQLSTATE, Login, cause, other_method, quoted
from mooring.probes._sql import GRACE, SQLProbe
from mooring.probes._ssl_request import encrypt

if TYPE_CHECKING:
    import asyncpg

Privilege = Literal["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]

# numbackends and not pg_stat_activity: what others do is hidden there from most roles.
_STATE = """
SELECT current_setting('server_version') AS version,
       pg_is_in_recovery() AS replica,
       (SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database) AS used,
       current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true), '0')::int AS most
"""
_LAG = """
SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END::float8
"""
_MISSING = """
SELECT t AS name, p AS privilege FROM unnest($1::text[]) t, unnest($2::text[]) p
WHERE NOT has_table_privilege(t::regclass, p)
"""


class PostgreSQL(SQLProbe["asyncpg.Connection"]):
    """PostgreSQL: log in, look at grants, role and head-room, and run one query."""

    kind: Literal["postgresql"] = "postgresql"
    schemes: ClassVar[tuple[str, ...]] = ("postgresql", "postgres", "pgsql", "postgis", "timescale")
    drivers: ClassVar[bool] = True
    default_port: ClassVar[int] = 5432
    extra: ClassVar[str | None] = "postgresql"
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.PROTOCOL: "it speaks PostgreSQL (asked only where TLS may be used)",
        Stage.TLS: "TLS is offered, and the certificate is as sslmode or the TLS settings demand",
        Stage.AUTH: "the role may log in from here, and the database exists",
        Stage.PERMISSION: "the role may connect to the database, and has the privileges on the tables named",
        Stage.FUNCTION: "the server has the role asked for, and the query returns what is expected",
    }

    url: SecretStr = Field(
        description="postgresql://user:password@host:port/database, with ?sslmode=... as clients know it.",
        examples=["postgresql://app:secret@db.example:5432/orders?sslmode=verify-full"],
    )
    privileges: tuple[Privilege, ...] = Field(
        ("SELECT",), description="The privileges that `tables` have to grant."
    )

    @property
    def _login(self) -> Login:
        return Login(self.user, self.database or self.user, bool(self.secret))

    async def open(self, trail: Trail) -> asyncpg.Connection:
        import asyncpg  # noqa: F401 - where it is missing, say so before anything is dialled

        stream = await dial(trail, self.parts.host, self.port)
        with ExitStack() as undo:
            undo.callback(stream.drop)
            await encrypt(stream, trail, self.encryption, self.parts.host)
            connection = await self._log_in(stream, trail)
            undo.pop_all()
        return connection

    async def _log_in(self, stream: Stream, trail: Trail) -> asyncpg.Connection:
        import asyncpg

        async with trail.stage(Stage.AUTH):
            try:
                return await self._connect(stream)
            except (asyncpg.InsufficientPrivilegeError, asyncpg.ObjectNotInPrerequisiteStateError) as error:
                denied = error
        async with trail.stage(Stage.PERMISSION):  # the login was accepted; CONNECT is asked for afterwards
            raise denied

    async def _connect(self, stream: Stream) -> asyncpg.Connection:
        from mooring.probes._asyncpg import connected

        return await connected(
            stream,
            host=stream.address,
            port=self.port,
            user=self.user,
            password=self.secret,
            database=self._login.database,
            ssl=False,  # done; and what the environment says must not matter
            target_session_attrs="any",
            timeout=None,  # the check has a deadline
            statement_cache_size=0,  # poolers that share sessions know no prepared statements
            server_settings={"application_name": "mooring"},
        )

    async def inspect(self, session: asyncpg.Connection, trail: Trail) -> Observation:
        async with trail.stage(Stage.PERMISSION):
            lag = await _lag(session)
            await session.execute(
                f"BEGIN; SET LOCAL statement_timeout = {int((trail.remaining + GRACE) * 1000)}"
            )
            if self.tables:
                await self._demand_privileges(session)
        async with trail.stage(Stage.FUNCTION):
            state = await session.fetchrow(_STATE)
            trail.note(server_version=state["version"], role="replica" if state["replica"] else "primary")
            if lag is not None:
                trail.measure(replica_lag=lag)
            self.judge_head_room(trail, state["used"], state["most"])
            self.demand_role(state["replica"])
            self.demand_expected(await session.fetchrow(self.query))
        await session.execute("ROLLBACK")
        return Observation()

    async def _demand_privileges(self, session: asyncpg.Connection) -> None:
        missing = await session.fetch(_MISSING, list(self.tables), list(self.privileges))
        if not missing:
            return
        lacking = {(row["privilege"], row["name"]) for row in missing}
        pairs = [(right, table) for table in self.tables for right in self.privileges]
        listed = [
            pair for pair in pairs if pair in lacking
        ]  # as they were asked for, no word of the server's
        told = ", ".join(f"{right} on {table}" for right, table in listed)
        raise CheckError(
            Reason.PERMISSION,
            f"the role lacks {told}",
            code="42501",
            hint=Prose("Grant the role what this target's tables and privileges ask for."),
            fix=" ".join(f"GRANT {right} ON {table} TO {quoted(self.user)};" for right, table in listed),
        )

    async def ping(self, session: asyncpg.Connection) -> None:
        await session.fetchval("SELECT 1")

    async def close(self, session: asyncpg.Connection) -> None:
        await session.close()

    def drop(self, session: asyncpg.Connection) -> None:
        session.terminate()

    def reason(self, error: Exception) -> Reason | Cause | None:
        import asyncpg

        if isinstance(error, asyncpg.PostgresError):
            if error.sqlstate == CONNECTION_LOST:
                return None if error.__cause__ else Cause(Reason.NETWORK, "CONNECTION_LOST")
            said = error.args[0] if error.args else ""
            return cause(error.sqlstate or NO_SQLSTATE, said, self._login)
        if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
            return other_method(str(error)) or Cause(Reason.PROTOCOL, "PROTOCOL")
        return None


async def _lag(session: asyncpg.Connection) -> float | None:
    """Return how many seconds a replica is behind; None on a primary, and where the server cannot say."""
    import asyncpg

    try:
        if not await session.fetchval("SELECT pg_is_in_recovery()"):
            return None
        lag = await session.fetchval(_LAG)
    except (asyncpg.FeatureNotSupportedError, asyncpg.UndefinedFunctionError):
        return None  # as on Aurora, whose replicas share their storage
    return None if lag is None else float(lag)
