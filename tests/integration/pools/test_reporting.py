"""Four workers of gunicorn report to a running server: its totals are what the database says."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.servers.gunicorn import WORKERS, Gunicorn
from tests.servers.mooring import Mooring, StartMooring
from tests.servers.postgresql import ROLE_PASSWORD, PostgreSQL
from tests.servers.process import poll_until, private_folder

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CONFIG = """\
[pools]
report_interval = 1
cleanup_interval = 1
"""
PRELOADED = [(), ("--preload",)]


class Shop:
    """The server, the program that reports to it, and the database that both speak of."""

    def __init__(self, mooring: Mooring, gunicorn: Gunicorn, sessions: Callable[[], int]) -> None:
        self.mooring = mooring
        self.gunicorn = gunicorn
        self.sessions = sessions

    def pool(self) -> dict[str, Any]:
        """Return the one pool that the server knows; nothing while it knows none."""
        with self.mooring.client() as client:
            pools = client.get("/api/v1/pools").raise_for_status().json()["items"]
        assert len(pools) <= 1, pools
        return dict(pools[0]) if pools else {}

    def totals(self) -> dict[str, Any]:
        """Return what the server says of all processes; nothing while it knows none."""
        return dict(self.pool().get("totals", {}))

    def heard(self, since: datetime) -> bool:
        """Whether every worker has reported since then, each once in the interval that it was told."""
        live = [each for each in self.pool().get("instances", ()) if each["live"]]
        return len(live) >= WORKERS and all(
            each["interval"] == 1 and datetime.fromisoformat(each["heard_at"]) > since for each in live
        )

    def told(self, used: int) -> Callable[[], bool]:
        """Return whether the server says the same as the database, and this many are in use."""
        return lambda: (
            (totals := self.totals()).get("used") == used and totals["size"] == self.sessions() == used
        )


@pytest.fixture(params=PRELOADED, ids=["loaded", "preloaded"])
def shop(
    request: pytest.FixtureRequest, postgresql: PostgreSQL, start_mooring: StartMooring
) -> Iterator[Shop]:
    """Four workers, each with a program of its own or forked with the one of their master."""
    with ExitStack() as stack:
        mooring = stack.enter_context(start_mooring(config=CONFIG))
        role = stack.enter_context(postgresql.role())
        folder = stack.enter_context(private_folder())
        environ = {
            "ORDERS_DATABASE_URL": postgresql.url(role, ROLE_PASSWORD, scheme="postgresql+psycopg"),
            "MOORING_SERVER": mooring.url,
            "MOORING_TOKEN_FILE": str(mooring.folder / "mooring.token"),
            "METRICS_COLLECTION_INTERVAL": "1000",
        }
        gunicorn = stack.enter_context(Gunicorn(folder, *request.param, environ=environ))
        yield Shop(mooring, gunicorn, lambda: postgresql.sessions(role))
        gunicorn.stop()


def test_one_report_of_each_worker_is_enough(shop: Shop) -> None:
    """Once every worker has reported, which it does each second, the totals are the database's."""
    poll_until(lambda: shop.heard(datetime.min.replace(tzinfo=UTC)), "the first reports", within=10)
    used = shop.gunicorn.take().total()
    for which in ("a report of each worker", "one that was begun after it"):
        # What was under way when the last connection was taken may tell of a moment before it.
        since = datetime.now(UTC)
        poll_until(lambda since=since: shop.heard(since), which, within=10)  # type: ignore[misc]
    assert shop.told(used)(), (shop.totals(), shop.sessions())


def test_the_totals_are_what_the_database_says(shop: Shop) -> None:
    """They agree across workers, without one that is killed, after the server was away, and at the end."""
    taken = shop.gunicorn.take()
    used = taken.total()
    poll_until(shop.told(used), f"a total of {used}", within=5)
    assert len(taken) == WORKERS

    killed, lost = taken.popitem()
    os.kill(killed, signal.SIGKILL)
    poll_until(shop.told(used - lost), "a total without the worker that was killed", within=10)

    shop.mooring.stop()
    taken = shop.gunicorn.take()
    shop.mooring.start()
    used = taken.total()
    poll_until(shop.told(used), f"a total of {used} after the server was away", within=10)

    shop.gunicorn.stop()
    poll_until(lambda: shop.totals()["instances"] == 0, "the last report of every worker", within=2)
    assert shop.totals()["used"] == shop.sessions() == 0
    assert "Traceback" not in shop.gunicorn.log
