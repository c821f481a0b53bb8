"""What every kind holds to where something else answers, or the service talks nonsense."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic_core import to_json

from mooring.core.reason import Reason
from mooring.core.result import Trigger
from mooring.engine.runner import Runner
from mooring.export.json import result_json
from mooring.net.network import Network
from tests.integration.entries import DIALLING, ENTRIES, target_of

NONSENSE = {
    "half a character": b"535 refus\xe9 \xed\xa0\x80\r\n",
    "escapes": b"-ERR \x1b]0;title\x07\x1b[31m\x00\x9b\r\n",
    "surrogates in JSON": b'INFO {"version": "\\ud800", "\\udfff": "\\u001b[2J"}\r\n',
    "surrogates over HTTP": b"HTTP/1.1 200 \xe9\r\nServer: \xe9\x9b\r\nContent-Type: application/json\r\n"
    b"Content-Length: 78\r\n\r\n"
    rb'{"data": null, "errors": [{"message": "\ud800 \u001b", "\udfff": ["\ud800"]}]}',
    "nested JSON": b"INFO " + b"[" * 50_000 + b"\r\n",
    "an endless line": b"x" * 300_000,
}
"""What a stranger may send: none of it may stop the API, move a terminal's cursor, or be told at length."""


class _Babbling(asyncio.Protocol):
    """Greets with one thing, and answers all with it."""

    def __init__(self, told: bytes) -> None:
        self._told = told
        self.lost = asyncio.Event()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._told)

    def data_received(self, data: bytes) -> None:
        self._transport.write(self._told)

    def connection_lost(self, why: Exception | None) -> None:
        self.lost.set()

    async def hang_up(self) -> None:
        self._transport.abort()
        await self.lost.wait()


@asynccontextmanager
async def _babbling(told: bytes) -> AsyncIterator[int]:
    """Yield the port of a server that babbles; when the block ends, each of its connections is closed."""
    babblers: list[_Babbling] = []

    def accept() -> _Babbling:
        babblers.append(_Babbling(told))
        return babblers[-1]

    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    async with await loop.create_server(accept, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        server.close()
        accepting = asyncio.all_tasks() - {me}  # asyncio accepts each connection in a task of its own
        await asyncio.gather(*accepting, return_exceptions=True)
        for babbler in babblers:  # before 3.12, wait_closed does not wait for them
            await babbler.hang_up()


def _texts_in(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, keys included."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    for each in value if isinstance(value, list) else ():
        yield from _texts_in(each)
    if isinstance(value, str):
        yield value


@pytest.mark.parametrize("name", DIALLING)
@pytest.mark.parametrize("nonsense", NONSENSE)
async def test_nonsense_does_no_harm(request: pytest.FixtureRequest, name: str, nonsense: str) -> None:
    """Whatever answers, the result can be written as JSON, is short, moves no cursor, and blames not us."""
    async with _babbling(NONSENSE[nonsense]) as port, Network() as net:
        with ENTRIES[name].good(request) as example:
            target = target_of(name, example.through(port), timeout=0.4)
            result = await Runner(net).run(target, Trigger.MANUAL)
    wire = to_json(result_json(result))
    assert len(wire) < 20_000
    assert [
        text for text in _texts_in(json.loads(wire)) if re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    ] == []
    assert result.failure is None or result.failure.reason is not Reason.INTERNAL, result.failure
