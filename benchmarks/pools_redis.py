"""What it costs a GET of redis-py that its pool is watched.

    python -m benchmarks.pools_redis

A client that is watched by `mooring.instrument()` and one that is not take turns against one real Redis, on
one thread and in one task. CPU is the program's alone.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import redis
import redis.asyncio

from mooring.pools.instrument import instrument
from mooring.pools.watch import Watch
from tests.servers.process import private_folder
from tests.servers.redis import PASSWORD, Redis

ROUNDS, GETS = 60, 300
GOAL = 1.5


def main() -> None:
    """Start a Redis, measure and print."""
    with private_folder() as folder, Redis(folder) as server:
        _threads(server)
        asyncio.run(_tasks(server))


def _threads(server: Redis) -> None:
    plain, watched = (redis.Redis(port=server.port, password=PASSWORD) for _ in range(2))
    tracker = instrument(watched, "watched", watch=Watch(threaded=False))
    times: dict[str, list[tuple[float, float]]] = {"plain": [], "watched": []}
    for turn in range(2 * ROUNDS):
        name, client = ("plain", plain) if turn % 2 else ("watched", watched)
        began = _clocks()
        for _ in range(GETS):
            client.get("key")
        times[name].append(_since(began))
    _print("redis", times)
    assert tracker.taken == ROUNDS * GETS
    plain.close()
    watched.close()


async def _tasks(server: Redis) -> None:
    plain, watched = (redis.asyncio.Redis(port=server.port, password=PASSWORD) for _ in range(2))
    tracker = instrument(watched, "watched", watch=Watch(threaded=False))
    times: dict[str, list[tuple[float, float]]] = {"plain": [], "watched": []}
    for turn in range(2 * ROUNDS):
        name, client = ("plain", plain) if turn % 2 else ("watched", watched)
        times[name].append(await _awaited(lambda client=client: client.get("key")))
    _print("redis.asyncio", times)
    assert tracker.taken == ROUNDS * GETS
    await plain.aclose()
    await watched.aclose()


async def _awaited(get: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    began = _clocks()
    for _ in range(GETS):
        await get()
    return _since(began)


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(began: tuple[float, float]) -> tuple[float, float]:
    """Return the microseconds of one GET: passed, and of CPU."""
    now = _clocks()
    return (now[0] - began[0]) / GETS * 1e6, (now[1] - began[1]) / GETS * 1e6


def _print(client: str, times: dict[str, list[tuple[float, float]]]) -> None:
    (plain, plain_cpu), (watched, watched_cpu) = (
        [statistics.median(column) for column in zip(*times[name], strict=True)]
        for name in ("plain", "watched")
    )
    print(
        f"{client}: a GET takes {plain:.1f} us, watched {watched:.1f} us: {watched / plain:.2f} times"
        f"   goal <= {GOAL}"
    )
    print(f"    CPU {plain_cpu:.1f} us, watched {watched_cpu:.1f} us: {watched_cpu / plain_cpu:.2f} times")


if __name__ == "__main__":
    main()
