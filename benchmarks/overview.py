"""How long the overview takes with many targets and a month of history.

    python -m benchmarks.overview

A real `mooring serve` checks 1,000 TCP ports every 30 s while it is asked once a second, as a page would
ask. Its database holds 30 days of roll-ups and changes of health. Uptime and latencies are read anew
every ten seconds, so that more than one request in twenty reads them: the p95 is such a request.
"""

from __future__ import annotations

import http.client
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks._serving import Serving, percentile, verdict
from mooring.core.histogram import pack
from tests.servers.process import poll_until, private_folder

TARGETS, INTERVAL, DAYS = 1000, 30, 30
REQUESTS, PACE = 60, 1.0
GOAL = 0.050
SLOT, HOUR, DAY = 600, 3600, 86_400
ROLLUPS = ((SLOT, 7), (HOUR, DAYS), (DAY, DAYS))
"""Seconds of a roll-up, and days that it is kept."""
MICROSECONDS = 1_000_000


def main() -> None:
    """Measure and print."""
    with private_folder() as folder, listening() as port:
        server = Serving(folder, (f"tcp://127.0.0.1:{port}" for _ in range(TARGETS)), INTERVAL)
        with server:
            server.stop()
            rows = fill(sqlite3.connect(folder / "mooring.db"))
            server.start()
            poll_until(lambda: len(server.starts()) == TARGETS, "the first check of every target", within=90)
            took, size = ask(server.port, (folder / "mooring.token").read_text().strip())
    p95 = percentile(took, 0.95)
    print(f"{TARGETS:,} targets, {rows:,} rows of {DAYS} days; the answer has {size / 1e6:.2f} MB")
    print(f"GET /api/v1/overview, median: {percentile(took, 0.5) * 1e3:.0f} ms")
    print(
        f"GET /api/v1/overview, p95: {p95 * 1e3:.0f} ms   goal <= {GOAL * 1e3:.0f} ms: {verdict(p95, GOAL)}"
    )


def ask(port: int, token: str) -> tuple[list[float], int]:
    """Ask as a page does; return how long each answer took, and the size of the last."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    took, body = [], b""
    for _ in range(REQUESTS):
        began = time.perf_counter()
        connection.request("GET", "/api/v1/overview", headers={"Authorization": f"Bearer {token}"})
        body = connection.getresponse().read()
        took.append(time.perf_counter() - began)
        time.sleep(max(0.0, PACE - took[-1]))
    shown = json.loads(body)["targets"]
    if len(shown) < TARGETS or not all(any(row["latency"]) for row in shown if row["name"].startswith("t")):
        raise AssertionError("the overview does not show what was stored")
    return took, len(body)


def fill(database: sqlite3.Connection) -> int:
    """Store the history of a month beside the targets; return how many rows that is."""
    ids = [row[0] for row in database.execute("SELECT id FROM targets WHERE name LIKE 't%' ORDER BY id")]
    now, histogram, rows = int(time.time()), pack({10: 20}), 0
    for seconds, days in ROLLUPS:
        last, checks = now // seconds, seconds // INTERVAL
        values = (
            (seconds, slot, target, checks, 0, checks * 4000, 3000, 9000, histogram)
            for slot in range(last - days * DAY // seconds, last)
            for target in ids
        )
        rows += database.executemany("INSERT INTO rollups VALUES (?,?,?,?,?,?,?,?,?)", values).rowcount
    changes = (
        (target, (now - day * DAY - target * 60 % DAY + half * 300) * MICROSECONDS, half * 2, 2 - half * 2, 0)
        for day in range(1, DAYS + 1)
        for target in ids
        for half in (0, 1)
    )
    insert = "INSERT INTO transitions (target_id, at, old, new, revision) VALUES (?,?,?,?,?)"
    rows += database.executemany(insert, changes).rowcount
    database.commit()
    database.close()
    return rows


@contextmanager
def listening() -> Iterator[int]:
    """Accept connections and drop them at once."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)

    def accept() -> None:
        try:
            while True:
                listener.accept()[0].close()
        except OSError:
            return

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


if __name__ == "__main__":
    main()
