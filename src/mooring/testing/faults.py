"""Break a real connection on purpose.

A proxy stands between a client and a real server, and does to each connection what its fault says.
Nothing is simulated: the client's sockets see exactly what they would see on a bad network.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

_CHUNK = 64 * 1024
_CLIENT_HELLO = b"\x16\x03\x01"
_ABORT_ON_CLOSE = struct.pack("ii", 1, 0)
_BACKLOG = 128


@dataclass(frozen=True)
class Fault:
    """No fault: everything is passed on. Its subclasses each break one thing."""

    async def ask(self, client: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        """Pass on what the client sends; the connection ends when this returns."""
        await _pump(client, server)

    async def answer(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """Pass on what the server sends; the connection ends when this returns."""
        await _pump(server, client)


@dataclass(frozen=True)
class Refuse(Fault):
    """Nothing listens on the port: ECONNREFUSED."""


@dataclass(frozen=True)
class BlackHole(Fault):
    """The port never answers a SYN, as behind a firewall that drops. Linux only."""


@dataclass(frozen=True)
class Silence(Fault):
    """Accepts, takes what is sent and answers nothing, after `after` bytes of the answer."""

    after: int = 0

    async def answer(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        await _pump(server, client, self.after)
        await _for_ever()


@dataclass(frozen=True)
class StallTLS(Fault):
    """Passes everything on until the client begins a TLS handshake, which is never answered."""

    async def ask(self, client: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        while chunk := await client.read(_CHUNK):
            before, hello, _ = chunk.partition(_CLIENT_HELLO)
            await _send(server, before)
            if hello:
                break
        while await client.read(_CHUNK):
            pass


@dataclass(frozen=True)
class Drip(Fault):
    """Passes the answer on one byte at a time, `pause` seconds apart."""

    pause: float = 0.2

    async def answer(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while byte := await server.read(1):
            await asyncio.sleep(self.pause)
            await _send(client, byte)


@dataclass(frozen=True)
class Delay(Fault):
    """Passes everything on, each piece of the answer `seconds` late."""

    seconds: float = 0.1

    async def answer(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while chunk := await server.read(_CHUNK):
            await asyncio.sleep(self.seconds)
            await _send(client, chunk)


@dataclass(frozen=True)
class HalfClose(Fault):
    """Ends the answer after `after` bytes and goes on listening, as a peer that is shutting down."""

    after: int = 0

    async def answer(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        await _pump(server, client, self.after)
        client.write_eof()
        await _for_ever()


@dataclass(frozen=True)
class Cut(Fault):
    """Closes both ends in the middle of an answer, after `after` bytes of it."""

    after: int = 0

    async def answer(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        await _pump(server, client, self.after)


@dataclass(frozen=True)
class Reset(Fault):
    """Resets the connection (RST) after `after` bytes of the answer."""

    after: int = 0

    async def answer(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        await _pump(server, client, self.after)
        sock = client.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT_ON_CLOSE)


class FaultProxy:
    """A TCP proxy on a free port of the loopback. `port` is where clients connect.

    `use()` changes the fault for the connections that come; `cut()` drops those that are there.
    """

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._to = (host, port)
        self._fault = Fault()
        self._conversations: set[asyncio.Task[None]] = set()
        self._listening = AsyncExitStack()
        self.accepted = 0
        self._reserved = _socket(("127.0.0.1", 0))
        self.port: int = self._reserved.getsockname()[1]

    @property
    def fault(self) -> Fault:
        """What is done to connections that come now."""
        return self._fault

    async def use(self, fault: Fault) -> None:
        """Change the fault. Connections that are open keep theirs."""
        await self._listening.aclose()
        self._fault = fault
        if isinstance(fault, Refuse):
            return
        if isinstance(fault, BlackHole):
            await self._swallow_syns()
        else:
            self._serve()

    async def cut(self) -> None:
        """Drop every open connection, on both sides."""
        for task in self._conversations:
            task.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        await self._listening.aclose()
        await self.cut()
        self._reserved.close()

    def _serve(self) -> None:
        listener = _socket(("127.0.0.1", self.port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        loop.add_reader(listener, self._accept, listener)
        self._listening.callback(listener.close)
        self._listening.callback(loop.remove_reader, listener)

    def _accept(self, listener: socket.socket) -> None:
        """Take one client. Not by `sock_accept`, which loses one where it is cancelled meanwhile."""
        with suppress(BlockingIOError, ConnectionAbortedError):
            client, _ = listener.accept()
            client.setblocking(False)
            self.accepted += 1
            task = asyncio.create_task(self._converse(client, self._fault), name="fault proxy connection")
            self._conversations.add(task)
            task.add_done_callback(self._conversations.discard)
            task.add_done_callback(lambda _: client.close())  # where it was cancelled before it began

    async def _converse(self, client: socket.socket, fault: Fault) -> None:
        async with AsyncExitStack() as stack:
            stack.callback(client.close)
            with suppress(OSError):
                client_reader, client_writer = await asyncio.open_connection(sock=client)
                stack.callback(client_writer.close)
                server_reader, server_writer = await asyncio.open_connection(*self._to)
                stack.callback(server_writer.close)
                await _first_of(
                    fault.ask(client_reader, server_writer), fault.answer(server_reader, client_writer)
                )

    async def _swallow_syns(self) -> None:
        """Listen with a queue of one that is full: Linux drops every further SYN."""
        listener = _socket(("127.0.0.1", self.port))
        listener.listen(0)
        self._listening.callback(listener.close)
        held = socket.create_connection(("127.0.0.1", self.port))
        self._listening.callback(held.close)


@asynccontextmanager
async def fault_proxy(
    port: int, fault: Fault | None = None, *, host: str = "127.0.0.1"
) -> AsyncIterator[FaultProxy]:
    """Stand between clients and the real server that listens on `port`; connect to the proxy's own port."""
    proxy = FaultProxy(port, host)
    try:
        await proxy.use(fault or Fault())
        yield proxy
    finally:
        await proxy.close()


def _socket(address: tuple[str, int]) -> socket.socket:
    """Bind a socket. One that is bound and does not listen keeps the port and refuses every client."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(address)
    return sock


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None = None) -> None:
    while most is None or most > 0:
        chunk = await reader.read(_CHUNK if most is None else most)
        if not chunk:
            return
        await _send(writer, chunk)
        most = None if most is None else most - len(chunk)


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def _first_of(*conversations: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.ensure_future(each) for each in conversations]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _for_ever() -> None:
    await asyncio.Event().wait()
