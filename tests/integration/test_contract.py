"""What every kind holds to. A kind comes under it by a file in tests/integration/kinds."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import uvloop

from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage, StageStatus
from mooring.core.target import Target
from mooring.engine.runner import Runner
from mooring.export.json import result_json
from mooring.net.network import Network
from mooring.targets import RESERVED, TargetReader, keys_of
from mooring.testing.faults import (
    BlackHole,
    Cut,
    Delay,
    Drip,
    Fault,
    HalfClose,
    Refuse,
    Reset,
    Silence,
    StallTLS,
    fault_proxy,
)
from mooring.testing.leaks import no_leaks
from tests.integration.entries import ASKED, DIALLING, ENTRIES, KINDS, target_of
from tests.integration.kinds import Example
from tests.servers.process import eventually, poll_until

TIMEOUT = 0.4
LATE = 0.5
"""Seconds after its timeout in which a check has to be over."""
FAULTS: dict[str, Fault] = {
    "silent": Silence(),
    "silent in mid-answer": Silence(after=10),
    "dripping": Drip(pause=0.05),
    "late": Delay(seconds=10),
    "stalled in TLS": StallTLS(),
    "half closed": HalfClose(),
    "half closed in mid-answer": HalfClose(after=10),
    "reset": Reset(),
    "reset in mid-answer": Reset(after=10),
    "cut": Cut(),
    "cut in mid-answer": Cut(after=10),
    "cut in mid-answer, late": Cut(after=100),
}

every_kind = pytest.mark.parametrize("kind", KINDS.names())
every_example = pytest.mark.parametrize("example", ASKED, indirect=True)
every_dialling_example = pytest.mark.parametrize("example", DIALLING, indirect=True)


@pytest.fixture
def example(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The example of one kind."""
    with ENTRIES[request.param].good(request) as example:
        yield example


@pytest.fixture
def kind_name(request: pytest.FixtureRequest) -> str:
    """The name of the kind whose example this is."""
    return str(request.node.callspec.params["example"])


async def run(net: Network, target: Target) -> CheckResult:
    """Check a target once."""
    return await Runner(net).run(target, Trigger.MANUAL)


async def run_once(target: Target) -> CheckResult:
    """Check a target once on a network of its own."""
    async with Network() as net:
        return await run(net, target)


# What a kind says of itself


@every_kind
def test_kind_is_under_the_contract(kind: str) -> None:
    """Every kind has its file in tests/integration/kinds."""
    assert kind in ENTRIES
    assert (kind in ASKED) is not KINDS.get(kind).passive


@every_kind
def test_kind_uses_no_reserved_key(kind: str) -> None:
    """No setting is called like a key that every target has."""
    assert set(KINDS.get(kind).model_fields) & RESERVED == {"kind"}


@every_kind
def test_kind_has_a_headline(kind: str) -> None:
    """The class docstring begins with "Name: what it does." for its page and its form."""
    assert re.fullmatch(r"[^:]+: .+\.", KINDS.get(kind).headline())


@every_kind
def test_kind_describes_every_setting(kind: str) -> None:
    """Every setting has a description, in the schema from which forms are drawn as well."""
    schema = json.loads(json.dumps(KINDS.get(kind).model_json_schema()))
    fields = KINDS.get(kind).model_fields
    undescribed = [name for name, field in fields.items() if name != "kind" and not field.description]
    assert undescribed == []
    assert schema["properties"].keys() == fields.keys()


@every_kind
def test_kind_says_what_each_stage_proves(kind: str) -> None:
    """`proves` names stages only and says something of each."""
    proves = KINDS.get(kind).proves
    assert proves
    assert all(isinstance(stage, Stage) and text for stage, text in proves.items())


# What a check says


@every_example
async def test_good_target_is_up(example: Example, kind_name: str) -> None:
    """A target that works is up, and every stage it ran has passed, in the order that `proves` tells."""
    target = target_of(kind_name, example.settings)
    result = await run_once(target)
    assert (result.status.works, result.failure) == (True, None)
    ran = [stage for stage in result.stages if stage.status is not StageStatus.SKIPPED]
    assert {stage.status for stage in ran} <= {StageStatus.PASSED, StageStatus.WARNING}
    assert [stage.stage for stage in ran] == [s for s in target.probe.proves if s in {r.stage for r in ran}]


@every_example
async def test_broken_target_says_why(example: Example, kind_name: str) -> None:
    """A target that fails has a reason that is not our own fault, a code, a message and a failed stage."""
    result = await run_once(target_of(kind_name, example.broken))
    assert result.failure is not None
    assert result.failure.reason not in {Reason.INTERNAL, Reason.DRIVER}
    assert result.failure.code
    assert result.failure.message
    failed = [stage.stage for stage in result.stages if stage.status is StageStatus.FAILED]
    assert failed in ([result.failure.stage], [])


