"""What storing costs: CPU for a result, bytes for a year.

    python -m benchmarks.storage

A week of results is really stored, rolled up and pruned, on a simulated clock; for fewer targets than
1,000, so that it is short, and sizes are then scaled by the number of targets. What a year adds to a
week is arithmetic from the measured width of its rows: hourly roll-ups up to 90 days, daily ones and
changes for ever.
"""

from __future__ import annotations

import asyncio
import math
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, create_engine

from mooring.core.clock import SystemClock
from mooring.core.failure import Failure
from mooring.core.health import Health, settle
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Observation, TargetRef
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.core.status import Status
from mooring.core.target import Schedule
from mooring.core.transition import Transition
from mooring.store import health, history, results, revisions, schema, targets, transitions
from mooring.store.history import Limits
from mooring.store.store import Store
from mooring.store.targets import StoredTarget

GOAL_CPU, GOAL_BYTES = 30e-6, 1e9
BATCHES = (70, 500)
TARGETS, SCALED_TO, INTERVAL, DAYS = 40, 1000, 30, 7
LIMITS = Limits()
BEGAN = datetime(2026, 1, 5, tzinfo=UTC)
STAGES = (Stage.DNS, Stage.TCP, Stage.TLS, Stage.PROTOCOL, Stage.FUNCTION)
SPELL = 1 / 5000
"""How often a check begins an outage, and how often a slow spell: each every other day, for 20 checks."""
PARTS = {
    "raw results": ("results", ""),
    "notes": ("notes", ""),
    "roll-ups of 10 min": ("rollups", "WHERE seconds = 600"),
    "roll-ups of 1 h": ("rollups", "WHERE seconds = 3600"),
    "roll-ups of 1 d": ("rollups", "WHERE seconds = 86400"),
    "changes": ("transitions", ""),
    "failures by day": ("failure_days", ""),
}
FOR_EVER = ("changes", "failures by day")


@dataclass
class Stream:
    """Results as they come in: each target every 30 s, with outages and slow spells."""

    refs: list[TargetRef]
    now: datetime = BEGAN
    healths: dict[int, Health] = field(default_factory=dict)
    outages: dict[int, int] = field(default_factory=dict)
    slow: dict[int, int] = field(default_factory=dict)
    random: random.Random = field(default_factory=lambda: random.Random(1))
    turn: int = 0

    def store(self, count: int, conn: Connection) -> None:
        """Store the next results as the recorder does."""
        self.write(self.take(count), conn)

    def take(self, count: int) -> tuple[list[CheckResult], dict[int, Health], list[Transition]]:
        """Return the next results, and what they made of health."""
        batch, healths, changes = [], {}, []
        for _ in range(count):
            ref = self.refs[self.turn % len(self.refs)]
            self.turn += 1
            self.now += timedelta(seconds=INTERVAL / len(self.refs))
            result = self._result(ref)
            settled = settle(self.healths.get(ref.id, Health()), result, Schedule())
            self.healths[ref.id] = healths[ref.id] = settled.health
            changes += [settled.transition] if settled.transition else []
            batch.append(result)
        return batch, healths, changes

    def write(
        self, taken: tuple[list[CheckResult], dict[int, Health], list[Transition]], conn: Connection
    ) -> None:
        """Store a batch as the recorder does."""
        batch, healths, changes = taken
        revision = revisions.next_revision(conn)
        results.append(conn, batch, revision)
        health.save(conn, healths, revision)
        transitions.append(conn, changes, revision)

    def _result(self, ref: TargetRef) -> CheckResult:
        if self._goes_on(self.outages, ref):
            words = "no answer at tcp within 5 s"
            hint = "Nothing came back in time: a firewall that drops packets, or a service that hangs."
            failure = Failure(Reason.TIMEOUT, Stage.TCP, "TIMEOUT", words, hint)
            stages = (StageResult(Stage.TCP, StageStatus.FAILED, 5.0),)
            return CheckResult(ref, Status.DOWN, failure, stages, Observation(), self.now, 5.0)
        seconds = math.exp(self.random.gauss(-4, 0.5))
        stages = tuple(StageResult(s, StageStatus.PASSED, seconds * self.random.random() / 3) for s in STAGES)
        warnings = (f"slow: {seconds:.3f} s",) if self._goes_on(self.slow, ref) else ()
        seen = Observation({"status": 200, "address": "10.0.0.7"}, {"bytes": 612}, warnings)
        status = Status.DEGRADED if warnings else Status.UP
        return CheckResult(ref, status, None, stages, seen, self.now, seconds)

    def _goes_on(self, spells: dict[int, int], ref: TargetRef) -> bool:
        left = spells.pop(ref.id, 0) or (20 if self.random.random() < SPELL else 0)
        if left > 1:
            spells[ref.id] = left - 1
        return left > 0


