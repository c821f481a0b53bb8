"""The fault proxy does to a connection what its fault says, seen from a client's own sockets."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from mooring.testing.faults import (
    BlackHole,
    Cut,
    Delay,
    Drip,
    Fault,
    HalfClose,
    Refuse,
    Reset,
    Silence,
    StallTLS,
    fault_proxy,
)
from tests.servers.played import playing


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """The port of a server that sends back what it is sent."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)

    async with playing(serve) as port:
        yield port


class Client:
    """A client of the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def is_silent(self) -> bool:
        try:
            async with asyncio.timeout(0.05):
                await self.reader.read(1)
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def dialled(port: int) -> AsyncIterator[Client]:
    """Connect to a port of the loopback."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_proxy_without_fault_passes_everything_on(echo: int) -> None:
    """Without a fault, what is asked is answered."""
    async with fault_proxy(echo) as proxy, dialled(proxy.port) as client:
        await client.say(b"hello")
        assert await client.reader.readexactly(5) == b"hello"
        assert proxy.accepted == 1


async def test_proxy_refuses(echo: int) -> None:
    """Refuse: ECONNREFUSED, and the port stays reserved for when the fault changes."""
    async with fault_proxy(echo, Refuse()) as proxy:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", proxy.port)
        await proxy.use(Fault())
        async with dialled(proxy.port) as client:
            await client.say(b"x")
            assert await client.reader.readexactly(1) == b"x"


async def test_proxy_black_hole_never_accepts(echo: int) -> None:
    """BlackHole: connecting hangs."""
    async with fault_proxy(echo, BlackHole()) as proxy:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await asyncio.open_connection("127.0.0.1", proxy.port)
        await proxy.use(Fault())
        async with dialled(proxy.port):
            pass


async def test_proxy_silence_answers_the_first_bytes_only(echo: int) -> None:
    """Silence(after=2): two bytes of the answer, then nothing, with the connection open."""
    async with fault_proxy(echo, Silence(after=2)) as proxy, dialled(proxy.port) as client:
        await client.say(b"hello")
        assert await client.reader.readexactly(2) == b"he"
        assert await client.is_silent()


async def test_proxy_stalls_inside_tls(echo: int) -> None:
    """StallTLS: what comes before the handshake is answered, the ClientHello is not."""
    async with fault_proxy(echo, StallTLS()) as proxy, dialled(proxy.port) as client:
        await client.say(b"starttls" + b"\x16\x03\x01 hello")
        assert await client.reader.readexactly(8) == b"starttls"
        assert await client.is_silent()


@pytest.mark.parametrize("fault", [Drip(pause=0.001), Delay(seconds=0.001)])
async def test_proxy_slow_answers_arrive_whole(echo: int, fault: Fault) -> None:
    """Drip and Delay lose nothing."""
    async with fault_proxy(echo, fault) as proxy, dialled(proxy.port) as client:
        await client.say(b"hello")
        assert await client.reader.readexactly(5) == b"hello"


async def test_proxy_half_close_still_takes(echo: int) -> None:
    """HalfClose: the answer ends, and what the client sends is still taken."""
    async with fault_proxy(echo, HalfClose(after=1)) as proxy, dialled(proxy.port) as client:
        await client.say(b"hello")
        assert await client.reader.read() == b"h"
        await client.say(b"still there?")


async def test_proxy_cuts_in_mid_answer(echo: int) -> None:
    """Cut(after=3): three bytes, then the end of the stream."""
    async with fault_proxy(echo, Cut(after=3)) as proxy, dialled(proxy.port) as client:
        await client.say(b"hello")
        assert await client.reader.read() == b"hel"


async def test_proxy_resets(echo: int) -> None:
    """Reset: ECONNRESET."""
    async with fault_proxy(echo, Reset(after=1)) as proxy, dialled(proxy.port) as client:
        await client.say(b"hello")
        await client.reader.readexactly(1)
        with pytest.raises(ConnectionResetError):
            await client.reader.read()


async def test_proxy_cut_drops_open_connections(echo: int) -> None:
    """`cut()` ends the connections that are there and leaves the port open."""
    async with fault_proxy(echo) as proxy, dialled(proxy.port) as client:
        await client.say(b"x")
        await client.reader.readexactly(1)
        await proxy.cut()
        assert await client.reader.read() == b""
        async with dialled(proxy.port):
            pass


@pytest.mark.parametrize("turns", range(4))
def test_proxy_that_closes_loses_no_client(turns: int) -> None:
    """However far a client has come when the proxy closes, nothing of it is left to the collector."""

    async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async def close() -> None:
        async with playing(wait) as port, fault_proxy(port) as proxy:
            await asyncio.sleep(0)  # it accepts now
            with socket.create_connection(("127.0.0.1", proxy.port)):
                for _ in range(turns):
                    await asyncio.sleep(0)
                await proxy.close()

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(close())
        gc.collect()
    assert told == []