@every_example
async def test_secret_is_shown_nowhere(
    example: Example, kind_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A target's secrets stand in no result, repr, plain settings or log line."""
    caplog.set_level("DEBUG")
    target = target_of(kind_name, example.settings)
    result = await run_once(target)
    shown = [json.dumps(result_json(result)), repr(result), repr(target), str(target.probe)]
    shown += [json.dumps(keys_of(target)), target.probe.model_dump_json(), caplog.text]
    known = set(target.probe.secrets())
    assert example.secret in (known or {None})
    assert [text for text in shown if any(secret in text for secret in known)] == []


@every_example
async def test_common_word_as_password_leaves_no_gap(example: Example, kind_name: str) -> None:
    """No word of a hint is masked because a password is that word: it could be read from the gap."""
    settings = json.loads(json.dumps(example.settings).replace(example.secret or "the", "the"))
    result = await run_once(target_of(kind_name, settings))
    if example.secret is not None:
        assert result.failure is not None
        assert "the" in target_of(kind_name, settings).probe.secrets()
        assert "***" not in (result.failure.hint or "")


@every_example
def test_settings_survive_being_stored(example: Example, kind_name: str) -> None:
    """A target written as flat keys and read again is the same target."""
    target = target_of(kind_name, example.settings)
    assert TargetReader(KINDS).read(keys_of(target, reveal=True)).probe == target.probe


@every_example
def test_address_alone_means_the_kind(example: Example, kind_name: str) -> None:
    """The example's address, alone, is read as a target of its kind; a kind without one has no scheme."""
    url = example.settings.get("url", example.broken.get("url"))
    if url is None:
        assert KINDS.get(kind_name).schemes == ()
    else:
        assert TargetReader(KINDS).from_url(str(url)).probe.kind == kind_name


# Deadline and residue


async def _ended_in_time(check: Callable[[], Awaitable[CheckResult]]) -> CheckResult:
    """Run a check. The one place where a test looks at a clock."""
    began = time.monotonic()
    result = await check()
    assert time.monotonic() - began < TIMEOUT + LATE
    return result


def _demand_classed(result: CheckResult) -> None:
    """Demand that a broken network is never told as a refused login, a missing grant or our own fault."""
    if result.failure is not None:
        told = result.failure.reason
        assert told.unreachable or told in {Reason.PROTOCOL, Reason.ASSERTION}, result.failure


@every_dialling_example
@pytest.mark.parametrize("fault", FAULTS)
async def test_fault_ends_in_time(example: Example, kind_name: str, fault: str) -> None:
    """Under every fault a check ends by its deadline, says so in the right words, and leaves nothing."""
    assert example.port is not None
    before = example.sessions() if example.sessions else 0
    async with no_leaks(), Network() as net, fault_proxy(example.port, FAULTS[fault]) as proxy:
        target = target_of(kind_name, example.through(proxy.port), TIMEOUT)
        _demand_classed(await _ended_in_time(lambda: run(net, target)))
    if example.sessions:
        sessions = example.sessions
        await eventually(lambda: sessions() <= before, "the server's forgetting us")


@every_dialling_example
@pytest.mark.parametrize(
    ("fault", "reason"),
    [(Refuse(), Reason.REFUSED), (BlackHole(), Reason.TIMEOUT)],
    ids=["refused", "dropped"],
)
async def test_port_that_does_not_accept_is_told_at_tcp(
    example: Example, kind_name: str, fault: Fault, reason: Reason
) -> None:
    """A port that refuses or drops fails at tcp, in time."""
    assert example.port is not None
    async with no_leaks(), Network() as net, fault_proxy(example.port, fault) as proxy:
        target = target_of(kind_name, example.through(proxy.port), TIMEOUT)
        result = await _ended_in_time(lambda: run(net, target))
    assert result.failure is not None
    assert (result.failure.stage, result.failure.reason) == (Stage.TCP, reason)


@every_dialling_example
async def test_silent_name_server_is_told_at_dns(example: Example, kind_name: str) -> None:
    """A name server that never answers fails at dns, in time."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{silent.getsockname()[1]}"
        target = target_of(kind_name, example.at_host("db.example"), TIMEOUT)
        async with Network(nameservers=(server,)) as net:
            await run(net, target)  # c-ares keeps one thread for the whole process from now on
        async with no_leaks(), Network(nameservers=(server,)) as net:
            result = await _ended_in_time(lambda: run(net, target))
    assert result.failure is not None
    assert (result.failure.stage, result.failure.reason) == (Stage.DNS, Reason.DNS)


@every_dialling_example
async def test_paused_server_ends_in_time(example: Example, kind_name: str) -> None:
    """A server that is stopped by SIGSTOP accepts and never answers: a timeout, in time, nothing left."""
    assert example.server is not None
    async with no_leaks(), Network() as net:
        with example.server.paused():
            result = await _ended_in_time(lambda: run(net, target_of(kind_name, example.settings, TIMEOUT)))
    assert result.failure is not None
    assert result.failure.reason is Reason.TIMEOUT
    await eventually(example.server.ready, "answering again")


@every_example
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_checks_leave_nothing_behind(example: Example, kind_name: str, loop: Any) -> None:
    """50 checks, half of them failing, leave no descriptor, task, thread or session on the server's books."""
    good, broken = target_of(kind_name, example.settings), target_of(kind_name, example.broken)

    async def check_many() -> None:
        async with Network() as net:
            await run(net, good)  # what is made once and kept: contexts, the resolver, threads
            await run(net, broken)
            async with no_leaks():
                results = [await run(net, target) for _ in range(25) for target in (good, broken)]
        assert [result.failure is None for result in results] == [True, False] * 25

    before = example.sessions() if example.sessions else 0
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(check_many())
    if example.sessions:
        sessions = example.sessions
        poll_until(lambda: sessions() <= before, "the server's forgetting us")
