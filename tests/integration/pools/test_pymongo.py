"""PyMongo's pools, on a protocol stand-in for MongoDB and on a real one where one is named.

The stand-in proves what PyMongo tells of its pools, and nothing of mongod.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pymongo
import pytest
from pymongo.errors import PyMongoError, WaitQueueTimeoutError

from mooring.core.clock import SystemClock
from mooring.core.pool import LeakKind
from mooring.pools.instrument import instrument
from mooring.pools.pymongo import instrument as listen
from mooring.pools.pymongo import listener
from mooring.pools.tracker import PoolTracker
from mooring.pools.watch import Watch
from tests.integration.pools.watched import told_by_a_child
from tests.servers.mongodb import MongoDBStandIn, StartMongoDBStandIn
from tests.servers.process import eventually, poll_until

pytestmark = pytest.mark.integration
REAL = "MOORING_TEST_MONGODB_URI"
HERE = __file__


@pytest.fixture(params=["stand-in", "real"])
def uri(request: pytest.FixtureRequest, mongodb_stand_in: MongoDBStandIn) -> str:
    """An address of the stand-in, and of a real server."""
    if request.param == "stand-in":
        return mongodb_stand_in.url()
    if REAL not in os.environ:
        pytest.skip(f"{REAL} names no real MongoDB")
    return os.environ[REAL]


class HandClock(SystemClock):
    """The real clock, put forward by hand."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


@pytest.fixture
def one_client(uri: str) -> Iterator[pymongo.MongoClient[Any]]:
    """A client with one connection, for which it waits for 50 ms."""
    with pymongo.MongoClient(uri, maxPoolSize=1, waitQueueTimeoutMS=50) as client:
        yield client


def watched(client: Any) -> PoolTracker:
    """Watch a client, without a thread that looks."""
    return instrument(client, "documents", "tests", watch=Watch(threaded=False))


def line() -> int:
    """Return the caller's line."""
    return sys._getframe(1).f_lineno


def pool_of(client: Any) -> Any:
    """Return the pool of a client's one server."""
    return next(iter(client._topology._servers.values())).pool


def counts(tracker: PoolTracker) -> tuple[int, ...]:
    """Return what was taken, returned, asked in vain, returned without being out, and our own faults."""
    totals = tracker.snapshot().totals
    return totals.taken, totals.returned, totals.timeouts, totals.unmatched, totals.internal_errors


def test_command_is_one_lease_of_its_line(uri: str) -> None:
    """A command takes and returns one lease, counted at the application's line; all numbers are told."""
    with pymongo.MongoClient(uri, maxPoolSize=7, minPoolSize=0) as client:
        tracker = watched(client)
        assert instrument(client) is tracker
        at, answer = line(), client.admin.command("ping")
        assert answer["ok"] == 1.0
        assert counts(tracker) == (1, 1, 0, 0, 0)
        site = tracker.snapshot().sites[0]
        assert (site.file, site.line) == (HERE, at)
        assert tuple(tracker.gauges())[:4] == (1, 1, 7, 0)
        snapshot = tracker.snapshot()
        assert (snapshot.totals.created, snapshot.create.total, snapshot.wait.total) == (1, 1, 1)
        host, port = client.address or ("", 0)
        assert (snapshot.driver, snapshot.address) == ("pymongo", f"{host}:{port}")
    assert tracker.snapshot().totals.closed == 1
    assert tracker.gauges().size == 0


async def test_awaited_command_is_one_lease_of_its_line(uri: str) -> None:
    """A command of AsyncMongoClient takes and returns one lease, counted at the application's line."""
    async with pymongo.AsyncMongoClient(uri) as client:
        tracker = watched(client)
        at, answer = line(), await client.admin.command("ping")
        assert answer["ok"] == 1.0
        assert counts(tracker) == (1, 1, 0, 0, 0)
        assert (tracker.snapshot().sites[0].file, tracker.snapshot().sites[0].line) == (HERE, at)
        assert tuple(tracker.gauges())[:4] == (1, 1, 100, 0)
    assert tracker.gauges().size == 0


