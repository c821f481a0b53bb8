"""redis-py on a real Redis: who holds which connection, who waits, what leaks."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from threading import Thread
from typing import Any

import pytest
import redis
import redis.asyncio

from mooring.core.clock import SystemClock
from mooring.core.pool import Leak, LeakKind
from mooring.pools.instrument import instrument
from mooring.pools.redis import instrument as place_hooks
from mooring.pools.tracker import PoolTracker
from mooring.pools.watch import Watch
from tests.integration.pools.watched import interrupted, told_by_a_child
from tests.servers.process import eventually, free_port, poll_until
from tests.servers.redis import PASSWORD, Redis

pytestmark = pytest.mark.integration
HERE = __file__
POOLS = [redis.ConnectionPool, redis.BlockingConnectionPool]
ASYNC_POOLS = [redis.asyncio.ConnectionPool, redis.asyncio.BlockingConnectionPool]
WORDS = {
    redis.ConnectionPool: "Too many connections",
    redis.asyncio.ConnectionPool: "Too many connections",
    redis.BlockingConnectionPool: "No connection available.",
    redis.asyncio.BlockingConnectionPool: "No connection available.",
}


class HandClock(SystemClock):
    """The real clock, put forward by hand."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


def pool_of(kind: Any, server: Redis, **settings: Any) -> Any:
    """Return a pool of at most two connections; a blocking one waits for 50 ms."""
    if issubclass(kind, (redis.BlockingConnectionPool, redis.asyncio.BlockingConnectionPool)):
        settings = {"timeout": 0.05, **settings}
    return kind(
        **{"host": "127.0.0.1", "port": server.port, "password": PASSWORD, "max_connections": 2, **settings}
    )


def watched(obj: Any) -> PoolTracker:
    """Watch a pool or a client, without a thread that looks."""
    return instrument(obj, "cache", "tests", watch=Watch(threaded=False))


def watched_by(obj: Any, clock: HandClock) -> PoolTracker:
    """Watch with a clock that a test moves."""
    return place_hooks(
        obj,
        lambda driver: PoolTracker("tests", "cache", driver=driver, watch=Watch(threaded=False), clock=clock),
    )


def looked(tracker: PoolTracker, times: int = 2) -> list[Leak]:
    """Let the watch look, and return what it finds."""
    for _ in range(times):
        tracker.watch.look()
    return list(tracker.leaks())


def line(after: int = 0) -> int:
    """Return the caller's line, and so many further."""
    return sys._getframe(1).f_lineno + after


def counts(tracker: PoolTracker) -> tuple[int, ...]:
    """Return what was taken, returned, asked in vain, returned without being out, and our own faults."""
    totals = tracker.snapshot().totals
    return totals.taken, totals.returned, totals.timeouts, totals.unmatched, totals.internal_errors


@pytest.mark.parametrize("kind", POOLS)
def test_command_is_one_lease_of_its_line(kind: Any, redis_server: Redis) -> None:
    """A command takes and returns one lease, counted at the application's line."""
    with redis.Redis.from_pool(pool_of(kind, redis_server)) as client:
        tracker = watched(client)
        at, answer = line(), client.set("app:pools", "1")
        assert (answer, client.get("app:pools")) == (True, b"1")
        assert counts(tracker) == (2, 2, 0, 0, 0)
        site = tracker.snapshot().sites[0]
        assert (site.file, site.line, site.function) == (
            HERE,
            at,
            "test_command_is_one_lease_of_its_line",
        )
        assert tuple(tracker.gauges())[:4] == (1, 1, 2, 0)
        assert tracker.snapshot().totals.created == 1
        assert tracker.snapshot().create.total == 1
        assert tracker.snapshot().wait.total == 2
    assert tracker.snapshot().totals.closed == 1
    assert tracker.gauges().size == 0


