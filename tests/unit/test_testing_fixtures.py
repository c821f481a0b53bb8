"""The pytest fixtures that are shipped work in a stranger's project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CONFTEST = 'pytest_plugins = ["mooring.testing.fixtures"]\n'
TESTS = """\
import asyncio, socket
from mooring.pools import PoolTracker
from mooring.testing import FaultProxy

kept = []
tracker = PoolTracker("shop")

def test_clean(no_leaks):
    socket.socket().close()

def test_leaks(no_leaks):
    kept.append(socket.socket())

def test_returns(no_leases):
    kept.append(socket.socket())
    with tracker.track():
        pass

def test_keeps(no_leases):
    kept.append(tracker.track())

def test_proxy(fault_proxy):
    async def use():
        async with fault_proxy(1) as proxy:
            assert isinstance(proxy, FaultProxy)
    asyncio.run(use())
"""


def test_fixtures_in_another_project(tmp_path: Path) -> None:
    """A test that leaks fails by name, one that does not passes, and the proxy is at hand."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_theirs.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "5 passed, 2 errors" in done.stdout
    assert "left behind: file descriptor" in done.stdout
    line = TESTS.splitlines().index("    kept.append(tracker.track())") + 1
    assert (
        f"left behind: lease of shop/main, taken at {tmp_path}/test_theirs.py:{line} in test_keeps"
        in done.stdout
    )
