"""10,000 plain-HTTP targets every 30 s on one core, and the memory that 1,000 take.

    python -m benchmarks.many_targets [--targets 10000] [--seconds 60]

`mooring serve` runs on one core, nginx on the other. Goals: at most 20 % of the core, checks at most
1 s late (99 of 100), and 150 MB at 1,000 targets. Lags are taken from the stored rows.
"""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack

from benchmarks._serving import OURS, THEIRS, Serving, lags, on_cores, percentile, verdict, watch_for
from tests.servers.nginx import Nginx
from tests.servers.process import private_folder

INTERVAL = 30.0
SPREAD = 32.0
"""Seconds until every target was checked once."""
FEW = 1000
MOST_SHARE, MOST_LAG, MOST_MEMORY = 20.0, 1.0, 150.0


def main() -> None:
    """Print each figure beside its goal."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--targets", type=int, default=10_000)
    options.add_argument("--seconds", type=float, default=60)
    given = options.parse_args()
    with ExitStack() as stack:
        with on_cores(THEIRS):
            nginx = stack.enter_context(Nginx(stack.enter_context(private_folder())))
        many(nginx, given.targets, given.seconds)
        few(nginx)


def many(nginx: Nginx, targets: int, seconds: float) -> None:
    """Measure the share of a core and the lag."""
    with private_folder() as folder, Serving(folder, [nginx.url("/")] * targets, INTERVAL) as serving:
        watch_for(SPREAD, "first checks")
        began, cpu = time.monotonic(), serving.cpu_seconds
        watch_for(seconds, "measuring")
        share = (serving.cpu_seconds - cpu) / (time.monotonic() - began) * 100
        memory = serving.memory
        serving.stop()
        starts = serving.starts()
    late = lags(starts.values(), INTERVAL)
    checks = targets / INTERVAL
    lag = percentile(late, 0.99)
    print(f"{targets:,} targets every {INTERVAL:g} s: {len(late):,} checks, {checks:.0f} a second")
    print(
        f"share of one core   {share:8.1f} %    goal at most {MOST_SHARE:g} %    {verdict(share, MOST_SHARE)}"
    )
    print(f"a check costs       {share / 100 / checks * 1e6:8.0f} us of CPU, all included")
    print(f"lag, p99            {lag:8.3f} s    goal at most {MOST_LAG:g} s     {verdict(lag, MOST_LAG)}")
    print(f"lag, longest        {max(late):8.3f} s")
    print(f"memory              {memory:8.0f} MB")


def few(nginx: Nginx) -> None:
    """Measure the memory."""
    with private_folder() as folder, Serving(folder, [nginx.url("/")] * FEW, INTERVAL) as serving:
        watch_for(SPREAD + INTERVAL, "filling memory")
        memory = serving.memory
    kept = verdict(memory, MOST_MEMORY)
    print(f"memory at {FEW:,}     {memory:8.0f} MB   goal at most {MOST_MEMORY:g} MB  {kept}")


if __name__ == "__main__":
    with on_cores(OURS):
        main()
