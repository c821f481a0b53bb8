"""The kind process against real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

import mooring
from mooring.core.reason import Reason
from mooring.core.result import CheckResult
from mooring.core.stage import Stage
from mooring.core.status import Status
from mooring.probes.process import Process
from tests.servers.process import eventually

pytestmark = pytest.mark.integration
SLEEP = "import time; time.sleep(600)"
Spawn = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def tag() -> str:
    """A word that stands in no other command line."""
    return f"tag-{uuid4().hex}"


@pytest.fixture
def spawn(tag: str) -> Iterator[Spawn]:
    """Starts a Python program with the tag in its command line, and kills it in the end."""
    running: list[subprocess.Popen[bytes]] = []

    def start(code: str = SLEEP) -> subprocess.Popen[bytes]:
        running.append(subprocess.Popen([sys.executable, "-c", code, tag], stdout=subprocess.PIPE))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def check(**settings: Any) -> CheckResult:
    """Look for processes once."""
    from mooring.core.result import Trigger
    from mooring.engine.runner import Runner
    from mooring.net.network import Network
    from mooring.probes._registry import Kinds
    from mooring.targets import TargetReader

    target = TargetReader(Kinds()).read({"name": "x", "kind": "process", "timeout": 10, **settings})
    async with Network() as net:
        return await Runner(net).run(target, Trigger.CLI)


def told(result: CheckResult) -> tuple[Reason, Stage | None, str, str]:
    """Return reason, stage, code and message of a failure."""
    assert result.failure is not None
    return result.failure.reason, result.failure.stage, result.failure.code, result.failure.message


async def test_processes_are_counted_and_measured(spawn: Spawn, tag: str) -> None:
    """All that match are counted, with their memory, threads and CPU."""
    pids = sorted(spawn().pid for _ in range(2))
    result = await check(command_line=f"sleep.* {tag}$", min_count=2, max_count=2)
    assert (result.status, result.failure) == (Status.UP, None)
    assert sorted(result.observation.details["pids"]) == pids
    numbers = result.observation.numbers
    assert (numbers["processes"], numbers["threads"]) == (2, 2)
    assert numbers["memory_bytes"] > 1_000_000
    assert numbers["cpu_percent"] >= 0


async def test_process_is_found_by_its_name() -> None:
    """process://NAME finds the program that runs these tests."""
    name = psutil.Process().name()
    result = await mooring.check(f"process://{name}", timeout=10)
    assert result.status is Status.UP
    assert os.getpid() in result.observation.details["pids"] or len(result.observation.details["pids"]) == 20
    assert result.target.address == name


async def test_process_that_does_not_run_is_told() -> None:
    """Nobody of that name: unavailable, so that a restart within seconds is no outage."""
    result = await mooring.check("process://No-Such%20Program", timeout=10)
    assert told(result) == (
        Reason.UNAVAILABLE,
        Stage.FUNCTION,
        "NOT_RUNNING",
        "No-Such Program does not run",
    )


async def test_too_few_and_too_many_are_told(spawn: Spawn, tag: str) -> None:
    """Counts outside their limits are told with both numbers."""
    spawn(), spawn()
    few = await check(command_line=tag, min_count=3)
    many = await check(command_line=tag, max_count=1)
    assert told(few) == (Reason.ASSERTION, Stage.FUNCTION, "TOO_FEW", f"2 of 3 processes run: {tag}")
    assert told(many)[2:] == ("TOO_MANY", f"2 processes run, at most 1 should: {tag}")


async def test_none_can_be_what_should_run(spawn: Spawn, tag: str) -> None:
    """min_count = 0 with max_count = 0 watches that something does not run."""
    assert (await check(command_line=tag, min_count=0, max_count=0)).status is Status.UP
    spawn()
    assert told(await check(command_line=tag, min_count=0, max_count=0))[2] == "TOO_MANY"


