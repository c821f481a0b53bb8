"""A program that watches until it is killed: `python -m tests.integration.watcher DATABASE`.

It prints a line for every result once that is acknowledged: by a test that has returned, or by an
event. Whatever stands in a line has to be in the database after a kill at any moment.
"""

from __future__ import annotations

import asyncio
import sys

from pydantic import SecretStr

from mooring.app import App
from mooring.core.event import Commit
from mooring.core.result import CheckResult, Trigger
from mooring.core.target import Origin
from mooring.probes._registry import Kinds
from mooring.settings import Settings, StoreSettings
from mooring.targets import TargetReader
from mooring.testing import ScriptedProbe

TARGETS = 20
SCRIPT = ("up", "up", "auth", "up", "refused", "degraded")


async def main(database: str) -> None:
    """Watch scripted targets once a second, and test them by hand as fast as it goes."""
    kinds = Kinds()
    kinds.add(ScriptedProbe)
    reader = TargetReader(kinds)
    keys = {"kind": "scripted", "script": SCRIPT, "interval": 1, "timeout": 1, "retry": False}
    files = tuple(reader.read({**keys, "name": f"t{n}"}, origin=Origin.FILE) for n in range(TARGETS))
    settings = Settings(store=StoreSettings(url=SecretStr(f"sqlite:///{database}")), targets=files)
    async with App(settings, kinds=kinds) as app, app.bus.subscribe() as events:
        write("ready")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(test_all(app))
            async for commit in events:
                tell(commit)


async def test_all(app: App) -> None:
    """Test one target after the other, for ever."""
    while True:
        for target in list(app.catalogue.targets.values()):
            say("tested", await app.monitor.check(target, Trigger.MANUAL))


def tell(commit: Commit) -> None:
    """Print what an event acknowledges."""
    for result in commit.results:
        say("told", result)


def say(word: str, result: CheckResult) -> None:
    """Print one acknowledged result."""
    write(f"{word} {result.target.id} {result.started_at.isoformat()} {result.status.value}")


def write(line: str) -> None:
    """Write a line so that it is out before anything else happens."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
