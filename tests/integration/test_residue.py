"""What 10,000 checks leave behind: nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from importlib import import_module
from itertools import cycle, islice
from typing import Any

import pytest

from mooring.core.result import Trigger
from mooring.core.target import Target
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.probes._registry import Kinds
from mooring.targets import TargetReader
from mooring.testing.faults import Cut, fault_proxy
from mooring.testing.leaks import no_leaks
from tests.integration.kinds import Example
from tests.servers.process import eventually

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CHECKS = 10_000
AT_ONCE = 20
KINDS = ("http", "mysql", "postgresql", "redis", "websocket")
IN_MID_ANSWER = Cut(after=10)


@pytest.fixture
def examples(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Example]]:
    """A real server of each kind that holds a conversation."""
    with ExitStack() as stack:
        yield {
            kind: stack.enter_context(import_module(f"tests.integration.kinds.{kind}").good(request))
            for kind in KINDS
        }


async def test_ten_thousand_checks_half_failing_leave_nothing(examples: Mapping[str, Example]) -> None:
    """No descriptor, task or thread more than before, and no session on any server's books."""
    books = {kind: example.sessions for kind, example in examples.items() if example.sessions}
    assert books.keys() >= {"mysql", "postgresql", "redis"}
    before = {kind: sessions() for kind, sessions in books.items()}
    async with AsyncExitStack() as stack:
        net = await stack.enter_async_context(Network())
        good = [_target(kind, example.settings) for kind, example in examples.items()]
        rejected = [_target(kind, example.broken) for kind, example in examples.items()]
        cut = []
        for kind, example in examples.items():
            proxy = await stack.enter_async_context(fault_proxy(example.port or 0, IN_MID_ANSWER))
            cut.append(_target(kind, example.through(proxy.port)))
        await _check(net, [*good, *rejected])  # what is made once and kept: contexts, threads
        async with no_leaks(within=5):
            passed = await _check(net, [*islice(cycle(good), CHECKS // 2)])
            failed = await _check(net, [*islice(cycle(rejected + cut), CHECKS // 2)])
        assert passed == Counter({None: CHECKS // 2})
        assert failed[None] == 0
        assert failed.total() == CHECKS // 2
    for kind, sessions in books.items():
        await eventually(lambda n=before[kind], s=sessions: s() <= n, f"{kind} to have forgotten us")


def _target(kind: str, settings: Mapping[str, Any]) -> Target:
    return TargetReader(Kinds()).read({"name": kind, "kind": kind, "timeout": 30, "interval": 60, **settings})


async def _check(net: Network, targets: Sequence[Target]) -> Counter[str | None]:
    """Check all of them, a few at once, and count the codes of their failures."""
    runner, waiting, codes = Runner(net), iter(targets), Counter[str | None]()

    async def work() -> None:
        for target in waiting:
            failure = (await runner.run(target, Trigger.SCHEDULE)).failure
            codes[failure and f"{failure.reason} {failure.code} {failure.message}"] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
    return codes
