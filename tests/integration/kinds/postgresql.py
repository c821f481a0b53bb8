"""PostgreSQL against a real server; broken by a wrong password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.kinds import Example
from tests.servers.postgresql import PASSWORD, PostgreSQL

DIALS = True
DRIVER_ERRORS = ("asyncpg", "asyncpg.exceptions")
BARE = {"url": "postgresql://app@host/orders"}


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's server."""
    server: PostgreSQL = request.getfixturevalue("postgresql")
    yield Example(
        settings={"url": server.url()},
        broken={"url": server.url(password="wrong-password")},
        port=server.port,
        sessions=server.sessions,
        secret=PASSWORD,
        server=server,
    )
