"""The fault matrix: each fault of each kind, on a real server, is told by its one stage, reason and code.

A fault comes under it by an entry in FAULTS of its kind's file in tests/integration/kinds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.result import Trigger
from mooring.core.stage import Stage
from mooring.engine.runner import Runner
from mooring.net.network import Network
from tests.integration.entries import ASKED, DIALLING, ENTRIES, FAULTS, target_of
from tests.integration.kinds import Fault
from tests.servers.process import free_port

pytestmark = pytest.mark.integration
GOAL = 150
REFUSED_HINT = "The machine is there: is the service running, and is the port right?"
ROWS = [(kind, fault) for kind, faults in FAULTS.items() for fault in faults]


async def told_of(kind: str, settings: Mapping[str, Any], timeout: float) -> tuple[object, ...]:
    """Check once and return all that is told of the failure but its message."""
    async with Network() as net:
        result = await Runner(net).run(target_of(kind, settings, timeout), Trigger.CLI)
    assert result.failure is not None, f"{kind} is {result.status}: {result.observation}"
    failure = result.failure
    return (failure.stage, failure.reason, failure.code), failure.hint, failure.fix


@pytest.mark.parametrize(("kind", "fault"), ROWS, ids=[f"{kind}: {fault.what}" for kind, fault in ROWS])
async def test_fault_is_told(kind: str, fault: Fault, request: pytest.FixtureRequest) -> None:
    """Stage, reason, code, hint and fix are exactly what the table says."""
    with fault.arrange(request) as settings:
        told = await told_of(kind, settings, fault.timeout)
    assert told == (fault.told, fault.hint, fault.fix)


@pytest.mark.parametrize("kind", DIALLING)
async def test_port_without_a_service_is_told(kind: str, request: pytest.FixtureRequest) -> None:
    """What every kind that dials has in common: nothing listens, and the name does not exist."""
    with ENTRIES[kind].good(request) as example:
        refused = await told_of(kind, example.through(free_port()), 5)
        nameless = await told_of(kind, example.at_host("no..name"), 5)
    assert refused == ((Stage.TCP, Reason.REFUSED, "ECONNREFUSED"), REFUSED_HINT, None)
    assert nameless[0] == (Stage.DNS, Reason.DNS, "BADNAME")


def test_every_kind_that_is_asked_has_faults() -> None:
    """No kind is without its part of the matrix, and no fault stands twice."""
    assert [kind for kind in ASKED if not FAULTS[kind]] == []
    times = Counter((kind, fault.what) for kind, fault in ROWS)
    assert [row for row, count in times.items() if count > 1] == []


def test_matrix_is_as_large_as_was_promised() -> None:
    """At least 150 faults, those that every kind has in common not counted."""
    assert len(ROWS) >= GOAL
