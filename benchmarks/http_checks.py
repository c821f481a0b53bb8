"""HTTP checks per CPU-second: Mooring against blackbox_exporter and against a bare loop.

    python -m benchmarks.http_checks [--checks 4000] [--rounds 3]

All ask the same nginx on the loopback, in turn, on one core; the target and whoever drives the
exporter are on the other. CPU time is that of the process that checks, all its threads included.
Goals: the whole engine, stored, does 5 times (at the least 4) what the exporter does, and half of
what a bare asyncio + httptools loop does: each on asyncio's own event loop, and each on uvloop, under
which `mooring serve` runs and the bare loop gains most.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import http.client
import os
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

import httptools
import psutil
import uvloop

from tests.servers.nginx import Nginx
from tests.servers.process import ServerProcess, binary, private_folder

AT_ONCE = 32
BATCH = 500
TARGETS = 500
REQUEST = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bare\r\n"
    b"Accept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
)
AS_PROMETHEUS = {
    "Accept": "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
    "Accept-Encoding": "gzip",
    "User-Agent": "Prometheus/2.42.0",
    "X-Prometheus-Scrape-Timeout-Seconds": "10",
}
Measure: TypeAlias = Callable[[str, int], Coroutine[Any, Any, float]]
OURS, THEIRS = {0}, {1}
"""Cores: of what is measured, and of what it asks."""


class Blackbox(ServerProcess):
    """Debian's prometheus-blackbox-exporter with one plain HTTP module."""

    def command(self) -> list[str]:
        config = self.folder / "blackbox.yml"
        config.write_text("modules: {http: {prober: http, http: {preferred_ip_protocol: ip4}}}\n")
        program = binary("prometheus-blackbox-exporter", "prometheus-blackbox-exporter")
        address = f"127.0.0.1:{self.port}"
        return [program, f"--config.file={config}", f"--web.listen-address={address}", "--log.level=error"]

    def ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("GET", "/-/healthy")
        return connection.getresponse().status == 200