@pytest.mark.parametrize("kind", ASYNC_POOLS)
async def test_awaited_command_is_one_lease_of_its_line(kind: Any, redis_server: Redis) -> None:
    """A command of redis.asyncio takes and returns one lease, counted at the application's line."""
    async with redis.asyncio.Redis.from_pool(pool_of(kind, redis_server)) as client:
        tracker = watched(client)
        at, answer = line(), await client.set("app:pools", "1")
        assert answer is True
        assert counts(tracker) == (1, 1, 0, 0, 0)
        assert (tracker.snapshot().sites[0].file, tracker.snapshot().sites[0].line) == (HERE, at)
        assert tuple(tracker.gauges())[:4] == (1, 1, 2, 0)
        assert tracker.snapshot().create.total == 1
    assert tracker.snapshot().totals.closed == 1
    assert tracker.gauges().size == 0


@pytest.mark.parametrize("kind", POOLS)
def test_exhausted_pool_is_a_timeout(kind: Any, redis_server: Redis) -> None:
    """Where no connection is to be had, redis-py's own error comes, and one time-out is counted."""
    pool = pool_of(kind, redis_server)
    tracker = watched(pool)
    held = [pool.get_connection(), pool.get_connection()]
    assert tracker.utilization == 1.0
    with pytest.raises(redis.ConnectionError) as error:
        pool.get_connection()
    assert str(error.value) == WORDS[kind]
    assert counts(tracker) == (2, 0, 1, 0, 0)
    assert tracker.waiting == 0
    for connection in held:
        pool.release(connection)
    assert counts(tracker) == (2, 2, 1, 0, 0)
    pool.close()


@pytest.mark.parametrize("kind", ASYNC_POOLS)
async def test_exhausted_asyncio_pool_is_a_timeout(kind: Any, redis_server: Redis) -> None:
    """The same in redis.asyncio; while it waits the request is told as waiting."""
    pool = pool_of(kind, redis_server)
    tracker = watched(pool)
    held = [await pool.get_connection(), await pool.get_connection()]
    with pytest.raises(redis.ConnectionError) as error:
        await pool.get_connection()
    assert str(error.value) == WORDS[kind]
    assert counts(tracker) == (2, 0, 1, 0, 0)
    if kind is redis.asyncio.BlockingConnectionPool:
        pool.timeout = None
        waiting = asyncio.create_task(pool.get_connection())
        await eventually(lambda: tracker.waiting == 1, "the request waits")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert counts(tracker) == (2, 0, 1, 0, 0)
    assert tracker.waiting == 0
    for connection in held:
        await pool.release(connection)
    assert counts(tracker) == (2, 2, 1, 0, 0)
    await pool.aclose()


def test_refused_connection_is_no_timeout() -> None:
    """A server that is not there is told as before, and leaves neither a lease nor a waiting request."""
    with redis.Redis(port=free_port(), retry=None) as client:
        tracker = watched(client)
        with pytest.raises(redis.ConnectionError, match="refused"):
            client.ping()
        assert counts(tracker) == (0, 0, 0, 0, 0)
        assert (tracker.waiting, tracker.snapshot().totals.created) == (0, 0)
        assert tuple(tracker.gauges())[:2] == (0, 0)


def test_lease_of_an_ended_thread_is_abandoned(redis_server: Redis) -> None:
    """A connection whose thread ended without returning it is told with the line that took it."""
    pool = pool_of(redis.ConnectionPool, redis_server)
    tracker, held = watched(pool), []
    at = line(3)

    def leak() -> None:
        held.append(pool.get_connection())

    thread = Thread(target=leak)
    thread.start()
    thread.join()
    poll_until(lambda: bool(looked(tracker)), "the leak is told")
    (found,) = looked(tracker)
    assert (found.kind, found.site) == (LeakKind.ABANDONED, f"{HERE}:{at}")
    pool.release(held.pop())
    assert looked(tracker) == []
    pool.close()


async def test_lease_of_an_ended_task_is_abandoned(redis_server: Redis) -> None:
    """The same of a task."""
    pool = pool_of(redis.asyncio.ConnectionPool, redis_server)
    tracker, held = watched(pool), []
    at = line(3)

    async def leak() -> None:
        held.append(await pool.get_connection())

    await asyncio.create_task(leak())
    await eventually(lambda: bool(looked(tracker)), "the leak is told")
    (found,) = looked(tracker)
    assert (found.kind, found.site) == (LeakKind.ABANDONED, f"{HERE}:{at}")
    await pool.release(held.pop())
    assert looked(tracker) == []
    await pool.aclose()


