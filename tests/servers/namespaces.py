"""Two network namespaces joined by one cable, without a way out: what happens there stays there.

`here` runs the client, `there` the server. Needs root, `ip` and `nft`; skips by name without.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.servers.process import binary

HERE, THERE = "10.213.7.1", "10.213.7.2"
_NETWORK = 0x40000000  # CLONE_NEWNET
_FILES = Path("/etc/netns")
_CHECK = """
import asyncio, json, sys, mooring
from mooring.export.json import result_json
target, timeout, settings = json.loads(sys.argv[1])
result = asyncio.run(mooring.check(target, timeout=timeout, **settings))
print(json.dumps(result_json(result)))
"""
_LISTEN = """
import socket, sys
servers = [socket.create_server((sys.argv[1], int(port))) for port in sys.argv[2:]]
print("ready", flush=True)
while True:
    client, _ = servers[0].accept()
    client.sendall(b"220 there\\n")
"""
_POWERLESS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs")
_RULES = """
flush ruleset
table inet mooring {{
 chain in {{
  type filter hook input priority 0; policy accept;
  {rule}
 }}
}}
"""


class Namespaces:
    """The two namespaces. `port` is listened on in the far one."""

    port = 7001

    def __init__(self) -> None:
        tag = uuid4().hex[:8]
        self.here, self.there = f"moor-a-{tag}", f"moor-b-{tag}"
        self._cable = f"mo{tag}"

    def build(self, undo: ExitStack) -> None:
        """Make namespaces, cable and server; `undo` takes them away."""
        for name in (self.here, self.there):
            _run("ip", "netns", "add", name)
            undo.callback(_run, "ip", "netns", "delete", name)
            _run("ip", "-n", name, "link", "set", "lo", "up")
        one, other = f"{self._cable}a", f"{self._cable}b"
        _run("ip", "link", "add", one, "netns", self.here, "type", "veth", "peer", other, "netns", self.there)
        for name, link, address in ((self.here, one, HERE), (self.there, other, THERE)):
            _run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", link)
            _run("ip", "-n", name, "link", "set", link, "up")
        (_FILES / self.here).mkdir(parents=True)
        undo.callback(shutil.rmtree, _FILES / self.here)
        server = self._listen()
        undo.callback(server.wait)
        undo.callback(server.kill)

    def rule(self, rule: str = "") -> None:
        """Filter what reaches the far end, by one nft rule; without any everything passes."""
        _run("ip", "netns", "exec", self.there, "nft", "-f", "-", given=_RULES.format(rule=rule))

    def route(self, *words: str) -> None:
        """Change the near end's routes, as `ip route` does."""
        _run("ip", "-n", self.here, "route", *words)

    def file(self, name: str, text: str) -> None:
        """Put a file in the place of one in /etc, for the near end alone."""
        (_FILES / self.here / name).write_text(text)

    def pings(self, groups: str) -> None:
        """Say which groups of the near end may send pings without a capability: "1 0" is none."""
        setting = "/proc/sys/net/ipv4/ping_group_range"
        _run("ip", "netns", "exec", self.here, "sh", "-c", f"echo {groups} > {setting}")

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Have this thread be in the near end: sockets that it makes meanwhile are there."""
        with Path("/proc/self/ns/net").open() as home, Path(f"/run/netns/{self.here}").open() as here:
            _enter(here.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def check(self, target: str, timeout: float = 5, *, powerless: bool = False, **settings: Any) -> Any:
        """Check a target from the near end; returns the result as in JSON. `powerless`: no capabilities."""
        asked = json.dumps([target, timeout, settings])
        command = ["ip", "netns", "exec", self.here, *(_POWERLESS if powerless else ())]
        command += [sys.executable, "-c", _CHECK, asked]
        done = subprocess.run(command, check=True, capture_output=True)
        return json.loads(done.stdout)

    def _listen(self) -> subprocess.Popen[bytes]:
        command = ["ip", "netns", "exec", self.there, sys.executable, "-c", _LISTEN, THERE, str(self.port)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        server.stdout.close()
        return server


def _enter(namespace: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(namespace, _NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _run(*command: str, given: str = "") -> None:
    subprocess.run(command, check=True, input=given.encode(), capture_output=True)


@pytest.fixture(scope="module")
def cable() -> Iterator[Namespaces]:
    """Two namespaces for the tests of one file."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    binary("ip", "iproute2")
    binary("nft", "nftables")
    made = Namespaces()
    with ExitStack() as undo:
        try:
            made.build(undo)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"this kernel makes no network namespaces: {error.stderr.decode().strip()}")
        yield made


@pytest.fixture
def namespaces(cable: Namespaces) -> Iterator[Namespaces]:
    """The namespaces with nothing filtered."""
    cable.rule()
    yield cable
    cable.rule()
