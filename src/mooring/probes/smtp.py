"""A mail server."""

from __future__ import annotations

import re
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

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
from mooring.probes._password import Password, password_of
from mooring.probes._session import SessionProbe
from mooring.probes._smtp import cause
from mooring.probes._tls_choice import demand_use
from mooring.probes._url import Url

if TYPE_CHECKING:
    from mooring.probes._aiosmtplib import Mail

SMTP_PORT, SMTPS_PORT = 25, 465
_SIZE = re.compile(r"[0-9]{1,20}")
"""What RFC 1870 has servers say of the largest mail they take; 0 means that they do not say it."""
Address = Annotated[str, Field(pattern=r"^[^\s<>\x00-\x1f\x7f]+$", max_length=320)]
"""A mail address as it stands between the angle brackets of a command, which it cannot leave."""


class SMTP(SessionProbe["Mail"]):
    """SMTP: greet, encrypt, log in, and ask whether it would take a mail."""

    kind: Literal["smtp"] = "smtp"
    schemes: ClassVar[tuple[str, ...]] = ("smtp", "smtps")
    extra: ClassVar[str | None] = "smtp"
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.PROTOCOL: "a mail server greets us and lets us in",
        Stage.TLS: "the certificate is trusted, where TLS is used",
        Stage.AUTH: "user and password are accepted, where they are given",
        Stage.PERMISSION: "`mail_from` and `rcpt_to` are accepted; no mail is ever sent",
        Stage.FUNCTION: "it answers NOOP",
    }

    url: SecretStr = Field(
        description="smtp://user:password@host:port, or smtps:// with TLS from the start",
        examples=["smtp://app:secret@mail.example:587"],
    )
    password: Password = None
    starttls: Literal["auto", "required", "off"] = Field(
        "auto", description="Whether smtp:// turns to TLS: where the server offers it, always, or never."
    )
    tls: TLSSettings = Field(default_factory=TLSSettings, description="Whom to trust, and who we are.")
    mail_from: Address | None = Field(
        None,
        description="A sender that the server has to accept. It is told so and taken back: nothing is sent.",
        examples=["app@example.org"],
    )
    rcpt_to: tuple[Address, ...] = Field(
        (),
        max_length=20,
        description="Recipients that the server has to accept from `mail_from`.",
        examples=[["ops@example.org"]],
    )
    message_size: int | None = Field(
        None, ge=1, description="Size in bytes of a mail that the server has to take."
    )
    hello: str | None = Field(
        None,
        pattern=r"^[\w.:\[\]-]+$",
        description="The name that we introduce ourselves by; without it our address.",
    )

    @model_validator(mode="after")
    def _fits(self) -> SMTP:
        if not self._parts.host:
            raise ValueError("url: an SMTP address names a host: smtp://user:password@host:port")
        if self._user and not self._secret:
            raise ValueError(
                "url: a user without a password; write smtp://user:password@host, or set password"
            )
        if self._secret and not self._user:
            raise ValueError("url: a password without a user; write smtp://user:password@host")
        if self._implicit and self.starttls == "required":
            raise ValueError("starttls: is of no use with smtps://, which is TLS from the start")
        tls = self._implicit or self.starttls != "off"
        demand_use(self.tls, "smtps://, or set starttls to auto or required", secure=tls)
        if self.mail_from is None and (self.rcpt_to or self.message_size is not None):
            raise ValueError("mail_from: is missing; recipients and sizes are asked for a sender's mail")
        return self

    @cached_property
    def _parts(self) -> Url:
        return Url.parse(self.url.get_secret_value())

    @property
    def _implicit(self) -> bool:
        return self._parts.scheme == "smtps"

    @property
    def _user(self) -> str:
        return self._parts.user or ""

    @property
    def _secret(self) -> str:
        return password_of(self._parts, self.password)

    @property
    def _port(self) -> int:
        return self._parts.port or (SMTPS_PORT if self._implicit else SMTP_PORT)

    @property
    def address(self) -> str:
        return self._parts.authority(self._port)

    async def open(self, trail: Trail) -> Mail:
        from mooring.probes._aiosmtplib import greeted

        with ExitStack() as undo:
            host, tls = self._parts.host, self.tls if self._implicit else None
            stream = await dial(trail, host, self._port, tls)
            undo.callback(stream.drop)
            hint = use("smtps", "smtp")
            async with first_words(trail, stream, host, tls, hint), trail.stage(Stage.PROTOCOL):
                mail = await greeted(stream, trail, self.hello)
            await self._encrypt(mail, trail)
            if self._user:
                await self._log_in(mail, trail)
            undo.pop_all()
        return mail

    async def _encrypt(self, mail: Mail, trail: Trail) -> None:
        if self._implicit or self.starttls == "off":
            return
        offered = mail.client.supports_extension("starttls")
        if not offered and self.starttls == "auto":
            return
        async with trail.stage(Stage.TLS):
            if not offered:
                raise CheckError(
                    Reason.TLS,
                    Prose("the server offers no STARTTLS"),
                    code="TLS_NOT_OFFERED",
                    hint=Prose("Give the server a certificate, or use smtps:// where it listens for that."),
                )
            await mail.start_tls(trail, self.tls, self._parts.host)

    async def _log_in(self, mail: Mail, trail: Trail) -> None:
        from mooring.probes._aiosmtplib import introduced

        async with trail.stage(Stage.AUTH):
            if mail.client.is_ehlo_or_helo_needed:  # what was offered before TLS could be anybody's words
                await introduced(mail.client)
            trail.note(login=await mail.log_in(self._user, self._secret))
        if not mail.secure and self.starttls == "auto":
            trail.warn(Prose("the login is sent unencrypted: the server offers no STARTTLS"), Stage.AUTH)

    async def inspect(self, session: Mail, trail: Trail) -> Observation:
        if self.mail_from is not None:
            async with trail.stage(Stage.PERMISSION):
                await self._offer(session, self.mail_from)
        async with trail.stage(Stage.FUNCTION):
            await self.ping(session)
        return Observation(*_seen(session))

    async def _offer(self, mail: Mail, sender: str) -> None:
        """Ask whether a mail would be taken, and take the question back. DATA is never sent."""
        size = self.message_size
        known = mail.client.supports_extension("size")
        options = [f"SIZE={size}"] if size is not None and known else []
        await mail.client.mail(sender, options=options)
        for recipient in self.rcpt_to:
            await mail.client.rcpt(recipient)
        await mail.client.rset()

    async def ping(self, session: Mail) -> None:
        await session.client.noop()

    async def close(self, session: Mail) -> None:
        await session.client.quit()

    def drop(self, session: Mail) -> None:
        session.stream.drop()

    def reason(self, error: Exception) -> Reason | Cause | None:
        from aiosmtplib import SMTPException

        return cause(error) if isinstance(error, SMTPException) else None


def _seen(mail: Mail) -> tuple[dict[str, str], dict[str, float]]:
    """Return what the server says of itself, and how large a mail it takes."""
    details = {"server": mail.greeting.partition(" ")[0]}
    largest = mail.client.esmtp_extensions.get("size", "")
    known = _SIZE.fullmatch(largest) and int(largest)
    return details, {"message_max_bytes": float(largest)} if known else {}
