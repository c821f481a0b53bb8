"""What has to be done for pools now and then: look for silent processes, take samples, store, prune."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from functools import partial

from sqlalchemy import Connection

from mooring.core.clock import Clock
from mooring.core.failure import StoreError
from mooring.engine.pool_ledger import Ledger
from mooring.engine.pool_memory import frozen, packed, restore
from mooring.engine.pools import Pools
from mooring.engine.turns import in_turns
from mooring.reports import LARGEST
from mooring.store import pools as pool_rows
from mooring.store.pools import PoolSample, StoredPool
from mooring.store.store import Store

MOST_WAITING = 50_000
"""Samples that are kept while the store fails: of 100 pools, four hours."""

log = logging.getLogger(__name__)


class PoolKeeper:
    """Keeps pools in the store. Belongs to one event loop."""

    def __init__(self, store: Store, pools: Pools, clock: Clock) -> None:
        self._store = store
        self._pools = pools
        self._clock = clock
        self._waiting: deque[PoolSample] = deque(maxlen=MOST_WAITING)
        self._task: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Read what was stored; a ledger that is damaged begins anew."""
        stored = {each.target_id: each for each in await self._store.read(pool_rows.load)}
        for target in self._pools.targets():
            row = stored.get(target.id or 0)
            if row is None:
                continue
            ledger = self._pools.ledger_of(target)
            try:
                restore(ledger, row, self._clock)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                log.warning("what was stored of the pool %s is left out: %s", target.name, error)
                del self._pools.ledgers[ledger.target_id]
            else:
                self._pools.restored(ledger)

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="mooring pools")

    async def close(self) -> None:
        """End, and store what was heard last."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        now = self._clock.monotonic()
        for ledger in self._pools.ledgers.values():
            self._note(ledger, now)
        try:
            await self._save()
        except StoreError as error:
            log.warning("what pools told last is not stored: %s", error)

    async def sweep(self) -> None:
        """Do all of it once. Raises StoreError."""
        self._pools.forget_removed()
        now = self._clock.monotonic()
        async for ledger in in_turns(list(self._pools.ledgers.values())):
            ledger.tidy(now, self._pools.began)
            self._pools.health.settle(ledger)
            self._note(ledger, now)
        await self._save()
        for step in (pool_rows.roll_up, partial(pool_rows.prune, hours=self._pools.settings.retention_hours)):
            while await self._store.write(partial(step, now=self._clock.now())):
                pass

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(self._pools.settings.cleanup_interval)
            try:
                await self.sweep()
            except StoreError as error:
                log.debug("pools wait for the store: %s", error)
            except Exception:
                log.exception("looking after the pools failed; please report this")

    def _note(self, ledger: Ledger, now: float) -> None:
        """Keep a sample of a pool that is reported, or of which was counted since the one before."""
        if ledger.live(now) or any(ledger.unsampled):
            self._waiting.append(self._sample(ledger, now))

    def _sample(self, ledger: Ledger, now: float) -> PoolSample:
        total, counted = ledger.sum(now), ledger.take_unsampled()
        return PoolSample(
            target_id=ledger.target_id,
            at=self._clock.now(),
            instances=total.instances,
            used=total.used,
            peak=total.peak,
            size=total.size,
            limit=total.limit,
            share=total.utilization,
            waiting=total.waiting,
            taken=min(LARGEST, counted.taken),
            timeouts=min(LARGEST, counted.timeouts),
            errors=min(LARGEST, counted.errors),
        )

    async def _save(self) -> None:
        """Store what is new: samples, and the ledgers that heard something."""
        changed = [ledger for ledger in self._pools.ledgers.values() if ledger.changes > ledger.saved]
        states = [(ledger.target_id, ledger.heard_at, frozen(ledger)) for ledger in changed]
        changes = [ledger.changes for ledger in changed]
        samples = list(self._waiting)
        if not states and not samples:
            return

        def work(conn: Connection) -> None:
            rows = [StoredPool(target_id, at, packed(state)) for target_id, at, state in states]
            pool_rows.save(conn, rows, samples)

        await self._store.write(work)
        for ledger, count in zip(changed, changes, strict=True):
            ledger.saved = count
        for _ in samples:
            self._waiting.popleft()
