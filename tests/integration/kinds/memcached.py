"""memcached against a real server with an auth file; broken by a wrong password."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.probes.memcached import PREFIX
from tests.integration import tls_faults
from tests.integration.kinds import Example, Fault, asking
from tests.integration.over_tls import another_pin, asking_over_tls, certified
from tests.servers.memcached import PASSWORD, USER, Memcached, StartMemcached

DIALS = True
LOGIN = f"{USER}:{PASSWORD}"
_REJECTED = (
    "Compare user and password with the server's auth file (-Y), which it reads at its start and at SIGHUP."
)
_FOREIGN = "Something else may listen on that port: compare the address with the service's own."


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's server, written to as well."""
    server: Memcached = request.getfixturevalue("memcached")
    yield Example(
        settings={"url": server.url(LOGIN), "write_key": PREFIX},
        broken={"url": server.url(f"{USER}:wrong")},
        port=server.port,
        sessions=server.sessions,
        secret=PASSWORD,
        server=server,
    )


@contextmanager
def _without_room(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartMemcached = request.getfixturevalue("start_memcached")
    with start() as server:
        held = server.hold()
        yield {"url": server.url()}
        for client in held:
            client.close()


@contextmanager
def _full(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartMemcached = request.getfixturevalue("start_memcached")
    with start("-M", "-m", "1", "-I", "512k") as server:
        told = server.ask(*(f"set {PREFIX}{i:016x} 0 0 16\r\n{'x' * 16}" for i in range(20_000)))
        assert told.endswith("SERVER_ERROR out of memory storing object\r\n")
        yield {"url": server.url(), "write_key": PREFIX}


@contextmanager
def _stopped(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartMemcached = request.getfixturevalue("start_memcached")
    with start() as server, server.paused():
        yield {"url": server.url()}


def _over_tls(server: Memcached) -> Mapping[str, Any]:
    return {"url": server.url(scheme="memcacheds")}


FAULTS = (
    Fault(
        "no login is given and one is needed",
        (Stage.AUTH, Reason.AUTH, "UNAUTHENTICATED"),
        asking("memcached", lambda server: {"url": server.url()}),
        hint="Put user and password into the address, between memcached:// and the host.",
    ),
    Fault(
        "the password is wrong",
        (Stage.AUTH, Reason.AUTH, "AUTHENTICATION_FAILURE"),
        asking("memcached", lambda server: {"url": server.url(f"{USER}:wrong")}),
        hint=_REJECTED,
    ),
    Fault(
        "the user does not exist",
        (Stage.AUTH, Reason.AUTH, "AUTHENTICATION_FAILURE"),
        asking("memcached", lambda server: {"url": server.url(f"nobody:{PASSWORD}")}),
        hint=_REJECTED,
    ),
    Fault(
        "every connection is taken",
        (Stage.PROTOCOL, Reason.OVERLOADED, "TOO_MANY_CONNECTIONS"),
        _without_room,
        hint="Raise -c (maxconns), or find who leaks connections: `stats conns` lists them.",
    ),
    Fault(
        "its memory is full and nothing may be evicted",
        (Stage.FUNCTION, Reason.OVERLOADED, "OUT_OF_MEMORY"),
        _full,
        hint="Its memory is full and -M forbids to evict: raise -m, or let it evict.",
    ),
    Fault(
        "the server hangs",
        (Stage.PROTOCOL, Reason.TIMEOUT, "TIMEOUT"),
        _stopped,
        hint="Nothing came back in time: a firewall that drops packets, or a service that hangs.",
        timeout=0.5,
    ),
    tls_faults.cert_expired(certified("start_memcached", "expired", _over_tls)),
    tls_faults.cert_host_mismatch(certified("start_memcached", "wrong_host", _over_tls)),
    tls_faults.cert_unknown_issuer(asking("tls_memcached", _over_tls)),
    tls_faults.pin_mismatch(
        asking_over_tls("tls_memcached", _over_tls, another_pin), "the certificate is not the pinned one"
    ),
    tls_faults.plain_text(asking("open_memcached", _over_tls)),
    Fault(
        "plain text is spoken to a port with TLS",
        (Stage.TLS, Reason.TLS, "TLS_EXPECTED"),
        asking("tls_memcached", lambda server: {"url": server.url()}),
        hint="Write memcacheds:// instead of memcached://, or use the port without TLS.",
    ),
    Fault(
        "a web server listens on the port",
        (Stage.PROTOCOL, Reason.PROTOCOL, "NOT_MEMCACHED"),
        asking("nginx", lambda server: {"url": f"memcached://127.0.0.1:{server.port}"}),
        hint=_FOREIGN,
    ),
    Fault(
        "a Redis listens on the port",
        (Stage.PROTOCOL, Reason.PROTOCOL, "NOT_MEMCACHED"),
        asking("redis_server", lambda server: {"url": f"memcached://127.0.0.1:{server.port}"}),
        hint=_FOREIGN,
    ),
)
