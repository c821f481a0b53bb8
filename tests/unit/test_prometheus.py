"""The Prometheus exposition, read by Prometheus' own parser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mooring.core.failure import Failure
from mooring.core.health import Health
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Observation
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.core.status import Status
from mooring.core.target import Target
from mooring.export.prometheus import Itself, Tally, exposition
from mooring.testing import ScriptedProbe

AT = datetime(2026, 1, 2, tzinfo=UTC)
ITSELF = Itself("1.2.3", True, 0.25, AT, AT, True, 3, 0, 4, 2, {"process_cpu_seconds_total": 1.5})


def target(name: str = "web", **keys: Any) -> Target:
    """Return a target."""
    return Target(name=name, probe=ScriptedProbe(), id=7, **keys)


def result(of: Target, failure: Failure | None = None, seconds: float = 0.02) -> CheckResult:
    """Return what a check of it found."""
    return CheckResult(
        target=of.ref,
        status=failure.reason.status if failure else Status.UP,
        failure=failure,
        stages=(
            StageResult(Stage.TCP, StageStatus.PASSED, 0.01),
            StageResult(Stage.FUNCTION, StageStatus.SKIPPED),
        ),
        observation=Observation(numbers={"days_left": 12.5, "lost": float("nan")}),
        started_at=AT,
        seconds=seconds,
    )


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every sample by its name and labels; a repeated one fails."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        assert family.type != "unknown", family.name
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in found, key
            found[key] = sample.value
    return found


WEB = (("kind", "scripted"), ("target", "web"))


def test_a_target_that_works_has_its_numbers() -> None:
    """Up, status, durations, stages and numbers of the last check are samples of their own."""
    web = target()
    got = samples(exposition([(web, Health(Status.UP, last=result(web)))], Tally(), ITSELF))
    assert got["mooring_target_up", WEB] == 1
    assert got["mooring_target_status", (*WEB[:1], ("status", "up"), *WEB[1:])] == 1
    assert got["mooring_target_status", (*WEB[:1], ("status", "down"), *WEB[1:])] == 0
    assert got["mooring_target_check_seconds", WEB] == 0.02
    assert got["mooring_target_stage_seconds", (*WEB[:1], ("stage", "tcp"), *WEB[1:])] == 0.01
    assert got["mooring_target_number", (*WEB[:1], ("number", "days_left"), *WEB[1:])] == 12.5
    assert got["mooring_target_last_check_timestamp_seconds", WEB] == AT.timestamp()
    assert ("mooring_target_stage_seconds", (*WEB[:1], ("stage", "function"), *WEB[1:])) not in got


def test_a_target_that_fails_says_why() -> None:
    """Reason, stage and code are labels of one sample; up is 0."""
    web = target()
    failure = Failure(Reason.AUTH, Stage.AUTH, 'say "no"\n\\', "refused")
    got = samples(exposition([(web, Health(Status.DOWN, last=result(web, failure)))], Tally(), ITSELF))
    labels = (
        ("code", 'say "no"\n\\'),
        ("kind", "scripted"),
        ("reason", "auth"),
        ("stage", "auth"),
        ("target", "web"),
    )
    assert got["mooring_target_failure", labels] == 1
    assert got["mooring_target_up", WEB] == 0


@pytest.mark.parametrize(
    ("enabled", "status"), [(True, Status.UNKNOWN), (False, Status.UP)], ids=["unknown", "paused"]
)
def test_what_is_not_known_is_not_told(enabled: bool, status: Status) -> None:
    """A target that is unknown or paused has no `up`: an alert on 0 must not fire."""
    got = samples(exposition([(target(enabled=enabled), Health(status))], Tally(), ITSELF))
    assert ("mooring_target_up", WEB) not in got
    assert got["mooring_targets_paused", ()] == (not enabled)


@pytest.mark.parametrize("name", ['a"b', "a\\b", "</script>", "🚢", "a,b={}", "x" * 200])
def test_a_hostile_name_is_read_back(name: str) -> None:
    """Whatever a target is called, the parser reads the same name."""
    got = samples(exposition([(target(name), Health(Status.UP))], Tally(), ITSELF))
    assert got["mooring_target_up", (("kind", "scripted"), ("target", name))] == 1


def test_labels_get_names_that_prometheus_takes() -> None:
    """A target's own labels stand in the info metric, each under a name of its own."""
    got = samples(
        exposition([(target(labels={"a-b": "1", "a.b": "2", "team": "s"}), Health())], Tally(), ITSELF)
    )
    (labels,) = [dict(labels) for name, labels in got if name == "mooring_target_info"]
    assert labels == {
        "id": "7",
        "target": "web",
        "kind": "scripted",
        "address": "script",
        "label_a_b": "1",
        "label_a_b_2": "2",
        "label_team": "s",
    }


def test_checks_are_counted() -> None:
    """Results are counted by kind, status and reason, and their durations fall into buckets."""
    web, tally = target(), Tally()
    for seconds in (0.0005, 0.004, 0.02, 60):
        tally.add(result(web, seconds=seconds))
    tally.add(result(web, Failure(Reason.REFUSED, Stage.TCP, "X", "no"), seconds=0.001))
    got = samples(exposition([], tally, ITSELF))
    kind = ("kind", "scripted")
    assert got["mooring_checks_total", (kind, ("status", "up"))] == 4
    assert got["mooring_checks_total", (kind, ("status", "down"))] == 1
    assert got["mooring_check_failures_total", (kind, ("reason", "refused"), ("stage", "tcp"))] == 1
    buckets = {
        le: got["mooring_check_duration_seconds_bucket", (kind, ("le", le))]
        for le in ("0.001", "0.005", "30.0", "+Inf")
    }
    assert buckets == {"0.001": 2, "0.005": 3, "30.0": 4, "+Inf": 5}
    assert got["mooring_check_duration_seconds_count", (kind,)] == 5
    assert got["mooring_check_duration_seconds_sum", (kind,)] == pytest.approx(60.0255)


def test_mooring_tells_of_itself() -> None:
    """Version, scheduler, store and process each have their metric."""
    got = samples(exposition([], Tally(), ITSELF))
    assert got["mooring_build_info", (("version", "1.2.3"),)] == 1
    assert got["mooring_monitoring_active", ()] == 1
    assert got["mooring_scheduler_lag_seconds", ()] == 0.25
    assert got["mooring_store_up", ()] == 1
    assert got["mooring_store_backlog_results", ()] == 3
    assert got["mooring_store_damaged_rows_total", ()] == 4
    assert got["mooring_event_streams", ()] == 2
    assert got["process_cpu_seconds_total", ()] == 1.5
    assert got["mooring_targets", (("status", "down"),)] == 0
