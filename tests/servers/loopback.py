"""Servers that listen on every interface whatever they are told, kept on the loopback.

Orthanc and DCMTK know no address to bind to. Each runs in a network namespace of its own, and what connects
to its ports on 127.0.0.1 is passed on (`_loopback_server.py`). Skips by name where no namespace is to be had.
"""

from __future__ import annotations

import subprocess
import sys
from abc import abstractmethod
from pathlib import Path

import psutil
import pytest

from tests.servers.process import ServerProcess, free_port

_PROGRAM = Path(__file__).with_name("_loopback_server.py")
_ESTABLISHED, _LISTENING = "01", "0A"


class LoopbackServer(ServerProcess):
    """One server behind its loopback. `port` is what is told to the server as well."""

    @abstractmethod
    def inside(self) -> list[str]:
        """Return the command line that runs the server itself."""

    def ports(self) -> list[int]:
        """Return the ports that are passed on."""
        return [self.port]

    def command(self) -> list[str]:
        ports = ",".join(map(str, self.ports()))
        return [sys.executable, str(_PROGRAM), ports, *self.inside()]

    def sessions(self, port: int | None = None) -> int:
        """Return how many connections to a port, or to `port`, the server itself holds."""
        return self._books().count((port or self.port, _ESTABLISHED))

    def listens(self) -> bool:
        """Whether the server itself listens on `port`."""
        return (self.port, _LISTENING) in self._books()

    def _books(self) -> list[tuple[int, str]]:
        """Return local port and state of every TCP socket in the server's namespace."""
        server = psutil.Process(self.pid).children()[0]
        lines = Path(f"/proc/{server.pid}/net/tcp").read_text().splitlines()[1:]
        return [(int(line.split()[1].partition(":")[2], 16), line.split()[3]) for line in lines]


@pytest.fixture(scope="session")
def namespace() -> None:
    """Skips where this user may make no network namespace."""
    trial = subprocess.run(
        [sys.executable, str(_PROGRAM), str(free_port()), "true"], capture_output=True, check=False, text=True
    )
    if trial.returncode != 0:
        pytest.skip(f"no network namespace to be had: {trial.stderr.strip().splitlines()[-1]}")
