"""Reads server-sent events as a browser does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Event:
    """One event, or a comment (`name` is then empty)."""

    name: str
    data: Any
    id: str | None


class Stream:
    """An open event stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self, name: str | None = None, within: float = 20) -> Event:
        """Return the next event, or the next of that name; raises TimeoutError and StopAsyncIteration."""
        async with asyncio.timeout(within):
            while True:
                event = await self._one()
                if event.name and name in (None, event.name):
                    return event

    async def comment(self, within: float = 20) -> str:
        """Return the next comment."""
        async with asyncio.timeout(within):
            while True:
                line = await anext(self._lines)
                if line.startswith(":"):
                    return line.removeprefix(":").strip()

    async def rest(self, within: float = 20) -> list[Event]:
        """Return all events until the server ends the stream."""
        events = []
        async with asyncio.timeout(within):
            while True:
                try:
                    event = await self._one()
                except StopAsyncIteration:
                    return events
                if event.name:
                    events.append(event)

    async def _one(self) -> Event:
        fields: dict[str, str] = {}
        while True:
            line = await anext(self._lines)
            if not line:
                return Event(
                    fields.get("event", ""), json.loads(fields.get("data", "null")), fields.get("id")
                )
            name, _, value = line.partition(": ")
            fields[name] = value


@asynccontextmanager
async def events(
    client: httpx.AsyncClient, method: str = "GET", path: str = "/api/v1/events", **options: Any
) -> AsyncIterator[Stream]:
    """Open an event stream."""
    headers = {"Accept": "text/event-stream", **options.pop("headers", {})}
    async with client.stream(method, path, headers=headers, **options) as response:
        if response.status_code != 200:
            raise AssertionError(f"{response.status_code}: {(await response.aread()).decode()}")
        yield Stream(response)
