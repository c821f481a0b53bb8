"""The kind icmp on the loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

import mooring
from mooring.core.stage import StageStatus
from mooring.core.status import Status
from mooring.probes import icmp
from mooring.probes.icmp import ICMP
from mooring.testing.leaks import no_leaks
from tests.integration.kinds.icmp import demand_pings

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_host_that_answers_is_up(loop: Callable[[], asyncio.AbstractEventLoop], host: str) -> None:
    """All echo requests come back, over both families and on both loops, and nothing is left."""
    demand_pings()

    async def main() -> None:
        await mooring.check(f"icmp://{host}", timeout=5, count=1)
        async with no_leaks():
            result = await mooring.check(f"icmp://{host}", timeout=5, count=5, pause=0.01)
        assert (result.status, result.failure) == (Status.UP, None)
        numbers = result.observation.numbers
        assert (numbers["sent"], numbers["received"], numbers["loss_percent"]) == (5, 5, 0)
        assert 0 < numbers["rtt_seconds_min"] <= numbers["rtt_seconds_mean"] <= numbers["rtt_seconds_max"] < 5
        assert result.observation.details["address"] == host.strip("[]")
        assert [stage.status for stage in result.stages] == [StageStatus.PASSED] * 2

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


async def test_checks_beside_each_other_do_not_mix_their_replies() -> None:
    """Twenty checks of one host at once each get all of their own replies."""
    demand_pings()
    results = await asyncio.gather(
        *(mooring.check("icmp://127.0.0.1", timeout=5, count=3, pause=0.01) for _ in range(20))
    )
    assert {result.observation.numbers["received"] for result in results} == {3}


@pytest.mark.parametrize("settings", [{"url": "icmp://"}, {"url": "icmp://h", "count": 0}])
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, Any]) -> None:
    """A host is needed, and at least one request."""
    with pytest.raises(ValueError, match=r"url: an icmp address|greater than or equal to 1"):
        ICMP.model_validate(settings)


def test_checksum_is_that_of_the_internet() -> None:
    """A packet with its checksum in place sums up to nothing (RFC 1071)."""
    packet = icmp._HEADER.pack(8, 0, 0, 7, 1) + icmp._PAYLOAD
    whole = icmp._HEADER.pack(8, 0, icmp._checksum(packet), 7, 1) + icmp._PAYLOAD
    assert icmp._checksum(whole) == 0
