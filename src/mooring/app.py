"""The composition root: builds everything, and owns its opening and closing."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

from mooring.config import load
from mooring.core.clock import Clock, SystemClock
from mooring.core.event import Commit, TargetChange
from mooring.core.status import Status
from mooring.core.target import Target
from mooring.engine.bus import Bus
from mooring.engine.catalogue import Catalogue
from mooring.engine.housekeeping import Housekeeping
from mooring.engine.monitor import Monitor
from mooring.engine.own_parts import is_own, own_parts, write_pid
from mooring.engine.pool_keeper import PoolKeeper
from mooring.engine.pools import Pools
from mooring.engine.recorder import Recorder
from mooring.engine.roster import Roster
from mooring.engine.rows import Rows
from mooring.engine.runner import Runner
from mooring.engine.scheduler import Scheduler
from mooring.net.network import Network
from mooring.probes._registry import Kinds
from mooring.settings import Settings
from mooring.store import revisions
from mooring.store.limits import Limits
from mooring.store.seal import Seal
from mooring.store.store import Store
from mooring.targets import TargetReader

log = logging.getLogger(__name__)

OnTransition = Callable[[Target, Status, Status], Any]
"""Called with the target, its old and its new status; may be a coroutine function."""


@dataclass(frozen=True, slots=True)
class Monitoring:
    """How Mooring itself is doing. `lag` is in seconds, the 99th percentile of recent checks."""

    active: bool
    last_tick: datetime | None
    lag: float
    last_write: datetime | None
    store_error: str | None
    waiting: int = 0
    """Results that are not written yet."""
    dropped: int = 0
    """Results that were given up because the store failed for long."""
    damaged: int = 0
    """Stored rows that were left out of history because they are damaged."""


class App:
    """One installation of Mooring. `async with app:` opens it and watches until the end of the block.

    With `watch=False` nothing is checked by itself and the configuration's targets are not applied:
    for programs that only look at or change what is stored. Belongs to one event loop.
    """

    clock: Clock
    net: Network
    kinds: Kinds
    reader: TargetReader
    store: Store
    catalogue: Catalogue
    monitor: Monitor
    scheduler: Scheduler
    recorder: Recorder
    pools: Pools
    bus: Bus

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        clock: Clock | None = None,
        kinds: Kinds | None = None,
        watch: bool = True,
    ) -> None:
        self.settings = settings or Settings()
        self.clock = clock or SystemClock()
        self.kinds = kinds or Kinds()
        self.reader = TargetReader(self.kinds, self.settings.defaults)
        self.bus = Bus()
        self._watch = watch
        self._housekeeping: Housekeeping | None = None
        self._callbacks: list[OnTransition] = []
        self._calls: set[asyncio.Future[Any]] = set()
        self._stack = AsyncExitStack()

    @classmethod
    def from_config(cls, path: str | Path, environ: Mapping[str, str] | None = None) -> Self:
        """Return the App of a configuration file or folder. Raises InputError that holds every mistake."""
        kinds = Kinds()
        return cls(load(path, os.environ if environ is None else environ, kinds=kinds), kinds=kinds)

    async def __aenter__(self) -> Self:
        """Open. Raises InputError for what a person has to put right, StoreError where the database fails."""
        async with AsyncExitStack() as stack:
            await self._open(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Stop checking, write what is left, and close everything."""
        await self._stack.aclose()

    def on(self, event: str, callback: OnTransition) -> None:
        """Call back on each "transition", after it is stored. What the callback raises is logged."""
        if event != "transition":
            raise ValueError(f'there is no event {event!r}; there is "transition"')
        self._callbacks.append(callback)

    @property
    def monitoring(self) -> Monitoring:
        """How Mooring itself is doing now."""
        recorder, scheduler = self.recorder, self.scheduler
        return Monitoring(
            active=scheduler.active,
            last_tick=scheduler.last_tick,
            lag=scheduler.lag,
            last_write=recorder.last_write,
            store_error=recorder.store_error,
            waiting=recorder.waiting,
            dropped=recorder.dropped,
            damaged=self._housekeeping.damaged if self._housekeeping else 0,
        )

    async def add_own_parts(self, http_url: str | None = None) -> None:
        """Watch Mooring's own database, process and, with its address, page: labelled `mooring = "self"`."""
        others = {target.name for target in self.catalogue.targets.values() if not is_own(target)}
        pid_file, remove = write_pid(self.settings.secret_key_file.parent)
        self._stack.callback(remove)
        store_url = self.settings.store.url.get_secret_value()
        wanted = own_parts(self.reader, others, store_url=store_url, http_url=http_url, pid_file=pid_file)
        await self.catalogue.apply(wanted, among=is_own)
        self.scheduler.put(self._own())  # not at the start: nobody listened yet

    def _own(self) -> list[int]:
        return [target.id or 0 for target in self.catalogue.targets.values() if is_own(target)]

    async def _open(self, stack: AsyncExitStack) -> None:
        settings = self.settings
        url = settings.store.url.get_secret_value()
        self.net = await stack.enter_async_context(Network(clock=self.clock, egress=settings.egress))
        migrate = url.startswith("sqlite")
        self.store = await Store.open(url, clock=self.clock, migrate=migrate, watch=self._watch)
        stack.push_async_callback(self.store.close)
        stack.callback(self.bus.close)
        await self._build(stack)
        await self.catalogue.load()
        await self._keeper.load()
        self.bus.revision = await self.store.read(revisions.current)
        if self._watch:
            await self._begin(stack)

    async def _build(self, stack: AsyncExitStack) -> None:
        roster = Roster()
        self.recorder = Recorder(self.store, roster, self.clock, self._committed)
        self.recorder.start()
        stack.push_async_callback(self.recorder.close)
        self.monitor = Monitor(Runner(self.net), self.clock, roster=roster, recorder=self.recorder)
        stack.push_async_callback(self.monitor.close)
        self.scheduler = Scheduler(self.monitor, roster, self.clock, limit=_checks_at_once())
        self.recorder.plan = self.scheduler.plan
        self.catalogue = Catalogue(
            self.store,
            roster,
            self.recorder,
            self.reader,
            Rows(self.reader, _seal(self.settings)),
            self.clock,
            self.scheduler.put,
        )
        self.pools = Pools(self.catalogue, self.recorder, self.clock, self.settings.pools)
        self._keeper = PoolKeeper(self.store, self.pools, self.clock)

    async def _begin(self, stack: AsyncExitStack) -> None:
        wanted = self.settings.targets
        names = {target.name for target in wanted}
        await self.catalogue.apply(wanted, among=lambda target: target.name in names or not is_own(target))
        keep = self.settings.store
        limits = Limits(keep.raw_hours, keep.rollup_10min_days, keep.rollup_hour_days)
        housekeeping = Housekeeping(self.store, self.catalogue, self.recorder, self.clock, limits)
        self._housekeeping = housekeeping
        await housekeeping.start()
        stack.push_async_callback(housekeeping.close)
        stack.push_async_callback(self.monitor.close)
        self._keeper.start()
        stack.push_async_callback(self._keeper.close)
        self.scheduler.slept = lambda since: self.recorder.interrupt(since, "Mooring was suspended")
        self.scheduler.start(later=self._own())
        stack.callback(self.scheduler.stop)

    def _committed(self, commit: Commit) -> None:
        self.bus.publish(commit)
        for change in commit.transitions:
            target = self.catalogue.targets.get(change.target_id or 0)
            if target is not None and commit.targets.get(target.id or 0) is not TargetChange.REMOVED:
                for callback in self._callbacks:
                    self._call(callback, target, change.old, change.new)

    def _call(self, callback: OnTransition, target: Target, old: Status, new: Status) -> None:
        try:
            answer = callback(target, old, new)
        except Exception:
            log.exception("a callback on transitions failed")
            return
        if inspect.isawaitable(answer):
            call = asyncio.ensure_future(answer)
            self._calls.add(call)
            call.add_done_callback(partial(_called, self._calls))


def _called(calls: set[asyncio.Future[Any]], call: asyncio.Future[Any]) -> None:
    calls.discard(call)
    if not call.cancelled() and (error := call.exception()) is not None:
        log.error("a callback on transitions failed", exc_info=error)


def _seal(settings: Settings) -> Seal:
    if settings.store.url.get_secret_value().startswith("sqlite") and settings.store.file is None:
        from cryptography.fernet import Fernet

        return Seal(Fernet.generate_key())  # what lives in memory dies with its key
    return Seal.from_file(settings.secret_key_file)


def _checks_at_once() -> int:
    """Return how many scheduled checks may run at once: each takes a file descriptor."""
    from mooring.engine.scheduler import LIMIT

    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return LIMIT
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return LIMIT if allowed == resource.RLIM_INFINITY else max(2, min(LIMIT, allowed // 2))
