"""Redis and Valkey."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, SecretStr, model_validator

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.aside import first_words, use
from mooring.net.dial import dial
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._session import SessionProbe
from mooring.probes._tls_choice import demand_use
from mooring.probes._url import Url

if TYPE_CHECKING:
    from redis.asyncio import Redis as Client

REDIS_PORT = 6379
HEAD_ROOM_WARNING = 0.8
PREFIX = "mooring:check:"
VALUE_LIFE = 60
"""Seconds after which Redis itself removes what a check wrote, should the check be cut off."""
_VERIFY = {"": True, "required": True, "optional": True, "none": False}
ROLES = {"master": "master", "slave": "replica"}


class Redis(SessionProbe["Client"]):
    """Redis: log in, look at role and head-room, run a command."""

    kind: Literal["redis"] = "redis"
    schemes: ClassVar[tuple[str, ...]] = ("redis", "rediss", "valkey", "valkeys")
    extra: ClassVar[str | None] = "redis"
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.TLS: "the certificate is trusted, where TLS is asked for",
        Stage.AUTH: "user and password are accepted, and the database number exists",
        Stage.PERMISSION: "the user may run PING",
        Stage.FUNCTION: "it has its data at hand, and the expected `role`; with `write_key` it takes a write",
    }

    url: SecretStr = Field(
        description="redis://user:password@host:port/0, or rediss:// with TLS",
        examples=["rediss://app:secret@cache.example:6379/0"],
    )
    tls: TLSSettings = Field(
        default_factory=TLSSettings, description="Whom to trust, and who we are; for rediss:// only."
    )
    role: Literal["master", "replica"] | None = Field(
        None, description="The role that the server has to have; without it any will do."
    )
    write_key: str | None = Field(
        None,
        max_length=200,
        description=f"Beginning of a key that a check writes, reads and removes, such as {PREFIX}; it lives "
        f"for {VALUE_LIFE} s at most.",
    )
    warn_used: float = Field(
        HEAD_ROOM_WARNING, gt=0, le=1, description="Part of clients or memory in use at which it warns."
    )

    @model_validator(mode="after")
    def _fits(self) -> Redis:
        url = self._parts
        if not url.host:
            raise ValueError("url: a redis address names a host: redis://user:password@host:port/0")
        if url.user and url.password is None and "password" not in url.query:
            raise ValueError("url: a user without a password; a password alone is redis://:password@host")
        demand_use(self.tls, "rediss:// instead of redis://", secure=self._secure)
        if url.query.get("ssl_cert_reqs", "").lower().removeprefix("cert_") not in _VERIFY:
            raise ValueError("url: ssl_cert_reqs has to be required, optional or none")
        if not self._database.isdecimal():
            raise ValueError("url: the database is a number: redis://host/0")
        return self

    @property
    def _parts(self) -> Url:
        return Url.parse(self.url.get_secret_value())

    @property
    def _secure(self) -> bool:
        return self._parts.scheme in ("rediss", "valkeys")

    @property
    def _tls(self) -> TLSSettings | None:
        """The TLS settings; where there are none, what the address says in redis-py's and Celery's words."""
        query = self._parts.query
        if not self._secure or self.tls != TLSSettings():
            return self.tls if self._secure else None
        return TLSSettings(
            verify=_VERIFY[query.get("ssl_cert_reqs", "").lower().removeprefix("cert_")],
            ca=query.get("ssl_ca_certs"),
            cert=query.get("ssl_certfile"),
            key=query.get("ssl_keyfile"),
        )

    @property
    def _user(self) -> str | None:
        return self._parts.user or self._parts.query.get("username")

    @property
    def _database(self) -> str:
        return self._parts.name or self._parts.query.get("db", "0")

    @property
    def address(self) -> str:
        place = self._parts.authority(REDIS_PORT)
        return place if self._database == "0" else f"{place}/{self._database}"

    async def open(self, trail: Trail) -> Client:
        from mooring.probes._redis import HungUpError, client_over

        url, tls = self._parts, self._tls
        password = url.password or url.query.get("password")
        with ExitStack() as undo:
            stream = await dial(trail, url.host, url.port or REDIS_PORT, tls, plain=b"PING\r\n")
            undo.callback(stream.drop)
            hint = use("valkeys", "valkey") if url.scheme == "valkey" else use("rediss", "redis")
            words = first_words(trail, stream, url.host, tls, hint, hung_up=(HungUpError,))
            async with words, trail.stage(Stage.AUTH):
                client = await client_over(
                    stream, user=self._user or None, password=password or None, database=int(self._database)
                )
            undo.pop_all()
        return client

    async def inspect(self, session: Client, trail: Trail) -> Observation:
        from mooring.probes._redis import trouble_at

        async with trail.stage(Stage.PERMISSION):
            trouble = await trouble_at(self.ping(session))
        async with trail.stage(Stage.FUNCTION):
            if trouble is not None:
                raise trouble
            facts = await _facts(session)
            self._demand_role(facts)
            if self.write_key is not None:
                await _write_and_read(session, self.write_key)
        return Observation(_details(facts), _numbers(facts), tuple(self._warnings(facts)))

    def _demand_role(self, facts: Mapping[str, Any]) -> None:
        role = ROLES.get(facts.get("role", ""))
        if self.role is not None and role != self.role:
            raise CheckError(
                Reason.ASSERTION,
                f"the server is a {role or 'server of an unknown role'}, expected a {self.role}",
                code="WRONG_ROLE",
                hint=Prose("After a failover the address has to follow: ask Sentinel, or move the name."),
            )

    def _warnings(self, facts: Mapping[str, Any]) -> Iterator[str]:
        used, most = facts.get("connected_clients", 0), facts.get("maxclients", 0)
        if most and used >= self.warn_used * most:
            yield Prose("{used} of {most} clients are connected", used=used, most=most)
        memory, limit = facts.get("used_memory", 0), facts.get("maxmemory", 0)
        # A cache that evicts is meant to be full.
        if limit and memory >= self.warn_used * limit and facts.get("maxmemory_policy") == "noeviction":
            share = f"{memory / limit:.0%}"
            yield Prose("{share} of maxmemory is used, and nothing may be evicted", share=share)
        if facts.get("master_link_status") == "down":
            yield Prose("the link to its master is down: what it answers grows old")
        if facts.get("rdb_last_bgsave_status") == "err":
            yield Prose("the last background save failed")
        if facts.get("aof_enabled") and facts.get("aof_last_write_status") == "err":
            yield Prose("the last write to the append-only file failed")

    async def ping(self, session: Client) -> None:
        # Not ECHO: that is answered while data loads, and by replicas that lost their master.
        if not await session.ping():
            raise CheckError(Reason.PROTOCOL, Prose("PING answers something else"), code="BAD_PONG")

    async def close(self, session: Client) -> None:
        from mooring.probes._redis import leave

        await leave(session)

    def drop(self, session: Client) -> None:
        from mooring.probes._redis import drop

        drop(session)

    def reason(self, error: Exception) -> Reason | Cause | None:
        from mooring.probes._redis import explain

        return explain(error, self._user or "default", self.write_key)


async def _facts(session: Client) -> Mapping[str, Any]:
    """Return what INFO says; nothing where the user may not ask."""
    from redis.exceptions import NoPermissionError

    try:
        facts: Mapping[str, Any] = await session.info()
    except NoPermissionError:
        return {}
    return facts


async def _write_and_read(session: Client, prefix: str) -> None:
    """Write a value under a key of our own, read it back and remove it."""
    key, value = f"{prefix}{secrets.token_hex(8)}", secrets.token_hex(8)
    await session.set(key, value, ex=VALUE_LIFE)
    try:
        found = await session.get(key)
    finally:
        await session.delete(key)
    if found != value:
        raise CheckError(Reason.ASSERTION, Prose("what was written is not what is read"), code="LOST_WRITE")


def _details(facts: Mapping[str, Any]) -> dict[str, Any]:
    details = {
        "server_version": facts.get("valkey_version") or facts.get("redis_version"),
        "role": ROLES.get(facts.get("role", "")),
        "mode": facts.get("redis_mode"),
        "master_link": facts.get("master_link_status"),
    }
    return {key: value for key, value in details.items() if value is not None}


def _numbers(facts: Mapping[str, Any]) -> dict[str, float]:
    names = {
        "connected_clients": "clients_used",
        "maxclients": "clients_max",
        "used_memory": "memory_used_bytes",
        "maxmemory": "memory_max_bytes",
        "connected_slaves": "replicas",
        "master_last_io_seconds_ago": "master_silent_seconds",
        "uptime_in_seconds": "uptime_seconds",
    }
    return {new: float(facts[old]) for old, new in names.items() if old in facts}
