"""Targets, their healths and Mooring itself in the Prometheus text format (version 0.0.4).

Written by hand because a scrape of 1,000 targets has about 15,000 lines: prometheus_client would take
several times as long over them, on the same core that tests. Its parser reads every line in the tests.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mooring.core.failure import Failure
from mooring.core.health import Health
from mooring.core.result import CheckResult
from mooring.core.status import Status
from mooring.core.target import Target

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the check duration's histogram, in seconds."""

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")
Labels = Mapping[str, str]


@dataclass(slots=True)
class Durations:
    """How long the checks of one kind took."""

    buckets: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))
    total: float = 0.0
    count: int = 0

    def add(self, seconds: float) -> None:
        """Count one check."""
        self.total += seconds
        self.count += 1
        place = bisect_left(BUCKETS, seconds)
        if place < len(BUCKETS):
            self.buckets[place] += 1


@dataclass(slots=True)
class Tally:
    """What was counted since this process started."""

    checks: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    durations: dict[str, Durations] = field(default_factory=dict)

    def add(self, result: CheckResult) -> None:
        """Count one check."""
        kind = result.target.kind
        self.checks[kind, result.status.value] += 1
        self.durations.setdefault(kind, Durations()).add(result.seconds)
        if (failure := result.failure) is not None:
            stage = failure.stage.value if failure.stage else ""
            self.failures[kind, failure.reason.value, stage] += 1


@dataclass(frozen=True, slots=True)
class Itself:
    """How Mooring itself does. Times are UTC, `lag` is seconds."""

    version: str
    active: bool
    lag: float | None
    last_tick: datetime | None
    last_write: datetime | None
    store_works: bool
    backlog: int
    dropped: int
    damaged: int
    viewers: int
    process: Mapping[str, float] = field(default_factory=dict)
    """Standard process metrics, name to value."""


def exposition(
    watched: Iterable[tuple[Target, Health]],
    tally: Tally,
    itself: Itself,
    more: Iterable[list[str]] = (),
) -> str:
    """Return everything as text, each metric with its help and its samples together; `more` are others."""
    lines: list[str] = []
    for metric in (*_of_itself(itself), *_of_targets(list(watched)), *_of_tally(tally), *more):
        lines += metric
    lines.append("")
    return "\n".join(lines)


def metric(
    name: str, kind: str, text: str, samples: Iterable[tuple[str, float | None]], suffix: str = ""
) -> list[str]:
    """Return a metric's lines: each sample is its labels as text and its value; None leaves it out."""
    lines = [f"{name}{suffix}{labels} {_number(value)}" for labels, value in samples if value is not None]
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *lines]


def _gauge(name: str, text: str, value: float | None) -> list[str]:
    return metric(name, "gauge", text, [("", value)])


def _of_itself(itself: Itself) -> Iterator[list[str]]:
    version = labelled({"version": itself.version})
    yield metric("mooring_build_info", "gauge", "The running version.", [(version, 1)])
    yield _gauge("mooring_monitoring_active", "1 while the scheduler runs.", itself.active)
    yield _gauge("mooring_scheduler_lag_seconds", "By how much checks start later than planned.", itself.lag)
    ticked = _timestamp(itself.last_tick)
    yield _gauge("mooring_scheduler_last_tick_timestamp_seconds", "When the scheduler last moved.", ticked)
    yield _gauge("mooring_store_up", "1 while results can be written.", itself.store_works)
    written = _timestamp(itself.last_write)
    yield _gauge("mooring_store_last_write_timestamp_seconds", "When results were last written.", written)
    yield _gauge("mooring_store_backlog_results", "Results that are not written yet.", itself.backlog)
    dropped = [("", float(itself.dropped))]
    text = "Results given up because the store failed for too long."
    yield metric("mooring_store_dropped_results_total", "counter", text, dropped)
    damaged = [("", float(itself.damaged))]
    text = "Stored rows left out of history because they are damaged."
    yield metric("mooring_store_damaged_rows_total", "counter", text, damaged)
    yield _gauge("mooring_event_streams", "Viewers of the event stream.", itself.viewers)
    for name, value in itself.process.items():
        kind = "counter" if name.endswith("_total") else "gauge"
        yield metric(name, kind, f"{name.replace('_', ' ').capitalize()}.", [("", value)])