def test_subscription_of_an_ended_thread_is_no_leak(redis_server: Redis) -> None:
    """A subscription belongs to its object, not to the thread that made it, and may be quiet for hours."""
    clock = HandClock()
    with redis.Redis.from_pool(pool_of(redis.ConnectionPool, redis_server)) as client:
        tracker, subscription = watched_by(client, clock), client.pubsub()
        thread = Thread(target=lambda: subscription.subscribe("app:news"))
        thread.start()
        thread.join()
        assert subscription.get_message(timeout=5)["type"] == "subscribe"
        clock.ahead = 36_000
        assert looked(tracker) == []
        assert tracker.snapshot().used == 1
        subscription.close()
        assert counts(tracker) == (1, 1, 0, 0, 0)


async def test_subscription_of_an_ended_task_is_no_leak(redis_server: Redis) -> None:
    """The same in redis.asyncio; a subscription that nobody has any more is a leak."""
    clock = HandClock()
    client = redis.asyncio.Redis.from_pool(pool_of(redis.asyncio.ConnectionPool, redis_server))
    tracker, subscriptions = watched_by(client, clock), [client.pubsub()]
    at = line(3)

    async def subscribe() -> None:
        await subscriptions[0].subscribe("app:news")

    await asyncio.create_task(subscribe())
    clock.ahead = 36_000
    assert looked(tracker) == []
    clock.ahead = 0
    subscriptions.clear()
    gc.collect()
    await eventually(lambda: bool(looked(tracker)), "the leak is told")
    (found,) = looked(tracker)
    assert (found.kind, found.site) == (LeakKind.ABANDONED, f"{HERE}:{at}")
    await client.aclose()


async def test_client_with_one_connection_is_no_leak(redis_server: Redis) -> None:
    """A client that keeps one connection holds one lease until it is closed, whichever task began."""
    clock = HandClock()
    pool = pool_of(redis.asyncio.ConnectionPool, redis_server)
    tracker = watched_by(pool, clock)
    client = redis.asyncio.Redis(connection_pool=pool, single_connection_client=True)
    await asyncio.create_task(client.ping())
    await client.ping()
    clock.ahead = 36_000
    assert looked(tracker) == []
    assert (tracker.snapshot().used, counts(tracker)) == (1, (1, 0, 0, 0, 0))
    await client.aclose()
    assert counts(tracker) == (1, 1, 0, 0, 0)
    await pool.aclose()


def test_connection_from_before_the_watch_does_no_harm(redis_server: Redis) -> None:
    """A connection that was out before is told in the pool's numbers, and its return is nothing odd."""
    client = redis.Redis.from_url(redis_server.url(), single_connection_client=True)
    tracker = watched(client)
    client.ping()
    assert tuple(tracker.gauges())[:2] == (1, 0)
    client.close()
    assert counts(tracker) == (0, 0, 0, 0, 0)
    assert tracker.snapshot().totals.closed == 1


def test_pipeline_that_watches_holds_its_connection(redis_server: Redis) -> None:
    """WATCH takes a lease until the end of the pipeline; a plain pipeline takes it for its one trip."""
    with redis.Redis.from_pool(pool_of(redis.ConnectionPool, redis_server)) as client:
        tracker = watched(client)
        with client.pipeline() as pipe:
            at = line(1)
            pipe.watch("app:pools")
            assert [lease.site.line for lease in tracker.open] == [at]
            pipe.multi()
            pipe.set("app:pools", "2")
            assert pipe.execute() == [True]
        assert counts(tracker) == (1, 1, 0, 0, 0)
        with client.pipeline(transaction=False) as pipe:
            assert pipe.get("app:pools").get("app:pools").execute() == [b"2", b"2"]
        assert counts(tracker) == (2, 2, 0, 0, 0)


