"""The way to the network that a check is given."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Self

import aiohappyeyeballs

from mooring.core.clock import Clock, SystemClock
from mooring.net.egress import EgressPolicy
from mooring.net.resolve import Resolver
from mooring.net.tls import TLSContexts

NEXT_ADDRESS_AFTER = 0.25
"""Seconds before the next address of a name is tried beside the first (RFC 8305)."""


class Network:
    """Resolver, egress policy and TLS contexts of one installation. Belongs to one event loop."""

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
        found = await self.resolver.addresses(host)
        allowed = [address for address in found if self.egress.refuses(address) is None]
        if not allowed:
            self.egress.demand(found[0])
        return allowed

    async def connect(self, addresses: Sequence[str], port: int) -> socket.socket:
        """Connect to the first of several addresses that answers (happy eyeballs). Non-blocking socket."""
        infos = [_addr_info(address, port) for address in addresses]
        return await aiohappyeyeballs.start_connection(
            infos,
            happy_eyeballs_delay=NEXT_ADDRESS_AFTER,
            interleave=1,
            loop=asyncio.get_running_loop(),
        )


def _addr_info(address: str, port: int) -> aiohappyeyeballs.AddrInfoType:
    sockaddr: tuple[str, int] | tuple[str, int, int, int]
    if ":" not in address:
        return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)
    host, _, zone = address.partition("%")
    sockaddr = (host, port, 0, socket.if_nametoindex(zone) if zone else 0)
    return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", sockaddr
