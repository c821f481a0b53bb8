"""Command: programs of this machine, and what is left of them."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import ValidationError

from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.status import Status
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.probes._child import OUTPUT_LIMIT
from mooring.probes.command import Command
from tests.integration.entries import target_of
from tests.servers.process import eventually

pytestmark = pytest.mark.integration


async def check(script: str, timeout: float = 10, **settings: Any) -> CheckResult:
    """Run a line of shell once."""
    target = target_of("command", {"command": ["sh", "-c", script], **settings}, timeout)
    async with Network() as net:
        return await Runner(net).run(target, Trigger.CLI)


async def test_program_says_what_it_found() -> None:
    """The first line of its output stands in the details."""
    result = await check("echo; echo 3 jobs wait; echo and more")
    assert (result.status, dict(result.observation.details)) == (Status.UP, {"said": "3 jobs wait"})


async def test_failing_program_is_quoted() -> None:
    """What it says of its failure is told, from its errors where its output is empty."""
    result = await check("echo no such queue >&2; exit 4")
    assert result.failure is not None
    assert result.failure.message == "exit status 4, expected 0: no such queue"


async def test_expected_text_that_is_cut_within_a_secret_hides_its_beginning() -> None:
    """What is left of a secret at the end of a text that is too long to be shown is masked."""
    wanted = "x" * 190 + "s3cret-of-app"
    result = await check("echo no", environment={"KEY": "s3cret-of-app"}, expect_output=wanted)
    assert result.failure is not None
    assert result.failure.message == f"the output does not hold '{'x' * 190}***...'"


async def test_plugin_that_warns_degrades_with_its_numbers() -> None:
    """A plugin's warning is a warning, and its numbers are in seconds, bytes and percent."""
    line = "LOAD WARNING - slow | 'time taken'=250ms;100;500 /=93%;90;95;0;100 size=2MB users=7 gone=U"
    result = await check(f"echo {shlex.quote(line)}; exit 1", plugin=True)
    assert (result.status, result.observation.warnings) == (Status.DEGRADED, ("LOAD WARNING - slow",))
    assert dict(result.observation.numbers) == {
        "time_taken_seconds": 0.25,
        "size_bytes": 2e6,
        "users": 7.0,
    }


async def test_long_line_without_a_measure_is_read_at_once() -> None:
    """A plugin that prints 64 KiB of anything behind a bar costs no more than that."""
    result = await check("printf 'OK|'; head -c 65000 /dev/zero | tr '\\0' a", plugin=True, timeout=2)
    assert (result.status, dict(result.observation.numbers)) == (Status.UP, {})


async def test_arguments_pass_no_shell(tmp_path: Path) -> None:
    """What a shell would read in an argument is an argument."""
    target = target_of("command", {"command": ["echo", f"$(touch {tmp_path}/made); `id` > x"]})
    async with Network() as net:
        result = await Runner(net).run(target, Trigger.CLI)
    assert result.observation.details["said"] == f"$(touch {tmp_path}/made); `id` > x"
    assert list(tmp_path.iterdir()) == []


async def test_program_is_told_little_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mooring's own variables, which may hold passwords, are not handed on; those of the target are."""
    monkeypatch.setenv("ORDERS_DATABASE_URL", "postgresql://app:pw@db/orders")
    result = await check("echo got${ORDERS_DATABASE_URL}${OWN}", environment={"OWN": "-this"})
    assert result.observation.details["said"] == "got***"
    assert (await check("echo got${ORDERS_DATABASE_URL}")).observation.details["said"] == "got"


async def test_endless_output_is_cut(tmp_path: Path) -> None:
    """A program that prints without end is read on, and only the beginning is kept."""
    result = await check(f"yes | head -c {OUTPUT_LIMIT * 50}; echo last", expect_output="last")
    assert result.failure is not None
    assert result.failure.code == "OUTPUT_WITHOUT_TEXT"


async def test_deadline_kills_all_that_was_started(tmp_path: Path) -> None:
    """At the deadline neither the program nor its children are left."""
    pids = tmp_path / "pids"
    # timeout(1) makes a process group of its own, in the same session.
    result = await check(f"sleep 600 & timeout 500 sleep 600 & echo $! $$ > {pids}; wait", timeout=0.5)
    assert result.failure is not None
    assert result.failure.reason is Reason.TIMEOUT
    for pid in map(int, pids.read_text().split()):
        await eventually(lambda pid=pid: not _lives(pid), "the end of what was started")  # type: ignore[misc]


async def test_cancelled_check_kills_the_program(tmp_path: Path) -> None:
    """A check that is given up leaves no program."""
    pids = tmp_path / "pid"
    running = asyncio.create_task(check(f"echo $$ > {pids}.new; mv {pids}.new {pids}; sleep 600"))
    await eventually(pids.exists, "the program's start")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    pid = int(pids.read_text())
    await eventually(lambda: not _lives(pid), "the program's end")


async def test_child_left_behind_holds_nothing_up(tmp_path: Path) -> None:
    """A program that ends and leaves a child with its outputs open is over all the same."""
    result = await check(f"sleep 600 & echo $! > {tmp_path}/pid; echo done", timeout=5)
    assert (result.status, result.observation.details["said"]) == (Status.UP, "done")
    assert result.seconds < 5
    pid = int((tmp_path / "pid").read_text())
    await eventually(lambda: not _lives(pid), "the child's end")


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_program_that_may_not_be_run_is_told(tmp_path: Path) -> None:
    """A file without the right to execute it is our own mistake, with the line that mends it."""
    (tmp_path / "check").write_text("#!/bin/sh\n")
    target = target_of("command", {"command": [str(tmp_path / "check")]})
    async with Network() as net:
        failure = (await Runner(net).run(target, Trigger.CLI)).failure
    assert failure is not None
    assert (failure.reason, failure.code) == (Reason.CONFIG, "NOT_EXECUTABLE")
    assert failure.fix == f"chmod a+x {tmp_path}/check"


async def test_line_that_mends_it_names_the_file_from_wherever_it_is_pasted(tmp_path: Path) -> None:
    """A program that is named from the target's folder is a whole path in the line."""
    (tmp_path / "check").write_text("#!/bin/sh\n")
    target = target_of("command", {"command": ["./check"], "folder": str(tmp_path)})
    async with Network() as net:
        failure = (await Runner(net).run(target, Trigger.CLI)).failure
    assert failure is not None
    assert failure.fix == f"chmod a+x {tmp_path}/check"


async def test_folder_is_no_program(tmp_path: Path) -> None:
    """A folder may not be run whatever its rights are: no line is told that would change them."""
    target = target_of("command", {"command": [str(tmp_path)]})
    async with Network() as net:
        failure = (await Runner(net).run(target, Trigger.CLI)).failure
    assert failure is not None
    assert (failure.reason, failure.code, failure.fix) == (Reason.CONFIG, "NOT_STARTED", None)
    assert failure.message == f"{tmp_path} cannot be started: it is a folder"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"command": []}, "command"),
        ({"command": [""]}, "begins with the program's name or path"),
        ({"command": ["a\0b"]}, "holds a NUL character, which no argument can"),
        ({"command": ["true"], "environment": {"A=B": "c"}}, "'A=B' cannot be given: a name holds no '='"),
        ({"command": ["true"], "environment": {"A": "c\0"}}, "'A' cannot be given"),
    ],
)
def test_settings_that_cannot_be_used_say_why(settings: dict[str, Any], message: str) -> None:
    """What cannot be started or given is said before anything runs."""
    with pytest.raises(ValidationError) as caught:
        Command.model_validate(settings)
    assert message in str(caught.value)
