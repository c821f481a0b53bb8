"""Redis against a real server; broken by a wrong password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.kinds import Example
from tests.servers.redis import PASSWORD, Redis

DIALS = True


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's server, written to as well."""
    server: Redis = request.getfixturevalue("redis_server")
    yield Example(
        settings={"url": server.url(), "write_key": "mooring:check:"},
        broken={"url": server.url(password="wrong")},
        port=server.port,
        sessions=server.sessions,
        secret=PASSWORD,
        server=server,
    )
