"""The command line in surroundings that work against it: closed streams, full disks, few descriptors."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.process import free_port

MOORING = (sys.executable, "-m", "mooring.cli.main")


@pytest.fixture
def port() -> Iterator[int]:
    """Listen on a port."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield int(server.getsockname()[1])


def shell(line: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which `mooring` stands for the program."""
    function = f'mooring() {{ "{sys.executable}" -m mooring.cli.main "$@"; }}\n'
    kept = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **environ}
    return subprocess.run(
        ["bash", "-c", function + line], cwd=folder, env=kept, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_closed_stream_changes_nothing(streams: str, port: int, tmp_path: Path) -> None:
    """Services are started with streams closed: the exit status still tells the truth."""
    ended = shell(
        f"mooring check tcp://127.0.0.1:{port} {streams}; a=$?\n"
        f"mooring check tcp://127.0.0.1:{free_port()} {streams}; b=$?\n"
        "echo status $a $b",
        tmp_path,
    )
    assert ended.stdout.splitlines()[-1] == "status 0 1"
    assert ended.stderr == ""


def test_standard_input_that_is_closed_holds_no_targets(tmp_path: Path) -> None:
    """A list that is to come from a closed stream is an empty one."""
    ended = shell("mooring check - <&-", tmp_path)
    assert (ended.returncode, ended.stderr) == (
        2,
        "mooring: nothing to test: give an address such as redis://localhost\n",
    )


@pytest.mark.parametrize("command", ["check", "wait"])
def test_a_reader_that_has_had_enough_is_no_fault(command: str, port: int, tmp_path: Path) -> None:
    """`mooring check ... | head -1` ends without a traceback."""
    address = f"tcp://127.0.0.1:{port} " * 300
    ended = shell(f"set -o pipefail; mooring {command} {address} | true", tmp_path)
    assert (ended.returncode, ended.stderr) == (1, "")


@pytest.mark.parametrize(
    "words", ["check {}", "check --json {}", "wait {}", "kinds", "check --junit /dev/full {}"]
)
def test_a_full_disk_is_told(words: str, port: int, tmp_path: Path) -> None:
    """Output that cannot be written is a line on standard error and exit status 1."""
    ended = shell(f"mooring {words.format(f'tcp://127.0.0.1:{port}')} > /dev/full", tmp_path)
    assert (ended.returncode, ended.stderr) == (1, "mooring: No space left on device\n")


def test_few_file_descriptors_are_enough(port: int, tmp_path: Path) -> None:
    """More targets than there may be open files are tested a few at a time."""
    few = 64
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    ended = subprocess.run(
        [*MOORING, "check", "--json", *[f"tcp://127.0.0.1:{port}"] * 200],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (few, most)),
    )
    assert ended.stderr == ""
    assert json.loads(ended.stdout)["summary"]["up"] == 200
