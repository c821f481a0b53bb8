"""MySQL against a real MariaDB; broken by a wrong password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.kinds import Example
from tests.servers.mariadb import PASSWORD, MariaDB

DIALS = True
DRIVER_ERRORS = ("pymysql.err",)
BARE = {"url": "mysql://app@host/orders"}


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's server."""
    server: MariaDB = request.getfixturevalue("mariadb")
    yield Example(
        settings={"url": server.url()},
        broken={"url": server.url(password="wrong-password")},
        port=server.port,
        sessions=server.sessions,
        secret=PASSWORD,
        server=server,
    )
