"""MQTT brokers."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

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
    from mooring.probes._mqtt import Mqtt as Session

PORTS = {"mqtt": 1883, "mqtts": 8883}
SHARE_OF_ECHO = 0.5
"""Part of the time left after which the broker is pinged: one that hangs has lost no message."""
_PLAIN = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00"
"""CONNECT of version 3.1.1, by nobody, which is answered whether it is accepted or not."""


class Mqtt(SessionProbe["Session"]):
    """MQTT: log in, send a message to itself."""

    kind: Literal["mqtt"] = "mqtt"
    schemes: ClassVar[tuple[str, ...]] = ("mqtt", "mqtts")
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.TLS: "the certificate is trusted, where TLS is asked for",
        Stage.AUTH: "it speaks MQTT, and accepts the login, the client's identifier and the version",
        Stage.PERMISSION: "the user may subscribe to `topic` and publish on it, as far as the broker says so",
        Stage.FUNCTION: "what is published on `topic` is heard there; without one, the broker answers a ping",
    }

    url: SecretStr = Field(
        description="mqtt://user:password@host:port, or mqtts:// with TLS",
        examples=["mqtts://sensor:secret@broker.example:8883"],
    )
    tls: TLSSettings = Field(
        default_factory=TLSSettings, description="Whom to trust, and who we are; for mqtts:// only."
    )
    protocol: Literal["5", "3.1.1"] = Field("5", description="The version of MQTT; 3.1.1 for older brokers.")
    client_id: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="The client's identifier; without it a new one each time. Another of the same is cut.",
    )
    topic: str | None = Field(
        None,
        max_length=1000,
        description="A topic on which a check sends a message and hears it; nobody else should listen.",
        examples=["mooring/check"],
    )

    @field_validator("topic")
    @classmethod
    def _is_topic(cls, value: str | None) -> str | None:
        if value is not None and (not value or not value.isprintable() or {"#", "+"} & set(value)):
            raise ValueError("has to be one topic, such as mooring/check, without # and +")
        if value is not None and value.startswith("$"):
            raise ValueError("has to be a topic of clients, such as mooring/check: $ begins the broker's own")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Mqtt:
        url = self._parts
        if not url.host:
            raise ValueError("url: an address names a host: mqtt://user:password@host:port")
        if not url.user and url.password is not None:
            raise ValueError("url: a password without a user: mqtt://user:password@host")
        demand_use(self.tls, "mqtts:// instead of mqtt://", secure=self._secure)
        if url.name:
            raise ValueError("url: ends after the port; a topic goes into `topic`")
        return self

    @property
    def _parts(self) -> Url:
        return Url.parse(self.url.get_secret_value())

    @property
    def _secure(self) -> bool:
        return self._parts.scheme == "mqtts"

    @property
    def address(self) -> str:
        return self._parts.authority(PORTS[self._parts.scheme])

    async def open(self, trail: Trail) -> Session:
        from mooring.probes._mqtt import Mqtt as Session

        url = self._parts
        with ExitStack() as undo:
            tls = self.tls if self._secure else None
            stream = await dial(trail, url.host, url.port or PORTS[url.scheme], tls, plain=_PLAIN)
            undo.callback(stream.drop)
            session = Session(stream, self.protocol)
            trail.note(protocol=f"MQTT {self.protocol}")
            try:
                hint = use("mqtts", "mqtt")
                async with first_words(trail, stream, url.host, tls, hint), trail.stage(Stage.AUTH):
                    await self._log_in(session)
            except (EOFError, ConnectionError) as error:
                raise self._hung_up() from error
            undo.pop_all()
        return session

    async def _log_in(self, session: Session) -> None:
        client_id = self.client_id or f"mooring-{secrets.token_hex(6)}"
        await session.log_in(client_id, self._parts.user or None, self._parts.password)

    def _hung_up(self) -> CheckError:
        return CheckError(
            Reason.NETWORK,
            Prose("the broker hangs up when asked to log in, and does not say why"),
            code="HUNG_UP",
            hint=Prose(
                "It may have no room (max_connections), or not speak MQTT {version}.", version=self.protocol
            ),
        )

    async def inspect(self, session: Session, trail: Trail) -> Observation:
        if self.topic is None:
            async with trail.stage(Stage.FUNCTION):
                await session.ping()
            return Observation({}, {}, ())
        word = secrets.token_hex(8)
        async with trail.stage(Stage.PERMISSION):
            await session.subscribe(self.topic)
            began = trail.monotonic()
            await session.publish(self.topic, word)
        async with trail.stage(Stage.FUNCTION):
            if not await session.hear(trail.remaining * SHARE_OF_ECHO):
                raise self._lost()
        return Observation({}, {"round_trip_seconds": trail.monotonic() - began}, ())

    def _lost(self) -> CheckError:
        unsaid = Prose("publish on it or hear it") if self.protocol == "3.1.1" else Prose("hear it")
        return CheckError(
            Reason.PERMISSION,
            Prose("the broker took a message for {topic} and did not deliver it", topic=self.topic),
            code="NOT_DELIVERED",
            hint=Prose(
                "Brokers drop in silence what a user has no right to: this one may not {unsaid}. Allow it "
                "in the access list; this line does it for Mosquitto, below the user's name.",
                unsaid=unsaid,
            ),
            fix=f"topic readwrite {self.topic}",
        )

    async def ping(self, session: Session) -> None:
        await session.ping()

    async def close(self, session: Session) -> None:
        await session.leave()

    def drop(self, session: Session) -> None:
        session.stream.drop()

    def reason(self, error: Exception) -> Reason | Cause | None:
        from mooring.probes._mqtt_codes import explain

        return explain(error, self.topic or "", with_login=bool(self._parts.user))
