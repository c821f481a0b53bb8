"""What it costs a checkout and checkin of SQLAlchemy that the engine's pool is watched.

    python -m benchmarks.pools_sqlalchemy

Programs that are watched in different ways take turns, each in a process of its own, since Sentry hooks
into every engine of one; five for each way, since where things lie in memory makes some per cent. They use
a DBAPI that does nothing, where nothing hides the cost, and a real PostgreSQL on loopback. OpenTelemetry's
and Sentry's own instrumentations are measured beside it where they are installed; they follow statements,
too, as one `SELECT 1` shows. Times are CPU of the program alone: of each program its best turn, as in
benchmarks/pools.py, and with statements, where it matters who wakes whom, its median; of each way the median
of its programs. A turn is long enough that the caches that the turn before has emptied weigh little; in turns
of 200 pairs, which begin cold, the ratio is 0.02 to 0.06 more.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import QueuePool

from benchmarks._serving import on_cores
from mooring.pools import instrument
from tests.servers.postgresql import PostgreSQL, new_template
from tests.servers.process import private_folder

PROGRAMS, TURNS, PAIRS, STATEMENTS = 5, 12, 2000, 100
GOAL = 1.3
NOTHING = "nothing"


class Nothing:
    """A connection of a DBAPI that does nothing."""

    def rollback(self) -> None:
        """Do nothing."""

    commit = close = rollback


def main() -> None:
    """Start a PostgreSQL, measure and print."""
    with new_template() as template, private_folder() as folder, PostgreSQL(folder, template) as server:
        url = server.url(scheme="postgresql+psycopg")
        with on_cores({max(os.sched_getaffinity(0))}):  # they take turns: one core, or each turn begins cold
            _compare("nothing", NOTHING, "pairs", min, GOAL)
            _compare("PostgreSQL", url, "pairs", min, GOAL)
            _compare("PostgreSQL, with SELECT 1", url, "statements", statistics.median, None)


def _compare(
    what: str, url: str, measure: str, one: Callable[[list[float]], float], goal: float | None
) -> None:
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    with ExitStack() as stack:
        programs = [(way, stack.enter_context(_program(way, url, measure))) for way in [*WAYS] * PROGRAMS]
        turns = [[_turn(program) for _, program in programs] for _ in range(TURNS)]
    for (way, _), times in zip(programs, zip(*turns, strict=True), strict=True):
        taken = [each for each in times if each is not None]
        if taken:
            found[way].append(one(taken))
    plain = statistics.median(found["plain"])
    for way, each in found.items():
        if not each:
            print(f"{what}: {way} is not installed")
            continue
        median = statistics.median(each)
        told = f"   goal <= {goal}" if goal and way == "watched" else ""
        print(f"{what}: {way} {median:.1f} us, {median / plain:.2f} times{told}")


def _turn(program: Connection) -> float | None:
    program.send(True)
    taken: float | None = program.recv()
    return taken


@contextmanager
def _program(way: str, url: str, measure: str) -> Iterator[Connection]:
    """Yield the line to a process that measures once for each `True` that it is sent."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(there, way, url, measure))
    process.start()
    try:
        yield here
    finally:
        here.send(False)
        process.join()


def _run(line: Connection, way: str, url: str, measure: str) -> None:
    engine = (
        create_engine("sqlite://", creator=Nothing, poolclass=QueuePool, _initialize=False)
        if url == NOTHING
        else create_engine(url)
    )
    check: Callable[[], None] | None
    try:
        check = WAYS[way](engine)
    except ImportError:
        check = None
    measured = MEASURES[measure]
    while line.recv():
        line.send(measured(engine) if check else None)
    if check:
        check()
    engine.dispose()


def _plain(_engine: Engine) -> Callable[[], None]:
    return lambda: None


def _watched(engine: Engine) -> Callable[[], None]:
    tracker = instrument(engine)

    def check() -> None:
        assert (tracker.faults, len(tracker.open), tracker.taken >= TURNS) == (0, 0, True)

    return check


def _opentelemetry(engine: Engine) -> Callable[[], None]:
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor

    theirs: Any = SQLAlchemyInstrumentor()
    theirs.instrument(engine=engine, skip_dep_check=True)
    return lambda: None


def _sentry(_engine: Engine) -> Callable[[], None]:
    import sentry_sdk
    from sentry_sdk.integrations.sqlalchemy import SqlalchemyIntegration
    from sentry_sdk.transport import Transport

    class Dropping(Transport):
        """Send nothing."""

        def capture_envelope(self, envelope: Any) -> None:
            """Drop it."""

    sentry_sdk.init(
        "http://key@127.0.0.1:9/1",
        transport=Dropping,
        traces_sample_rate=1.0,
        integrations=[SqlalchemyIntegration()],
    )
    return lambda: None


WAYS: dict[str, Callable[[Engine], Callable[[], None]]] = {
    "plain": _plain,
    "watched": _watched,
    "opentelemetry": _opentelemetry,
    "sentry": _sentry,
}
"""Each watches an engine, and returns what says afterwards whether it did."""


def _pairs(engine: Engine) -> float:
    began = time.process_time()
    for _ in range(PAIRS):
        engine.connect().close()
    return (time.process_time() - began) / PAIRS * 1e6


def _statements(engine: Engine) -> float:
    statement = text("SELECT 1")
    began = time.process_time()
    for _ in range(STATEMENTS):
        with engine.connect() as connection:
            connection.execute(statement)
    return (time.process_time() - began) / STATEMENTS * 1e6


MEASURES = {"pairs": _pairs, "statements": _statements}


if __name__ == "__main__":
    main()
