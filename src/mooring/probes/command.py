"""A program of this machine, for what has no kind yet."""

from __future__ import annotations

import os
import re
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, field_validator

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.trail import Trail
from mooring.probes._base import Probe
from mooring.probes._child import OUTPUT_LIMIT, Ended, run

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
"""What a program is told of our environment. The rest of it may hold other people's passwords."""
LONGEST_SHOWN = 200
PLUGIN_WARNING, PLUGIN_UNKNOWN = 1, 3
# 'label'=value[UOM];... as in the Monitoring Plugins' guidelines; U, for unknown, is no number.
# It begins behind a space and never goes back: a long line without a measure would else take for ever.
_MEASURE = re.compile(
    r"(?<!\S)('[^'=]++'|[^\s'=]++)=(-?\d+(?:\.\d+)?)(us|ms|s|%|TB|GB|MB|KB|B|c)?(?=[;\s]|$)"
)
_UNITS = {
    "s": ("_seconds", 1.0),
    "ms": ("_seconds", 1e-3),
    "us": ("_seconds", 1e-6),
    "%": ("_percent", 1.0),
    "B": ("_bytes", 1.0),
    "KB": ("_bytes", 1e3),
    "MB": ("_bytes", 1e6),
    "GB": ("_bytes", 1e9),
    "TB": ("_bytes", 1e12),
}


