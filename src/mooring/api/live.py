"""What the overview's viewers are told: each event is made once, however many they are."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mooring.api.overview import rows_json, standing_json
from mooring.api.stream import Event
from mooring.core.event import Commit, TargetChange
from mooring.engine.bus import Fanout, Lagged
from mooring.export.json import time_json, transition_json

if TYPE_CHECKING:
    from mooring.api.context import Context

log = logging.getLogger(__name__)

BEAT = 5.0
"""Seconds between two events `state`. Who hears none for longer knows nothing of how things stand."""
MOST_WAITING = 100
"""Events that a viewer may be behind; beyond, it is quicker to read the overview anew."""
FRESH = 1.0
"""Seconds for which the answer to "how does everything stand" is used again where nothing was committed."""


class Live:
    """Makes the events while there is somebody who reads them."""

    def __init__(self, here: Context) -> None:
        self.events: Fanout[Event] = Fanout(MOST_WAITING)
        self._here = here
        self._standing = b""
        self._read_at = float("-inf")
        self._shown: Mapping[int, float | None] = {}
        """Uptimes that every viewer knows, or newer ones."""

    async def view(self) -> AsyncGenerator[Event, None]:
        """Yield `state` at once and on each beat, `rows` for each commit, `lagged` where some were missed."""
        missed = False
        while not self.events.closed:
            async with self.events.subscribe() as news:
                if missed:
                    yield Event("lagged", {"revision": self._here.app.bus.revision})
                yield self._state()
                with contextlib.suppress(Lagged):
                    async for event in news:
                        yield event
            missed = True

    async def run(self) -> None:
        """Make events until the bus closes."""
        beating = asyncio.create_task(self._beat())
        try:
            while not self._here.app.bus.closed:
                await self._pass_on()
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            self.events.close()

    async def _pass_on(self) -> None:
        try:
            async with self._here.app.bus.subscribe() as commits:
                async for commit in commits:
                    self._read_at = float("-inf")
                    if self.events.readers:
                        self.events.publish(self._rows(commit))
                return
        except Lagged:
            log.warning("viewers have to read the overview anew: this process was too busy to tell them")
        except Exception:
            log.exception("viewers could not be told of a commit; please report this")
        for reader in self.events.readers:
            reader.lag()

    async def _beat(self) -> None:
        self._shown = self._here.past.told.shown
        while True:
            await self._here.app.clock.sleep(BEAT)
            if self.events.readers:
                try:
                    told = await self._here.past.get()
                    self._tell_moved(told.shown)
                    self.events.publish(self._state())
                except Exception:
                    log.exception("viewers could not be told how things stand; please report this")

    def _tell_moved(self, shown: Mapping[int, float | None]) -> None:
        """Tell the rows whose uptime is another by now: it moves on though nothing is committed of them."""
        before, self._shown = self._shown, shown
        if before is shown:
            return
        known = self._here.app.catalogue.targets
        moved = [i for i, share in shown.items() if i in known and before.get(i) != share]
        if moved:
            rest = {"revision": self._here.app.bus.revision, "removed": (), "transitions": ()}
            self.events.publish(self._event(rest, moved))

    def _event(self, rest: Mapping[str, Any], target_ids: Iterable[int]) -> Event:
        return Event("rows", to_json(rest)[:-1] + b',"rows":' + rows_json(self._here, target_ids) + b"}")

    def _rows(self, commit: Commit) -> Event:
        """Tell of a commit. The rows are as of now: what waits behind it is in them already."""
        known = self._here.app.catalogue.targets
        if commit.targets:
            self._here.rows.keep(known.keys())
        removed = [i for i, what in commit.targets.items() if what is TargetChange.REMOVED]
        changed = [i for i in {**commit.targets, **commit.health} if i in known]
        rest = {
            "revision": self._here.app.bus.revision,
            "removed": removed,
            "transitions": [transition_json(each) for each in commit.transitions],
        }
        return self._event(rest, changed)

    def _state(self) -> Event:
        now = self._here.app.clock.monotonic()
        if now - self._read_at >= FRESH:
            self._standing, self._read_at = to_json(standing_json(self._here)), now
        moment = {"revision": self._here.app.bus.revision, "now": time_json(self._here.app.clock.now())}
        return Event("state", to_json(moment)[:-1] + b"," + self._standing[1:])
