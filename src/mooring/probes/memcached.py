"""memcached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cached_property
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, model_validator

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.aside import first_words, use
from mooring.net.dial import dial
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._memcached import VALUE_LIFE, Conversation
from mooring.probes._session import SessionProbe
from mooring.probes._tls_choice import demand_use
from mooring.probes._url import Url

MEMCACHED_PORT = 11211
HEAD_ROOM_WARNING = 0.8
PREFIX = "mooring:check:"
OPEN_DOOR = Prose("the server asks for no login: whoever reaches it may read and write everything")


class Memcached(SessionProbe[Conversation]):
    """memcached: log in where it asks for that, look at its head-room, write and read a value."""

    kind: Literal["memcached"] = "memcached"
    schemes: ClassVar[tuple[str, ...]] = ("memcached", "memcacheds", "memcache")
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.TLS: "the certificate is trusted, where TLS is asked for",
        Stage.PROTOCOL: "it speaks memcached's text protocol, and has room for one more connection",
        Stage.AUTH: "user and password are accepted (only where the server asks, or a login is given)",
        Stage.FUNCTION: "it tells its state; with `write_key` it takes a value and gives it back",
    }

    url: SecretStr = Field(
        description="memcached://host:port, with user:password@ where it has an auth file (-Y), or "
        "memcacheds:// with TLS.",
        examples=["memcached://cache.example:11211"],
    )
    tls: TLSSettings = Field(
        default_factory=TLSSettings, description="Whom to trust, and who we are; for memcacheds:// only."
    )
    write_key: str | None = Field(
        None,
        max_length=200,
        pattern=r"^[!-~]*$",
        description=f"Beginning of a key that a check writes, reads and removes, such as {PREFIX}; it lives "
        f"for {VALUE_LIFE} s at most.",
    )
    warn_used: float = Field(
        HEAD_ROOM_WARNING, gt=0, le=1, description="Part of the connections in use at which it warns."
    )

    @model_validator(mode="after")
    def _fits(self) -> Memcached:
        url = self._parts
        if not url.host:
            raise ValueError("url: a memcached address names a host: memcached://host:11211")
        if url.user and not url.password:
            raise ValueError("url: a user without a password; write memcached://user:password@host:11211")
        if url.password and not url.user:
            raise ValueError("url: a password without a user; write memcached://user:password@host:11211")
        if url.name:
            raise ValueError("url: memcached has no databases; leave out what follows the port")
        demand_use(self.tls, "memcacheds:// instead of memcached://", secure=self._secure)
        return self

    @cached_property
    def _parts(self) -> Url:
        return Url.parse(self.url.get_secret_value())

    @property
    def _secure(self) -> bool:
        return self._parts.scheme == "memcacheds"

    @property
    def address(self) -> str:
        return self._parts.authority(MEMCACHED_PORT)

    async def open(self, trail: Trail) -> Conversation:
        url = self._parts
        with ExitStack() as undo:
            tls = self.tls if self._secure else None
            stream = await dial(trail, url.host, url.port or MEMCACHED_PORT, tls, plain=b"version\r\n")
            undo.callback(stream.drop)
            conversation = Conversation(stream)
            hint = use("memcacheds", "memcached")
            async with first_words(trail, stream, url.host, tls, hint), trail.stage(Stage.PROTOCOL):
                version = await conversation.version()
            if url.user or version is None:
                async with trail.stage(Stage.AUTH):
                    version = await self._log_in(conversation, trail, version)
            trail.note(server_version=version)
            undo.pop_all()
        return conversation

    async def _log_in(self, conversation: Conversation, trail: Trail, version: str | None) -> str | None:
        """Log in and return the version that the server tells afterwards."""
        url = self._parts
        if version is not None:  # to a server that does not ask, a login is a value that everybody can read
            trail.warn(OPEN_DOOR, Stage.AUTH)
            return version
        if not url.user or not url.password:
            raise CheckError(
                Reason.AUTH,
                Prose("the server demands a login and none was given"),
                code="UNAUTHENTICATED",
                hint=Prose("Put user and password into the address, between memcached:// and the host."),
            )
        if not await conversation.log_in(url.user, url.password):
            raise CheckError(
                Reason.AUTH,
                Prose("the server rejects the login"),
                code="AUTHENTICATION_FAILURE",
                hint=Prose(
                    "Compare user and password with the server's auth file (-Y), which it reads at its start "
                    "and at SIGHUP."
                ),
            )
        return await conversation.version()

    async def inspect(self, session: Conversation, trail: Trail) -> Observation:
        async with trail.stage(Stage.FUNCTION):
            facts, settings = await session.stats(), await session.stats("settings")
            trail.measure(**_numbers(facts))
            if self.write_key is not None:
                await session.write_and_read(self.write_key)
        return Observation({}, {}, tuple(self._warnings(facts, settings)))

    def _warnings(self, facts: Mapping[str, str], settings: Mapping[str, str]) -> Iterator[str]:
        numbers = _numbers(facts)
        used, most = numbers.get("connections_used", 0), numbers.get("connections_max", 0)
        if most and used >= self.warn_used * most:
            yield Prose("{used} of {most} connections are open", used=int(used), most=int(most))
        memory, limit = numbers.get("memory_used_bytes", 0), numbers.get("memory_max_bytes", 0)
        # A cache that evicts is meant to be full.
        if settings.get("evictions") == "off" and limit and memory >= self.warn_used * limit:
            share = f"{memory / limit:.0%}"
            yield Prose("{share} of its memory is used, and nothing may be evicted (-M)", share=share)

    async def ping(self, session: Conversation) -> None:
        await session.version()

    async def close(self, session: Conversation) -> None:
        await session.leave()

    def drop(self, session: Conversation) -> None:
        session.drop()


_NAMES = {
    "curr_connections": "connections_used",
    "max_connections": "connections_max",
    "rejected_connections": "connections_rejected",
    "bytes": "memory_used_bytes",
    "limit_maxbytes": "memory_max_bytes",
    "curr_items": "items",
    "evictions": "evictions",
    "get_hits": "hits",
    "get_misses": "misses",
    "uptime": "uptime_seconds",
}


def _numbers(facts: Mapping[str, str]) -> dict[str, float]:
    return {new: float(facts[old]) for old, new in _NAMES.items() if facts.get(old, "").isdecimal()}
