"""`mooring wait`: wait until connections work."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mooring.cli.check import ended, seconds
from mooring.cli.given import Given, given
from mooring.cli.logs import log_to_stderr
from mooring.cli.rows import Rows, headline
from mooring.cli.terminal import Palette, Progress, safe
from mooring.core.health import REJECTIONS_BEFORE_CALM, Health, settle
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.target import Schedule, Target
from mooring.engine.monitor import Monitor
from mooring.engine.runner import Runner
from mooring.net.network import Network

REJECTED_INTERVAL = 30.0
"""Seconds between logins that keep being rejected, so that waiting hammers no account."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "targets",
        nargs="+",
        metavar="TARGET",
        help="an address, a name from the configuration, or - for a list on standard input",
    )
    parser.add_argument(
        "-c", "--config", metavar="FILE", help="the configuration, a file or a folder of them"
    )
    parser.add_argument(
        "--timeout", type=seconds, default=60.0, metavar="S", help="seconds to wait in all (60)"
    )
    parser.add_argument(
        "--interval", type=seconds, default=1.0, metavar="S", help="seconds between checks (1)"
    )
    parser.add_argument(
        "--patient",
        action="store_true",
        help="wait also through what only a person can put right: a missing database, TLS, a rejected login "
        f"(after {REJECTIONS_BEFORE_CALM} in a row it is tried every {REJECTED_INTERVAL:g} s)",
    )


def run(args: argparse.Namespace) -> int:
    """Wait, print how each target stands at the end, and return 0 where all of them work, else 1."""
    wanted = given(args)
    log_to_stderr(secret for target in wanted.targets for secret in target.probe.secrets())
    waiting = Waiting(wanted, args.interval, patient=args.patient)
    asyncio.run(waiting.until_all_work(args.timeout))
    results = waiting.results()
    rows = Rows([result.target for result in results], Palette(sys.stdout))
    for result in results:
        print("\n".join(rows.lines(result)))
    silent = len(wanted.targets) - len(results)
    return 0 if not silent and all(result.status.works for result in results) else 1


@dataclass
class Waiting:
    """Checks each target again and again until it works, all at the same time."""

    wanted: Given
    interval: float
    patient: bool
    last: dict[int, CheckResult] = field(default_factory=dict)
    said: dict[int, str] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)

    def results(self) -> Sequence[CheckResult]:
        """Return the last result of each target, in the order of the targets."""
        return [self.last[index] for index in sorted(self.last)]

    async def until_all_work(self, timeout: float) -> None:
        """Return when all work, when one never will by itself, or after `timeout` seconds."""
        deadline = asyncio.get_running_loop().time() + timeout
        async with Network(egress=self.wanted.egress) as net:
            monitor = Monitor(Runner(net), net.clock)
            tasks = [
                asyncio.create_task(self._one(index, target, monitor, deadline))
                for index, target in enumerate(self.wanted.targets)
            ]
            async with ended(tasks, self.progress):
                for task in asyncio.as_completed(tasks):
                    if not await task:
                        break

    async def _one(self, index: int, target: Target, monitor: Monitor, deadline: float) -> bool:
        """Return whether the target works; False means that waiting for it is over."""
        time = asyncio.get_running_loop().time
        health = Health()
        while (left := deadline - time()) > 0:
            began = time()
            timed = replace(target.schedule, timeout=min(target.schedule.timeout, left))
            result = await monitor.check(replace(target, schedule=timed), Trigger.CLI)
            if self._cut_short(target, timed, result) and index in self.last:
                return False  # what was seen before says more than that our own time was up
            health = settle(health, result, target.schedule).health
            interval = max(self.interval, REJECTED_INTERVAL) if health.calm else self.interval
            self._tell(index, result, interval)
            if result.status.works:
                return True
            if result.failure is not None and result.failure.reason.permanent and not self.patient:
                return False
            await asyncio.sleep(max(0.0, min(began + interval, deadline) - time()))
        return False

    @staticmethod
    def _cut_short(target: Target, timed: Schedule, result: CheckResult) -> bool:
        timed_out = result.failure is not None and result.failure.reason is Reason.TIMEOUT
        return timed_out and timed.timeout < target.schedule.timeout

    def _tell(self, index: int, result: CheckResult, interval: float) -> None:
        """Say on standard error what is waited for, where it changed."""
        self.last[index] = result
        line = f"waiting for {safe(result.target.name)}: {headline(result)}"
        if interval > self.interval:
            line += f" (rejected {REJECTIONS_BEFORE_CALM} times: now tried every {interval:g} s)"
        if result.status.works:
            return
        if sys.stderr.isatty():
            self.progress.show(line)
        elif self.said.get(index) != line:
            print(line, file=sys.stderr, flush=True)
        self.said[index] = line
