"""A server of many push targets whose reports are driven from outside: `python -m benchmarks._jobs FOLDER N`.

It prints its address and a token, then takes lines on standard input and answers each with the seconds
that it took:

    change N      N jobs change their status, as fast as the engine records it
    steady N      N rounds in which every job reports that it is as it was
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from mooring.api.guard import Role
from mooring.app import App
from mooring.engine.push import reported
from tests.http_api import running

DAY = 86_400
AT_ONCE = 250


async def main(folder: Path, count: int) -> None:
    """Serve until standard input ends."""
    targets = tuple(
        {
            "name": f"{TEAMS[number % len(TEAMS)]} {number:05}",
            "kind": "push",
            "interval": DAY,
            "failures_before_down": 1,
            "token": f"token-of-the-job-{number:05}",
            "labels": {"team": TEAMS[number % len(TEAMS)]},
        }
        for number in range(count)
    )
    async with running(folder, targets=targets) as api:
        jobs = Jobs(api.app)
        await jobs.all_report()
        print(api.url, api.tokens[Role.ADMIN], flush=True)
        await obey(jobs)


async def obey(jobs: Jobs) -> None:
    """Do what the lines say."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        word, number = line.split()
        began = time.perf_counter()
        await (jobs.change(int(number)) if word == "change" else jobs.steady(int(number)))
        print(f"{time.perf_counter() - began:.3f}", flush=True)


class Jobs:
    """What the targets say of themselves: through the engine into the store, and from there to the page."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._ids = sorted(app.catalogue.targets)
        self._works = dict.fromkeys(self._ids, True)

    async def all_report(self) -> None:
        """Have every job report once."""
        for start in range(0, len(self._ids), AT_ONCE):
            await self._report(self._ids[start : start + AT_ONCE])

    async def change(self, count: int) -> None:
        """Change the status of some within a second, evenly: ten commits of a tenth each."""
        for start in range(0, count, count // 10):
            began = time.perf_counter()
            some = self._ids[start : start + count // 10]
            self._works.update({each: not self._works[each] for each in some})
            await self._report(some)
            await asyncio.sleep(max(0, 0.1 - (time.perf_counter() - began)))

    async def steady(self, rounds: int) -> None:
        """Have every job report that nothing has changed, again and again."""
        for _ in range(rounds):
            await self.all_report()

    async def _report(self, some: list[int]) -> None:
        app = self._app
        for target_id in some:
            target, works = app.catalogue.targets[target_id], self._works[target_id]
            words = "" if works else "the nightly run ended with exit status 1"
            result = reported(target, app.clock.now(), ok=works, message=words, seconds=0.01)
            app.recorder.take(target, result)
        await app.recorder.written()


TEAMS = ("shop", "search", "billing", "mail", "archive")

if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
