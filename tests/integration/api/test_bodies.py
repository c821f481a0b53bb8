"""Bodies that come slowly, or packed in ways that are seldom seen."""

from __future__ import annotations

import asyncio
import gzip
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from mooring.api import edge
from mooring.api.edge import Doorway, Edge
from mooring.api.errors import Refused
from mooring.api.guard import Role
from mooring.api.unpacking import LARGEST_UNPACKED
from mooring.settings import ServerSettings
from tests.http_api import Api, running
from tests.pool_reports import report
from tests.sse import events

pytestmark = pytest.mark.integration
REPORT = "/api/v1/pools/report"
PACKED = {"Content-Encoding": "gzip", "Content-Type": "application/json"}


async def stalled(api: Api, path: str, coding: str) -> tuple[bytes, dict[str, Any]]:
    """Send one byte of a body and no more; return the first line and the body of the answer."""
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {api.tokens[Role.OPERATOR]}",
        "Content-Type: application/json",
        f"Content-Encoding: {coding}",
        "Content-Length: 1000",
    ]
    with closing(writer):
        writer.write(("\r\n".join(lines) + "\r\n\r\n{").encode())
        async with asyncio.timeout(20):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")  # to the end: the server hangs up
    return head.partition(b"\r\n")[0], json.loads(body)


@pytest.mark.parametrize("path", [REPORT, "/api/v1/targets", "/api/v1/session"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_a_body_that_stalls_is_not_waited_for(
    api: Api, monkeypatch: pytest.MonkeyPatch, path: str, coding: str
) -> None:
    """Whoever takes too long for a body is told 408, and the connection ends: it holds nothing."""
    monkeypatch.setattr(edge, "SENT_WITHIN", 0.05)
    status, told = await stalled(api, path, coding)
    assert status == b"HTTP/1.1 408 Request Timeout"
    assert (told["status"], told["detail"]) == (408, "The body did not come within 30 s.")


async def test_a_body_that_drips_is_not_waited_for_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is that of the whole body, not of each byte."""
    monkeypatch.setattr(edge, "SENT_WITHIN", 0.05)

    async def drips() -> Message:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"", "more_body": True}

    async def reads(_: Scope, receive: Receive, __: Send) -> None:
        while (await receive())["more_body"]:
            pass

    async def sends(_: Message) -> None:
        """Send nothing: there is no answer."""

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"host", b"localhost")]}
    async with asyncio.timeout(20):
        with pytest.raises(Refused, match="The body did not come within 30 s") as refused:
            await Edge(reads, Doorway.of(ServerSettings()))(scope, drips, sends)
    assert (refused.value.status_code, refused.value.headers) == (408, {"Connection": "close"})


async def test_what_is_answered_slowly_is_no_slow_body(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream of events lives on long after its request was read."""
    monkeypatch.setattr(edge, "SENT_WITHIN", 0.05)
    async with running(tmp_path, keep_alive=0.02) as api, events(api.viewer) as stream:
        await stream.next("snapshot")
        for _ in range(10):
            assert await stream.comment() == "still here"


async def test_several_gzips_behind_each_other_are_one_body(api: Api) -> None:
    """As `cat a.gz b.gz` makes it, and RFC 1952 allows it."""
    body = json.dumps(report()).encode()
    parts = [gzip.compress(body[:100]), gzip.compress(b""), gzip.compress(body[100:])]
    answer = await api.reporter.post(REPORT, content=b"".join(parts), headers=PACKED)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("behind", "detail"),
    [
        (b"more", "The body goes on behind its gzip, with what is no gzip."),
        (b"\0" * 9000, "The body goes on behind its gzip, with what is no gzip."),
        (gzip.compress(b" ")[:-1], "The body ends before its gzip does."),
    ],
    ids=["text", "zeros", "cut"],
)
async def test_what_stands_behind_a_gzip_is_gzip(api: Api, behind: bytes, detail: str) -> None:
    """Anything else is refused and told as such."""
    packed = gzip.compress(json.dumps(report()).encode())
    answer = await api.reporter.post(REPORT, content=packed + behind, headers=PACKED)
    assert (answer.status_code, answer.json()["detail"]) == (400, detail)


async def test_several_gzips_together_are_bounded(api: Api) -> None:
    """What each of them could hold alone is too much for all of them; many tiny ones hold nobody up."""
    half = gzip.compress(b" " * (LARGEST_UNPACKED // 2))
    answer = await api.reporter.post(REPORT, content=half * 3, headers=PACKED)
    assert (answer.status_code, answer.json()["detail"]) == (413, "A body may have 4 MB when it is unpacked.")
    packed = gzip.compress(json.dumps(report()).encode())
    tiny = gzip.compress(b"", mtime=0)
    many = tiny * ((edge.LARGEST_BODY - len(packed)) // len(tiny)) + packed
    assert (await api.reporter.post(REPORT, content=many, headers=PACKED)).status_code == 200
