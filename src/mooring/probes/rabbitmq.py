"""RabbitMQ, and other brokers that speak AMQP 0-9-1."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

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
    from mooring.probes._amqp import Amqp

PORTS = {"amqp": 5672, "amqps": 5671}
GUEST = "guest"
_VERIFY = {"": True, "verify_peer": True, "verify_none": False}

MOST_BYTES = 255


def _short(name: str) -> str:
    if (size := len(name.encode())) > MOST_BYTES:
        raise ValueError(f"has {size} bytes in UTF-8; AMQP takes names of at most {MOST_BYTES}")
    return name


Name = Annotated[str, Field(min_length=1, max_length=MOST_BYTES), AfterValidator(_short)]
Right = Literal["configure", "read", "write"]


class RabbitMQ(SessionProbe["Amqp"]):
    """RabbitMQ: log in, enter the virtual host, look at a queue or exchange and at alarms."""

    kind: Literal["rabbitmq"] = "rabbitmq"
    schemes: ClassVar[tuple[str, ...]] = ("amqp", "amqps")
    extra: ClassVar[str | None] = "rabbitmq"
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.TLS: "the certificate is trusted, where TLS is asked for",
        Stage.PROTOCOL: "it greets as AMQP 0-9-1",
        Stage.AUTH: "user and password are accepted",
        Stage.PERMISSION: "the virtual host exists and the user may enter it",
        Stage.FUNCTION: "`queue` and `exchange` are there, with the `rights` and `consumers` asked for; no "
        "alarm of memory or disk stops messages",
    }

    url: SecretStr = Field(
        description="amqp://user:password@host:port/vhost, or amqps:// with TLS; a / in vhost is %2F",
        examples=["amqps://app:secret@rabbit.example:5671/shop"],
    )
    tls: TLSSettings = Field(
        default_factory=TLSSettings, description="Whom to trust, and who we are; for amqps:// only."
    )
    queue: Name | None = Field(
        None,
        description="A queue that has to be there; nothing is taken from it.",
    )
    exchange: Name | None = Field(None, description="An exchange that has to be there.")
    rights: tuple[Right, ...] = Field(
        (),
        description="What the user has to be allowed: read or configure `queue`, write to `exchange`. "
        "Nothing is moved or changed; the server notes each of these tests in its log as a refused request.",
    )
    consumers: int = Field(0, ge=0, description="Consumers that `queue` has to have at least.")
    warn_messages: int | None = Field(
        None, ge=1, description="Messages waiting in `queue` at which it warns; by default it never does."
    )
    alarms: bool = Field(
        True,
        description="Whether an alarm of memory or disk is a failure; a message to no queue shows it.",
    )

    @model_validator(mode="after")
    def _fits(self) -> RabbitMQ:
        url = self._parts
        if not url.host:
            raise ValueError("url: an address names a host: amqp://user:password@host:port/vhost")
        try:
            _short(self.vhost)
        except ValueError as error:
            raise ValueError(f"url: the virtual host {error}") from None
        if bool(url.user) is (url.password is None):
            raise ValueError("url: a login is user and password: amqp://user:password@host")
        demand_use(self.tls, "amqps:// instead of amqp://", secure=self._secure)
        if url.query.get("verify", "") not in _VERIFY:
            raise ValueError("url: verify has to be verify_peer or verify_none")
        if self.mechanism not in ("PLAIN", "EXTERNAL"):
            raise ValueError("url: auth_mechanism has to be plain or external")
        return self._fits_together()

    def _fits_together(self) -> RabbitMQ:
        if self.queue is None and {"read", "configure"} & set(self.rights):
            raise ValueError("rights: to read and to configure need `queue`")
        if self.exchange is None and "write" in self.rights:
            raise ValueError("rights: to write needs `exchange`")
        if self.queue is None and (self.consumers or self.warn_messages):
            raise ValueError("queue: has to be set for consumers and warn_messages")
        return self

    @property
    def _parts(self) -> Url:
        return Url.parse(self.url.get_secret_value())

    @property
    def _secure(self) -> bool:
        return self._parts.scheme == "amqps"

    @property
    def _tls(self) -> TLSSettings | None:
        """The TLS settings; where there are none, what the address says in the words of the AMQP clients."""
        query = self._parts.query
        if not self._secure or self.tls != TLSSettings():
            return self.tls if self._secure else None
        return TLSSettings(
            verify=_VERIFY[query.get("verify", "")] and query.get("no_verify_ssl", "0") == "0",
            ca=query.get("cacertfile", query.get("cafile")),
            cert=query.get("certfile"),
            key=query.get("keyfile"),
            server_name=query.get("server_name_indication"),
        )

    @property
    def mechanism(self) -> str:
        """How it logs in: PLAIN, or EXTERNAL with the TLS certificate."""
        query = self._parts.query
        return query.get("auth_mechanism", query.get("auth", "plain")).upper()

    @property
    def user(self) -> str:
        """Who logs in."""
        return self._parts.user or GUEST

    @property
    def vhost(self) -> str:
        """The virtual host that is entered."""
        return self._parts.path.removeprefix("/") or "/"

    @property
    def address(self) -> str:
        place = self._parts.authority(PORTS[self._parts.scheme])
        return place if self.vhost == "/" else f"{place}/{self.vhost}"

    async def open(self, trail: Trail) -> Amqp:
        from mooring.probes._amqp import Amqp

        url = self._parts
        with ExitStack() as undo:
            stream = await dial(
                trail, url.host, url.port or PORTS[url.scheme], self._tls, plain=b"AMQP\0\0\x09\x01"
            )
            undo.callback(stream.drop)
            session = Amqp(stream)
            hint = use("amqps", "amqp")
            async with first_words(trail, stream, url.host, self._tls, hint), trail.stage(Stage.PROTOCOL):
                offered = await session.greet()
            trail.note(**_details(session))
            async with trail.stage(Stage.AUTH):
                await self._log_in(session, offered)
            async with trail.stage(Stage.PERMISSION):
                await session.enter(self.vhost)
            undo.pop_all()
        return session

    async def _log_in(self, session: Amqp, offered: str) -> None:
        if self.mechanism not in offered.split():
            raise CheckError(
                Reason.AUTH,
                Prose(
                    "the server offers no login by {ours}, only {offered}",
                    ours=self.mechanism,
                    offered=offered,
                ),
                code="NO_MECHANISM",
                hint=Prose(
                    "Switch it on in the server (auth_mechanisms), or set auth_mechanism in the address."
                ),
            )
        plain = self.mechanism == "PLAIN"
        password = self._parts.password
        response = f"\0{self.user}\0{GUEST if password is None else password}" if plain else ""
        await session.log_in(self.mechanism, response, f"mooring {secrets.token_hex(4)}")

    async def inspect(self, session: Amqp, trail: Trail) -> Observation:
        from mooring.probes import _rabbitmq

        numbers: dict[str, float] = {}
        async with trail.stage(Stage.FUNCTION):
            if self.exchange is not None:
                await _rabbitmq.demand_exchange(session, self.exchange)
            if self.queue is not None:
                numbers = await _rabbitmq.look_at(session, self.queue)
                trail.measure(**numbers)
                self._demand_consumers(numbers["consumers"])
            for right in sorted(set(self.rights)):
                await _rabbitmq.demand_right(session, right, self.queue, self.exchange, self.user)
            if self.alarms:
                await _rabbitmq.demand_no_alarm(session)
        return Observation({}, {}, tuple(self._warnings(numbers.get("messages", 0))))

    def _demand_consumers(self, found: float) -> None:
        if found < self.consumers:
            raise CheckError(
                Reason.ASSERTION,
                Prose(
                    "{found} consume from the queue, at least {least} have to",
                    found=int(found),
                    least=self.consumers,
                ),
                code="TOO_FEW_CONSUMERS",
                hint=Prose("Look whether the workers run, and whether they reach this virtual host."),
            )

    def _warnings(self, messages: float) -> Iterator[str]:
        if self.warn_messages is not None and messages >= self.warn_messages:
            yield Prose(
                "{messages} messages wait in the queue, {most} are to be warned of",
                messages=int(messages),
                most=self.warn_messages,
            )

    async def ping(self, session: Amqp) -> None:
        from mooring.probes._rabbitmq import ping

        await ping(session)

    async def close(self, session: Amqp) -> None:
        await session.close()

    def drop(self, session: Amqp) -> None:
        session.stream.drop()

    def reason(self, error: Exception) -> Reason | Cause | None:
        from mooring.probes._rabbitmq import explain

        return explain(error, self.user, self.vhost)


def _details(session: Amqp) -> dict[str, object]:
    words = {"product": "server_product", "version": "server_version", "cluster_name": "cluster"}
    return {new: str(session.server[old]) for old, new in words.items() if session.server.get(old)}
