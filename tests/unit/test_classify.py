"""From any error to the one reason."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Awaitable, Callable

import pytest

from mooring.core.failure import CheckError, Failure
from mooring.core.reason import Reason
from mooring.engine.classify import failure_of
from mooring.net.network import Network
from mooring.net.trail import Trail
from mooring.probes import Cause, Probe


class Explaining(Probe):
    """Explaining: answers what it is told to, or fails at it."""

    kind: str = "explaining"

    def reason(self, error: Exception) -> Reason | Cause | None:
        if isinstance(error, LookupError):
            return Reason.NOT_FOUND
        if isinstance(error, PermissionError):
            return Cause(Reason.PERMISSION, "DENIED", "not granted", "Grant it.")
        if isinstance(error, ArithmeticError):
            raise TypeError("hunter2")
        return None


class Driven(Explaining):
    """Driven: needs a driver to explain anything."""

    kind: str = "driven"
    extra = "driven"

    def reason(self, error: Exception) -> Reason | Cause | None:
        raise ModuleNotFoundError("No module named 'driver'", name="driver")


async def explained(error: Exception, probe: Probe | None = None) -> Failure:
    """Return what is made of an error that was raised in the stage auth."""
    async with Network() as net:
        trail = Trail(net, timeout=5)
        with pytest.raises(type(error)):
            async with trail.stage("auth"):
                raise error
        return failure_of(error, probe or Explaining(), trail)


async def test_a_reason_of_the_probe_wins() -> None:
    """A bare reason takes code and message from the error, and the stage from the trail."""
    failure = await explained(KeyError("orders"))
    assert (failure.reason, failure.stage, failure.code, failure.message) == (
        "not_found",
        "auth",
        "KeyError",
        "'orders'",
    )


async def test_a_cause_of_the_probe_is_kept_whole() -> None:
    """A cause brings its own code, message and hint."""
    failure = await explained(PermissionError("no"))
    assert failure == Failure(Reason.PERMISSION, failure.stage, "DENIED", "not granted", "Grant it.")


async def test_the_cause_of_an_error_is_looked_at() -> None:
    """An error that nobody knows is explained by what caused it."""
    error = RuntimeError("could not connect")
    error.__cause__ = ConnectionRefusedError(111, "Connection refused")
    failure = await explained(error)
    assert (failure.reason, failure.code) == ("refused", "ECONNREFUSED")


async def test_the_leaves_of_a_group_are_looked_at() -> None:
    """The first leaf of a group that means something decides."""
    group = ExceptionGroup("all failed", [RuntimeError("?"), CheckError(Reason.TLS, "bad", code="BAD")])
    failure = await explained(group)
    assert (failure.reason, failure.code, failure.message) == ("tls", "BAD", "bad")


async def test_an_unknown_error_is_our_fault() -> None:
    """What nobody can explain is internal: it says nothing about the target."""
    failure = await explained(RuntimeError("surprise"))
    assert (failure.reason, failure.code, failure.message) == ("internal", "RuntimeError", "surprise")
    assert failure.reason.status == "unknown"


@pytest.mark.parametrize(("stage", "reason"), [("auth", "protocol"), ("tls", "internal")])
async def test_a_driver_that_cannot_read_an_answer_blames_the_peer(stage: str, reason: str) -> None:
    """Nonsense makes drivers stumble over it; before anything was read, such an error is still ours."""
    async with Network() as net:
        trail = Trail(net, timeout=5)
        with pytest.raises(json.JSONDecodeError) as caught:
            async with trail.stage(stage):
                json.loads("nonsense")
        failure = failure_of(caught.value, Explaining(), trail)
    assert (failure.reason, failure.stage) == (reason, stage)
    if reason == "protocol":
        assert failure.code == "UNREADABLE"
        assert failure.message == "the answer makes no sense: Expecting value: line 1 column 1 (char 0)"


@pytest.mark.parametrize(
    ("stage", "hint"),
    [("tcp", "Check the way there"), ("tls", "Something accepts connections"), ("auth", "The peer hung up")],
)
async def test_a_hint_for_a_lost_connection_knows_how_far_it_came(stage: str, hint: str) -> None:
    """Who hangs up in the middle of a login is no matter of routes and firewalls."""
    async with Network() as net:
        trail = Trail(net, timeout=5)
        with pytest.raises(ConnectionResetError) as caught:
            async with trail.stage(stage):
                raise ConnectionResetError(errno.ECONNRESET, "reset")
        failure = failure_of(caught.value, Explaining(), trail)
    assert failure.reason == "network"
    assert str(failure.hint).startswith(hint)


async def test_too_few_file_descriptors_are_no_fault_to_report() -> None:
    """A limit of this machine is told as one, with what raises it."""
    failure = await explained(OSError(errno.EMFILE, "Too many open files"))
    assert (failure.reason, failure.code, failure.hint, failure.fix) == (
        "internal",
        "EMFILE",
        "Raise the limit of open files of this process, and start it anew.",
        "ulimit -n 65536",
    )


@pytest.mark.parametrize("fix", ["GRANT a\x1b[2K", "GRANT a;\nDROP b;", "GRANT \u202ea;", "GRANT a;" * 200])
async def test_what_does_more_than_it_shows_is_no_fix(fix: str) -> None:
    """A line with control characters, breaks or reversed text, or an endless one, is not offered to paste."""
    failure = await explained(CheckError(Reason.PERMISSION, "no", hint="Grant it.", fix=fix))
    assert (failure.hint, failure.fix) == ("Grant it.", None)


async def test_a_probe_that_fails_at_explaining_hides_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The error stands as it was; the log names the kind and no text that could hold a secret."""
    failure = await explained(ZeroDivisionError("division by zero"))
    assert (failure.reason, failure.message) == ("internal", "division by zero")
    assert "explaining failed with TypeError" in caplog.text
    assert "hunter2" not in caplog.text


async def test_a_missing_driver_is_told_before_the_probe_is_asked() -> None:
    """A probe that needs its driver to explain errors is not asked when the driver is missing."""
    failure = await explained(ModuleNotFoundError("No module named 'driver'", name="driver"), Driven())
    assert (failure.reason, failure.code, failure.message, failure.fix) == (
        "driver",
        "DRIVER_MISSING",
        "the driver driver is not installed",
        "pip install 'mooring[driven]'",
    )


async def _nested() -> None:
    json.loads("[" * 100_000)


async def _read_by_us() -> None:
    return await _read_by_us()


async def _endless_line() -> None:
    stream = asyncio.StreamReader(limit=8)
    stream.feed_data(b"x" * 20)
    await stream.readuntil(b"\n")


@pytest.mark.parametrize("read", [_nested, _read_by_us, _endless_line])
async def test_an_answer_of_no_shape_blames_the_peer(read: Callable[[], Awaitable[None]]) -> None:
    """JSON nested without end, also where our own parser stumbles over it, and a line without an end."""
    async with Network() as net:
        trail = Trail(net, timeout=5)
        with pytest.raises((RecursionError, asyncio.LimitOverrunError)) as caught:
            async with trail.stage("protocol"):
                await read()
        failure = failure_of(caught.value, Explaining(), trail)
    assert (failure.reason, failure.code) == ("protocol", "UNREADABLE")
