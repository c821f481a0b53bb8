"""What an exporter of OpenTelemetry sees of the pools."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import Histogram, InMemoryMetricReader, Sum

from mooring.core.clock import SystemClock
from mooring.pools.driver import Activity, Driver, Gauges
from mooring.pools.opentelemetry import MOST, Export, export
from mooring.pools.tracker import PoolTracker
from mooring.pools.watch import Watch

CONVENTIONS = {
    "db.client.connection.count": ("{connection}", "up and down"),
    "db.client.connection.idle.max": ("{connection}", "up and down"),
    "db.client.connection.idle.min": ("{connection}", "up and down"),
    "db.client.connection.max": ("{connection}", "up and down"),
    "db.client.connection.pending_requests": ("{request}", "up and down"),
    "db.client.connection.timeouts": ("{timeout}", "counter"),
    "db.client.connection.create_time": ("s", "histogram"),
    "db.client.connection.wait_time": ("s", "histogram"),
    "db.client.connection.use_time": ("s", "histogram"),
}
"""Name, unit and instrument as the semantic conventions have them (docs/db/database-metrics.md)."""
POOL, STATE = "db.client.connection.pool.name", "db.client.connection.state"
ORDERS = ((POOL, "orders"),)


class HandClock(SystemClock):
    """A clock that a test moves."""

    seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds


class FourOfTen(Driver):
    """A driver with four connections, of which three are idle; at most ten, five of them idle."""

    name = "four"
    address: str | None = None
    database: str | None = None
    most_idle: int | None = 5

    def gauges(self) -> Gauges:
        return Gauges(size=4, idle=3, limit=10, least=2, most_idle=self.most_idle)

    def activity(self, connection: Any) -> Activity:
        return Activity()


class Bench:
    """A pool, what exports it, and a reader."""

    def __init__(self) -> None:
        self.clock, self.watch, self.driver = HandClock(), Watch(threaded=False), FourOfTen()
        self.tracker = self.pool("orders")
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider([self.reader])
        self.export: Export = export(self.provider, watch=self.watch)

    def pool(self, name: str, service: str = "shop") -> PoolTracker:
        return PoolTracker(service, name, driver=self.driver, watch=self.watch, clock=self.clock)

    def use(self, wait: float, use: float) -> None:
        """Take a lease and return it."""
        asked = self.tracker.ask()
        self.clock.seconds += wait
        lease = self.tracker.track(asked=asked)
        self.clock.seconds += use
        self.tracker.release(lease)

    def metrics(self) -> dict[str, Any]:
        """Return what is collected, by name."""
        data = self.reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name: metric
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def values(self, name: str) -> dict[Any, Any]:
        """Return the values of one measure by their attributes; count and sum of a histogram."""
        told = self.metrics()
        points = told[name].data.data_points if name in told else []
        return {
            tuple(sorted(point.attributes.items())): (
                (point.count, round(point.sum, 6)) if hasattr(point, "bucket_counts") else point.value
            )
            for point in points
        }


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A pool that is exported."""
    made = Bench()
    yield made
    made.provider.shutdown()


def kind_of(metric: Any) -> str:
    """Return which instrument a metric comes from."""
    if isinstance(metric.data, Histogram):
        return "histogram"
    assert isinstance(metric.data, Sum)
    return "counter" if metric.data.is_monotonic else "up and down"


def test_all_nine_are_as_the_conventions_have_them(bench: Bench) -> None:
    """Each of the nine has its name, unit and instrument, and no attribute but the conventions' own."""
    bench.tracker.created(0.25)
    bench.use(0.5, 2)
    bench.watch.look()
    told = bench.metrics()
    ours = {name: metric for name, metric in told.items() if name.startswith("db.")}
    assert {name: (metric.unit, kind_of(metric)) for name, metric in ours.items()} == CONVENTIONS
    for name, metric in ours.items():
        wanted = {POOL, STATE} if name == "db.client.connection.count" else {POOL}
        for point in metric.data.data_points:
            assert (name, set(point.attributes)) == (name, wanted)
            assert point.attributes[POOL] == "orders"


def test_counts_are_those_of_the_pool(bench: Bench) -> None:
    """Counts are what the driver and the tracker say at the moment of collecting."""
    assert bench.values("db.client.connection.count") == {
        (*ORDERS, (STATE, "used")): 1,
        (*ORDERS, (STATE, "idle")): 3,
    }
    assert bench.values("db.client.connection.max") == {ORDERS: 10}
    assert bench.values("db.client.connection.idle.max") == {ORDERS: 5}
    assert bench.values("db.client.connection.idle.min") == {ORDERS: 2}
    bench.driver.most_idle = None
    assert bench.values("db.client.connection.idle.max") == {ORDERS: 10}
    bench.tracker.ask()
    bench.tracker.ask()
    assert bench.values("db.client.connection.pending_requests") == {ORDERS: 2}
    bench.tracker.gave_up(timed_out=True)
    assert bench.values("db.client.connection.pending_requests") == {ORDERS: 1}
    assert bench.values("db.client.connection.timeouts") == {ORDERS: 1}


