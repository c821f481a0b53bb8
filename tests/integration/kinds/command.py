"""Command against programs of this machine; broken by one that says that something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration.kinds import Arrangement, Example, Fault

DIALS = False
SECRET = "s3cret-of-the-program"
_BY_HAND = "Run it by hand, as Mooring's user, and see what it says."
_ENDED = "Somebody or the kernel ended it: look at its log, and at this machine's memory."


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """A program that says what it was given in secret."""
    yield Example(
        settings={
            "command": [
                "sh",
                "-c",
                'read line; case "$line$PHRASE" in s3*s3*) echo all is well;; *) exit 1;; esac',
            ],
            "environment": {"PHRASE": SECRET},
            "input": SECRET,
            "expect_output": "all is well",
        },
        broken={"command": ["sh", "-c", "echo the disk is full; exit 2"]},
        secret=SECRET,
    )


def shell(script: str, **more: Any) -> Arrangement:
    """Return the arrangement of a fault that a line of shell brings about."""
    return made(lambda _: {"command": ["sh", "-c", script], **more})


def made(settings: Callable[[Path], Mapping[str, Any]]) -> Arrangement:
    """Return the arrangement of a fault that needs a folder."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        yield settings(request.getfixturevalue("tmp_path"))

    return arrange


def _no_program(folder: Path) -> Mapping[str, Any]:
    (folder / "noise").write_text("these words are no program\n")
    (folder / "noise").chmod(0o755)
    return {"command": [str(folder / "noise")]}


FAULTS = (
    Fault(
        "the program is not there",
        (Stage.FUNCTION, Reason.CONFIG, "NO_PROGRAM"),
        made(lambda folder: {"command": [str(folder / "missing")]}),
        hint="Install it where Mooring runs, or write its whole path.",
    ),
    Fault(
        "the program's folder is not there",
        (Stage.FUNCTION, Reason.CONFIG, "NO_FOLDER"),
        made(lambda folder: {"command": ["true"], "folder": str(folder / "missing")}),
        hint="Create it, or name another.",
    ),
    Fault(
        "the file is no program",
        (Stage.FUNCTION, Reason.CONFIG, "NOT_STARTED"),
        made(_no_program),
        hint="It has to be a program of this machine, or to begin with a line such as #!/bin/sh.",
    ),
    Fault(
        "the program says that something is wrong",
        (Stage.FUNCTION, Reason.ASSERTION, "EXIT_2"),
        shell("echo the disk is full; exit 2"),
        hint=_BY_HAND,
    ),
    Fault(
        "the program ends well and another exit status is expected",
        (Stage.FUNCTION, Reason.ASSERTION, "EXIT_0"),
        shell("exit 0", expect_status=3),
        hint=_BY_HAND,
    ),
    Fault(
        "the program crashes",
        (Stage.FUNCTION, Reason.ASSERTION, "SIGSEGV"),
        shell("kill -SEGV $$"),
        hint=_ENDED,
    ),
    Fault(
        "the program is killed",
        (Stage.FUNCTION, Reason.ASSERTION, "SIGKILL"),
        shell("kill -KILL $$"),
        hint=_ENDED,
    ),
    Fault(
        "the program does not end",
        (Stage.FUNCTION, Reason.TIMEOUT, "TIMEOUT"),
        shell("sleep 60"),
        hint="Nothing came back in time: a firewall that drops packets, or a service that hangs.",
        timeout=0.3,
    ),
    Fault(
        "the output does not hold what is expected",
        (Stage.FUNCTION, Reason.ASSERTION, "OUTPUT_WITHOUT_TEXT"),
        shell("echo 12 files", expect_output="0 files missing"),
        hint="Compare what the program prints with expect_output.",
    ),
    Fault(
        "a plugin finds something critical",
        (Stage.FUNCTION, Reason.ASSERTION, "EXIT_2"),
        shell("echo 'DISK CRITICAL - 1% free | /=99%'; exit 2", plugin=True),
        hint=_BY_HAND,
    ),
    Fault(
        "a plugin does not know",
        (Stage.FUNCTION, Reason.CONFIG, "PLUGIN_UNKNOWN"),
        shell("echo 'DISK UNKNOWN - no such disk'; exit 3", plugin=True),
        hint="The plugin could not test: run it by hand, as Mooring's user.",
    ),
)
