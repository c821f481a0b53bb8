"""From a cold start to the answer: `mooring check redis://...`, against importing Pydantic and nothing else.

    python -m benchmarks.cold_start

Both are whole processes; the two take turns, so that a busy moment falls on both.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tests.servers.process import private_folder
from tests.servers.redis import Redis

GOAL = 3.0
ROUNDS = 25
PEER = (sys.executable, "-c", "from pydantic import BaseModel")


def timed(command: tuple[str, ...], folder: str) -> tuple[float, float]:
    """Run a command; return its seconds by the clock and of CPU."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took, cpu


def main() -> int:
    """Print both times and their ratio beside the goal."""
    if shutil.which("redis-server") is None:
        sys.stdout.write("skipped: redis-server is not installed\n")
        return 0
    mooring = str(Path(sys.executable).with_name("mooring"))
    with private_folder() as folder, Redis(folder) as server, tempfile.TemporaryDirectory() as empty:
        check = (mooring, "check", server.url())
        ours, peers = [], []
        for each in range(ROUNDS + 2):
            pair = timed(check, empty), timed(PEER, empty)
            if each >= 2:  # the first rounds fill the caches of the disk
                ours.append(pair[0])
                peers.append(pair[1])
    for index, name in enumerate(("clock", "CPU")):
        mine, peer = (statistics.median(times[index] for times in each) for each in (ours, peers))
        ratio = statistics.median(m[index] / p[index] for m, p in zip(ours, peers, strict=True))
        sys.stdout.write(
            f"{name:5}  mooring check redis:// {mine * 1000:4.0f} ms    pydantic alone {peer * 1000:4.0f} ms"
            f"    ratio {ratio:.2f}  (goal: at most {GOAL:g})\n"
        )
    return 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
