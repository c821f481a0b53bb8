"""The one JSON shape of interface.md, and the JUnit report."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from mooring.core.failure import Failure
from mooring.core.health import Health
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Observation, TargetRef, Trigger
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.core.status import Status
from mooring.core.transition import Transition
from mooring.export.json import health_json, plain, report_json, result_json, summary, transition_json
from mooring.export.junit import junit

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
FAILURE = Failure(Reason.AUTH, Stage.AUTH, "WRONGPASS", "invalid username-password pair", "set another")
CACHE = CheckResult(
    target=TargetRef(None, "cache", "redis", "10.0.0.7:6379"),
    status=Status.DOWN,
    failure=FAILURE,
    stages=(
        StageResult(Stage.DNS, StageStatus.PASSED, 0.0004),
        StageResult(Stage.AUTH, StageStatus.FAILED, 0.0020000004),
        StageResult(Stage.PERMISSION, StageStatus.SKIPPED),
    ),
    observation=Observation({"server_version": "7.0.15"}, {"clients_used": 3}, ()),
    started_at=AT,
    seconds=0.0031,
    trigger=Trigger.CLI,
)
ORDERS = CheckResult(
    target=TargetRef(7, "orders", "postgresql", "db.example:5432/orders"),
    status=Status.DEGRADED,
    failure=None,
    stages=(StageResult(Stage.DNS, StageStatus.PASSED, 0.001),),
    observation=Observation(warnings=("slow",)),
    started_at=AT.replace(microsecond=0).astimezone(timezone(timedelta(hours=2))),
    seconds=1.5,
)
DRIVERLESS = CheckResult(
    target=TargetRef(None, "<x>&\x00", "mysql", "h:3306"),
    status=Status.UNKNOWN,
    failure=Failure(Reason.DRIVER, None, "DRIVER_MISSING", "no driver \x1b[31m", None),
    stages=(),
    observation=Observation(),
    started_at=AT,
    seconds=0.0,
)


def test_result_has_the_shape_that_is_promised() -> None:
    """A result holds exactly the keys of interface.md, in their order and with their types."""
    assert result_json(CACHE) == {
        "target": {"id": None, "name": "cache", "kind": "redis", "address": "10.0.0.7:6379"},
        "status": "down",
        "failure": {
            "reason": "auth",
            "stage": "auth",
            "code": "WRONGPASS",
            "message": "invalid username-password pair",
            "hint": "set another",
            "fix": None,
        },
        "stages": [
            {"name": "dns", "status": "passed", "seconds": 0.0004},
            {"name": "auth", "status": "failed", "seconds": 0.002},
            {"name": "permission", "status": "skipped", "seconds": None},
        ],
        "details": {"server_version": "7.0.15"},
        "numbers": {"clients_used": 3},
        "warnings": [],
        "started_at": "2026-01-02T03:04:05.678901+00:00",
        "seconds": 0.0031,
        "region": "local",
        "trigger": "cli",
    }


def test_result_that_is_up_has_a_null_failure() -> None:
    """`failure` is there and null where nothing failed."""
    assert result_json(ORDERS)["failure"] is None


def test_times_are_utc_with_microseconds_even_where_they_are_zero() -> None:
    """Times of any zone and precision come out in one form, which sorts as text."""
    assert result_json(ORDERS)["started_at"] == "2026-01-02T03:04:05.000000+00:00"


def test_report_counts_every_status() -> None:
    """The summary has all five counts, zeros included."""
    report = report_json([CACHE, ORDERS], paused=2)
    assert report["summary"] == {"up": 0, "degraded": 1, "down": 1, "unknown": 0, "paused": 2}
    assert [each["target"]["name"] for each in report["results"]] == ["cache", "orders"]
    assert summary([]) == {"up": 0, "degraded": 0, "down": 0, "unknown": 0, "paused": 0}


def test_health_tells_where_a_target_stands() -> None:
    """A health has exactly seven keys; a fresh one is all null or false but its status."""
    health = Health(Status.UP, AT, confirming=(1, 3), last=CACHE, next_check_at=AT, checking=True)
    assert health_json(health) == {
        "status": "up",
        "since": "2026-01-02T03:04:05.678901+00:00",
        "checking": True,
        "confirming": [1, 3],
        "last": result_json(CACHE),
        "next_check_at": "2026-01-02T03:04:05.678901+00:00",
        "calm": False,
    }
    assert health_json(Health()) == {
        "status": "unknown",
        "since": None,
        "checking": False,
        "confirming": None,
        "last": None,
        "next_check_at": None,
        "calm": False,
    }


def test_transition_tells_the_change_and_its_cause() -> None:
    """A transition names both statuses, the time and the failure that decided."""
    assert transition_json(Transition(7, Status.UP, Status.DOWN, AT, FAILURE, "note")) == {
        "target_id": 7,
        "old": "up",
        "new": "down",
        "at": "2026-01-02T03:04:05.678901+00:00",
        "failure": result_json(CACHE)["failure"],
        "note": "note",
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (Decimal("1.50"), "1.50"),
        (b"ab\xff", "ab\ufffd"),
        ({1: (AT, AT.date())}, {"1": ["2026-01-02T03:04:05.678901+00:00", "2026-01-02"]}),
        ({"x"}, ["x"]),
        (True, True),
    ],
)
def test_details_of_any_driver_become_json(value: object, expected: object) -> None:
    """What a driver hands out is always accepted by a strict JSON writer."""
    assert plain(value) == expected
    json.dumps(plain(value), allow_nan=False)


def test_junit_tells_failures_from_errors() -> None:
    """Down is a failure, unknown an error, degraded passes; the counts agree."""
    root = ET.fromstring(junit([CACHE, ORDERS, DRIVERLESS]))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("3", "1", "1")
    down, degraded, unknown = root.iter("testcase")
    failure = down.find("failure")
    assert failure is not None
    assert failure.attrib == {"type": "auth.WRONGPASS", "message": "auth: invalid username-password pair"}
    assert failure.text == "set another"
    assert degraded.find("failure") is None
    assert degraded.find("error") is None
    assert unknown.find("error") is not None


def test_junit_tells_what_can_be_pasted() -> None:
    """A fix stands on the line below the hint."""
    failure = Failure(Reason.PERMISSION, Stage.PERMISSION, "42501", "denied", "Grant it.", "GRANT a TO b;")
    (case,) = ET.fromstring(junit([CACHE._replace(failure=failure)])).iter("testcase")
    assert case.findtext("failure") == "Grant it.\nGRANT a TO b;"


def test_junit_survives_characters_that_xml_cannot_hold() -> None:
    """Control characters from a server's message are replaced, and markup is text."""
    (case,) = ET.fromstring(junit([DRIVERLESS])).iter("testcase")
    assert case.get("name") == "<x>&\ufffd"
    error = case.find("error")
    assert error is not None
    assert error.get("message") == "no driver \ufffd[31m"


def test_junit_of_nothing_is_a_report() -> None:
    """No target at all still makes a document that parses."""
    assert ET.fromstring(junit([])).get("tests") == "0"
