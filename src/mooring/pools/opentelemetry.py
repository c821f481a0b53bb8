"""Pools as OpenTelemetry's metrics: the nine measures of its conventions for every tracker, and some of ours.

`db.client.connection.*` is as in the semantic conventions 1.44, where all nine are in development. The pool's
name is the tracker's; where two services of one process have a pool of the same name, the second one's is
`service/name`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from mooring.core.pool import LeakKind
from mooring.pools.tracker import PoolTracker, trackers_of
from mooring.pools.watch import Watch, watch_of_this_process

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation

POOL, STATE = "db.client.connection.pool.name", "db.client.connection.state"
MOST = 10_000
"""Times of one tracker that are kept between two looks, half a second apart; the oldest are dropped."""
BOUNDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
"""Seconds: the conventions' own for operations. OpenTelemetry's default is for milliseconds."""
TIMES = {
    "create": ("db.client.connection.create_time", "The time it took to create a new connection."),
    "wait": (
        "db.client.connection.wait_time",
        "The time it took to obtain an open connection from the pool.",
    ),
    "use": (
        "db.client.connection.use_time",
        "The time between borrowing a connection and returning it to the pool.",
    ),
}

Told = Iterator[tuple[float, dict[str, str]]]
"""Values and their attributes, without the pool's name."""


def export(
    meter_provider: MeterProvider | None = None,
    trackers: Iterable[PoolTracker] | None = None,
    *,
    watch: Watch | None = None,
) -> Export:
    """Export trackers through OpenTelemetry, until the returned object is closed.

    Counts are read when OpenTelemetry collects. Times are put aside at a checkout, and recorded by the watch
    a moment later: of more than 10,000 between two looks the oldest are dropped, and counted in
    `mooring.pool.times.dropped`. So are the times of a tracker from before the first look at it, uncounted. A
    tracker has one exporter: a second one gets no times of it.

    Args:
        meter_provider: by default the global one.
        trackers: by default all that the watch looks after, also those that are made later.
        watch: by default the one of this process.

    Raises:
        ImportError: where OpenTelemetry is not installed.
        TypeError: for what is no tracker.
    """
    try:
        from opentelemetry import metrics
    except ImportError as error:
        raise ImportError("OpenTelemetry is not installed: pip install 'mooring[opentelemetry]'") from error
    meter = metrics.get_meter("mooring.pools", meter_provider=meter_provider)
    return Export(meter, trackers, watch or watch_of_this_process())


class Feed:
    """The times of one tracker that are not recorded yet."""

    def __init__(self, tracker: PoolTracker) -> None:
        self.times: deque[tuple[str, float]] = deque(maxlen=MOST)
        self.dropped = 0
        self._known = _counted(tracker)

    def taken(self, tracker: PoolTracker) -> Iterator[tuple[str, float]]:
        """Take out what is there, and count what was dropped by what the tracker counted meanwhile."""
        counted, waiting = _counted(tracker), len(self.times)
        if waiting == MOST:
            self.dropped += max(0, counted - self._known - waiting)
        self._known = counted
        for _ in range(waiting):
            yield self.times.popleft()