def test_client_may_have_worked_before(one_client: pymongo.MongoClient[Any]) -> None:
    """The connections that a client opened before are known, and what is out comes back without harm."""
    one_client.admin.command("ping")
    with pool_of(one_client).checkout():
        tracker = watched(one_client)
    assert tuple(tracker.gauges())[:3] == (1, 1, 1)
    one_client.admin.command("ping")
    assert counts(tracker) == (1, 1, 0, 0, 0)
    assert tuple(tracker.gauges())[:3] == (1, 1, 1)


def test_listener_of_the_constructor_is_found(uri: str) -> None:
    """A listener that was given to the client is used, and counts from the first connection on."""
    with pymongo.MongoClient(uri, event_listeners=[listener()]) as client:
        client.admin.command("ping")
        tracker = watched(client)
        assert tuple(tracker.gauges())[:3] == (1, 1, 100)
        client.admin.command("ping")
        assert counts(tracker) == (1, 1, 0, 0, 0)
        assert len(client.options.event_listeners) == 1


def test_unknown_version_is_told_what_to_do(one_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PyMongo keeps its listeners elsewhere, the error says how to give it ours."""
    monkeypatch.setattr(one_client, "_event_listeners", object())
    with pytest.raises(TypeError) as error:
        watched(one_client)
    assert "MongoClient(..., event_listeners=[mooring.pools.pymongo.listener()])" in str(error.value)


def test_exhausted_pool_is_a_timeout(one_client: pymongo.MongoClient[Any]) -> None:
    """Where no connection comes in time, PyMongo's own error comes, and one time-out is counted."""
    tracker = watched(one_client)
    one_client.admin.command("ping")
    with pool_of(one_client).checkout():
        assert tracker.utilization == 1.0
        with pytest.raises(WaitQueueTimeoutError):
            one_client.admin.command("ping")
        assert counts(tracker) == (2, 1, 1, 0, 0)
    assert (counts(tracker), tracker.waiting) == ((2, 2, 1, 0, 0), 0)


def test_operation_that_runs_for_hours_is_no_leak(one_client: pymongo.MongoClient[Any]) -> None:
    """A connection that an operation has for hours is told as busy."""
    clock = HandClock()
    tracker = listen(
        one_client,
        lambda driver: PoolTracker(
            "tests", "documents", driver=driver, watch=Watch(threaded=False), clock=clock
        ),
    )
    one_client.admin.command("ping")
    with pool_of(one_client).checkout():
        clock.ahead = 36_000
        tracker.watch.look()
        assert [leak.kind for leak in tracker.leaks()] == [LeakKind.BUSY]


async def test_request_that_is_cancelled_waits_no_more(uri: str) -> None:
    """PyMongo does not tell that a task was cancelled while it waited; it is noticed all the same."""
    async with pymongo.AsyncMongoClient(uri, maxPoolSize=1) as client:
        tracker = watched(client)
        await client.admin.command("ping")
        async with pool_of(client).checkout():
            task = asyncio.create_task(client.admin.command("ping"))
            await eventually(lambda: tracker.waiting == 1, "the request waits")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(0.02):
                    await client.admin.command("ping")
            await asyncio.to_thread(tracker.watch.look)  # as the watch does: amid whatever tasks wait for
            assert tracker.waiting == 0
        await client.admin.command("ping")
        assert (counts(tracker), tracker.waiting) == ((3, 3, 0, 0, 0), 0)


async def test_task_that_waits_for_something_else_asks_no_more(uri: str) -> None:
    """Of two requests that wait, the one whose task goes on elsewhere is taken out, and the other is not."""
    async with pymongo.AsyncMongoClient(uri, maxPoolSize=1) as client:
        tracker, goes_on = watched(client), asyncio.Event()

        async def gives_up() -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.02):
                    await client.admin.command("ping")
            await goes_on.wait()

        await client.admin.command("ping")
        async with pool_of(client).checkout():
            waits = asyncio.create_task(client.admin.command("ping"))
            lives = asyncio.create_task(gives_up())
            await eventually(lambda: tracker.asked == 4, "both have asked")
            assert tracker.waiting == 2
            await eventually(lambda: tracker.gauges().size == 1 and tracker.waiting == 1, "one gave up")
        await waits
        goes_on.set()
        await lives
        assert (counts(tracker), tracker.waiting) == ((3, 3, 0, 0, 0), 0)
        assert tracker.snapshot().wait.total == 3


