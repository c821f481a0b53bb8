"""Process against one of our own; broken by one that does not run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psutil
import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration.kinds import Arrangement, Example, Fault, asking
from tests.servers.process import ServerProcess, poll_until, somebody_else

DIALS = False
DRIVER_ERRORS = ("psutil",)


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The redis-server of the session, found by its configuration file."""
    server: ServerProcess = request.getfixturevalue("redis_server")
    (server.folder / "pid").write_text(f"{server.pid}\n")
    yield Example(
        settings={"pid_file": str(server.folder / "pid")},
        broken={"url": "process://no-such-program"},
    )


_START = "Start it; or compare the name with what `ps -e` shows."


def pid_file(text: Callable[[], str] | None) -> Arrangement:
    """Return the arrangement of a pid file that holds this, or of none."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        path: Path = request.getfixturevalue("tmp_path") / "pid"
        if text is not None:
            path.write_text(text())
        yield {"pid_file": str(path)}

    return arrange


def _ended() -> str:
    """Return the number of a process that is no more."""
    with subprocess.Popen(["true"]) as process:
        return str(process.pid)


@contextmanager
def _zombie(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    path: Path = request.getfixturevalue("tmp_path") / "pid"
    process = subprocess.Popen(["true"])
    try:
        poll_until(lambda: psutil.Process(process.pid).status() == "zombie", "the end")
        path.write_text(str(process.pid))
        yield {"pid_file": str(path)}
    finally:
        process.wait()


@contextmanager
def _unreadable(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    path: Path = request.getfixturevalue("tmp_path") / "pid"
    path.write_text("1")
    path.chmod(0)
    with somebody_else():
        yield {"pid_file": str(path)}


def counted(**settings: Any) -> Arrangement:
    """Return the arrangement of the redis-server of the session, found by its folder."""
    return asking("redis_server", lambda server: {"command_line": str(server.port), **settings})


FAULTS = (
    Fault(
        "the program does not run",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "NOT_RUNNING"),
        lambda _: nullcontext({"url": "process://no-such-program"}),
        hint=_START,
    ),
    Fault(
        "there is no pid file",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "NOT_RUNNING"),
        pid_file(None),
        hint="Is it running?",
    ),
    Fault(
        "the pid file is of a process that ended",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "NOT_RUNNING"),
        pid_file(_ended),
        hint="It ended without removing its pid file: look at its log, and start it.",
    ),
    Fault(
        "the pid file holds no number",
        (Stage.FUNCTION, Reason.CONFIG, "PID_FILE_INVALID"),
        pid_file(lambda: "redis"),
        hint="Name the file into which the program writes its number when it starts.",
    ),
    Fault(
        "the pid file may not be read",
        (Stage.FUNCTION, Reason.PERMISSION, "EACCES"),
        _unreadable,
        hint="Let the user that Mooring runs as read it, and enter the folders above.",
    ),
    Fault(
        "the process is a zombie",
        (Stage.FUNCTION, Reason.ASSERTION, "ZOMBIE"),
        _zombie,
        hint="Its parent does not reap it; restart the parent.",
    ),
    Fault(
        "too few run",
        (Stage.FUNCTION, Reason.ASSERTION, "TOO_FEW"),
        counted(min_count=20),
        hint=_START,
    ),
    Fault(
        "too many run",
        (Stage.FUNCTION, Reason.ASSERTION, "TOO_MANY"),
        counted(min_count=0, max_count=0),
        hint="One may have been started twice, or not have ended: stop those that are too many.",
    ),
)
