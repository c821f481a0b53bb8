"""Server-sent events: framing, keep-alive, and an end when the client, the server or the login goes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mooring.core.redact import Redactor

log = logging.getLogger(__name__)

MEDIA_TYPE = "text/event-stream"
KEEP_ALIVE = 15.0
"""Seconds of silence after which a comment is sent, so that proxies keep the connection."""
SLOWEST_READER = 60.0
"""Seconds that a reader may take for one event. After that the connection is dropped: it can resume."""
RETRY_MS = 2000


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `id` is what a browser sends back as Last-Event-ID; bytes are JSON that is ready to send."""

    name: str
    data: Mapping[str, Any] | bytes
    id: int | None = None

    def encode(self) -> bytes:
        """Return what goes over the wire. JSON holds no raw line break, so one data line is enough."""
        head = f"id: {self.id}\n" if self.id is not None else ""
        data = self.data if isinstance(self.data, bytes) else to_json(self.data)
        return f"{head}event: {self.name}\ndata: ".encode() + data + b"\n\n"


class EventStream(Response):
    """Sends events as they come. However it ends, the source is closed, which cancels its work.

    `ending` is the server's own end. `login` returns when the login that opened the stream is over: a
    stream does not outlive it.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self,
        source: AsyncGenerator[Event, None],
        *,
        ending: asyncio.Event,
        login: Callable[[], Coroutine[None, None, None]] | None = None,
        keep_alive: float = KEEP_ALIVE,
    ) -> None:
        super().__init__(headers={"x-accel-buffering": "no", "cache-control": "no-store"})
        del self.headers["content-length"]
        self._source = source
        self._ending = ending
        self._login = login
        self._keep_alive = keep_alive

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if not scope.get("head"):
            await self._stream(receive, send)
        await send({"type": "http.response.body", "body": b""})

    async def _stream(self, receive: Receive, send: Send) -> None:
        queue: asyncio.Queue[Event | None] = asyncio.Queue(1)
        produced = asyncio.create_task(self._produce(queue))
        ends: list[asyncio.Task[object]] = [
            asyncio.create_task(self._pass_on(queue, send)),
            asyncio.create_task(_gone(receive)),
            asyncio.create_task(self._ending.wait()),
        ]
        if self._login is not None:
            ends.append(asyncio.create_task(self._login()))
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (produced, *ends):
                task.cancel()
            await asyncio.gather(produced, *ends, return_exceptions=True)

    async def _produce(self, queue: asyncio.Queue[Event | None]) -> None:
        """Run the source, all of it in this one task: closing it elsewhere would break its task groups."""
        try:
            async with aclosing(self._source) as source:
                async for event in source:
                    await queue.put(event)
        except Exception as error:
            log.warning("an event stream ended early: %s", Redactor()(str(error) or type(error).__name__))
        await queue.put(None)

    async def _pass_on(self, queue: asyncio.Queue[Event | None], send: Send) -> None:
        await _put(send, f"retry: {RETRY_MS}\n\n".encode())
        while True:
            try:
                async with asyncio.timeout(self._keep_alive):
                    event = await queue.get()
            except TimeoutError:
                await _put(send, b": still here\n\n")
                continue
            if event is None:
                return
            await _put(send, event.encode())


async def _put(send: Send, body: bytes) -> None:
    """Send a piece, waiting for a slow reader; raises TimeoutError for one that has stopped reading."""
    async with asyncio.timeout(SLOWEST_READER):
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
