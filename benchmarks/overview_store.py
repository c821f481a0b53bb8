"""What the store's part of the overview and of a target's history takes.

    python -m benchmarks.overview_store

1,000 targets with 30 days of history: what the roll-ups keep of it, six hours of raw results, a change
of each target every three hours. `GET /api/v1/overview` has to take at most 5 statements and 50 ms (95th
percentile) as a whole; these are its statements, in the thread that runs them.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from sqlalchemy import Connection, event, text

from mooring.core.clock import SystemClock
from mooring.store import health, histogram, history, results, revisions, targets
from mooring.store.store import Store
from mooring.store.targets import StoredTarget

TARGETS, RUNS = 1000, 40
NOW = datetime(2026, 3, 2, 10, 25, tzinfo=UTC)
AT = int(NOW.timestamp())
GOAL_STATEMENTS, GOAL_SECONDS = 5, 0.050

NUMBERS = "WITH RECURSIVE n(x) AS (SELECT :low UNION ALL SELECT x + 1 FROM n WHERE x < :high) "
ROLLUPS = (
    NUMBERS
    + "INSERT INTO rollups SELECT :seconds, n.x, t.id, :checks, 0, :checks * 20000, 9000, 90000, :histogram"
    " FROM n, targets t ORDER BY 1, 2, 3"
)
RESULTS = (
    NUMBERS
    + "INSERT INTO results SELECT n.x / 600, t.id, (n.x + t.id % 30) * 1000000 + t.id, '', 0, 0, NULL, 20000,"
    " zeroblob(25), NULL, 1 FROM n, targets t WHERE n.x % 30 = 0 ORDER BY 1, 2, 3"
)
CHANGES = (
    NUMBERS + "INSERT INTO transitions (target_id, at, old, new, revision)"
    " SELECT t.id, (:at - n.x * 10800 - t.id) * 1000000, (n.x + 1) % 2 * 2, n.x % 2 * 2, 1 FROM n, targets t"
)
HEALTH = (
    "INSERT INTO health SELECT id, 0, :at * 1000000, NULL, NULL, 'local' || char(9) || '0' || char(9) || '0'"
    " || char(9) || '7' || char(9) || '0', NULL, :at * 1000000, 'local', 0, 0, 20000, zeroblob(25), 1"
    " FROM targets"
)


def main() -> None:
    """Measure and print."""
    asyncio.run(_main())


async def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(f"sqlite:///{Path(folder) / 'month.db'}", clock=SystemClock(), migrate=True)
        await store.write(_fill, patience=600)
        overview, statements = await _measured(store, _overview)
        print(f"overview of {TARGETS:,} targets, the store's part:")
        print(f"  {statements} statements   goal <= {GOAL_STATEMENTS} for the whole answer")
        print(f"  p95 {overview * 1e3:5.1f} ms   goal <= {GOAL_SECONDS * 1e3:.0f} ms for the whole answer")
        for name in history.WINDOWS:
            took, statements = await _measured(
                store, lambda conn, name=name: history.window(conn, 500, name, NOW)
            )
            print(f"history of a target over {name:>4}: p95 {took * 1e3:5.1f} ms, {statements} statements")
        took, _ = await _measured(store, lambda conn: results.recent(conn, 500, limit=100))
        print(f"a target's 100 newest results:    p95 {took * 1e3:5.1f} ms")
        took, _ = await _measured(store, health.load)
        print(f"health of all, once at start:     p95 {took * 1e3:5.1f} ms")
        await store.close()


def _overview(conn: Connection) -> None:
    history.uptime(conn, NOW - timedelta(hours=24), NOW)
    history.sparklines(conn, NOW)
    revisions.current(conn)


async def _measured(store: Store, work: Callable[[Connection], Any]) -> tuple[float, int]:
    """Return the 95th percentile of seconds, and how many statements it takes."""
    counts: list[int] = []

    def timed(conn: Connection) -> float:
        counts.append(0)

        def count(*_: object) -> None:
            counts[-1] += 1

        event.listen(conn, "before_cursor_execute", count)
        began = time.perf_counter()
        work(conn)
        took = time.perf_counter() - began
        event.remove(conn, "before_cursor_execute", count)
        return took

    took = [await store.read(timed) for _ in range(RUNS)]
    return quantiles(took, n=20)[-1], max(counts)


def _fill(conn: Connection) -> None:
    for number in range(TARGETS):
        targets.insert(conn, StoredTarget(f"target {number}", "http", "10.0.0.7:80", "sealed", NOW))
    packed = histogram.pack({histogram.index_of(each): 4 for each in (9000, 14000, 20000, 40000, 90000)})
    for seconds, days in ((600, 7), (3600, 30), (86400, 30)):
        last = AT // seconds - 1
        values = {"seconds": seconds, "low": last - days * 86400 // seconds, "high": last}
        conn.execute(text(ROLLUPS), {**values, "checks": seconds // 30, "histogram": packed})
    conn.execute(text(RESULTS), {"low": AT - 6 * 3600, "high": AT})
    conn.execute(text(CHANGES), {"low": 0, "high": 30 * 8, "at": AT})
    conn.execute(text(HEALTH), {"at": AT})


if __name__ == "__main__":
    main()
