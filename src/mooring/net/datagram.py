"""Datagram sockets: UDP and ICMP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

from mooring.net.network import scope_of

LARGEST = 65_535


class Datagrams:
    """A datagram socket that talks with one address, so that the network's errors reach it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()

    @property
    def local(self) -> tuple[str, int]:
        """This end's address and port; of an unprivileged ICMP socket the port is its identifier."""
        address, port = self._sock.getsockname()[:2]
        return address, port

    async def send(self, data: bytes) -> None:
        """Send one datagram. Raises OSError, also for what earlier ones met."""
        await self._loop.sock_sendall(self._sock, data)

    async def receive(self) -> bytes:
        """Wait for a datagram. Raises OSError: ConnectionRefusedError where nothing listens."""
        return await self._loop.sock_recv(self._sock, LARGEST)


@contextmanager
def datagrams(
    address: str, port: int, *, kind: int = socket.SOCK_DGRAM, protocol: int = 0
) -> Iterator[Datagrams]:
    """Open a socket for one literal address. Raises OSError, CheckError(config) for an unknown zone."""
    host, _, zone = address.partition("%")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, kind, protocol)) as sock:
        sock.setblocking(False)
        sock.connect((host, port, 0, scope_of(zone)) if family == socket.AF_INET6 else (host, port))
        yield Datagrams(sock)