class Export:
    """The instruments of some trackers. OpenTelemetry keeps them after `close`; they tell nothing then."""

    def __init__(self, meter: Meter, trackers: Iterable[PoolTracker] | None, watch: Watch) -> None:
        self._trackers = None if trackers is None else trackers_of(trackers)
        self._watch = watch
        self._names: WeakKeyDictionary[PoolTracker, str] = WeakKeyDictionary()
        self._feeds: WeakKeyDictionary[PoolTracker, Feed] = WeakKeyDictionary()
        self._open = True
        self._times: dict[str, Any] = {
            what: meter.create_histogram(
                name, unit="s", description=text, explicit_bucket_boundaries_advisory=BOUNDS
            )
            for what, (name, text) in TIMES.items()
        }
        for kind, name, unit, text, tell in MEASURES:
            create = getattr(meter, f"create_observable_{kind}")
            create(name, callbacks=[self._callback(tell)], unit=unit, description=text)
        kind, name, unit, text = DROPPED
        create = getattr(meter, f"create_observable_{kind}")
        create(name, callbacks=[self._callback(self._tell_dropped)], unit=unit, description=text)
        self.record()
        self._end = watch.also(self.record)

    def record(self) -> None:
        """Record the times that were put aside. The watch does, after each look."""
        for tracker in self._each():
            try:
                self._record(tracker)
            except Exception as error:
                tracker.broken(error)

    def close(self) -> None:
        """Record what is left, and tell nothing more."""
        self.record()
        self._open = False
        self._end()
        for tracker, feed in self._feeds.items():
            if tracker.feed is feed.times:
                tracker.feed = None

    def _record(self, tracker: PoolTracker) -> None:
        feed = self._feeds.get(tracker)
        if feed is None:
            if tracker.feed is None:
                feed = self._feeds[tracker] = Feed(tracker)
                tracker.feed = feed.times
            return
        attributes = {POOL: self._name(tracker)}
        for what, seconds in feed.taken(tracker):
            self._times[what].record(seconds, attributes)

    def _tell_dropped(self, tracker: PoolTracker) -> Told:
        feed = self._feeds.get(tracker)
        yield (0 if feed is None else feed.dropped), {}

    def _callback(
        self, tell: Callable[[PoolTracker], Told]
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        from opentelemetry.metrics import Observation

        def observe(_: CallbackOptions) -> Iterable[Observation]:
            for tracker in self._each():
                try:
                    named = {POOL: self._name(tracker)}
                    told = [Observation(value, {**named, **more}) for value, more in tell(tracker)]
                except Exception as error:
                    tracker.broken(error)
                else:
                    yield from told

        return observe

    def _each(self) -> Iterator[PoolTracker]:
        if self._open:
            known = self._watch if self._trackers is None else self._trackers
            yield from (each for each in known if isinstance(each, PoolTracker))

    def _name(self, tracker: PoolTracker) -> str:
        name = self._names.get(tracker)
        if name is None:
            taken = set(self._names.values())
            name = tracker.name if tracker.name not in taken else f"{tracker.service}/{tracker.name}"
            self._names[tracker] = name
        return name


def _counted(tracker: PoolTracker) -> int:
    return sum(tracker.waits) + sum(tracker.creates) + tracker.returned


def _count(tracker: PoolTracker) -> Told:
    gauges = tracker.gauges()
    yield tracker.used_of(gauges), {STATE: "used"}
    if gauges.idle is not None:
        yield gauges.idle, {STATE: "idle"}


def _most_idle(tracker: PoolTracker) -> Told:
    gauges = tracker.gauges()
    yield from _if_told(gauges.limit if gauges.most_idle is None else gauges.most_idle)


def _least(tracker: PoolTracker) -> Told:
    yield from _if_told(tracker.gauges().least)


def _limit(tracker: PoolTracker) -> Told:
    yield from _if_told(tracker.gauges().limit)


def _waiting(tracker: PoolTracker) -> Told:
    yield tracker.waiting, {}


def _timeouts(tracker: PoolTracker) -> Told:
    yield tracker.timeouts, {}


def _leaks(tracker: PoolTracker) -> Told:
    found = Counter(leak.kind for leak in tracker.leaks())
    for kind in LeakKind:
        yield found[kind], {"mooring.leak.class": kind.value}


def _alerts(tracker: PoolTracker) -> Told:
    for alert in tracker.alerts:
        yield 1, {"mooring.alert.rule": alert.rule.value, "mooring.alert.severity": alert.severity.value}


def _errors(tracker: PoolTracker) -> Told:
    session = tracker.errors.session
    yield session, {"mooring.error.class": "session"}
    yield tracker.errors.total - session, {"mooring.error.class": "statement"}


def _if_told(value: int | None) -> Told:
    if value is not None:
        yield value, {}


_BOTH_WAYS = "up_down_counter"
MEASURES: tuple[tuple[str, str, str, str, Callable[[PoolTracker], Told]], ...] = (
    (
        _BOTH_WAYS,
        "db.client.connection.count",
        "{connection}",
        "The number of connections that are currently in state described by the `state` attribute.",
        _count,
    ),
    (
        _BOTH_WAYS,
        "db.client.connection.idle.max",
        "{connection}",
        "The maximum number of idle open connections allowed.",
        _most_idle,
    ),
    (
        _BOTH_WAYS,
        "db.client.connection.idle.min",
        "{connection}",
        "The minimum number of idle open connections allowed.",
        _least,
    ),
    (
        _BOTH_WAYS,
        "db.client.connection.max",
        "{connection}",
        "The maximum number of open connections allowed.",
        _limit,
    ),
    (
        _BOTH_WAYS,
        "db.client.connection.pending_requests",
        "{request}",
        "The number of current pending requests for an open connection.",
        _waiting,
    ),
    (
        "counter",
        "db.client.connection.timeouts",
        "{timeout}",
        "The number of connection timeouts that have occurred trying to obtain a connection from the pool.",
        _timeouts,
    ),
    (_BOTH_WAYS, "mooring.pool.leaks", "{lease}", "The leases that are not returned, by class.", _leaks),
    (_BOTH_WAYS, "mooring.pool.alerts", "{alert}", "The alerts that are open.", _alerts),
    ("counter", "mooring.pool.errors", "{error}", "The errors that the application met.", _errors),
)
"""Instrument, name, unit, description, and what tells the values."""
DROPPED = (
    "counter",
    "mooring.pool.times.dropped",
    "{time}",
    "The times that came too fast to be recorded.",
)
"""The same of what an export itself counts."""
