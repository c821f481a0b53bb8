"""The kind tcp against real servers."""

from __future__ import annotations

from typing import Any

import pytest

import mooring
from mooring.core.reason import Reason
from mooring.core.result import CheckResult
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.probes.tcp import TCP
from mooring.testing.faults import BlackHole, Cut, Refuse, Silence, fault_proxy
from tests.servers.nginx import Nginx

pytestmark = pytest.mark.integration
GREETING = "GET / HTTP/1.0\\r\\n\\r\\n"


async def check(port: int, **settings: Any) -> CheckResult:
    """Connect once."""
    return await mooring.check(f"tcp://localhost:{port}", **{"timeout": 5, **settings})


def told(result: CheckResult) -> tuple[Reason, Stage | None, str, str]:
    """Return reason, stage, code and message of a failure."""
    assert result.failure is not None
    return result.failure.reason, result.failure.stage, result.failure.code, result.failure.message


async def test_open_port_is_up(nginx: Nginx) -> None:
    """A port that accepts is up; the address that was connected is told, and function is skipped."""
    result = await check(nginx.port)
    assert (result.status, result.failure) == (Status.UP, None)
    assert result.observation.details == {"address": f"127.0.0.1:{nginx.port}"}
    assert [(stage.stage, stage.status) for stage in result.stages] == [
        (Stage.DNS, StageStatus.PASSED),
        (Stage.TCP, StageStatus.PASSED),
        (Stage.FUNCTION, StageStatus.SKIPPED),
    ]


async def test_expected_answer_is_up(nginx: Nginx) -> None:
    """What is sent is answered by what is expected, line ends written as people do."""
    result = await check(nginx.port, send=GREETING, expect="200 OK")
    assert result.status is Status.UP
    assert result.stages[-1].status is StageStatus.PASSED


async def test_other_answer_is_told(nginx: Nginx) -> None:
    """An answer that holds something else is shown by its beginning."""
    reason, stage, code, message = told(await check(nginx.port, send=GREETING, expect="no such text"))
    assert (reason, stage, code) == (Reason.ASSERTION, Stage.FUNCTION, "UNEXPECTED_ANSWER")
    assert message.startswith("the answer does not hold 'no such text': 'HTTP/1.1 200 OK")


async def test_port_that_refuses_is_told() -> None:
    """Nothing listens: refused, at tcp."""
    async with fault_proxy(1, Refuse()) as proxy:
        result = await check(proxy.port)
    assert told(result) == (
        Reason.REFUSED,
        Stage.TCP,
        "ECONNREFUSED",
        "the connection was refused: nothing listens there",
    )


async def test_port_that_drops_is_told() -> None:
    """Nobody answers: a timeout, at tcp."""
    async with fault_proxy(1, BlackHole()) as proxy:
        result = await mooring.check(f"tcp://127.0.0.1:{proxy.port}", timeout=0.3)
    assert told(result) == (Reason.TIMEOUT, Stage.TCP, "TIMEOUT", "no answer at tcp within 0.3 s")


async def test_other_answer_is_told_where_the_peer_stays(nginx: Nginx) -> None:
    """A peer that answers something else and keeps the connection open is not told as silent."""
    kept = r"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    result = await check(nginx.port, send=kept, expect="no such text", timeout=0.5)
    assert told(result)[:3] == (Reason.ASSERTION, Stage.FUNCTION, "UNEXPECTED_ANSWER")


async def test_silent_server_is_told(nginx: Nginx) -> None:
    """A server that accepts and says nothing is a timeout at function; without expect it is up."""
    async with fault_proxy(nginx.port, Silence()) as proxy:
        assert (await check(proxy.port)).status is Status.UP
        result = await check(proxy.port, send=GREETING, expect="200", timeout=0.3)
    assert told(result)[:3] == (Reason.TIMEOUT, Stage.FUNCTION, "TIMEOUT")


async def test_cut_answer_is_told(nginx: Nginx) -> None:
    """A connection that ends before the expected text shows what came until then."""
    async with fault_proxy(nginx.port, Cut(after=8)) as proxy:
        result = await check(proxy.port, send=GREETING, expect="200")
    assert told(result)[3] == "the answer does not hold '200': 'HTTP/1.1'"


@pytest.mark.parametrize(
    ("url", "address"), [("tcp://h:25", "h:25"), ("tcp://[::1]:25/", "[::1]:25"), ("tcp://u:pw@h:1", "h:1")]
)
def test_address_is_host_and_port(url: str, address: str) -> None:
    """The address shows no login that somebody wrote by mistake."""
    assert TCP(url=url).address == address


@pytest.mark.parametrize("url", ["tcp://h", "tcp://:25", "tcp://"])
def test_address_needs_host_and_port(url: str) -> None:
    """Both are named, for there is no port that TCP means."""
    with pytest.raises(ValueError, match="a tcp address names a host and a port: tcp://host:port"):
        TCP(url=url)