def main() -> None:
    """Measure and print."""
    asyncio.run(_main())


async def _main() -> None:
    for size in BATCHES:
        took = await _cpu(size) * 1e6
        goal = f"goal <= {GOAL_CPU * 1e6:.0f} us"
        print(f"CPU to store a result and its health, {size} at once: {took:.1f} us   {goal}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "week.db"
        stall = await _week(path)
        _print_year(path)
    print(f"longest transaction of upkeep, {TARGETS} targets: {stall * 1e3:.0f} ms")


async def _opened(path: Path, count: int) -> tuple[Store, Stream]:
    store = await Store.open(f"sqlite:///{path}", clock=SystemClock(), migrate=True)
    return store, Stream(await store.write(lambda conn: [_target(conn, number) for number in range(count)]))


def _target(conn: Connection, number: int) -> TargetRef:
    new = StoredTarget(f"target {number}", "http", f"10.0.0.7:{number}", "sealed" * 60, BEGAN)
    stored = targets.insert(conn, new)
    return TargetRef(stored.id, stored.name, stored.kind, stored.address)


async def _cpu(size: int) -> float:
    """Return CPU-seconds a result: its row, its target's health, the revision, the commit."""
    with tempfile.TemporaryDirectory() as folder:
        store, stream = await _opened(Path(folder) / "cpu.db", SCALED_TO)
        batches = [stream.take(size) for _ in range(20_000 // size)]
        began = time.process_time()
        for batch in batches:
            await store.write(partial(stream.write, batch))
        took = time.process_time() - began
        await store.close()
        return took / (len(batches) * size)


async def _week(path: Path) -> float:
    """Store a week; return the seconds of the longest transaction that rolled up or pruned."""
    store, stream = await _opened(path, TARGETS)
    longest = 0.0
    for _ in range(DAYS * 144):
        await store.write(partial(stream.store, TARGETS * schema.SLOT // INTERVAL))
        for work in (history.roll_up, history.prune):
            longest = max(longest, await _upkeep(store, work, stream.now))
    await store.close()
    return longest


async def _upkeep(store: Store, work: Callable[[Connection, datetime, Limits], bool], now: datetime) -> float:
    longest, more = 0.0, True
    while more:
        began = time.perf_counter()
        more = await store.write(lambda conn: work(conn, now, LIMITS))
        longest = max(longest, time.perf_counter() - began)
    return longest


def _print_year(path: Path) -> None:
    size, scale = path.stat().st_size, SCALED_TO / TARGETS
    rows = {name: _measured(path, *part) for name, part in PARTS.items()}
    packed = sum(count * width for count, width in rows.values())
    print(f"a week of {TARGETS} targets every {INTERVAL} s: {size / 1e6:.1f} MB in the file")
    for name, (count, width) in rows.items():
        print(f"  {count:8,} {name:20} {width:6.1f} bytes each")
    year = dict(rows)
    year["roll-ups of 1 h"] = (TARGETS * 24 * int(LIMITS.rollup_hour_days), rows["roll-ups of 1 h"][1])
    year["roll-ups of 1 d"] = (TARGETS * 365, rows["roll-ups of 1 d"][1])
    for name in FOR_EVER:
        year[name] = (rows[name][0] * 365 // DAYS, rows[name][1])
    fill = size / packed
    total = sum(count * width for count, width in year.values()) * fill * scale
    for name, (count, width) in year.items():
        megabytes = count * width * scale * fill / 1e6
        print(f"  a year of {SCALED_TO:,}: {count * scale:12,.0f} {name:20} {megabytes:6.1f} MB")
    print(
        f"a year of {SCALED_TO:,} targets: {total / 1e6:.0f} MB   goal <= {GOAL_BYTES / 1e6:.0f} MB", end=" "
    )
    print(f"(rows packed tightly, times {fill:.2f} for the pages' free space as in the file)")


def _measured(path: Path, table: str, where: str) -> tuple[int, float]:
    """Return how many rows there are, and the bytes of one, indexes included, in a tight copy."""
    copy = path.with_name("copy.db")
    copy.unlink(missing_ok=True)
    schema.metadata.tables[table].create(engine := create_engine(f"sqlite:///{copy}"))
    engine.dispose()
    empty = copy.stat().st_size
    connection = sqlite3.connect(path)
    connection.execute("ATTACH ? AS other", (str(copy),))
    count = connection.execute(f"INSERT INTO other.{table} SELECT * FROM main.{table} {where}").rowcount
    connection.commit()
    connection.close()
    return count, (copy.stat().st_size - empty) / count if count else 0.0


if __name__ == "__main__":
    main()
