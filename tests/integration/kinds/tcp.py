"""TCP against a real server that greets: MariaDB; broken by an answer that never comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.kinds import Example
from tests.servers.mariadb import MariaDB

DIALS = True


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's server, whose greeting names it."""
    server: MariaDB = request.getfixturevalue("mariadb")
    url = f"tcp://127.0.0.1:{server.port}"
    yield Example(
        settings={"url": url, "expect": "MariaDB"},
        broken={"url": url, "send": "no packet of MySQL\n", "expect": "no such answer"},
        port=server.port,
        sessions=server.sessions,
        server=server,
    )
