"""Write, then tell: results become health and rows, many in one transaction."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from mooring.core.clock import Clock
from mooring.core.event import Commit, TargetChange
from mooring.core.failure import StoreError
from mooring.core.health import Health, Settled, settle
from mooring.core.result import CheckResult
from mooring.core.status import Status
from mooring.core.target import Target
from mooring.engine.alarm import Alarm
from mooring.engine.batch import Batch, is_steady
from mooring.engine.roster import Roster, interrupted
from mooring.engine.transaction import Change, append, changed
from mooring.store.store import PATIENCE, Store

log = logging.getLogger(__name__)

GATHER = 0.2
"""Seconds in which results are gathered into one transaction."""
FULL = 500
"""Results that are written at once, however short they were gathered."""
CHUNK = 5000
"""Most results in one transaction when the store is back: no other writer waits long for it."""
MOST_WAITING = 100_000
"""Results that are kept while the store fails: about an hour of 1,000 targets."""
RETRY = 2.0
"""Seconds before a store that failed is tried again."""
REFRESH = 300.0
"""Seconds after which a steady health is written although it says nothing new. Less than a slot of raw
results: the newest of these are what a start brings healths up to date with."""
GOODBYE = 10.0
"""Seconds for the last batch when Mooring stops."""

Work = Callable[[Connection], Change]
Plan = Callable[[Target, CheckResult, float], float]
"""Given what was checked, the result and the delay that is due: seconds until the next check."""


class Recorder:
    """Settles results in order and writes them. Belongs to one event loop.

    While the store fails, checks go on: what was measured is kept, within bounds, and written when
    it is back.
    """

    def __init__(self, store: Store, roster: Roster, clock: Clock, publish: Callable[[Commit], None]) -> None:
        self.plan: Plan = lambda _target, _result, delay: delay
        self.store_error: str | None = None
        self.last_write: datetime | None = None
        self.dropped = 0
        self.most_waiting = MOST_WAITING
        self._store = store
        self._roster = roster
        self._clock = clock
        self.publish = publish
        self._pending = Batch()
        self.writing = asyncio.Lock()
        """Held while something is written: who holds it sees the store and the roster agree."""
        self._kick = asyncio.Event()
        self._alarm = Alarm(clock, self._kick.set)
        self._task: asyncio.Task[None] | None = None
        self._changes: set[asyncio.Task[Change]] = set()
        self._closing = False
        self._saved: dict[int, float] = {}

    @property
    def waiting(self) -> int:
        """Results that are not written yet."""
        return len(self._pending.results)

    def start(self) -> None:
        """Begin to write what is recorded."""
        self._task = asyncio.create_task(self._run(), name="mooring recorder")

    async def close(self) -> None:
        """Write what is left, and end. What a failing store does not take is lost, and told in the log."""
        self._closing = True
        self._kick.set()
        waiting = [task for task in (self._task, *self._changes) if task is not None]
        if waiting:
            # Never cancelled: a batch whose write is given up half-way could be lost or written twice.
            await asyncio.wait(waiting, timeout=GOODBYE)
        self._alarm.clear()
        if self._pending.results:
            log.error("%d results are lost, the store fails: %s", self.waiting, self.store_error)

    def take(self, target: Target, result: CheckResult) -> Settled | None:
        """Settle a result at once and have it written soon.

        Returns None, and keeps nothing, where the target was changed, paused or removed meanwhile.
        """
        current = self._roster.current(target)
        if current is None or current.id is None:
            return None
        settled = settle(self._roster.live[current.id], result, current.schedule)
        wait = self.plan(current, result, settled.delay)
        after = settled.health
        health = Health(
            after.status,
            after.since,
            after.verdicts,
            after.confirming,
            result,
            self._clock.now() + timedelta(seconds=wait),
        )
        news = self._is_news(current.id, health)
        self._roster.live[current.id] = health
        pending = self._pending
        pending.results.append(result)
        pending.put(current.id, health, news=news)
        if settled.transition is not None:
            pending.transitions.append(settled.transition)
        self._gathered(len(pending.results))
        return Settled(health, settled.transition, wait)

    async def record(self, target: Target, result: CheckResult) -> Settled | None:
        """Settle a result and wait until it is written; while the store fails, until that is known."""
        settled = self.take(target, result)
        await self.written()
        return settled

    def written(self) -> asyncio.Future[None]:
        """Have all that was taken so far written now; the future is done when it is, or cannot be for now."""
        pending = self._pending
        if self.store_error is not None or not pending:
            done = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done
        if pending.written is None:
            pending.written = asyncio.get_running_loop().create_future()
        self._kick.set()
        return pending.written

    def interrupt(self, at: datetime, note: str) -> None:
        """Record that from `at` on nobody looked after the targets.

        A login that is rejected stays so: it waits for a person, and would else be unknown for up to an hour.
        """
        for target_id in self._roster.watched():
            before = self._roster.live[target_id]
            if before.calm and before.status is Status.DOWN:
                continue
            health, transition = interrupted(target_id, before, at, note)
            self._roster.live[target_id] = health
            self._pending.put(target_id, health, news=True)
            if transition is not None:
                self._pending.transitions.append(transition)
        self._kick.set()

    async def change(
        self, work: Work, applied: Callable[[Change], None], *, patience: float = PATIENCE
    ) -> Change:
        """Do other work on targets in its turn: after the results so far, before those to come.

        `work` runs on the writer's thread in its transaction; `applied` on the loop as soon as that is
        committed. Raises StoreError, also after `patience` seconds, and what `work` raises; then nothing
        has changed.
        Cancelling the caller does not stop it half-way.
        """
        task = asyncio.create_task(self._change(work, applied, patience), name="mooring change")
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        return await asyncio.shield(task)

    async def _change(self, work: Work, applied: Callable[[Change], None], patience: float) -> Change:
        async with self.writing:
            await self._flush()
            revision, change = await self._store.write(lambda conn: changed(conn, work), patience=patience)
            self.forget(change.health, change.targets)
            applied(change)
            self._told(Commit(revision, (), change.transitions, change.health, change.targets))
            return change

    def forget(self, health: Collection[int], targets: Mapping[int, TargetChange]) -> None:
        """Drop what is not written yet of health that is set anew, and of targets that are gone."""
        removed = [i for i, what in targets.items() if what is TargetChange.REMOVED]
        self._pending.forget((*health, *removed), removed=removed)
        for target_id in removed:
            self._saved.pop(target_id, None)

    def _is_news(self, target_id: int, after: Health) -> bool:
        """Whether a health has to be written: a steady one only has a newer result, a row of its own."""
        before, now = self._roster.live[target_id], self._clock.monotonic()
        if is_steady(before, after) and now - self._saved.get(target_id, -REFRESH) < REFRESH:
            return False
        self._saved[target_id] = now
        return True

    def _gathered(self, results: int) -> None:
        if self.store_error is not None:
            if results > self.most_waiting:
                # A tenth more than is needed, so that not every result has to look for one to drop.
                self.dropped += self._pending.shrink(self.most_waiting - self.most_waiting // 10)
        elif results >= FULL:
            self._kick.set()
        elif results == 1:
            self._alarm.set(self._clock.monotonic() + GATHER)

    async def _run(self) -> None:
        closing = False
        while not closing:
            await self._kick.wait()
            self._kick.clear()
            closing = self._closing  # as of now: told of it in mid-write, there is one more batch to write
            try:
                async with self.writing:
                    await self._flush()
            except StoreError:
                log.debug("the store fails: %s", self.store_error)
            except Exception:
                log.exception("the recorder failed; please report this")

    async def _flush(self) -> None:
        """Write all that is pending now. Raises StoreError and keeps what was not written.

        What comes meanwhile is gathered anew: written at once, batches would be as small as a write is
        short, and their transactions would cost more than the checks.
        """
        batch, self._pending = self._pending, Batch()
        chunks = batch.chunks(CHUNK) if batch else []
        while chunks:
            try:
                await self._write(chunks[0])
            except StoreError as error:
                self._keep(chunks, error)
                raise
            del chunks[0]
        if self._pending:  # what came while the store was failing set no alarm of its own
            self._alarm.set(self._clock.monotonic() + GATHER)

    def _keep(self, chunks: list[Batch], error: StoreError) -> None:
        """Put back what was not written, let nobody wait for it, and try again later."""
        kept = Batch()
        for each in (*chunks, self._pending):
            kept.add(each)
            each.done()
        self._pending = kept
        self.store_error = str(error)
        self._alarm.set(self._clock.monotonic() + RETRY)

    async def _write(self, batch: Batch) -> None:
        try:
            revision = await self._store.write(lambda conn: append(conn, batch))
        except StoreError:
            raise
        except Exception as error:
            await self._isolate(batch, error)
        else:
            self._told(Commit(revision, batch.results, batch.transitions, {**batch.steady, **batch.health}))
        batch.done()

    async def _isolate(self, batch: Batch, error: Exception) -> None:
        """Write what can be written of a batch; the rest would stop all that comes after it."""
        if batch.parts <= 1:
            log.error("dropped, please report this: %s", batch, exc_info=error)
            self.dropped += 1
            return
        for single in batch.singles():
            await self._write(single)

    def _told(self, commit: Commit) -> None:
        self.store_error = None
        self.last_write = self._clock.now()
        known = self._roster.health
        for target_id, health in commit.health.items():
            if target_id in known:
                known[target_id] = health
        self.publish(commit)