def _of_targets(watched: list[tuple[Target, Health]]) -> Iterator[list[str]]:
    counts = Counter(health.status for target, health in watched if target.enabled)
    by_status = [(labelled({"status": status.value}), float(counts[status])) for status in Status]
    yield metric("mooring_targets", "gauge", "Targets that are not paused, by status.", by_status)
    paused = sum(not target.enabled for target, _ in watched)
    yield _gauge("mooring_targets_paused", "Targets that are paused.", paused)
    yield metric(
        "mooring_target_info",
        "gauge",
        "Each target's kind, address and labels.",
        ((labelled(_facts(target)), 1) for target, _ in watched),
    )
    live = [(_inner(target), health) for target, health in watched if target.enabled]
    yield metric(
        "mooring_target_up",
        "gauge",
        "1: it works (up or degraded); 0: it is down; absent while that is unknown.",
        (
            ("{" + own + "}", health.status.works)
            for own, health in live
            if health.status is not Status.UNKNOWN
        ),
    )
    yield metric(
        "mooring_target_status",
        "gauge",
        "1 for the status that a target has, 0 for the others.",
        (
            (f'{{{own},status="{status.value}"}}', float(health.status is status))
            for own, health in live
            for status in Status
        ),
    )
    last = [(own, health.last) for own, health in live if health.last is not None]
    yield from _of_last_results(last)


def _of_last_results(last: list[tuple[str, CheckResult]]) -> Iterator[list[str]]:
    yield metric(
        "mooring_target_failure",
        "gauge",
        "1 with why the last check of a target failed.",
        ((_why(own, result.failure), 1) for own, result in last if result.failure is not None),
    )
    yield metric(
        "mooring_target_last_check_timestamp_seconds",
        "gauge",
        "When a target was last checked.",
        (("{" + own + "}", result.started_at.timestamp()) for own, result in last),
    )
    yield metric(
        "mooring_target_check_seconds",
        "gauge",
        "How long the last check of a target took.",
        (("{" + own + "}", result.seconds) for own, result in last),
    )
    yield metric(
        "mooring_target_stage_seconds",
        "gauge",
        "How long each stage of the last check took.",
        (
            (f'{{{own},stage="{stage.stage.value}"}}', stage.seconds)
            for own, result in last
            for stage in result.stages
        ),
    )
    yield metric(
        "mooring_target_number",
        "gauge",
        "What the last check read: days left, sessions used, lag and the like.",
        (
            (f'{{{own},number="{_escaped(name)}"}}', value)
            for own, result in last
            for name, value in result.observation.numbers.items()
        ),
    )


def _of_tally(tally: Tally) -> Iterator[list[str]]:
    checks = (
        (labelled({"kind": kind, "status": status}), float(count))
        for (kind, status), count in tally.checks.items()
    )
    yield metric("mooring_checks_total", "counter", "Checks recorded since the start.", checks)
    failures = (
        (labelled({"kind": kind, "reason": reason, "stage": stage}), float(count))
        for (kind, reason, stage), count in tally.failures.items()
    )
    yield metric("mooring_check_failures_total", "counter", "Checks that failed, by reason.", failures)
    name = "mooring_check_duration_seconds"
    lines = [f"# HELP {name} How long checks took.", f"# TYPE {name} histogram"]
    for kind, durations in tally.durations.items():
        lines += _histogram(name, kind, durations)
    yield lines


def _histogram(name: str, kind: str, durations: Durations) -> Iterator[str]:
    below = 0
    for bound, count in zip(BUCKETS, durations.buckets, strict=True):
        below += count
        yield f"{name}_bucket{labelled({'kind': kind, 'le': repr(bound)})} {below}"
    yield f"{name}_bucket{labelled({'kind': kind, 'le': '+Inf'})} {durations.count}"
    yield f"{name}_sum{labelled({'kind': kind})} {_number(durations.total)}"
    yield f"{name}_count{labelled({'kind': kind})} {durations.count}"


def _inner(target: Target) -> str:
    ref = target.ref
    return f'target="{_escaped(ref.name)}",kind="{_escaped(ref.kind)}"'


def _why(own: str, failure: Failure) -> str:
    stage = failure.stage.value if failure.stage else ""
    return f'{{{own},reason="{failure.reason.value}",stage="{stage}",code="{_escaped(failure.code)}"}}'


def _facts(target: Target) -> dict[str, str]:
    """Return what is told of a target once: its own labels too, under names that Prometheus takes."""
    ref = target.ref
    facts = {"id": str(ref.id or ""), "target": ref.name, "kind": ref.kind, "address": ref.address}
    for key, value in sorted(target.labels.items()):
        name = unique = "label_" + _NOT_IN_NAMES.sub("_", key)
        number = 2
        while unique in facts:
            unique, number = f"{name}_{number}", number + 1
        facts[unique] = value
    return facts


def labelled(labels: Labels) -> str:
    """Return labels as they stand behind a metric's name."""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _number(value: float) -> str:
    return str(int(value)) if isinstance(value, (bool, int)) else repr(float(value))


def _timestamp(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
