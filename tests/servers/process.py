"""What every real server has in common: a free port, a private folder, and signals.

A server's file subclasses `ServerProcess`, says its `command()` and how to see that it is `ready()`,
and offers a fixture. Everything is synchronous, so that a test of any loop can use it.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import psutil
import pytest

STARTED_WITHIN = 90.0  # on a machine whose every core is taken several times over
READY_WITHIN = 30.0
STOPPED_WITHIN = 10.0
POLL = 0.01
_LOWEST_PORT, _HIGHEST_PORT = 15_000, 32_000  # below what the kernel gives to outgoing connections
_NOBODY = 65534
_OUTSIDE_PATH = "/usr/sbin:/sbin:/usr/local/sbin"  # Debian's daemons; not on a plain user's PATH


def binary(name: str, package: str, *folders: str) -> str:
    """Return the path of a program, or skip the test saying which package brings it."""
    for path in (None, ":".join(folders), _OUTSIDE_PATH):
        found = shutil.which(name, path=path) if path != "" else None
        if found is not None:
            return found
    pytest.skip(f"{name} is not installed: apt-get install {package}")


def free_port() -> int:
    """Return a TCP port of the loopback that nothing uses and that nobody else is given.

    Each worker of pytest has ports of its own. For others, and this worker's next call, the kernel keeps it
    for a minute: long enough for a server to take it, which may reuse an address as every server here does.
    """
    choose = random.SystemRandom()
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    while True:
        port = choose.randrange(_LOWEST_PORT + worker, _HIGHEST_PORT, workers)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _keep(probe)
            return port


def _keep(probe: socket.socket) -> None:
    """Leave a connection in TIME_WAIT on a port: none but who reuses addresses can bind to it."""
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.listen()
    with socket.create_connection(probe.getsockname()):
        probe.accept()[0].close()  # who closes first is the one that waits


@pytest.fixture
def refusing_port() -> Iterator[int]:
    """A port of the loopback that refuses every client, and that nobody else is given meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder with a short path: that of a Unix socket holds 107 bytes at most."""
    folder = Path(tempfile.mkdtemp(prefix="moor"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def somebody_else() -> Iterator[None]:
    """Be a user without rights; only root can, others are that already."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def poll_until(condition: Callable[[], bool], what: str, within: float = READY_WITHIN) -> None:
    """Wait until a condition holds; raises AssertionError naming `what` where it never does."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {within:g} s")
        time.sleep(POLL)


async def eventually(condition: Callable[[], bool], what: str, within: float = READY_WITHIN) -> None:
    """Do as `poll_until`, letting the event loop run: it closes its sockets one turn late."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {within:g} s")
        await asyncio.sleep(POLL)


class ServerProcess(ABC):
    """One real server on a port and in a folder of its own. Entering starts it, leaving kills it.

    Start it from the main thread: the kernel kills it when the thread that started it ends, so that
    no server outlives a test run that is killed.
    """

    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command line that runs the server in the foreground."""

    @abstractmethod
    def ready(self) -> bool:
        """Ask the server something real; raises or returns False while it is not ready.

        That a port accepts is not readiness.
        """

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """What the server has printed."""
        return (self.folder / "server.log").read_text(errors="replace")

    def spawn(self) -> None:
        """Start the process without waiting until it is ready."""
        assert not self.running, "the server is running already"
        command = dying_with_us(self.command())
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def start(self) -> None:
        """Start the server, on the same port and folder as before, and wait until it is ready."""
        self.spawn()
        try:
            poll_until(self._ready_or_dead, f"readiness of {type(self).__name__}", STARTED_WITHIN)
        except AssertionError as late:
            self.kill()
            raise AssertionError(f"{late}:\n{self.log[-4000:]}") from None
        if not self.running:
            raise AssertionError(f"{type(self).__name__} ended while starting:\n{self.log[-4000:]}")

    def stop(self) -> None:
        """Ask the server to end and wait until it has."""
        if self.running:
            self.resume()
            psutil.Process(self.pid).send_signal(self.stop_signal)
            self._wait()

    def kill(self) -> None:
        """Kill the server and its children at once, as a crash would."""
        if self.running:
            processes = self._tree()
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            self._wait()
            # Children end by themselves, and hold what the next start needs until then.
            poll_until(lambda: all(_is_over(each) for each in processes), "the server's children ended")

    def pause(self) -> None:
        """Freeze the server and its children: it still accepts (the kernel does) and never answers."""
        for process in self._tree():
            with suppress(psutil.NoSuchProcess):
                process.suspend()
                poll_until(lambda pid=process.pid: _is_stopped(pid), "the server paused")  # type: ignore[misc]

    def resume(self) -> None:
        """Let a paused server go on."""
        for process in self._tree():
            with suppress(psutil.NoSuchProcess):
                process.resume()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Have the server paused for as long as this is entered."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def _tree(self) -> list[psutil.Process]:
        """Return the server, then its children: stopped first, it cannot make another one meanwhile."""
        parent = psutil.Process(self.pid)
        return [parent, *parent.children(recursive=True)]

    def _ready_or_dead(self) -> bool:
        if not self.running:
            return True
        try:
            return self.ready()
        except Exception:
            return False

    def _wait(self) -> None:
        assert self._process is not None
        try:
            self._process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            for process in self._tree():
                process.kill()
            self._process.wait()


def _is_over(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _is_stopped(pid: int) -> bool:
    """Whether every thread of a process stands: one that still runs would answer once more."""
    try:
        stats = [stat.read_text() for stat in Path(f"/proc/{pid}/task").glob("*/stat")]
    except OSError:  # a thread that ended meanwhile
        return False
    return all(stat.rpartition(")")[2].split()[0] in "TtZX" for stat in stats)


def dying_with_us(command: list[str]) -> list[str]:
    """Let the kernel end the server with the test run. Behind a user namespace, whose entry clears it."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return command
    at = next((i + 1 for i, word in enumerate(command) if word == "--"), 0)
    return [*command[:at], setpriv, "--pdeathsig", "KILL", *command[at:]]
