"""Processes of this machine."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import unquote

from pydantic import Field, field_validator, model_validator

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.trail import Trail
from mooring.probes._base import Probe

if TYPE_CHECKING:
    import psutil

CPU_SAMPLE = 0.1
"""Seconds between the two looks that make a CPU percentage."""
MEGABYTE = 1_000_000
MOST_PIDS = 20
LARGEST_PID_FILE = 64


@dataclass(frozen=True, slots=True)
class _Seen:
    """One process at one moment."""

    pid: int
    status: str
    cpu_seconds: float
    memory: int
    threads: int
    started: float


class Process(Probe):
    """Process: as many run as there should, within their CPU and memory."""

    kind: Literal["process"] = "process"
    schemes: ClassVar[tuple[str, ...]] = ("process",)
    several_hosts: ClassVar[bool] = True  # a program's name stands there, which may hold a comma
    extra: ClassVar[str | None] = "process"
    local: ClassVar[bool] = True
    proves: ClassVar = {Stage.FUNCTION: "as many processes run as there should, none of them a zombie"}

    url: str | None = Field(
        None, description="process://NAME, the same as the setting `process`.", examples=["process://nginx"]
    )
    process: str | None = Field(None, description="Name of the program, as `ps` shows it.")
    command_line: str | None = Field(None, description="Regular expression found in the whole command line.")
    pid_file: Path | None = Field(None, description="File that holds the process id.")
    min_count: int = Field(1, ge=0, le=100_000, description="Fewer processes than this are a failure.")
    max_count: int | None = Field(None, ge=0, le=100_000, description="More than this are a failure.")
    max_cpu: float | None = Field(
        None, gt=0, description="Percent of one core, all processes together, above which it warns."
    )
    max_memory: float | None = Field(
        None, gt=0, description="Megabytes of memory, all processes together, above which it warns."
    )

    @field_validator("command_line")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _names_one(self) -> Process:
        ways = (self._name, self.command_line, self.pid_file)
        if sum(way is not None for way in ways) != 1 or (self.url and self.process):
            raise ValueError("process: give exactly one of process://NAME, process, command_line, pid_file")
        if self.max_count is not None and self.max_count < self.min_count:
            raise ValueError("max_count: is less than min_count")
        return self

    @property
    def _name(self) -> str | None:
        if self.url is None:
            return self.process
        name = unquote(self.url.partition("://")[2]).strip("/")
        if not name:
            raise ValueError("url: names no process: process://NAME")
        return name

    @property
    def address(self) -> str:
        return self._name or self.command_line or str(self.pid_file)

    async def check(self, trail: Trail) -> Observation:
        async with trail.stage(Stage.FUNCTION):
            before = await trail.in_thread(self._look)
            self._judge(before)
            await asyncio.sleep(CPU_SAMPLE)
            after = await trail.in_thread(lambda: _look_again(before))
        return self._observation(before, after)

    def _look(self) -> list[_Seen]:
        import psutil

        found = []
        for each in self._matching():
            try:
                found.append(_seen(each))
            except (psutil.NoSuchProcess, psutil.AccessDenied):  # ended meanwhile, or is not ours to see
                continue
        return found

    def _matching(self) -> Iterator[psutil.Process]:
        import psutil

        if self.pid_file is not None:
            pid = _pid_in(self.pid_file)
            try:
                yield psutil.Process(pid)
            except psutil.NoSuchProcess:
                raise CheckError(
                    Reason.UNAVAILABLE,
                    f"process {pid} of {self.pid_file} does not run any more",
                    code="NOT_RUNNING",
                    hint=Prose("It ended without removing its pid file: look at its log, and start it."),
                ) from None
            return
        pattern = re.compile(self.command_line) if self.command_line is not None else None
        for each in psutil.process_iter(["name", "cmdline"]):
            line = each.info["cmdline"] or []
            if pattern.search(" ".join(line)) if pattern else _is_named(each.info["name"], line, self._name):
                yield each

    def _judge(self, seen: Sequence[_Seen]) -> None:
        """Raise CheckError where there are too few, too many, or only dead ones."""
        alive = [each for each in seen if each.status != "zombie"]
        what, count = self.address, len(alive)
        if count < self.min_count and len(seen) > count:
            text = f"{_these(seen, 'zombie')} of {what} ended and was not waited for: a zombie"
            raise CheckError(
                Reason.ASSERTION,
                text,
                code="ZOMBIE",
                hint=Prose("Its parent does not reap it; restart the parent."),
            )
        if count < self.min_count:
            reason = Reason.ASSERTION if count else Reason.UNAVAILABLE
            code = "TOO_FEW" if count else "NOT_RUNNING"
            text = f"{count} of {self.min_count} processes run: {what}" if count else f"{what} does not run"
            raise CheckError(
                reason, text, code=code, hint=Prose("Start it; or compare the name with what `ps -e` shows.")
            )
        if self.max_count is not None and count > self.max_count:
            text = f"{count} processes run, at most {self.max_count} should: {what}"
            hint = Prose("One may have been started twice, or not have ended: stop those that are too many.")
            raise CheckError(Reason.ASSERTION, text, code="TOO_MANY", hint=hint)

    def reason(self, error: Exception) -> Cause | None:
        import psutil

        if isinstance(error, psutil.AccessDenied):
            hint = Prose("Mooring may not look at it: run Mooring as a user who may, or watch a pid_file.")
            return Cause(Reason.CONFIG, "ACCESS_DENIED", hint=hint)
        return Cause(Reason.UNAVAILABLE, "ENDED") if isinstance(error, psutil.Error) else None

    def _observation(self, before: Sequence[_Seen], after: Sequence[_Seen]) -> Observation:
        used = {each.pid: each.cpu_seconds for each in before}
        cpu = sum(each.cpu_seconds - used[each.pid] for each in after) / CPU_SAMPLE * 100
        memory = sum(each.memory for each in after)
        numbers = {
            "processes": float(len(after)),
            "cpu_percent": max(0.0, cpu),
            "memory_bytes": float(memory),
            "threads": float(sum(each.threads for each in after)),
        }
        details = {"pids": [each.pid for each in after][:MOST_PIDS]}
        return Observation(details, numbers, tuple(self._warnings(after, cpu, memory)))

    def _warnings(self, seen: Sequence[_Seen], cpu: float, memory: int) -> Iterator[str]:
        for status, words in (("stopped", "is stopped (SIGSTOP)"), ("zombie", "is a zombie")):
            if any(each.status == status for each in seen):
                yield f"{_these(seen, status)} {words}"
        if self.max_cpu is not None and cpu > self.max_cpu:
            used, most = f"{cpu:.0f}", f"{self.max_cpu:g}"
            yield Prose("CPU {used} %, more than {most} %", used=used, most=most)
        if self.max_memory is not None and memory > self.max_memory * MEGABYTE:
            used, most = f"{memory / MEGABYTE:.0f}", f"{self.max_memory:g}"
            yield Prose("memory {used} MB, more than {most} MB", used=used, most=most)


def _is_named(name: str | None, command: Sequence[str], wanted: str | None) -> bool:
    """Whether a program has this name: the kernel's, or that of its file, which a script runs under."""
    return wanted is not None and (name == wanted or bool(command and Path(command[0]).name == wanted))


