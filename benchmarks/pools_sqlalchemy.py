"""What it costs a checkout and checkin of SQLAlchemy that the engine's pool is watched.

    python -m benchmarks.pools_sqlalchemy

Engines that are watched in different ways take turns: on a DBAPI that does nothing, where nothing hides the
cost, and on a real PostgreSQL on loopback. OpenTelemetry's instrumentation is measured beside it where it is
installed; it follows statements, too, as one `SELECT 1` shows. Times are CPU of the program alone, medians of
all turns.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import QueuePool

from mooring.pools import Watch, instrument
from tests.servers.postgresql import PostgreSQL, new_template
from tests.servers.process import private_folder

TURNS, PAIRS, STATEMENTS = 150, 200, 30
GOAL = 1.3


class Nothing:
    """A connection of a DBAPI that does nothing."""

    def rollback(self) -> None:
        """Do nothing."""

    commit = close = rollback


def main() -> None:
    """Start a PostgreSQL, measure and print."""
    with new_template() as template, private_folder() as folder, PostgreSQL(folder, template) as server:
        url = server.url(scheme="postgresql+psycopg")
        nothing: Callable[[], Engine] = lambda: create_engine(  # noqa: E731 -- short for three uses
            "sqlite://", creator=Nothing, poolclass=QueuePool, _initialize=False
        )
        _compare("nothing", nothing, _pairs, GOAL)
        _compare("PostgreSQL", lambda: create_engine(url), _pairs, GOAL)
        _compare("PostgreSQL, with SELECT 1", lambda: create_engine(url), _statements, None)


def _compare(
    what: str, make: Callable[[], Engine], measure: Callable[[Engine], float], goal: float | None
) -> None:
    engines = {"plain": make(), "watched": make()}
    tracker = instrument(engines["watched"], watch=Watch(threaded=False))
    with _others(make) as others:
        engines |= others
        times: dict[str, list[float]] = {name: [] for name in engines}
        for _ in range(TURNS):
            for name, engine in engines.items():
                times[name].append(measure(engine))
    assert (tracker.faults, len(tracker.open), tracker.taken >= TURNS) == (0, 0, True)
    plain = statistics.median(times["plain"])
    for name, each in times.items():
        median = statistics.median(each)
        told = f"   goal <= {goal}" if goal and name == "watched" else ""
        print(f"{what}: {name} {median:.1f} us, {median / plain:.2f} times{told}")
    for engine in engines.values():
        engine.dispose()


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


@contextmanager
def _others(make: Callable[[], Engine]) -> Iterator[dict[str, Engine]]:
    """Yield engines that others watch. Sentry hooks into every engine of a process: it cannot take turns."""
    engines: dict[str, Engine] = {}
    theirs: Any = None
    try:
        from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
    except ImportError:
        print("opentelemetry-instrumentation-sqlalchemy is not installed")
    else:
        theirs = SQLAlchemyInstrumentor()
        engines["opentelemetry"] = make()
        theirs.instrument(engine=engines["opentelemetry"], skip_dep_check=True)
    try:
        yield engines
    finally:
        if theirs is not None:
            theirs.uninstrument()


if __name__ == "__main__":
    main()
