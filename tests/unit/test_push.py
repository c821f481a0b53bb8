"""The kind push: silence is a failure."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from mooring.core.failure import InputError
from mooring.core.reason import Reason
from mooring.core.result import Observation, Trigger
from mooring.core.stage import Stage
from mooring.core.status import Status
from mooring.engine.push import awaited, reported
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.probes._registry import Kinds
from mooring.probes.push import Push
from mooring.targets import TargetReader, keys_of

READER = TargetReader(Kinds())


async def test_check_means_that_nobody_reported() -> None:
    """A check of a passive target is only made when a report is overdue, so it always says that."""
    target = READER.read({"name": "backup", "kind": "push"})
    async with Network() as net:
        result = await Runner(net).run(target, Trigger.SCHEDULE)
    assert result.status is Status.DOWN
    failure = result.failure
    assert failure is not None
    assert (failure.reason, failure.stage, failure.code) == (Reason.TIMEOUT, Stage.FUNCTION, "NO_REPORT")
    assert failure.message == "no report came in time"


def test_a_result_can_be_handed_on() -> None:
    """What a watched thing reports, and that it has not reported yet, can be pickled and copied."""
    target = READER.read({"name": "backup", "kind": "push"})
    at = datetime(2026, 1, 1, tzinfo=UTC)
    results = [
        reported(target, at, ok=False, message="", seconds=1),
        reported(target, at, ok=True, message="12 files", seconds=1),
        awaited(target, at, Trigger.API),
    ]
    assert pickle.loads(pickle.dumps(results)) == copy.deepcopy(results) == results
    assert results[2].observation == Observation({}, {})


def test_what_nothing_was_seen_of_cannot_be_changed() -> None:
    """All observations of nothing share it, so nobody can write into it."""
    seen: Any = Observation()
    with pytest.raises(TypeError, match="does not support item assignment"):
        seen.details["a"] = 1
    assert (dict(seen.details), "a" in seen.details, len(seen.numbers)) == ({}, False, 0)


def test_silence_is_not_confirmed() -> None:
    """Silence past the grace is what was waited for: it is not asked again four seconds later."""
    target = READER.read({"name": "backup", "kind": "push", "interval": 3600})
    assert (target.schedule.retry, Push.passive, target.probe.grace) == (False, True, 10)


def test_token_is_a_secret() -> None:
    """The token is never shown, is told to the redactor, and survives being stored."""
    token = "0123456789abcdef-token"
    target = READER.read({"name": "backup", "kind": "push", "token": token, "grace": 60})
    assert token not in repr(target)
    assert keys_of(target)["token"] == "***"
    assert list(target.probe.secrets()) == [token]
    assert READER.read(keys_of(target, reveal=True)) == target


@pytest.mark.parametrize(
    ("settings", "field"),
    [({"token": "short"}, "token"), ({"grace": -1}, "grace"), ({"url": "http://h"}, "url")],
)
def test_settings_that_cannot_be_used_are_named(settings: dict[str, object], field: str) -> None:
    """A token that can be guessed, a negative grace and an address are refused."""
    with pytest.raises(InputError) as caught:
        READER.read({"name": "backup", "kind": "push", **settings})
    assert [problem.field for problem in caught.value.problems] == [field]