def test_times_are_recorded_after_a_look(bench: Bench) -> None:
    """Wait, use and create times are in seconds, and are recorded by the watch, not by the checkout."""
    bench.tracker.created(0.25)
    bench.use(0.5, 2)
    bench.use(1.5, 4)
    assert bench.values("db.client.connection.wait_time") == {}
    bench.watch.look()
    assert bench.values("db.client.connection.wait_time") == {ORDERS: (2, 2.0)}
    assert bench.values("db.client.connection.use_time") == {ORDERS: (2, 6.0)}
    assert bench.values("db.client.connection.create_time") == {ORDERS: (1, 0.25)}
    point = bench.metrics()["db.client.connection.use_time"].data.data_points[0]
    assert point.explicit_bounds == (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)


def test_times_that_come_too_fast_are_dropped_and_counted(bench: Bench) -> None:
    """Between two looks a tracker keeps so many times and no more; the rest is counted."""
    for _ in range(MOST + 7):
        bench.tracker.created(0.5)
    bench.watch.look()
    assert bench.values("db.client.connection.create_time") == {ORDERS: (MOST, MOST / 2)}
    assert bench.values("mooring.pool.times.dropped") == {ORDERS: 7}
    bench.tracker.created(0.5)
    bench.watch.look()
    assert bench.values("mooring.pool.times.dropped") == {ORDERS: 7}


def test_leaks_alerts_and_errors_are_told(bench: Bench) -> None:
    """Leaks are told by class, open alerts by rule, errors by what failed."""
    held = bench.tracker.track()
    bench.clock.seconds += 3600
    bench.watch.look()
    assert {dict(key)["mooring.leak.class"]: n for key, n in bench.values("mooring.pool.leaks").items()} == {
        "abandoned": 0,
        "suspect": 1,
        "idle_in_transaction": 0,
        "busy": 0,
    }
    ((attributes, value),) = bench.values("mooring.pool.alerts").items()
    assert (dict(attributes)["mooring.alert.rule"], value) == ("suspect", 1)
    bench.tracker.record_error(ValueError("no such column"))
    assert {
        dict(key)["mooring.error.class"]: n for key, n in bench.values("mooring.pool.errors").items()
    } == {
        "session": 0,
        "statement": 1,
    }
    bench.tracker.release(held)


def test_pools_of_one_name_are_told_apart(bench: Bench) -> None:
    """A pool of another service with the same name has both names; one that is made later is told, too."""
    other = bench.pool("orders", service="billing")
    bench.watch.look()
    other.created(1.0)
    bench.watch.look()
    assert bench.values("db.client.connection.max") == {ORDERS: 10, ((POOL, "billing/orders"),): 10}
    assert bench.values("db.client.connection.create_time") == {((POOL, "billing/orders"),): (1, 1.0)}


def test_fault_of_one_pool_does_not_hide_the_others(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one pool cannot be read, that is its fault, counted, and the others are told."""
    broken = bench.pool("broken")
    monkeypatch.setattr(broken, "gauges", lambda: 1 / 0)
    assert bench.values("db.client.connection.max") == {ORDERS: 10}
    assert broken.faults > 0
    assert bench.tracker.faults == 0


def test_nothing_is_told_after_the_end(bench: Bench) -> None:
    """Once it is closed, nothing is put aside or told, and what was put aside before is recorded."""
    bench.tracker.created(0.5)
    bench.export.close()
    assert bench.values("db.client.connection.create_time") == {ORDERS: (1, 0.5)}
    assert bench.values("db.client.connection.max") == {}
    assert bench.tracker.feed is None


def test_chosen_pools_alone_are_exported(bench: Bench) -> None:
    """Where trackers are named, the others are left out."""
    bench.export.close()
    chosen = bench.pool("chosen")
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    export(provider, [chosen], watch=bench.watch)
    bench.reader = reader
    assert bench.values("db.client.connection.max") == {((POOL, "chosen"),): 10}
    provider.shutdown()


def test_missing_package_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without OpenTelemetry the error says what to install."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ImportError) as error:
        export()
    assert str(error.value) == "OpenTelemetry is not installed: pip install 'mooring[opentelemetry]'"
