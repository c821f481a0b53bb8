"""A server that a test plays leaves nothing to the collector, which would fail whichever test it runs in."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings

import pytest

from tests.servers.played import playing


@pytest.mark.parametrize("turns", range(6))
def test_nothing_of_a_play_outlives_it(turns: int) -> None:
    """However far a client has come when the block ends, its connection is closed and its play over."""

    async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async def leave() -> None:
        async with playing(wait) as port:
            with socket.create_connection(("127.0.0.1", port)):
                for _ in range(turns):
                    await asyncio.sleep(0)

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(leave())
        gc.collect()
    assert told == []


async def test_what_a_play_asserts_fails_its_test() -> None:
    """A play's own error is raised where its block ends; that its client left is none."""

    async def refute(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        raise AssertionError("it said something")

    async def told(words: bytes) -> None:
        async with playing(refute) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(words)
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()

    await told(b"")
    with pytest.raises(AssertionError, match="it said something"):
        await told(b"x")
