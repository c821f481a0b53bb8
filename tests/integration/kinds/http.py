"""HTTP against nginx."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.kinds import Example
from tests.integration.kinds._http_sequences import SEQUENCES
from tests.servers.nginx import LOGIN, Nginx

DIALS = True


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """A path behind a login; broken by a wrong password."""
    server: Nginx = request.getfixturevalue("nginx")
    user, password = LOGIN
    yield Example(
        settings={"url": server.url("/private", user=user, password=password)},
        broken={"url": server.url("/private", user=user, password="wrong")},
        port=server.port,
        sessions=server.sessions,
        secret=password,
        server=server,
    )


FAULTS = (*SEQUENCES,)
