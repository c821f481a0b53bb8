"""The way to the network that a check is given."""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections.abc import Sequence
from typing import Self

import aiohappyeyeballs

from mooring.core.clock import Clock, SystemClock
from mooring.core.failure import CheckError
from mooring.core.reason import Reason
from mooring.net.egress import EgressPolicy
from mooring.net.resolve import Resolver
from mooring.net.threads import Threads
from mooring.net.tls import TLSContexts

NEXT_ADDRESS_AFTER = 0.25
"""Seconds before the next address of a name is tried beside the first (RFC 8305)."""
MOST_POLICED = 20_000
"""Answers of the egress policy that are kept. It is a value, so they never change."""


class Network:
    """Resolver, egress policy, TLS contexts and threads of one installation. Belongs to one event loop."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        egress: EgressPolicy | None = None,
        nameservers: tuple[str, ...] = (),
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.egress = egress or EgressPolicy()
        self.resolver = Resolver(self.clock, nameservers)
        self.tls = TLSContexts()
        self.threads = Threads()
        self._policed: dict[tuple[str, ...], Sequence[str]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Release the resolver."""
        await self.resolver.close()

    async def addresses(self, host: str) -> Sequence[str]:
        """Return the addresses of a host that the egress policy allows, at least one.

        Raises CheckError: dns where the name has none, config where the policy refuses them all.
        """
        return self._allowed(await self.resolver.addresses(host))

    def known(self, host: str) -> Sequence[str] | None:
        """Return what `addresses` would where nobody has to be asked, else None.

        Raises CheckError(config) where the policy refuses them all.
        """
        literal = self._policed.get((host,))  # there only where the host is itself an address
        if literal:
            return literal
        found = self.resolver.known(host)
        return None if found is None else self._allowed(found)

    async def connect(self, addresses: Sequence[str], port: int) -> socket.socket:
        """Connect to the first of several addresses that answers (happy eyeballs). Non-blocking socket.

        Raises OSError; where the addresses failed differently, the one that tells most.
        """
        infos = [_addr_info(address, port) for address in addresses]
        try:
            return await aiohappyeyeballs.start_connection(
                infos,
                happy_eyeballs_delay=NEXT_ADDRESS_AFTER,
                interleave=1,
                loop=asyncio.get_running_loop(),
            )
        except OSError as error:
            if error.errno is None:
                raise _most_telling(error) from error
            raise

    def _allowed(self, found: tuple[str, ...]) -> Sequence[str]:
        allowed = self._policed.get(found)
        if allowed is None:
            allowed = [address for address in found if self.egress.refuses(address) is None]
            if len(self._policed) >= MOST_POLICED:
                self._policed.clear()
            self._policed[found] = allowed
        if not allowed:
            self.egress.demand(found[0])
        return allowed


def _most_telling(mixed: OSError) -> OSError:
    """Return the error that came nearest to the service.

    aiohappyeyeballs puts different errors into one text. A host with an IPv6 address that this
    machine has no route to, and an IPv4 address that refuses, is refused.
    """
    numbers = {int(number) for number in re.findall(r"\[Errno (\d+)\]", str(mixed))}
    known = next((number for number in _NEAREST_FIRST if number in numbers), min(numbers, default=None))
    return mixed if known is None else OSError(known, str(mixed))


_NEAREST_FIRST = (
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.ETIMEDOUT,
    errno.EHOSTUNREACH,
    errno.EACCES,
    errno.ENETUNREACH,
)


def _addr_info(address: str, port: int) -> aiohappyeyeballs.AddrInfoType:
    if ":" not in address:
        return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)
    host, _, zone = address.partition("%")
    sockaddr = (host, port, 0, scope_of(zone))
    return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", sockaddr


def scope_of(zone: str) -> int:
    """Return the number of an IPv6 zone such as eth0. Raises CheckError(config) where there is none."""
    if not zone or zone.isdecimal():
        return int(zone or 0)
    try:
        return socket.if_nametoindex(zone)
    except OSError as error:
        raise CheckError(
            Reason.CONFIG, f"this machine has no network interface {zone!r}", code="NO_INTERFACE"
        ) from error
