"""Every file in tests/servers is a plugin: the folder is the list of real servers that tests can start."""

from __future__ import annotations

from pathlib import Path

import pytest

_SERVERS = Path(__file__).with_name("servers")

pytest.register_assert_rewrite("tests.servers")  # before one plugin imports another
pytest_plugins = [f"tests.servers.{file.stem}" for file in sorted(_SERVERS.glob("[a-z]*.py"))]
