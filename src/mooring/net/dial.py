"""Open a connection in stages: dns, tcp, tls."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Self

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.net import tls as tls_
from mooring.net.handshake import shaking_hands
from mooring.net.inquiry import shaken
from mooring.net.resolve import unresolved
from mooring.net.tls import TLSInfo, TLSSettings
from mooring.net.trail import Trail

LARGEST_LINE = 64 * 1024
SHARE_OF_DNS = 0.9
"""Part of the time left that a name server may take, so that its silence is told as its own fault."""
PAST_DEADLINE = 1.0
"""Seconds after the check's deadline at which asyncio itself would end a handshake: never first."""

REFUSAL_WITHIN = 0.05
"""Seconds in which a server complains about our certificate; only checks with `tls.cert` wait."""

_TOO_EARLY = Prose("the server says something in plain text where TLS has to begin")
_LISTEN = Prose("It speaks no TLS on that port; or somebody in between puts in words of his own.")


@dataclass(slots=True)
class Stream:
    """An open connection. Leaving it drops the connection at once: a check never waits to say goodbye."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: str
    tls: TLSInfo | None = None

    @classmethod
    async def over(cls, sock: socket.socket) -> Self:
        """Return a stream over a connected socket, which from then on belongs to the stream."""
        with ExitStack() as undo:
            undo.callback(sock.close)
            address = str(sock.getpeername()[0])
            reader, writer = await asyncio.open_connection(sock=sock, limit=LARGEST_LINE)
            undo.pop_all()
        return cls(reader, writer, address)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.drop()

    def drop(self) -> None:
        """Drop the connection at once."""
        self.writer.transport.abort()

    async def ask(self, data: bytes) -> None:
        """Send bytes and wait until the kernel has taken them."""
        self.writer.write(data)
        await self.writer.drain()

    async def start_tls(
        self,
        trail: Trail,
        settings: TLSSettings,
        host: str,
        *,
        quiet: bool = False,
        warn_days: float = tls_.DAYS_WARNING,
        alpn: tuple[str, ...] = (),
    ) -> TLSInfo:
        """Turn the connection into TLS, inside a `tls` stage. Raises CheckError(tls) or ssl.SSLError.

        `quiet`: that nothing is verified is how the protocol is used by default, and no warning.
        `alpn`: the protocols that are offered, where the port may speak several.
        """
        context = trail.net.tls.get(settings, alpn)
        name = settings.server_name or host
        if vars(self.reader).get("_buffer"):  # would be read as if it had come by the handshake
            raise CheckError(Reason.TLS, _TOO_EARLY, code="SAID_BEFORE_TLS", hint=_LISTEN)
        with shaking_hands():
            await self.writer.start_tls(
                context, server_hostname=name, ssl_handshake_timeout=trail.remaining + PAST_DEADLINE
            )
        ssl_object = self.writer.get_extra_info("ssl_object")
        self.tls = await secured(trail, settings, ssl_object, quiet=quiet, warn_days=warn_days)
        if settings.cert is not None:
            await self.hear_refusal(REFUSAL_WITHIN)
        return self.tls

    async def hear_refusal(self, within: float) -> None:
        """Wait for a complaint about our certificate, or that there is none: TLS 1.3 has it come late.

        Who speaks before it came is reset, and would tell a refused certificate as a broken network.
        What the peer says to us is left to be read.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self.writer.wait_closed()


async def resolve(trail: Trail, host: str) -> list[str]:
    """Run the dns stage and return the allowed addresses of a host, at least one.

    Raises CheckError: dns where there are none or nobody says, config where the policy refuses them.
    """
    async with trail.stage(Stage.DNS):
        try:
            async with asyncio.timeout(trail.remaining * SHARE_OF_DNS):
                return list(await trail.net.addresses(host))
        except TimeoutError as error:
            raise unresolved(host) from error


async def dial(
    trail: Trail,
    host: str,
    port: int,
    tls: TLSSettings | None = None,
    *,
    alpn: tuple[str, ...] = (),
    plain: bytes = b"",
) -> Stream:
    """Run the stages dns, tcp and, with TLS settings, tls; return the open connection.

    The address that was connected is noted as `address` for the result's details. `plain` are words
    without a secret that the service answers without TLS, which tell one that shakes no hands.
    """
    addresses = await resolve(trail, host)
    async with trail.stage(Stage.TCP):
        stream = await Stream.over(await trail.net.connect(addresses, port))
    trail.note(address=shown(stream.address, port))
    if tls is not None:
        async with trail.stage(Stage.TLS), shaken(trail, stream.address, port, plain):
            with ExitStack() as undo:
                undo.callback(stream.drop)  # before it is asked aside: some serve one client at a time
                await stream.start_tls(trail, tls, host, alpn=alpn)
                undo.pop_all()
    return stream


async def reach(trail: Trail, host: str, port: int, tls: TLSSettings | None = None) -> str:
    """Dial in stages, hang up, and return the address that answered.

    For drivers that only dial by themselves: given that address, what they complain of is the service's
    own, neither a name, a port nor a certificate. Costs one more connection a check.
    """
    async with await dial(trail, host, port, tls) as stream:
        return stream.address


async def secured(
    trail: Trail,
    settings: TLSSettings,
    ssl_object: ssl.SSLObject,
    *,
    quiet: bool = False,
    warn_days: float = tls_.DAYS_WARNING,
) -> TLSInfo:
    """Judge a finished handshake: the pin, the days left, verification that is off."""
    seen = tls_.info(ssl_object)
    tls_.demand_pin(settings, seen)
    trail.note(tls_version=seen.version)
    if not settings.verify and settings.pin is None and not quiet:
        trail.warn(tls_.UNVERIFIED, Stage.TLS)
    days = seen.days_left(trail.net.clock.now())
    if days is not None and seen.not_after is not None:
        trail.note(certificate_expires=seen.not_after.isoformat())
        trail.measure(certificate_days_left=days)
        if days <= warn_days:
            trail.warn(_expiry(days, f"{seen.not_after:%Y-%m-%d}"), Stage.TLS)
    return seen


def _expiry(days: float, day: str) -> Prose:
    if days < 0:
        return Prose("the certificate expired on {day}", day=day)
    if int(days) == 1:
        return Prose("the certificate expires in 1 day, on {day}", day=day)
    return Prose("the certificate expires in {days} days, on {day}", days=int(days), day=day)


def shown(address: str, port: int) -> str:
    """Return an address and port as people write them."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