def test_blocking_command_is_slow_and_no_leak(redis_server: Redis) -> None:
    """A command that waits in the server for hours is told as busy; a connection that idles, as a suspect."""
    clock = HandClock()
    with redis.Redis.from_pool(pool_of(redis.ConnectionPool, redis_server, socket_timeout=None)) as client:
        tracker = watched_by(client, clock)
        thread = Thread(target=lambda: client.blpop(["app:queue"]))
        thread.start()
        poll_until(lambda: int(redis_server.ask("INFO", "clients")["blocked_clients"]) == 1, "it waits")
        clock.ahead = 36_000
        poll_until(lambda: [leak.kind for leak in looked(tracker)] == [LeakKind.BUSY], "the wait is told")
        redis_server.ask("RPUSH", "app:queue", "1")
        thread.join()
        assert looked(tracker) == []
        assert counts(tracker) == (1, 1, 0, 0, 0)


def test_connection_that_breaks_is_counted(redis_server: Redis) -> None:
    """A connection that the server cut is one that was closed, and its successor one that was opened."""
    with redis.Redis.from_pool(pool_of(redis.ConnectionPool, redis_server)) as client:
        tracker = watched(client)
        number = client.client_id()
        redis_server.ask("CLIENT", "KILL", "ID", number)
        assert client.ping() is True
        totals = tracker.snapshot().totals
        assert (totals.created, totals.closed) == (2, 1)
        client.connection_pool.disconnect()
        assert tracker.snapshot().totals.closed == 2
        assert tuple(tracker.gauges())[:2] == (0, 0)


def test_one_pool_has_one_tracker(redis_server: Redis) -> None:
    """Two clients of one pool, and the pool itself, have the same tracker; the pool looks as it did."""
    pool = pool_of(redis.BlockingConnectionPool, redis_server, db=3)
    before = repr(pool)
    first, second = redis.Redis(connection_pool=pool), redis.Redis(connection_pool=pool)
    tracker = watched(first)
    assert watched(second) is tracker
    assert watched(pool) is tracker
    assert (repr(pool), type(pool).__name__) == (before, "BlockingConnectionPool")
    assert isinstance(pool, redis.BlockingConnectionPool)
    snapshot = tracker.snapshot()
    assert (snapshot.driver, snapshot.address, snapshot.database) == (
        "redis",
        f"127.0.0.1:{redis_server.port}",
        "db3",
    )
    assert PASSWORD not in str(tracker.stats())
    pool.close()


def test_pool_is_named_redis_where_nobody_names_it(redis_server: Redis) -> None:
    """A mere number is no name of a pool: it is redis, or the database as Redis itself names it."""
    names = [
        instrument(
            pool_of(redis.ConnectionPool, redis_server, db=number),
            service="tests",
            watch=Watch(threaded=False),
        ).name
        for number in (0, 3)
    ]
    assert names == ["redis", "db3"]