async def test_stopped_process_warns(spawn: Spawn, tag: str) -> None:
    """A process that was stopped runs and does nothing: degraded."""
    process = spawn()
    process.send_signal(signal.SIGSTOP)
    await eventually(lambda: psutil.Process(process.pid).status() == "stopped", "the stop")
    result = await check(command_line=tag)
    assert result.status is Status.DEGRADED
    assert result.observation.warnings == (f"process {process.pid} is stopped (SIGSTOP)",)


async def test_zombie_is_told(tmp_path: Path) -> None:
    """A process that ended and is not waited for does not count as running."""
    process = subprocess.Popen([sys.executable, "-c", ""])  # noqa: ASYNC220 - starting it is not waiting
    await eventually(lambda: psutil.Process(process.pid).status() == "zombie", "the end")
    (tmp_path / "pid").write_text(str(process.pid))
    result = await check(pid_file=str(tmp_path / "pid"))
    process.wait()
    path = tmp_path / "pid"
    message = f"process {process.pid} of {path} ended and was not waited for: a zombie"
    assert told(result) == (Reason.ASSERTION, Stage.FUNCTION, "ZOMBIE", message)


async def test_cpu_and_memory_have_limits(spawn: Spawn, tag: str) -> None:
    """A busy process past its limits warns with what it uses."""
    spawn("while True: pass")
    result = await check(command_line=tag, max_cpu=5, max_memory=1)
    assert result.status is Status.DEGRADED
    cpu, memory = result.observation.warnings
    assert cpu.startswith("CPU ")
    assert cpu.endswith(" %, more than 5 %")
    assert memory.endswith(" MB, more than 1 MB")
    assert (await check(command_line=tag, max_cpu=10_000, max_memory=10_000)).status is Status.UP


async def test_pid_file_names_the_process(spawn: Spawn, tmp_path: Path) -> None:
    """The number in the file is the process, with whatever whitespace behind it."""
    process = spawn()
    (tmp_path / "pid").write_text(f"{process.pid}\n/var/run\n")
    result = await check(pid_file=str(tmp_path / "pid"))
    assert (result.status, result.observation.details["pids"]) == (Status.UP, [process.pid])
    assert result.target.address == str(tmp_path / "pid")


async def test_pid_file_that_is_stale_is_told(spawn: Spawn, tmp_path: Path) -> None:
    """A file that names a process of the past, no file, and a file of something else are told apart."""
    path = tmp_path / "pid"
    missing = (Reason.UNAVAILABLE, Stage.FUNCTION, "NOT_RUNNING", f"there is no pid file {path}")
    assert told(await check(pid_file=str(path))) == missing
    process = spawn()
    path.write_text(str(process.pid))
    process.kill()
    process.wait()
    message = f"process {process.pid} of {path} does not run any more"
    assert told(await check(pid_file=str(path)))[2:] == ("NOT_RUNNING", message)
    for text in ("", "none", "-" * 100):
        path.write_text(text)
        assert told(await check(pid_file=str(path))) == (
            Reason.CONFIG,
            Stage.FUNCTION,
            "PID_FILE_INVALID",
            f"{path} holds no process id",
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "process: give exactly one of process://NAME, process, command_line, pid_file"),
        ({"process": "a", "command_line": "b"}, "process: give exactly one of process://NAME"),
        ({"url": "process://a", "process": "b"}, "process: give exactly one of process://NAME"),
        ({"url": "process://"}, "url: names no process: process://NAME"),
        ({"command_line": "("}, "is no regular expression"),
        ({"process": "a", "min_count": 3, "max_count": 2}, "max_count: is less than min_count"),
    ],
)
def test_settings_that_cannot_be_used_say_why(settings: dict[str, Any], message: str) -> None:
    """What is wrong is said before anything is looked for."""
    with pytest.raises(ValueError) as caught:
        Process.model_validate(settings)
    assert message in str(caught.value)


def test_it_reads_this_machine() -> None:
    """The kind is local: its targets come from the configuration file or an admin."""
    assert Process.local is True
