"""A PgBouncer, by its console."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, SecretStr, model_validator

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.dial import Stream, dial
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._encryption import Encryption, encryption
from mooring.probes._password import Password, password_of
from mooring.probes._pgbouncer import NO_POOLER, NOT_ALLOWED, cause, quoted
from mooring.probes._postgresql import CONNECTION_LOST
from mooring.probes._session import SessionProbe
from mooring.probes._ssl_request import encrypt
from mooring.probes._url import Url

if TYPE_CHECKING:
    from mooring.probes._console import Console, Row

PGBOUNCER_PORT = 6432
DATABASE = "pgbouncer"
MICROSECONDS = 1e-6
_NO_POOLER = Prose("what answers is no PgBouncer")
_ANOTHER = Prose("It may be of another pooler, or of PgBouncer before 1.8, which shows less.")
_BUSY = Prose("Find what holds the servers for long, such as open transactions, or raise pool_size.")


class PgBouncer(SessionProbe["Console"]):
    """PgBouncer: log in to its console, and look who waits for a server."""

    kind: Literal["pgbouncer"] = "pgbouncer"
    schemes: ClassVar[tuple[str, ...]] = ("pgbouncer",)
    extra: ClassVar[str | None] = "postgresql"
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.PROTOCOL: "it speaks PostgreSQL's protocol (asked only where TLS may be used)",
        Stage.TLS: "TLS is offered, and the certificate is as sslmode or the TLS settings demand",
        Stage.AUTH: "user and password are accepted",
        Stage.PERMISSION: "the user may look into the console: admin_users or stats_users",
        Stage.FUNCTION: "it takes clients, no database is paused or disabled, and nobody waits too long",
    }

    url: SecretStr = Field(
        description="pgbouncer://user:password@host:port, with ?sslmode=... as clients know it.",
        examples=["pgbouncer://stats:secret@pool.example:6432/"],
    )
    password: Password = None
    tls: TLSSettings | None = Field(
        None, description="TLS settings. Without them the address decides, and else what the pooler offers."
    )
    databases: tuple[str, ...] = Field(
        (),
        max_length=100,
        description="Databases that have to be there and usable; without them all that there are.",
        examples=[["orders"]],
    )
    wait_warning: float = Field(
        1.0, ge=0, description="Seconds that a client has waited for a server from which on a check warns."
    )
    most_wait: float | None = Field(
        None, ge=0, description="Seconds that a client may wait for a server; more is a failure."
    )
    most_waiting: int | None = Field(
        None, ge=0, description="Clients that may wait for a server at one time; more is a failure."
    )
    used_warning: float = Field(
        0.8, gt=0, le=1, description="Part of max_client_conn in use from which on a check warns."
    )

    @model_validator(mode="after")
    def _fits(self) -> PgBouncer:
        if not self._parts.host or not self._parts.user:
            raise ValueError("url: names no host or no user; write pgbouncer://user:password@host:6432")
        if self._parts.name not in ("", DATABASE):
            raise ValueError(
                f"url: the console is the database {DATABASE}; "
                f"leave {self._parts.name!r} out, or put it into databases"
            )
        encryption(self._parts.query, self.tls)
        return self

    @cached_property
    def _parts(self) -> Url:
        return Url.parse(self.url.get_secret_value())

    @property
    def _encryption(self) -> Encryption:
        return encryption(self._parts.query, self.tls)

    @property
    def _user(self) -> str:
        return self._parts.user or ""

    @property
    def _secret(self) -> str:
        return password_of(self._parts, self.password)

    @property
    def _port(self) -> int:
        return self._parts.port or PGBOUNCER_PORT

    @property
    def address(self) -> str:
        return self._parts.authority(PGBOUNCER_PORT)

    async def open(self, trail: Trail) -> Console:
        import asyncpg  # noqa: F401 - where it is missing, say so before anything is dialled

        stream = await dial(trail, self._parts.host, self._port)
        with ExitStack() as undo:
            undo.callback(stream.drop)
            await encrypt(stream, trail, self._encryption, self._parts.host)
            console = await self._log_in(stream, trail)
            undo.pop_all()
        return console

    async def _log_in(self, stream: Stream, trail: Trail) -> Console:
        import asyncpg

        from mooring.probes._console import console_over

        async with trail.stage(Stage.AUTH):
            try:
                return await console_over(
                    stream,
                    host=stream.address,
                    port=self._port,
                    user=self._user,
                    password=self._secret,
                    database=DATABASE,
                    ssl=False,  # done; and what the environment says must not matter
                    target_session_attrs="any",
                    timeout=None,  # the check has a deadline
                    statement_cache_size=0,
                )
            except asyncpg.ProtocolViolationError as error:
                if str(error) != NOT_ALLOWED:
                    raise
                denied = error
        trail.retract(Stage.AUTH)  # it looks at the name before it looks at the password
        async with trail.stage(Stage.PERMISSION):
            raise denied

    async def inspect(self, session: Console, trail: Trail) -> Observation:
        async with trail.stage(Stage.PERMISSION):
            with _readable():
                trail.note(server_version=await _version(session))
                pools = await session.ask("SHOW POOLS")
        async with trail.stage(Stage.FUNCTION):
            with _readable():
                await self._judge(session, trail, pools)
        return Observation()

    async def _judge(self, session: Console, trail: Trail, pools: Sequence[Row]) -> None:
        await self._judge_clients(session, trail)
        names = self._demand_databases(await session.ask("SHOW DATABASES"))
        self._judge_pools([pool for pool in pools if pool["database"] in names], trail)

    async def _judge_clients(self, session: Console, trail: Trail) -> None:
        """Keep the numbers of clients. The console lets its users in where nobody else gets in."""
        config = {row["key"]: row["value"] for row in await session.ask("SHOW CONFIG")}
        lists = {row["list"]: int(row["items"]) for row in await session.ask("SHOW LISTS")}
        used, most = lists["used_clients"] - 1, int(config["max_client_conn"])
        trail.note(pool_mode=config["pool_mode"])
        trail.measure(clients_used=used, clients_max=most)
        if used >= most:
            raise CheckError(
                Reason.OVERLOADED,
                Prose("all of the {most} clients allowed are connected: others are refused", most=most),
                code="CLIENTS_FULL",
                hint=Prose("Raise max_client_conn, or find who holds the clients: SHOW CLIENTS."),
            )
        if used >= self.used_warning * most:
            trail.warn(Prose("{used} of {most} clients are connected", used=used, most=most))

    def _demand_databases(self, rows: Sequence[Row]) -> frozenset[str]:
        """Return the names of the databases that count. Raises CheckError where one cannot be used."""
        found = {row["name"]: row for row in rows if row["name"] != DATABASE}
        for name in self.databases or found:
            if name not in found:
                raise CheckError(
                    Reason.NOT_FOUND,
                    f"the pooler has no database {name}",
                    code="NO_SUCH_DATABASE",
                    hint=Prose(
                        "Add it to [databases], or correct its name; one of * shows up once it was used."
                    ),
                )
            if found[name]["disabled"] == "1":
                raise _closed("disabled", name, f"ENABLE {quoted(name)};")
            if found[name]["paused"] == "1":
                raise _closed("paused", name, f"RESUME {quoted(name)};")
        return frozenset(self.databases or found)

    def _judge_pools(self, pools: Sequence[Row], trail: Trail) -> None:
        waiting, waited = _sum(pools, "cl_waiting"), max(map(_waited, pools), default=0.0)
        trail.measure(
            clients_active=_sum(pools, "cl_active"),
            clients_waiting=waiting,
            wait_seconds=waited,
            servers_active=_sum(pools, "sv_active"),
            servers_idle=_sum(pools, "sv_idle") + _sum(pools, "sv_used"),
        )
        if self.most_waiting is not None and waiting > self.most_waiting:
            raise _overdue(Prose("{waiting} clients wait for a server", waiting=waiting), "CLIENTS_WAITING")
        shown = f"{waited:.1f}"
        if self.most_wait is not None and waited > self.most_wait:
            raise _overdue(Prose("a client has waited {shown} s for a server", shown=shown), "LONG_WAIT")
        if waiting and waited >= self.wait_warning:
            trail.warn(
                Prose(
                    "{waiting} clients wait for a server, the first for {shown} s: {full}",
                    waiting=waiting,
                    shown=shown,
                    full=", ".join(_full(pools)),
                )
            )

    async def ping(self, session: Console) -> None:
        await session.ask("SHOW VERSION")

    async def close(self, session: Console) -> None:
        await session.leave()

    def drop(self, session: Console) -> None:
        session.drop()

    def reason(self, error: Exception) -> Reason | Cause | None:
        import asyncpg

        if isinstance(error, asyncpg.PostgresError):
            if error.sqlstate == CONNECTION_LOST:
                return None if error.__cause__ else Cause(Reason.NETWORK, "CONNECTION_LOST")
            return cause(error.sqlstate or "", str(error.args[0] if error.args else ""), self._user)
        if isinstance(error, asyncpg.InterfaceError) and "uthentication" in str(error):
            return Cause(Reason.AUTH, "AUTH_METHOD")
        if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
            return Cause(Reason.PROTOCOL, "PROTOCOL")
        return None


@contextmanager
def _readable() -> Iterator[None]:
    """Tell rows that are not those of the console. Raises CheckError(protocol)."""
    try:
        yield
    except (LookupError, ValueError) as error:
        text = f"the console's answer cannot be read: {error}"
        raise CheckError(Reason.PROTOCOL, text, code="UNREADABLE", hint=_ANOTHER) from error


async def _version(session: Console) -> str:
    """Return the pooler's version. Raises CheckError(protocol) where something else answers."""
    rows = await session.ask("SHOW VERSION")
    version = rows[0].get("version", "") if rows else ""
    if not version:
        raise CheckError(Reason.PROTOCOL, _NO_POOLER, code="NOT_PGBOUNCER", hint=NO_POOLER)
    return version.removeprefix("PgBouncer ")


def _closed(how: str, name: str, fix: str) -> CheckError:
    return CheckError(
        Reason.UNAVAILABLE,
        f"the database {name} is {how}: its clients are kept out",
        code=how.upper(),
        hint=Prose("Somebody did this on the console, and has to undo it there."),
        fix=fix,
    )


def _overdue(message: Prose, code: str) -> CheckError:
    return CheckError(Reason.ASSERTION, message, code=code, hint=_BUSY, fix="SHOW SERVERS;")


def _sum(pools: Sequence[Row], column: str) -> int:
    return sum(int(pool[column]) for pool in pools)


def _waited(pool: Row) -> float:
    return int(pool["maxwait"]) + int(pool["maxwait_us"]) * MICROSECONDS


def _full(pools: Sequence[Row]) -> Iterator[str]:
    """Yield the pools in which somebody waits."""
    return (f"{pool['database']} of {pool['user']}" for pool in pools if int(pool["cl_waiting"]))
