"""Every file in tests/servers is a plugin: the folder is the list of real servers that tests can start."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

_SERVERS = Path(__file__).with_name("servers")

pytest.register_assert_rewrite("tests.servers")  # before one plugin imports another
pytest_plugins = [f"tests.servers.{file.stem}" for file in sorted(_SERVERS.glob("[a-z]*.py"))]


def pytest_configure() -> None:
    """Hear SIGINT: a shell's background job starts with it ignored, and so would all that tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that hold what is slow, so that no process waits for another one's at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
