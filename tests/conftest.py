"""Every file in tests/servers is a plugin: the folder is the list of real servers that tests can start."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

_SERVERS = Path(__file__).with_name("servers")

pytest.register_assert_rewrite("tests.servers")  # before one plugin imports another
pytest_plugins = [f"tests.servers.{file.stem}" for file in sorted(_SERVERS.glob("[a-z]*.py"))]


def pytest_configure() -> None:
    """Hear SIGINT: a shell's background job starts with it ignored, and so would all that tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what is slow, so that no process waits for another one's at the end."""
    slow = {_group(item.nodeid) for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: _group(item.nodeid) not in slow)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Give out the tests by what they share."""
    return _ByServer(config, log)


class _ByServer(LoadScopeScheduling):  # type: ignore[misc]  # xdist says no types here
    """Keeps in one process what shares a server."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def _group(nodeid: str) -> str:
    """Return what a test belongs to: its file, or the kind that two files make tests of."""
    path, _, name = nodeid.partition("::")
    given = name.partition("[")[2].removesuffix("]")
    if path.endswith("test_faults.py"):
        return given.partition(":")[0]
    return given.rpartition("-")[2] if path.endswith("test_contract.py") else path
