"""Arrangements of servers that speak TLS, for the faults of any kind: our certificates, and what we trust."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import pytest

from tests.integration.kinds import Arrangement
from tests.servers.tls import Certificates

Ours: TypeAlias = Callable[[Certificates], Mapping[str, Any]]
"""Chooses the `tls` settings of the target."""


def trusted(certificates: Certificates) -> Mapping[str, Any]:
    """Trust who signed the servers' certificates."""
    return {"ca": certificates.ca}


def another_ca(certificates: Certificates) -> Mapping[str, Any]:
    """Trust an authority that signed none of them."""
    return {"ca": certificates.unknown_ca}


def another_pin(certificates: Certificates) -> Mapping[str, Any]:
    """Trust one certificate alone, which no server has."""
    return {"pin": certificates.client.pin}


def stranger(certificates: Certificates) -> Mapping[str, Any]:
    """Show a client certificate that no server trusts."""
    client = certificates.unknown_client
    return {"ca": certificates.ca, "cert": client.cert, "key": client.key}


def certified(
    start: str,
    name: str,
    settings: Callable[[Any], Mapping[str, Any]],
    ours: Ours = trusted,
    *,
    mutual: bool = False,
    **options: Any,
) -> Arrangement:
    """Return the arrangement of a server that a fixture starts with one of the certificates.

    If `mutual`, it demands one of whoever connects.
    """

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        certificates: Certificates = request.getfixturevalue("certificates")
        client_ca = {"client_ca": certificates.ca} if mutual else {}
        serve = request.getfixturevalue(start)
        with serve(certificate=getattr(certificates, name), **client_ca, **options) as server:
            yield {**settings(server), "tls": ours(certificates)}

    return arrange


def asking_over_tls(
    fixture: str, settings: Callable[[Any], Mapping[str, Any]], ours: Ours = trusted
) -> Arrangement:
    """Return the arrangement of a shared server, asked with these `tls` settings."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        tls = ours(request.getfixturevalue("certificates"))
        yield {**settings(request.getfixturevalue(fixture)), "tls": tls}

    return arrange
