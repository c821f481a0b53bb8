"""An App over a real SQLite file, whose time is stepped and whose targets answer by script."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from pydantic import SecretStr

from mooring.app import App
from mooring.core.clock import SystemClock
from mooring.core.target import Origin
from mooring.probes._registry import Kinds
from mooring.settings import Settings, StoreSettings
from mooring.store.store import Store
from mooring.targets import TargetReader
from mooring.testing import FakeClock, ScriptedProbe

OpenApp: TypeAlias = Callable[..., Awaitable[App]]


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database, made once: copying it is much faster."""
    path = tmp_path_factory.mktemp("store") / "empty.db"

    async def make() -> None:
        store = await Store.open(f"sqlite:///{path}", clock=SystemClock(), migrate=True)
        await store.close()

    asyncio.run(make())
    return path


@pytest.fixture
def clock() -> FakeClock:
    """The clock of every App that this test opens."""
    return FakeClock()


@pytest.fixture
async def open_app(tmp_path: Path, empty_store: Path, clock: FakeClock) -> AsyncIterator[OpenApp]:
    """Return a function that opens an App on this test's database and adds targets by their keys.

    Without `watch` nothing runs beside the checks: no polls, no signs of life. `schedule` then starts
    the scheduler alone.
    """
    database = tmp_path / "mooring.db"
    shutil.copy(empty_store, database)
    async with AsyncExitStack() as stack:

        async def open_it(
            *targets: Mapping[str, Any], watch: bool = False, schedule: bool = True, **more: Any
        ) -> App:
            kinds = Kinds()
            kinds.add(ScriptedProbe)
            reader = TargetReader(kinds)
            files = tuple(reader.read(filled(keys), origin=Origin.FILE) for keys in more.get("files", ()))
            settings = Settings(store=StoreSettings(url=SecretStr(f"sqlite:///{database}")), targets=files)
            app = App(settings, clock=clock, kinds=kinds, watch=watch)
            await stack.enter_async_context(app)
            clock.busies.append(lambda: app.store.busy)
            await app.catalogue.apply(
                [reader.read(filled(keys)) for keys in targets], origin=Origin.API, among=lambda _: False
            )
            if schedule and not watch:
                app.scheduler.start()
                app._stack.callback(app.scheduler.stop)
            return app

        yield open_it


def filled(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scripted target's keys with what most tests do not care for."""
    return {"kind": "scripted", "interval": 30, "timeout": min(5, keys.get("interval", 30)), **keys}


def probe_of(app: App, name: str) -> ScriptedProbe:
    """Return a target's probe, to ask what it did or to let it answer otherwise."""
    probe = app.catalogue.by_name(name).probe
    assert isinstance(probe, ScriptedProbe)
    return probe