def blackbox(url: str, checks: int) -> float:
    """Return checks per CPU-second of the exporter, asked as Prometheus asks: gzip, kept connections."""
    with private_folder() as folder, Blackbox(folder) as exporter:
        process = psutil.Process(exporter.pid)
        process.cpu_affinity(list(OURS))
        path = f"/probe?module=http&target={quote(url, safe='')}"
        with ThreadPoolExecutor(8) as threads, on_cores(THEIRS):
            _scrape(exporter.port, path, 50)
            before = sum(process.cpu_times()[:2])
            list(threads.map(lambda _: _scrape(exporter.port, path, checks // 8), range(8)))
            return checks / (sum(process.cpu_times()[:2]) - before)


def _scrape(port: int, path: str, times: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(times):
        connection.request("GET", path, headers=AS_PROMETHEUS)
        body = gzip.decompress(connection.getresponse().read())
        assert b"\nprobe_success 1" in body, body[-500:]
    connection.close()


class _Bare(asyncio.Protocol):
    """The least that can be called an HTTP check."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.done: asyncio.Future[None] = loop.create_future()
        self.parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(REQUEST)  # type: ignore[attr-defined]  # a TCP transport

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def bare(url: str, checks: int) -> float:
    """Return checks per CPU-second of a bare loop that stores one row a check."""
    loop = asyncio.get_running_loop()
    port = urlsplit(url).port
    rows: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as writer:
        database = sqlite3.connect(Path(folder) / "bare.db", check_same_thread=False)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE results (target INTEGER, at REAL, status INTEGER, seconds REAL)")

        def store(batch: list[tuple[object, ...]]) -> None:
            with database:
                database.executemany("INSERT INTO results VALUES (?, ?, ?, ?)", batch)

        async def check(number: int) -> None:
            began = time.monotonic()
            exchange = _Bare(loop)
            await loop.create_connection(lambda: exchange, "127.0.0.1", port)
            await exchange.done
            exchange.transport.abort()  # type: ignore[attr-defined]  # a TCP transport
            status = exchange.parser.get_status_code()
            rows.append((number % TARGETS, time.time(), status, time.monotonic() - began))
            if len(rows) >= BATCH:
                batch = rows.copy()
                rows.clear()
                await loop.run_in_executor(writer, store, batch)

        figure = await per_cpu_second(check, checks)
        database.close()
    return figure


async def probe_alone(url: str, checks: int) -> float:
    """Return checks per CPU-second of the probe and the runner, nothing stored."""
    from mooring.core.result import Trigger
    from mooring.engine.runner import Runner
    from mooring.net.network import Network
    from mooring.probes._registry import Kinds
    from mooring.targets import TargetReader

    watched = TargetReader(Kinds()).read({"name": "nginx", "url": url})
    async with Network() as net:
        runner = Runner(net)

        async def check(_: int) -> None:
            result = await runner.run(watched, Trigger.SCHEDULE)
            assert result.failure is None, result.failure

        return await per_cpu_second(check, checks)


async def engine(url: str, checks: int) -> float:
    """Return checks per CPU-second of the whole engine: checked, settled, stored and told."""
    from mooring.app import App
    from mooring.engine.collector import settle_down
    from mooring.settings import Settings, StoreSettings

    with tempfile.TemporaryDirectory() as folder:
        store = StoreSettings(url=f"sqlite:///{folder}/mooring.db")
        async with App(Settings(store=store), watch=False) as app:
            keys = ({"name": f"nginx {number}", "url": url} for number in range(TARGETS))
            await app.catalogue.apply([app.reader.read(each) for each in keys])
            watched = list(app.catalogue.targets.values())
            settle_down()  # as `mooring serve` does

            async def check(number: int) -> None:
                run = app.monitor.start(watched[number % TARGETS])  # as the scheduler does
                result = await run.task
                run.leave()
                assert result.failure is None, result.failure

            figure = await per_cpu_second(check, checks, app.recorder.written)
            assert app.recorder.waiting == 0
            assert app.recorder.store_error is None
            return figure


async def per_cpu_second(
    check: Callable[[int], Awaitable[None]],
    checks: int,
    finish: Callable[[], Awaitable[None]] | None = None,
) -> float:
    """Run checks, a few at once, and return how many a second of this process's CPU time does."""
    warming, numbers = iter(range(TARGETS)), iter(range(checks))

    async def work(numbers: Iterator[int]) -> None:
        for number in numbers:
            await check(number)

    await asyncio.gather(*(work(warming) for _ in range(AT_ONCE)))
    if finish is not None:
        await finish()  # first checks change healths, whose writing is no part of a steady check either
    before = time.process_time()
    await asyncio.gather(*(work(numbers) for _ in range(AT_ONCE)))
    if finish is not None:
        await finish()
    return checks / (time.process_time() - before)


@contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """Keep this process, and what it starts meanwhile, on these cores where the machine has them."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def main() -> None:
    """Print each figure, and the ratios beside their goals."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--checks", type=int, default=4000)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    with ExitStack() as stack:
        with on_cores(THEIRS):
            target = stack.enter_context(Nginx(stack.enter_context(private_folder())))
        stack.enter_context(on_cores(OURS))
        figures: dict[str, list[float]] = {}
        for _ in range(given.rounds):  # in turn, so that a noisy moment of the machine meets all
            for name, figure in _measured(target.url("/"), given.checks):
                figures.setdefault(name, []).append(figure)
    _print({name: median(found) for name, found in figures.items()})


def _measured(url: str, checks: int) -> Iterator[tuple[str, float]]:
    yield "blackbox_exporter", blackbox(url, checks)
    for name, measure, on_uvloop in (
        ("bare loop, asyncio", bare, False),
        ("engine, asyncio", engine, False),
        ("bare loop, uvloop", bare, True),
        ("probe alone, uvloop", probe_alone, True),
        ("engine, uvloop", engine, True),
    ):
        # Each in a process of its own: none inherits another's memory or settings.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            yield name, process.submit(_run, measure, url, checks, on_uvloop).result()


def _run(measure: Measure, url: str, checks: int, on_uvloop: bool) -> float:
    return (uvloop.run if on_uvloop else asyncio.run)(measure(url, checks))


def _print(figures: dict[str, float]) -> None:
    for name, figure in figures.items():
        print(f"{name:29} {figure:8,.0f} checks per CPU-second")
    against = figures["engine, uvloop"] / figures["blackbox_exporter"]
    print(f"{'engine / blackbox':29} {against:8.2f}   goal 5, at the least 4   {_verdict(against, 5, 4)}")
    for loop in ("asyncio", "uvloop"):
        against = figures[f"engine, {loop}"] / figures[f"bare loop, {loop}"]
        name = f"engine / bare loop, {loop}"
        print(f"{name:29} {against:8.2f}   goal 0.5                 {_verdict(against, 0.5, 0.5)}")


def _verdict(figure: float, goal: float, least: float) -> str:
    if figure >= goal:
        return "met"
    return "met in the least" if figure >= least else "missed"


if __name__ == "__main__":
    main()