def test_server_that_goes_is_a_session_error(start_mongodb_stand_in: StartMongoDBStandIn) -> None:
    """That PyMongo gives up all connections to a server is an error of the session, with its address."""
    with start_mongodb_stand_in() as server:
        port, address = server.port, server.url()
        with pymongo.MongoClient[Any](address, serverSelectionTimeoutMS=100) as client:
            tracker = watched(client)
            client.admin.command("ping")
            server.stop()
            with suppress(PyMongoError):
                client.admin.command("ping")
            poll_until(lambda: tracker.snapshot().totals.session_errors >= 1, "the error is told")
    assert f"127.0.0.1:{port}" in tracker.errors.kept[0].message
    assert (tracker.waiting, tracker.gauges().size) == (0, 0)


@pytest.mark.parametrize("broken", ["ask", "track", "release", "gave_up", "created", "closed"])
def test_fault_of_ours_never_reaches_the_application(
    broken: str, one_client: pymongo.MongoClient[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks in the tracker, commands go on as if it were not there, and it is counted."""

    def fault(*args: Any, **options: Any) -> Any:
        raise RuntimeError("a fault of ours")

    tracker = watched(one_client)
    monkeypatch.setattr(tracker, broken, fault)
    for _ in range(30):
        assert one_client.admin.command("ping")["ok"] == 1.0
    with pool_of(one_client).checkout(), pytest.raises(WaitQueueTimeoutError):
        one_client.admin.command("ping")
    one_client.close()
    assert tracker.faults >= 1
    assert tracker.active is (broken in ("created", "closed", "gave_up"))


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # asyncio, cancelled in connect()
async def test_cancelled_tasks_leave_nothing_behind(mongodb_stand_in: MongoDBStandIn) -> None:
    """After ten rounds of 2,000 cancelled tasks nothing is out, waits, or is counted wrong."""
    async with pymongo.AsyncMongoClient(mongodb_stand_in.url(), maxPoolSize=5) as client:
        tracker, chance = watched(client), random.Random(5)
        await client.admin.command("ping")
        gate = asyncio.Semaphore(200)

        async def cancelled() -> None:
            async with gate:
                task = asyncio.create_task(client.admin.command("ping"))
                for _ in range(chance.randrange(60)):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        for _ in range(10):
            await asyncio.gather(*(cancelled() for _ in range(2000)))
            tracker.watch.look()
            assert (len(tracker.open), tracker.waiting) == (0, 0)
        await client.admin.command("ping")
        taken, returned, _, unmatched, faults = counts(tracker)
        assert taken == returned > 1
        assert (unmatched, faults) == (0, 0)
        assert tracker.gauges().idle == tracker.gauges().size == len(pool_of(client).conns)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_child_counts_no_connection_of_its_parent(one_client: pymongo.MongoClient[Any]) -> None:
    """What is out at a fork, who waits and what is idle is the parent's."""
    tracker = watched(one_client)
    one_client.admin.command("ping")
    with pool_of(one_client).checkout():
        assert told_by_a_child(tracker) == (0, 0)
        assert (tracker.used, tracker.gauges().size) == (1, 1)
