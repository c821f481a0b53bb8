"""aiosmtplib over a connection that was dialled for it. Imported only where the driver is needed."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import LONGEST_SHOWN, cut
from mooring.net.aside import SHARE_OF_GREETING
from mooring.net.dial import LARGEST_LINE, Stream, secured
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail

READY = 220
_SHORTEST = 5
"""Bytes of the shortest greeting: a code and the end of its line."""
_GREETING = re.compile(rb"[2-5]\d\d[ \r\n-]")


@dataclass(slots=True)
class Mail:
    """A session with a mail server: the driver, the connection that it was handed, and the greeting."""

    client: aiosmtplib.SMTP
    stream: Stream
    greeting: str

    @property
    def secure(self) -> bool:
        """Whether what is sent is encrypted."""
        return self.stream.tls is not None

    async def start_tls(self, trail: Trail, settings: TLSSettings, host: str) -> None:
        """Turn the connection into TLS, inside a `tls` stage. Raises CheckError(tls) or ssl.SSLError."""
        name = settings.server_name or host
        await self.client.starttls(server_hostname=name, tls_context=trail.net.tls.get(settings))
        self.stream.tls = await secured(trail, settings, self.client.get_transport_info("ssl_object"))

    async def log_in(self, user: str, password: str) -> str:
        """Log in by one mechanism, the best that the server offers, and return its name.

        Not by each in turn: a wrong password would count as several.
        """
        order = ("plain", "login", "cram-md5") if self.secure else ("cram-md5", "plain", "login")
        offered = self.client.server_auth_methods
        name = next((each for each in order if each in offered), None)
        if name is None:
            raise _no_mechanism(offered, secure=self.secure)
        log_in = getattr(self.client, f"auth_{name.replace('-', '')}")
        await log_in(user, password)
        return name


def _no_mechanism(offered: list[str], *, secure: bool) -> CheckError:
    if offered:
        return CheckError(
            Reason.AUTH,
            f"the server offers only logins that are not known here: {cut(', '.join(offered))}",
            code="NO_COMMON_LOGIN",
            hint=Prose(
                "Allow PLAIN, LOGIN or CRAM-MD5 for this account; some services call it app password."
            ),
        )
    hint = (
        Prose("Leave the login out, or switch logins on in the server.")
        if secure
        else Prose("It may offer logins only over TLS: use smtps:// or STARTTLS.")
    )
    return CheckError(
        Reason.AUTH, Prose("the server offers no login here"), code="LOGIN_NOT_OFFERED", hint=hint
    )


async def greeted(stream: Stream, trail: Trail, name: str | None) -> Mail:
    """Wait for the greeting and introduce ourselves; `name` None: by our address.

    Raises CheckError: protocol where what answers is no mail server, timeout where it waits for us.
    """
    try:
        async with asyncio.timeout(trail.remaining * SHARE_OF_GREETING):
            first = await _first_words(stream)
    except TimeoutError:
        raise CheckError(
            Reason.TIMEOUT,
            Prose("nothing greets us, and a mail server speaks first"),
            code="NO_GREETING",
            hint=Prose("It may want TLS from the start, smtps://, or be none; or it hangs."),
        ) from None
    client = aiosmtplib.SMTP(local_hostname=name or _literal(stream), timeout=None)
    protocol = SMTPProtocol(loop=asyncio.get_running_loop())
    transport: Any = stream.writer.transport
    protocol.connection_made(transport)
    transport.set_protocol(protocol)
    protocol.data_received(first)
    client.protocol, client.transport = protocol, transport
    greeting = await protocol.read_response()
    if greeting.code != READY:
        raise aiosmtplib.SMTPConnectResponseError(greeting.code, greeting.message)
    await introduced(client)
    return Mail(client, stream, greeting.message)


async def _first_words(stream: Stream) -> bytes:
    first = await stream.reader.readexactly(_SHORTEST)
    if not _GREETING.match(first):
        raise foreign(first + await stream.reader.read(LONGEST_SHOWN))
    return first if first.endswith(b"\n") else first + await stream.reader.read(LARGEST_LINE)


async def introduced(client: aiosmtplib.SMTP) -> None:
    """Say who we are, in the old way where the server knows no other."""
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        if not client.is_connected:
            raise
        await client.helo()


def _literal(stream: Stream) -> str:
    """Return our own address as a name: this machine's may be none that others know."""
    address = str(stream.writer.get_extra_info("sockname")[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def foreign(answer: bytes) -> CheckError:
    """Return the failure of something that speaks first and is no mail server."""
    shown = cut(answer.decode(errors="replace"))
    return CheckError(Reason.PROTOCOL, f"what answers is no mail server: {shown!r}", code="NOT_SMTP")
