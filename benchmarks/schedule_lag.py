"""1,000 targets of which 200 are black-holed: how long the others wait for them.

    python -m benchmarks.schedule_lag [--interval 15] [--rounds 4]

The black hole is a port whose queue is full: the kernel drops every SYN, so that each of these checks
takes its whole timeout. Goals: first checks of all within 30 s, evenly; those of the healthy targets
at most 1 s late (99 of 100). Both are taken from the rows that `mooring serve` stored.
"""

from __future__ import annotations

import argparse
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks._serving import (
    OURS,
    THEIRS,
    Serving,
    lags,
    on_cores,
    per_second,
    percentile,
    verdict,
    watch_for,
)
from tests.servers.nginx import Nginx
from tests.servers.process import private_folder

TARGETS, DARK = 1000, 200
SPREAD = 30.0
MOST_LAG = 1.0


def main() -> None:
    """Print each figure beside its goal."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--interval", type=float, default=15)
    options.add_argument("--rounds", type=int, default=4)
    given = options.parse_args()
    with ExitStack() as stack:
        with on_cores(THEIRS):
            nginx = stack.enter_context(Nginx(stack.enter_context(private_folder())))
        dark = stack.enter_context(black_hole())
        addresses = [
            f"http://127.0.0.1:{dark}/" if number % (TARGETS // DARK) == 0 else nginx.url("/")
            for number in range(TARGETS)
        ]
        folder = stack.enter_context(private_folder())
        serving = stack.enter_context(Serving(folder, addresses, given.interval))
        watch_for(SPREAD + given.interval * given.rounds, "watching")
        serving.stop()
        starts = serving.starts()
    report(starts, given.interval)


def report(starts: dict[str, list[float]], interval: float) -> None:
    """Print what the rows say."""
    first = [each[0] for each in starts.values()]
    window = max(first) - min(first)
    buckets = per_second(first, min(first))
    healthy = [each for name, each in starts.items() if int(name[1:]) % (TARGETS // DARK)]
    late = lags(healthy, interval)
    lag = percentile(late, 0.99)
    print(f"{TARGETS:,} targets every {interval:g} s, {DARK} of them black-holed")
    print(f"checked             {len(first):8,}      goal {TARGETS:,}           "
          f"{'met' if len(first) == TARGETS else 'missed'}")  # fmt: skip
    print(f"first checks within {window:8.1f} s    goal at most {SPREAD:g} s   {verdict(window, SPREAD)}")
    print(f"  in each second    {min(buckets[:-1]):4} to {max(buckets)}; evenly were {TARGETS / SPREAD:.0f}")
    print(f"lag of healthy, p99 {lag:8.3f} s    goal at most {MOST_LAG:g} s    {verdict(lag, MOST_LAG)}")
    print(f"longest lag         {max(late):8.3f} s    of {len(late):,} checks")


@contextmanager
def black_hole() -> Iterator[int]:
    """Listen with a queue of one that is full; yield the port."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            yield port


if __name__ == "__main__":
    with on_cores(OURS):
        main()