class Command(Probe):
    """Command: run a program of this machine and look at how it ends.

    The program is started without a shell, in a session of its own, and is told little of Mooring's
    environment. At the end of the check's `timeout` it is killed with all of its session: only what made a
    session of its own, as a daemon does, goes on.
    """

    kind: Literal["command"] = "command"
    local: ClassVar[bool] = True
    proves: ClassVar = {Stage.FUNCTION: "the program can be started, ends in time, and says that all is well"}

    command: tuple[str, ...] = Field(
        min_length=1,
        description="The program and its arguments, each by itself: no shell reads them. Not secret: others "
        "see a program's arguments; `environment` and `input` are.",
        examples=[["/usr/local/bin/check-backup", "--max-age", "26h"]],
    )
    environment: dict[str, SecretStr] = Field(
        default_factory=dict,
        description=f"Variables for the program, beside our own {', '.join(INHERITED)}. Kept secret.",
    )
    input: SecretStr | None = Field(None, description="What the program reads on its standard input.")
    folder: Path | None = Field(None, description="The folder that it is started in.")
    plugin: bool = Field(
        False,
        description="It speaks as Nagios' plugins do: exit status 0 is well, 1 a warning, 2 a failure, 3 not "
        "known; the first line says why, and what stands behind a bar are numbers.",
    )
    expect_status: int = Field(
        0, ge=0, le=255, description="The exit status that is right, unless it is a plugin."
    )
    expect_output: str | None = Field(
        None, min_length=1, description=f"Text that the first {OUTPUT_LIMIT} bytes of its output hold."
    )

    @field_validator("command")
    @classmethod
    def _can_be_started(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        if not command[0]:
            raise ValueError("begins with the program's name or path")
        if any("\0" in word for word in command):
            raise ValueError("holds a NUL character, which no argument can")
        return command

    @field_validator("environment")
    @classmethod
    def _can_be_given(cls, environment: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in environment.items():
            if not name or "=" in name or "\0" in name or "\0" in value.get_secret_value():
                raise ValueError(f"{name[:40]!r} cannot be given: a name holds no '=', nothing holds a NUL")
        return environment

    @property
    def address(self) -> str:
        return self.command[0]

    async def check(self, trail: Trail) -> Observation:
        async with trail.stage(Stage.FUNCTION):
            ended = await self._run()
            said = _first_line(ended.output) or _first_line(ended.errors)
            if said:
                trail.note(said=said)
            self._judge(ended, said)
            self._demand_output(ended)
        measured = dict(_measures(ended.output)) if self.plugin else {}
        warned = self.plugin and ended.status == PLUGIN_WARNING
        return Observation(
            {}, measured, (said or Prose("the plugin warns and does not say of what"),) * warned
        )

    async def _run(self) -> Ended:
        if self.folder is not None and not self.folder.is_dir():  # else told as if the program were missing
            text = f"there is no folder {self.folder}"
            raise CheckError(Reason.CONFIG, text, code="NO_FOLDER", hint=Prose("Create it, or name another."))
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        own = {name: value.get_secret_value() for name, value in self.environment.items()}
        given = self.input.get_secret_value().encode() if self.input is not None else b""
        try:
            return await run(self.command, environment={**inherited, **own}, folder=self.folder, given=given)
        except OSError as error:
            raise self._not_started(error) from error

    def _not_started(self, error: OSError) -> CheckError:
        program = self.command[0]
        if isinstance(error, FileNotFoundError):
            text = f"there is no program {program}"
            hint = Prose("Install it where Mooring runs, or write its whole path.")
            return CheckError(Reason.CONFIG, text, code="NO_PROGRAM", hint=hint)
        place = Path(self.folder or "", program).absolute()
        folder = "/" in program and place.is_dir()
        if isinstance(error, PermissionError) and not folder:
            text = f"{program} may not be run by this user"
            hint = Prose("Mooring's user needs the right to execute it, and to enter its folders.")
            fix = f"chmod a+x {shlex.quote(str(place))}" if "/" in program else None
            return CheckError(Reason.CONFIG, text, code="NOT_EXECUTABLE", hint=hint, fix=fix)
        hint = Prose("It has to be a program of this machine, or to begin with a line such as #!/bin/sh.")
        text = f"{program} cannot be started: {'it is a folder' if folder else error.strerror}"
        return CheckError(Reason.CONFIG, text, code="NOT_STARTED", hint=hint)

    def _judge(self, ended: Ended, said: str) -> None:
        because = f": {said}" if said else ""
        if ended.status < 0:
            name = _signal(-ended.status)
            hint = Prose("Somebody or the kernel ended it: look at its log, and at this machine's memory.")
            raise CheckError(
                Reason.ASSERTION, f"the program was ended by {name}{because}", code=name, hint=hint
            )
        if self.plugin and ended.status in (0, PLUGIN_WARNING):
            return
        if self.plugin and ended.status == PLUGIN_UNKNOWN:
            hint = Prose("The plugin could not test: run it by hand, as Mooring's user.")
            raise CheckError(
                Reason.CONFIG, f"the plugin does not know{because}", code="PLUGIN_UNKNOWN", hint=hint
            )
        if not self.plugin and ended.status == self.expect_status:
            return
        text = f"exit status {ended.status}, expected {0 if self.plugin else self.expect_status}{because}"
        hint = Prose("Run it by hand, as Mooring's user, and see what it says.")
        raise CheckError(Reason.ASSERTION, text, code=f"EXIT_{ended.status}", hint=hint)

    def _demand_output(self, ended: Ended) -> None:
        if self.expect_output is None or self.expect_output in ended.output:
            return
        text = f"the output does not hold {cut(self.expect_output, LONGEST_SHOWN)!r}"
        hint = Prose("Compare what the program prints with expect_output.")
        raise CheckError(Reason.ASSERTION, text, code="OUTPUT_WITHOUT_TEXT", hint=hint)


def _first_line(output: str) -> str:
    """Return what people read of an output: its first line, without a plugin's numbers."""
    for line in output.splitlines():
        said = line.partition("|")[0].strip()
        if said:
            return cut(said, LONGEST_SHOWN)
    return ""


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of the real-time signals
        return f"SIGNAL_{number}"


def _measures(output: str) -> Iterator[tuple[str, float]]:
    """Yield a plugin's numbers in the units of all numbers: seconds, bytes, percent."""
    _, _, behind = output.partition("|")
    for label, value, unit in _MEASURE.findall(behind):
        name = re.sub(r"\W+", "_", label.strip("'")).strip("_").lower()
        ending, factor = _UNITS.get(unit, ("", 1.0))
        if name:
            yield name if name.endswith(ending) else name + ending, float(value) * factor
