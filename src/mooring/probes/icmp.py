"""A host that answers pings."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, model_validator

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.datagram import Datagrams, datagrams
from mooring.net.dial import resolve
from mooring.net.trail import Trail
from mooring.probes._base import Probe
from mooring.probes._url import Url

SHARE_OF_TIME = 0.9
"""Part of the deadline for replies, so that a loss of some is told as such and not as a timeout."""
_HEADER = struct.Struct("!BBHHH")
_PAYLOAD = b"mooring echo request, 32 bytes.."
_REQUEST, _REPLY, _REQUEST6, _REPLY6 = 8, 0, 128, 129
_WORD = 4
"""Bytes that one step of the IPv4 header's length means."""


class ICMP(Probe):
    """ICMP: the host answers pings; how many are lost, and how long they take."""

    kind: Literal["icmp"] = "icmp"
    schemes: ClassVar[tuple[str, ...]] = ("icmp",)
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.PROTOCOL: "the host answers echo requests",
    }

    url: SecretStr = Field(description="icmp://host", examples=["icmp://router.example"])
    count: int = Field(3, ge=1, le=20, description="Echo requests per check.")
    pause: float = Field(0.1, ge=0.01, le=5, description="Seconds between two echo requests.")
    max_loss: float = Field(
        0, ge=0, lt=100, description="Percent of the requests that may be lost without a warning."
    )

    @model_validator(mode="after")
    def _has_host(self) -> ICMP:
        if not self._host:
            raise ValueError("url: an icmp address names a host: icmp://host")
        return self

    @property
    def _host(self) -> str:
        return Url.parse(self.url.get_secret_value()).host

    @property
    def address(self) -> str:
        return self._host

    async def check(self, trail: Trail) -> Observation:
        address = (await resolve(trail, self._host))[0]
        trail.note(address=address)
        async with trail.stage(Stage.PROTOCOL):
            with _echo_socket(address) as echo:
                times = await self._ping(echo, trail)
            if not times:
                raise CheckError(
                    Reason.TIMEOUT,
                    Prose("none of {count} echo requests was answered", count=self.count),
                    code="NO_REPLY",
                    hint=Prose(
                        "The host is down, or a firewall drops pings: try a kind that uses a port of it."
                    ),
                )
        return self._observation(times)

    async def _ping(self, echo: _Echo, trail: Trail) -> list[float]:
        """Send the requests and collect the seconds of each that is answered."""
        sent: dict[int, float] = {}
        times: list[float] = []
        with suppress(TimeoutError):  # what came by then is what there is
            async with asyncio.timeout(trail.remaining * SHARE_OF_TIME), asyncio.TaskGroup() as group:
                group.create_task(self._send_all(echo, sent, trail))
                while len(times) < self.count:
                    number = await echo.reply()
                    if number in sent:
                        times.append(trail.monotonic() - sent.pop(number))
        return times

    async def _send_all(self, echo: _Echo, sent: dict[int, float], trail: Trail) -> None:
        for number in range(self.count):
            if number:
                await asyncio.sleep(self.pause)
            sent[number] = trail.monotonic()
            await echo.request(number)

    def _observation(self, times: list[float]) -> Observation:
        loss = 100 * (1 - len(times) / self.count)
        numbers = {
            "sent": float(self.count),
            "received": float(len(times)),
            "loss_percent": loss,
            "rtt_seconds_min": min(times),
            "rtt_seconds_mean": sum(times) / len(times),
            "rtt_seconds_max": max(times),
        }
        lost = self.count - len(times)
        told = Prose("{lost} of {count} echo requests were lost", lost=lost, count=self.count)
        warnings = (told,) if loss > self.max_loss else ()
        return Observation({}, numbers, warnings)

    def reason(self, error: Exception) -> Reason | Cause | None:
        if isinstance(
            error, ConnectionRefusedError
        ):  # an ICMP message came back: port or protocol unreachable
            return Cause(Reason.NETWORK, "UNREACHABLE", Prose("the host refuses echo requests"))
        return None


class _Echo:
    """Echo requests and replies over one socket."""

    def __init__(self, sock: Datagrams, *, six: bool, raw: bool) -> None:
        self._sock = sock
        self._six = six
        self._raw = raw
        # The kernel gives an unprivileged socket an identifier of its own and hands it only its replies.
        self._identifier = int.from_bytes(os.urandom(2), "big") if raw else sock.local[1]

    async def request(self, number: int) -> None:
        """Send one request."""
        kind = _REQUEST6 if self._six else _REQUEST
        head = _HEADER.pack(kind, 0, 0, self._identifier, number)
        total = _checksum(head + _PAYLOAD)
        await self._sock.send(_HEADER.pack(kind, 0, total, self._identifier, number) + _PAYLOAD)

    async def reply(self) -> int:
        """Wait for a reply to one of ours and return its number."""
        wanted = _REPLY6 if self._six else _REPLY
        while True:
            data = await self._sock.receive()
            if self._raw and not self._six and data:
                data = data[(data[0] & 0x0F) * _WORD :]  # an IPv4 raw socket shows the IP header
            if len(data) < _HEADER.size:
                continue
            kind, _, _, identifier, number = _HEADER.unpack_from(data)
            if kind == wanted and identifier == self._identifier:
                return int(number)


@contextmanager
def _echo_socket(address: str) -> Iterator[_Echo]:
    """Open an unprivileged ICMP socket, else a raw one. Raises CheckError(driver) where neither may be."""
    six = ":" in address
    protocol = socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP
    raw = not _allowed(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM, protocol)
    if raw and not _allowed(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, protocol):
        raise CheckError(
            Reason.DRIVER,
            Prose("this process may not send pings"),
            code="ICMP_NOT_PERMITTED",
            hint=Prose("Let every group of this machine send pings, or give the program CAP_NET_RAW."),
            fix='sysctl -w net.ipv4.ping_group_range="0 2147483647"',
        )
    kind = socket.SOCK_RAW if raw else socket.SOCK_DGRAM
    with datagrams(address, 0, kind=kind, protocol=protocol) as sock:
        yield _Echo(sock, six=six, raw=raw)


def _allowed(family: int, kind: int, protocol: int) -> bool:
    try:
        socket.socket(family, kind, protocol).close()
    except PermissionError:
        return False
    return True


def _checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071); for ICMPv6 the kernel puts its own in."""
    total: int = sum(word for (word,) in struct.iter_unpack("!H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