def _seen(process: psutil.Process) -> _Seen:
    with process.oneshot():
        times = process.cpu_times()
        return _Seen(
            process.pid,
            process.status(),
            times.user + times.system,
            process.memory_info().rss,
            process.num_threads(),
            process.create_time(),
        )


def _look_again(before: Sequence[_Seen]) -> list[_Seen]:
    """Look at the same processes once more; who took over the number of one that ended is another."""
    import psutil

    after = []
    for each in before:
        try:
            now = _seen(psutil.Process(each.pid))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if now.started == each.started:
            after.append(now)
    return after


def _these(seen: Sequence[_Seen], status: str) -> str:
    pids = [str(each.pid) for each in seen if each.status == status][:MOST_PIDS]
    return f"process {', '.join(pids)}"


def _pid_in(file: Path) -> int:
    try:
        with file.open("rb") as opened:
            text: Any = opened.read(LARGEST_PID_FILE).split()
        return int(text[0])
    except FileNotFoundError:
        raise CheckError(
            Reason.UNAVAILABLE,
            f"there is no pid file {file}",
            code="NOT_RUNNING",
            hint=Prose("Is it running?"),
        ) from None
    except PermissionError:
        raise CheckError(
            Reason.PERMISSION,
            f"this process may not read {file}",
            code="EACCES",
            hint=Prose("Let the user that Mooring runs as read it, and enter the folders above."),
        ) from None
    except (ValueError, IndexError, OverflowError):
        raise CheckError(
            Reason.CONFIG,
            f"{file} holds no process id",
            code="PID_FILE_INVALID",
            hint=Prose("Name the file into which the program writes its number when it starts."),
        ) from None
