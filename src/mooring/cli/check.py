"""`mooring check`: test connections once, all at the same time."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mooring.cli.given import Given, given
from mooring.cli.logs import log_to_stderr
from mooring.cli.rows import Rows
from mooring.cli.terminal import Palette, Progress, safe
from mooring.core.failure import InputError, Problem
from mooring.core.result import CheckResult, Trigger
from mooring.engine.monitor import Monitor
from mooring.engine.runner import Runner
from mooring.export.json import report_json
from mooring.net.network import Network

MOST_AT_ONCE = 200
"""Checks that run at the same time, where there are file descriptors for as many."""
DESCRIPTORS_OF_A_CHECK = 3
DESCRIPTORS_OF_OURS = 24

Tell = Callable[[CheckResult], None]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help="an address, a name from the configuration, or - for a list on standard input; "
        "without any, every target of the configuration",
    )
    parser.add_argument(
        "-c", "--config", metavar="FILE", help="the configuration, a file or a folder of them"
    )
    parser.add_argument(
        "--env-file", metavar="FILE", help="test the addresses of a .env, a Compose file or a list"
    )
    parser.add_argument("--from-env", action="store_true", help="test the addresses of the environment")
    parser.add_argument(
        "--timeout", dest="check_timeout", type=seconds, metavar="S", help="seconds that each check may take"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--junit", metavar="FILE", help="write a JUnit report too")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="show what was seen: details and numbers"
    )


def seconds(text: str) -> float:
    """Return a number of seconds above zero, for argparse."""
    number = float(text)
    if not 0 < number <= 86400:  # noqa: PLR2004  a day
        raise ValueError(text)
    return number


def run(args: argparse.Namespace) -> int:
    """Test everything and return 0 where all is up or degraded, else 1."""
    wanted = given(args)
    log_to_stderr(secret for target in wanted.targets for secret in target.probe.secrets())
    for note in wanted.notes:
        print(f"mooring: {safe(note)}", file=sys.stderr)
    report = _writable(args.junit) if args.junit else None
    results = asyncio.run(check_all(wanted, _teller(args, wanted)))
    if args.json:
        print(json.dumps(report_json(results), indent=2, ensure_ascii=False, allow_nan=False))
    if report is not None:
        from mooring.export.junit import junit

        report.write_text(junit(results), encoding="utf-8", errors="backslashreplace")
    return 0 if all(result.status.works for result in results) else 1


def _writable(path: str) -> Path:
    """Find out before the checks whether the report can be written."""
    try:
        with Path(path).open("a", encoding="utf-8"):
            return Path(path)
    except OSError as error:
        raise InputError([Problem("--junit", f"{path} cannot be written: {error.strerror}")]) from None


def _teller(args: argparse.Namespace, wanted: Given) -> Tell:
    if args.json:
        return lambda _: None
    rows = Rows([target.ref for target in wanted.targets], Palette(sys.stdout), verbose=args.verbose)

    def tell(result: CheckResult) -> None:
        for line in rows.lines(result):
            print(line, flush=True)

    return tell


async def check_all(wanted: Given, tell: Tell) -> Sequence[CheckResult]:
    """Test every target, `tell` each result in the order of the targets, and return them in that order."""
    room, progress, done = asyncio.Semaphore(most_at_once()), Progress(), 0
    total = len(wanted.targets)
    results = []
    async with Network(egress=wanted.egress) as net:
        monitor = Monitor(Runner(net), net.clock)

        async def one(index: int) -> CheckResult:
            nonlocal done
            async with room:
                result = await monitor.check(wanted.targets[index], Trigger.CLI)
            done += 1
            if total > 1:
                progress.show(f"{done} of {total} tested")
            return result

        tasks = [asyncio.create_task(one(index)) for index in range(total)]
        async with ended(tasks, progress):
            for task in tasks:
                result = await task
                progress.clear()
                tell(result)
                results.append(result)
    return results


@asynccontextmanager
async def ended(tasks: Sequence[asyncio.Task[Any]], progress: Progress) -> AsyncIterator[None]:
    """End the tasks and their progress with the block. What it raises stays itself, not one of a group."""
    try:
        yield
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        progress.clear()


def most_at_once() -> int:
    """Return how many checks may run at the same time without running out of file descriptors."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return MOST_AT_ONCE
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return MOST_AT_ONCE
    return min(MOST_AT_ONCE, max(1, (limit - DESCRIPTORS_OF_OURS) // DESCRIPTORS_OF_A_CHECK))
