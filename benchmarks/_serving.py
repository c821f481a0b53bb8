"""A real `mooring serve` with many targets, judged from outside: by its CPU time, its memory and its rows."""

from __future__ import annotations

import math
import os
import sqlite3
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import psutil

from tests.servers.process import ServerProcess

OURS, THEIRS = {0}, {1}
"""Cores: of what is measured, and of what it asks."""


class Serving(ServerProcess):
    """`mooring serve` on these addresses, each a target of that interval, on one core."""

    def __init__(self, folder: Path, addresses: Iterable[str], interval: float) -> None:
        super().__init__(folder)
        tables = (
            f'[[targets]]\nname = "t{number}"\nurl = "{address}"\ninterval = {interval}\n'
            for number, address in enumerate(addresses)
        )
        (folder / "mooring.toml").write_text("".join(tables))

    def command(self) -> list[str]:
        program = str(Path(sys.executable).with_name("mooring"))
        return [program, "serve", "-c", "mooring.toml", "--port", str(self.port)]

    def ready(self) -> bool:
        with urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)

    @property
    def cpu_seconds(self) -> float:
        """CPU time of the process so far, all its threads included."""
        return float(sum(psutil.Process(self.pid).cpu_times()[:2]))

    @property
    def memory(self) -> float:
        """Resident memory in MB."""
        return float(psutil.Process(self.pid).memory_info().rss / 1e6)

    def starts(self) -> dict[str, list[float]]:
        """Return when each target's checks began, in seconds, in order."""
        found: dict[str, list[float]] = defaultdict(list)
        database = sqlite3.connect(f"file:{self.folder / 'mooring.db'}?mode=ro", uri=True)
        query = (
            "SELECT name, started_at FROM results JOIN targets ON id = target_id WHERE name LIKE 't%'"
            " ORDER BY started_at"
        )
        for name, at in database.execute(query):
            found[name].append(at / 1e6)
        database.close()
        return found


def lags(starts: Iterable[Sequence[float]], interval: float) -> list[float]:
    """Return by how many seconds each check began late, against its target's most punctual one."""
    late = []
    for each in starts:
        phases = [at - number * interval for number, at in enumerate(each)]
        late += [phase - min(phases) for phase in phases]
    return late


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * share) - 1]


def per_second(moments: Iterable[float], start: float) -> list[int]:
    """Return how many moments fall into each second after the start."""
    buckets = Counter(int(moment - start) for moment in moments)
    return [buckets[second] for second in range(max(buckets) + 1)]


def watch_for(seconds: float, what: str) -> None:
    """Let time pass, and say so to people."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if sys.stdout.isatty():
            print(f"\r{what}: {left:3.0f} s ", end="", flush=True)
        time.sleep(min(1, left))
    if sys.stdout.isatty():
        print("\r", end="")


def verdict(figure: float, most: float) -> str:
    """Return whether a figure keeps its goal."""
    return "met" if figure <= most else "missed"


@contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """Keep this process, and what it starts meanwhile, on these cores where the machine has them."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
