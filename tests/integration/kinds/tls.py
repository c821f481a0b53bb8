"""TLS against nginx; broken by trusting nobody that it was signed by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.kinds import Example
from tests.servers.nginx import Nginx
from tests.servers.tls import Certificates

DIALS = True


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's server, whose certificate our own authority signed."""
    server: Nginx = request.getfixturevalue("nginx")
    certificates: Certificates = request.getfixturevalue("certificates")
    url = f"tls://127.0.0.1:{server.tls_port}"
    yield Example(
        settings={"url": url, "tls": {"ca": certificates.ca}},
        broken={"url": url, "tls": {"ca": certificates.unknown_ca}},
        port=server.tls_port,
        sessions=server.sessions,
        server=server,
    )
