"""Process against one of our own; broken by one that does not run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.kinds import Example
from tests.servers.process import ServerProcess

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
