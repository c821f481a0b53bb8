"""DNS against a name server of our own; broken by a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.kinds import Example
from tests.servers.nameserver import NameServer

DIALS = False
DRIVER_ERRORS = ("dns.exception", "dns.resolver", "dns.query", "dns.message", "dns.name")
BARE = {"url": "dns://host/shop.example"}


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """A record and its value."""
    server: NameServer = request.getfixturevalue("name_server")
    server.records["shop.example", "A"] = ["192.0.2.7"]
    yield Example(
        settings={"url": f"dns://{server.address}/shop.example", "expect": ["192.0.2.7"]},
        broken={"url": f"dns://{server.address}/shoop.example"},
    )