@pytest.mark.parametrize("broken", ["ask", "track", "release", "gave_up", "created", "closed"])
async def test_fault_of_ours_never_reaches_the_application(
    broken: str, redis_server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks in the tracker, commands go on as if it were not there, and it is counted."""

    def fault(*args: Any, **options: Any) -> Any:
        raise RuntimeError("a fault of ours")

    client = redis.asyncio.Redis.from_pool(pool_of(redis.asyncio.ConnectionPool, redis_server))
    plain = redis.Redis.from_pool(pool_of(redis.ConnectionPool, redis_server))
    trackers = [watched(client), watched(plain)]
    for tracker in trackers:
        monkeypatch.setattr(tracker, broken, fault)
    for _ in range(30):
        assert await client.set("app:pools", "1") is True
        assert plain.set("app:pools", "1") is True
    for pool in (plain.connection_pool, client.connection_pool):
        pool.max_connections = 1
    taken = [plain.connection_pool.get_connection(), await client.connection_pool.get_connection()]
    for _ in range(30):
        with pytest.raises(redis.ConnectionError, match="Too many connections"):
            plain.ping()
        with pytest.raises(redis.ConnectionError, match="Too many connections"):
            await client.ping()
    plain.connection_pool.release(taken[0])
    await client.connection_pool.release(taken[1])
    plain.close()
    await client.aclose()
    for tracker in trackers:
        assert tracker.faults >= 1
        assert tracker.active is (broken in ("created", "closed"))


def test_stopped_tracker_counts_nothing(redis_server: Redis) -> None:
    """A tracker that is stopped counts nothing; what was out before still comes back to its book."""
    pool = pool_of(redis.ConnectionPool, redis_server)
    tracker = watched(pool)
    held = pool.get_connection()
    tracker.stop()
    pool.release(pool.get_connection())
    pool.release(held)
    assert counts(tracker) == (1, 1, 0, 0, 0)
    tracker.start()
    pool.release(pool.get_connection())
    assert counts(tracker) == (2, 2, 0, 0, 0)
    pool.close()


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # asyncio, cancelled in connect()
@pytest.mark.parametrize("kind", ASYNC_POOLS)
async def test_cancelled_tasks_leave_nothing_behind(kind: Any, redis_server: Redis) -> None:
    """After ten rounds of 2,000 cancelled tasks nothing is out, waits, or is counted wrong."""
    pool = pool_of(kind, redis_server, max_connections=5)
    client = redis.asyncio.Redis.from_pool(pool)
    tracker, chance = watched(client), random.Random(5)
    for _ in range(10):
        await many_cancelled(lambda: client.set("app:pools", "1"), chance)
        gc.collect()
        tracker.watch.look()
        assert (len(tracker.open), tracker.waiting, len(pool._in_use_connections)) == (0, 0, 0)
    taken, returned, _, unmatched, faults = counts(tracker)
    assert taken == returned > 0
    assert (unmatched, faults) == (0, 0)
    snapshot = tracker.snapshot()
    assert snapshot.totals.created - snapshot.totals.closed == snapshot.size <= 5
    assert await client.get("app:pools") == b"1"
    await client.aclose()


async def many_cancelled(command: Callable[[], Awaitable[Any]], chance: random.Random) -> None:
    """Run 2,000 tasks, at most 200 at a time, each cancelled after some turns of the loop."""
    gate = asyncio.Semaphore(200)

    async def one() -> None:
        with suppress(redis.ConnectionError):  # the pool is small
            await command()

    async def cancelled() -> None:
        async with gate:
            task = asyncio.create_task(one())
            for _ in range(chance.randrange(30)):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    await asyncio.gather(*(cancelled() for _ in range(2000)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("kind", POOLS)
def test_child_counts_no_connection_of_its_parent(kind: Any, redis_server: Redis) -> None:
    """What is out at a fork is the parent's; redis-py itself forgets it when it is used next."""
    pool = pool_of(kind, redis_server)
    tracker = watched(pool)
    connection = pool.get_connection()
    assert told_by_a_child(tracker) == (0, 0)
    assert (tracker.used, tracker.gauges().size) == (1, 1)
    pool.release(connection)
    pool.disconnect()


@pytest.mark.parametrize("kind", POOLS)
def test_an_interrupt_amid_a_checkout_loses_no_connection(
    redis_server: Redis, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C may come while it is noted who has a connection: the pool has it again."""
    pool = pool_of(kind, redis_server, max_connections=1)
    tracker = watched(pool)
    monkeypatch.setattr(tracker, "track", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pool.get_connection()
    monkeypatch.undo()
    pool.release(pool.get_connection())
    pool.disconnect()
    assert (tracker.faults, tracker.used, tracker.snapshot().totals.taken) == (0, 0, 1)


@pytest.mark.parametrize("kind", POOLS)
def test_an_interrupt_amid_a_return_loses_no_connection(
    redis_server: Redis, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C may come while it is noted that a connection comes back: the pool has it nevertheless."""
    pool = pool_of(kind, redis_server, max_connections=1)
    tracker = watched(pool)
    held = pool.get_connection()
    monkeypatch.setattr(tracker, "_now", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pool.release(held)
    monkeypatch.undo()
    assert pool.get_connection() is held
    pool.release(held)
    pool.disconnect()
    assert tracker.faults == 0
