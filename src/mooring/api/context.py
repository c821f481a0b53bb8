"""What the routes work with, made once for each server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from fastapi import Depends, Request

from mooring.api.dashboard import Dashboard
from mooring.api.envelope import Envelope
from mooring.api.keyring import Keyring
from mooring.api.permission import Permissions
from mooring.api.rows import Rows
from mooring.api.stream import KEEP_ALIVE, Event
from mooring.engine.bus import Fanout
from mooring.export.prometheus import Tally

if TYPE_CHECKING:  # the document can be made without anything that runs
    from mooring.api.past import Past
    from mooring.app import App

MOST_STREAMS = 200
"""Event streams open at once. Each holds a connection and a place on the bus."""


class Live(Protocol):
    """What live.py makes: events for the overview's viewers."""

    @property
    def events(self) -> Fanout[Event]: ...

    def view(self) -> AsyncGenerator[Event, None]: ...

    async def run(self) -> None: ...


@dataclass
class Context:
    """The app, and what belongs to this server alone. `ending` is set when it is told to stop."""

    app: App
    keyring: Keyring
    past: Past
    permissions: Permissions
    base_path: str = ""
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    keep_alive: float = KEEP_ALIVE
    envelope: Envelope = field(default_factory=Envelope)
    dashboard: Dashboard = field(default_factory=Dashboard)
    tally: Tally = field(default_factory=Tally)
    rows: Rows = field(default_factory=Rows)
    streams: int = 0
    kinds: dict[str, Any] | None = None
    live: Live = field(init=False)
    """Made from all the others, and so set last."""

    def opened(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return a body with the settings that its `found` holds."""
        return self.envelope.opened(body)


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Here = Annotated[Context, Depends(_context)]
"""Parameter of a route: what it works with."""
