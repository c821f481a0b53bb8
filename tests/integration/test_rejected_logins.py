"""A wrong password is never hammered: over a day, by a real server's own books."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mooring.app import App
from mooring.core.result import Trigger
from mooring.core.status import Status
from mooring.core.target import Origin, Target
from mooring.settings import Settings, StoreSettings
from mooring.store.store import Store
from mooring.testing import FakeClock
from tests.integration.entries import target_of
from tests.servers.redis import Redis, StartRedis

pytestmark = pytest.mark.integration
DAY = 24 * 3600
PASSWORD_COMMANDS = ("cmdstat_auth", "cmdstat_hello")


@pytest.fixture
def server(start_redis: StartRedis) -> Iterator[Redis]:
    """A server whose books hold our logins alone."""
    with start_redis() as server:
        yield server


@pytest.fixture
def clock() -> FakeClock:
    """The clock of the App."""
    return FakeClock()


@pytest.fixture
async def app(tmp_path: Path, clock: FakeClock) -> AsyncIterator[App]:
    """An App that watches by its real scheduler, its time stepped; checks take place for real meanwhile."""
    url = f"sqlite:///{tmp_path / 'mooring.db'}"
    store = await Store.open(url, clock=clock, migrate=True)
    await store.close()
    settings = Settings(store=StoreSettings(url=SecretStr(url)))
    async with App(settings, clock=clock, watch=False) as app:
        clock.busies += [lambda: app.store.busy, lambda: bool(app.scheduler._runs)]
        app.scheduler.start()
        yield app
        app.scheduler.stop()


async def watch(app: App, server: Redis) -> Target:
    """Watch a server with a wrong password, every 30 seconds."""
    target = target_of("redis", {"url": server.url(password="wrong"), "interval": 30})
    await app.catalogue.apply([target], origin=Origin.API, among=lambda _: False)
    return app.catalogue.by_name("redis")


def rejected(server: Redis) -> int:
    """Return how many logins the server has rejected."""
    books: dict[str, dict[str, Any]] = server.ask("INFO", "commandstats")
    return sum(int(books.get(name, {}).get("failed_calls", 0)) for name in PASSWORD_COMMANDS)


async def test_real_server_is_asked_three_times_and_then_once_an_hour(
    app: App, server: Redis, clock: FakeClock
) -> None:
    """Of 2,880 checks that are due within a day 26 try the login, as the server counts them."""
    await watch(app, server)
    await clock.advance(300)
    assert rejected(server) == 3
    await clock.advance(DAY - 300)
    assert rejected(server) == 3 + 23


async def test_real_server_is_asked_at_once_by_a_person_and_with_new_settings(
    app: App, server: Redis, clock: FakeClock
) -> None:
    """In the calm a person's test is one login; a new password is tried at once, and the right one is up."""
    target = await watch(app, server)
    await clock.advance(600)
    assert rejected(server) == 3
    result = await app.monitor.check(target, Trigger.MANUAL)
    assert result.failure is not None
    assert (result.failure.code, rejected(server)) == ("WRONGPASS", 4)
    await clock.advance(600)
    assert rejected(server) == 4
    await app.catalogue.edit(target.id or 0, {"url": server.url(password="wrong-too")})
    await clock.advance(31)
    assert rejected(server) > 4
    await clock.advance(300)
    assert rejected(server) == 4 + 3
    await app.catalogue.edit(target.id or 0, {"url": server.url()})
    await clock.advance(1)
    assert app.catalogue.health[target.id or 0].status is Status.UP
    assert rejected(server) == 4 + 3
