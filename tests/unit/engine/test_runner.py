"""One run of a probe: what is hidden, and how a time is told."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from dataclasses import replace

import pytest
from pydantic import SecretStr

from mooring.core.failure import CheckError
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Observation, Trigger
from mooring.core.target import Schedule, Target
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.probes import Probe, Trail


class Echoing(Probe):
    """Echoing: sees what a server that repeats its question sends back."""

    kind: str = "echoing"
    password: SecretStr = SecretStr("hunter2secret")

    async def check(self, trail: Trail) -> Observation:
        trail.note(server="nginx hunter2secret")
        async with trail.stage("function"):
            return Observation(
                {"answers": ["a", "see hunter2secret"], "more": {"deep": "hunter2secret"}, "n": 5}
            )


class Advising(Probe):
    """Advising: fails with something to paste."""

    kind: str = "advising"
    password: SecretStr = SecretStr("hunter2`secret")
    message: str = "no"
    fix: str

    async def check(self, trail: Trail) -> Observation:
        async with trail.stage("permission"):
            raise CheckError(Reason.PERMISSION, self.message, hint="Grant it.", fix=self.fix)


class Silent(Probe):
    """Silent: works, and says nothing."""

    kind: str = "silent"

    async def check(self, trail: Trail) -> Observation:
        return Observation()


class Hanging(Probe):
    """Hanging: never answers."""

    kind: str = "hanging"

    async def check(self, trail: Trail) -> Observation:
        async with trail.stage("auth"):
            await asyncio.get_running_loop().create_future()
        raise AssertionError("nobody sets the future")


async def result_of(probe: Probe, timeout: float = 5) -> CheckResult:
    """Return what one run of a probe found."""
    async with Network() as net:
        target = replace(Target("one", probe), schedule=Schedule(timeout=timeout))
        return await Runner(net).run(target, Trigger.CLI)


async def test_a_secret_that_a_server_repeats_is_hidden() -> None:
    """Details come from strangers: what they repeat of our secrets is masked, however deep it stands."""
    result = await result_of(Echoing())
    assert result.observation.details == {
        "server": "nginx ***",
        "answers": ["a", "see ***"],
        "more": {"deep": "***"},
        "n": 5,
    }


@pytest.mark.parametrize(
    ("fix", "told"), [("GRANT a TO b;", "GRANT a TO b;"), ("GRANT a TO hunter2`secret;", None)]
)
async def test_a_fix_is_told_whole_or_not_at_all(fix: str, told: str | None) -> None:
    """A statement with a secret masked could not be pasted; the hint stands without it."""
    failure = (await result_of(Advising(fix=fix))).failure
    assert failure is not None
    assert (failure.hint, failure.fix) == ("Grant it.", told)


async def test_a_fix_made_of_a_secret_is_not_told() -> None:
    """A server that repeats a password gets it into no fix, in whatever spelling it is quoted there."""
    advising = Advising(message="no table hunter2`secret", fix="GRANT a ON `hunter2``secret` TO b;")
    failure = (await result_of(advising)).failure
    assert failure is not None
    assert (failure.message, failure.fix) == ("no table ***", None)


@pytest.mark.parametrize("probe", [Advising(fix="GRANT a TO b;"), Echoing(), Silent()])
async def test_a_result_can_be_handed_on(probe: Probe) -> None:
    """Whether it worked or not, a result can be pickled and copied, and what was seen dumped as JSON."""
    result = await result_of(probe)
    assert pickle.loads(pickle.dumps(result)) == copy.deepcopy(result) == result
    assert json.loads(json.dumps(result.observation)) == [*result.observation[:2], []]


async def test_a_timeout_is_told_in_round_seconds() -> None:
    """What is left of a longer wait is no number for people."""
    result = await result_of(Hanging(), timeout=0.04999123)
    assert result.failure is not None
    assert result.failure.message == "no answer at auth within 0.05 s"
