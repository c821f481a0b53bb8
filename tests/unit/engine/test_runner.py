"""One run of a probe: what is hidden, and how a time is told."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from dataclasses import replace
from typing import Any

import pytest
from pydantic import PrivateAttr, SecretStr
from pydantic_core import to_json

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Observation, Trigger
from mooring.core.target import Schedule, Target
from mooring.engine.runner import Runner
from mooring.export.json import result_json
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


class Wording(Probe):
    """Wording: tells what it is told to, in all the ways there are."""

    kind: str = "wording"
    password: SecretStr
    told: str
    works: bool = False

    async def check(self, trail: Trail) -> Observation:
        said = Prose("The wrong thing was said: {told}", told=self.told)
        async with trail.stage("tls"):
            trail.warn(said)
        async with trail.stage("auth"):
            if not self.works:
                raise CheckError(Reason.AUTH, said, hint=said)
        return Observation({}, {}, (f"the wrong {self.told}",))


class Repeating(Probe):
    """Repeating: says one thing everywhere."""

    kind: str = "repeating"
    password: SecretStr = SecretStr("hunter2secret")
    _told: str = PrivateAttr("")
    _works: bool = PrivateAttr(False)

    def telling(self, told: str, *, works: bool = False) -> Repeating:
        self._told, self._works = told, works
        return self

    async def check(self, trail: Trail) -> Observation:
        told = self._told
        said = Prose("the server says {told}: ask it", told=told)
        trail.note(**{told: told})
        trail.measure(**{told: 1.0, "inf": float("inf"), "nan": float("nan"), "huge": 10**400})
        trail.warn(told)
        async with trail.stage("protocol"):
            if not self._works:
                raise CheckError(Reason.PROTOCOL, told, code=told, hint=said, fix=told)
        deep: Any = told
        for _ in range(2000):
            deep = {told: [deep]}
        facts = {"many": [told] * 100_000, "deep": deep, "bytes": told.encode(errors="replace"), "b": 5}
        return Observation(facts, {}, [told] * 1000)


class Silent(Probe):
    """Silent: works, and says nothing."""

    kind: str = "silent"

    async def check(self, trail: Trail) -> Observation:
        return Observation()


class Hanging(Probe):
    """Hanging: never answers."""

    kind: str = "hanging"
    password: SecretStr = SecretStr("")

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


async def test_our_own_words_are_never_masked() -> None:
    """A password that is a common word cannot be read from the gaps in sentences that everybody knows."""
    failure = (await result_of(Wording(password=SecretStr("wrong"), told="all's wrong"))).failure
    assert failure is not None
    said = "The wrong thing was said: all's ***"
    assert (failure.message, failure.hint) == (said, said)


async def test_a_secret_put_into_our_words_is_masked() -> None:
    """What is put into a message, hint or warning is redacted; a plain string is redacted as a whole."""
    for works in (False, True):
        wording = Wording(password=SecretStr("canary-7f3"), told="redis://:x@h canary-7f3", works=works)
        result = await result_of(wording)
        said = "The wrong thing was said: redis://***@h ***"
        assert "canary" not in repr(result)
        assert result.failure is None or (result.failure.message, result.failure.hint) == (said, said)
        told = (said, "the wrong redis://***@h ***") if works else (said,)
        assert result.observation.warnings == told


async def test_a_timeout_of_a_common_word_is_told() -> None:
    """Neither the words of a timeout nor the name of its stage are masked."""
    hanging = Hanging(password=SecretStr("auth"))
    failure = (await result_of(hanging, timeout=0.01)).failure
    assert failure is not None
    assert failure.message == "no answer at auth within 0.01 s"
    assert failure.hint is not None
    assert "***" not in failure.hint


async def test_a_timeout_is_told_in_round_seconds() -> None:
    """What is left of a longer wait is no number for people."""
    result = await result_of(Hanging(), timeout=0.04999123)
    assert result.failure is not None
    assert result.failure.message == "no answer at auth within 0.05 s"


@pytest.mark.parametrize("works", [True, False])
@pytest.mark.parametrize(
    "told",
    [
        "535 refus\udce9",
        "\ud800",
        "\x1b]0;title\x07\x1b[31m\x00\x9b",
        "\u202egnp.exe\u2066",
        "x" * 100_000,
        "\x1b" * 50_000,
        "\0",
    ],
    ids=["half a byte", "surrogate", "escapes", "reversed", "long", "long escapes", "nul"],
)
async def test_what_strangers_say_does_no_harm(told: str, works: bool) -> None:
    """Whatever a server says, and wherever: the result goes over the wire, is short, and moves no cursor."""
    result = await result_of(Repeating().telling(told, works=works))
    assert (result.failure is None) == works
    wire = to_json(result_json(result)).decode()
    assert len(wire) < 150_000
    shown = repr(json.loads(wire))
    assert [code for code in (r"\x1b", r"\x00", r"\x9b", r"\u202e", r"\ud") if code in shown] == []
    assert set(result.observation.numbers.values()) == {1.0}
    if result.failure is not None:
        assert result.failure.hint is not None
        assert result.failure.hint.endswith(": ask it")
        assert len(result.failure.hint) < 1100
        assert len(result.failure.code) <= 100


async def test_a_message_is_redacted_before_it_is_cut() -> None:
    """No beginning of a secret stands at the end of a message that was cut; others stay whole."""
    whole = await result_of(Repeating().telling("x" * 2000))
    assert whole.failure is not None
    assert whole.failure.message == "x" * 2000
    for length in range(1980, 2001):
        cut = await result_of(Repeating().telling("x" * length + "hunter2secret" + "y" * 20))
        assert cut.failure is not None
        assert (len(cut.failure.message), cut.failure.message[-8:]) == (2000, " … (cut)")
        assert "hunt" not in cut.failure.message
