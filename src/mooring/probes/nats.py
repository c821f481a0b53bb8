"""NATS and JetStream."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.aside import SHARE_OF_GREETING, first_words
from mooring.net.dial import dial
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._session import SessionProbe
from mooring.probes._url import Url

if TYPE_CHECKING:
    from mooring.probes._nats import Nats as Session

NATS_PORT = 4222
HEAD_ROOM_WARNING = 0.8
_TLS_LATER = Prose(
    "Use a port where the server greets before TLS, not one of a proxy that ends TLS or of handshake_first."
)
_SUBJECT = re.compile(r"[^\s.*>]+(\.[^\s.*>]+)*")
_STREAM = re.compile(r"[^\s.*>/\\]+")


class Nats(SessionProbe["Session"]):
    """NATS: log in, send a message to itself, ask a service, look at JetStream."""

    kind: Literal["nats"] = "nats"
    schemes: ClassVar[tuple[str, ...]] = ("nats",)
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.PROTOCOL: "it greets as a NATS server",
        Stage.TLS: "the certificate is trusted, where the server or `tls` demands TLS",
        Stage.AUTH: "the login is accepted",
        Stage.PERMISSION: "the user may hear and publish on `subject`",
        Stage.FUNCTION: "what is published on `subject` is heard, `request` is answered, and JetStream or "
        "its `stream` is there",
    }

    url: SecretStr = Field(
        description="nats://user:password@host:port, or nats://token@host:port",
        examples=["nats://app:secret@nats.example:4222"],
    )
    tls: TLSSettings | None = Field(
        None,
        description="Whom to trust, and who we are; set, it demands TLS. Without it TLS is used where the "
        "server demands it.",
    )
    subject: str | None = Field(
        None,
        max_length=255,
        description="A subject on which a check sends a message and hears it; nobody else should listen.",
        examples=["mooring.check"],
    )
    request: str | None = Field(
        None, max_length=255, description="A subject of a service that has to answer an empty request."
    )
    jetstream: bool = Field(
        False, description="Whether JetStream has to be there for this account; its use is charted."
    )
    stream: str | None = Field(
        None,
        max_length=255,
        description="A stream of JetStream that has to be there; nothing is taken from it.",
    )
    inbox: str = Field(
        "_INBOX", max_length=100, description="How the subjects begin on which we hear answers."
    )
    warn_used: float = Field(
        HEAD_ROOM_WARNING, gt=0, le=1, description="Part of JetStream's limits in use at which it warns."
    )

    @field_validator("subject", "request", "inbox")
    @classmethod
    def _is_subject(cls, value: str | None) -> str | None:
        if value is not None and not _SUBJECT.fullmatch(value):
            raise ValueError("has to be one subject, words with dots between: orders.new, without * and >")
        return value

    @field_validator("stream")
    @classmethod
    def _is_stream(cls, value: str | None) -> str | None:
        if value is not None and not _STREAM.fullmatch(value):
            raise ValueError("has to be a stream's name, without dots, spaces, * and >")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Nats:
        if not self._parts.host:
            raise ValueError("url: an address names a host: nats://user:password@host:port")
        if not self._parts.user and self._parts.password is not None:
            raise ValueError("url: a password without a user; a token alone is nats://token@host")
        return self

    @property
    def _parts(self) -> Url:
        return Url.parse(self.url.get_secret_value())

    @property
    def address(self) -> str:
        return self._parts.authority(NATS_PORT)

    @property
    def login(self) -> Mapping[str, str]:
        """What is sent to log in: user and password, a token, or nothing."""
        url = self._parts
        if not url.user:
            return {}
        if url.password is None:
            return {"auth_token": url.user}
        return {"user": url.user, "pass": url.password}

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        token = self.login.get("auth_token")
        if token:
            yield token

    async def open(self, trail: Trail) -> Session:
        from mooring.probes._nats import Nats as Session

        url = self._parts
        with ExitStack() as undo:
            stream = await dial(trail, url.host, url.port or NATS_PORT)
            undo.callback(stream.drop)
            session = Session(stream)
            async with first_words(trail, stream, url.host, None, _TLS_LATER), trail.stage(Stage.PROTOCOL):
                await session.greet(trail.remaining * SHARE_OF_GREETING)
            trail.note(**_details(session.info))
            await self._secure(session, trail)
            async with trail.stage(Stage.AUTH):
                await session.log_in(self.login)
            undo.pop_all()
        return session

    async def _secure(self, session: Session, trail: Trail) -> None:
        """Turn to TLS where it is demanded, inside a `tls` stage."""
        info = session.info
        if self.tls is None and not info.get("tls_required"):
            return
        settings = self.tls or TLSSettings()
        async with trail.stage(Stage.TLS):
            if not info.get("tls_required") and not info.get("tls_available"):
                raise CheckError(
                    Reason.TLS,
                    Prose("the server offers no TLS"),
                    code="TLS_NOT_OFFERED",
                    hint=Prose("Switch TLS on in the server, or leave out the tls settings."),
                )
            if info.get("tls_verify") and settings.cert is None:
                raise CheckError(
                    Reason.TLS,
                    Prose("the server demands a client certificate"),
                    code="CLIENT_CERT_REQUIRED",
                    hint=Prose("Set tls.cert and tls.key to a certificate that the server accepts."),
                )
            await session.stream.start_tls(trail, settings, self._parts.host)

    async def inspect(self, session: Session, trail: Trail) -> Observation:
        from mooring.probes import _jetstream

        if self.subject is not None:
            async with trail.stage(Stage.PERMISSION):
                await session.subscribe(self.subject)
                heard = await session.publish(self.subject, secrets.token_hex(8))
        async with trail.stage(Stage.FUNCTION):
            if self.subject is None:
                await session.ping()
            else:
                _demand_heard(heard)
            if self.request is not None:
                await _jetstream.ask(session, self.request, self.inbox)
            warnings = await self._look_at_jetstream(session, trail)
        return Observation({}, {}, tuple(warnings))

    async def _look_at_jetstream(self, session: Session, trail: Trail) -> list[str]:
        from mooring.probes import _jetstream

        warnings: list[str] = []
        if self.jetstream or self.stream is not None:
            account = await _jetstream.account(session, self.inbox)
            trail.measure(**_jetstream.numbers(account))
            warnings = list(_jetstream.warnings(account, self.warn_used))
        if self.stream is not None:
            trail.measure(**await _jetstream.stream(session, self.stream, self.inbox))
        return warnings

    async def ping(self, session: Session) -> None:
        await session.ping()

    async def close(self, session: Session) -> None:
        await session.ping()  # all that was sent has arrived; the protocol knows no goodbye

    def drop(self, session: Session) -> None:
        session.stream.drop()

    def reason(self, error: Exception) -> Reason | Cause | None:
        from mooring.probes._nats_errors import explain

        return explain(error, bool(self.login))


def _demand_heard(heard: bool) -> None:
    if not heard:
        raise CheckError(
            Reason.ASSERTION,
            Prose("what was published on the subject is not heard there"),
            code="NOT_HEARD",
            hint=Prose("The account may map the subject to another one: look at its mappings."),
        )


def _details(info: Mapping[str, Any]) -> dict[str, object]:
    words = {
        "version": "server_version",
        "server_name": "server_name",
        "cluster": "cluster",
        "jetstream": "jetstream",
        "max_payload": "max_payload_bytes",
    }
    return {
        new: info[old] for old, new in words.items() if info.get(old) and isinstance(info[old], str | int)
    }
