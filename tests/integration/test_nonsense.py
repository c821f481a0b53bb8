"""What every kind holds to where something else answers, or the service talks nonsense."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic_core import to_json

from mooring.core.reason import Reason
from mooring.core.result import Trigger
from mooring.engine.runner import Runner
from mooring.export.json import result_json
from mooring.net.network import Network
from tests.integration.entries import DIALLING, ENTRIES, target_of
from tests.servers.played import Play, playing

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


def _babbling(told: bytes) -> Play:
    """Return the play of a server that greets with one thing, and answers all with it."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(told)
        while await reader.read(65536):
            writer.write(told)

    return play


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
    async with playing(_babbling(NONSENSE[nonsense])) as port, Network() as net:
        with ENTRIES[name].good(request) as example:
            target = target_of(name, example.through(port), timeout=0.4)
            result = await Runner(net).run(target, Trigger.MANUAL)
    wire = to_json(result_json(result))
    assert len(wire) < 20_000
    assert [
        text for text in _texts_in(json.loads(wire)) if re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    ] == []
    assert result.failure is None or result.failure.reason is not Reason.INTERNAL, result.failure
