"""gRPC against a real server of grpcio; broken by a wrong token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration import tls_faults
from tests.integration.kinds import Arrangement, Example, Fault, asking
from tests.integration.over_tls import Ours, another_pin, certified, trusted
from tests.servers.grpc_server import LIMITED, TOKEN, GRPCServer, StartGRPCServer

DIALS = True
DRIVER_ERRORS = ("grpc",)
BARE = {"url": "grpc://host:50051"}
_TOKEN_HINT = "Compare the token or metadata with what the service expects."
_SILENT = "Nothing came back in time: a firewall that drops packets, or a service that hangs."
_FOREIGN = "Something else may listen on that port: compare the address with the service's own."


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """A service that wants a token."""
    server: GRPCServer = request.getfixturevalue("grpc_server")
    yield Example(
        settings={"url": server.url("private.Orders"), "token": TOKEN},
        broken={"url": server.url("private.Orders"), "token": "wrong"},
        port=server.port,
        sessions=server.sessions,
        secret=TOKEN,
        server=server,
    )


def _asking(service: str, **settings: str) -> Arrangement:
    """Return the arrangement of a question to the session's server."""
    return asking("grpc_server", lambda server: {"url": server.url(service), **settings})


def _certified(name: str, ours: Ours = trusted, *, mutual: bool = False) -> Arrangement:
    """Return the arrangement of a server with one of our certificates."""
    return certified("start_grpc_server", name, lambda server: {"url": server.url()}, ours, mutual=mutual)


@contextmanager
def _without_health(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartGRPCServer = request.getfixturevalue("start_grpc_server")
    with start(health=False) as server:
        yield {"url": server.url()}


@contextmanager
def _paused(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartGRPCServer = request.getfixturevalue("start_grpc_server")
    with start() as server, server.paused():
        yield {"url": server.url()}


FAULTS = (
    Fault(
        "no token is given and one is needed",
        (Stage.AUTH, Reason.AUTH, "UNAUTHENTICATED"),
        _asking("private.Orders"),
        hint=_TOKEN_HINT,
    ),
    Fault(
        "the token is wrong",
        (Stage.AUTH, Reason.AUTH, "UNAUTHENTICATED"),
        _asking("private.Orders", token="wrong"),
        hint=_TOKEN_HINT,
    ),
    Fault(
        "the token may not ask for this service",
        (Stage.PERMISSION, Reason.PERMISSION, "PERMISSION_DENIED"),
        _asking("private.Payments", token=LIMITED),
        hint="The login is known and may not ask for the health of this service: allow it.",
    ),
    Fault(
        "the server keeps no health of that service",
        (Stage.FUNCTION, Reason.NOT_FOUND, "NOT_FOUND"),
        _asking("shop.Oders"),
        hint="The server keeps no health of a service of that name: compare it with the one it registers.",
    ),
    Fault(
        "the server says that it does not know the service",
        (Stage.FUNCTION, Reason.NOT_FOUND, "SERVICE_UNKNOWN"),
        _asking("shop.Odd"),
        hint="Compare the name in the address with the one that the server registers.",
    ),
    Fault(
        "the server has no health service",
        (Stage.FUNCTION, Reason.NOT_FOUND, "UNIMPLEMENTED"),
        _without_health,
        hint="Register grpc.health.v1.Health in the server; a proxy in between may not pass it on.",
    ),
    Fault(
        "the service is not serving",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "NOT_SERVING"),
        _asking("shop.Stopping"),
        hint="The service says so of itself: it is starting, stopping or lacks something.",
    ),
    Fault(
        "the service keeps no health yet",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "UNKNOWN"),
        _asking("shop.Starting"),
        hint="The service keeps no health yet: it may be starting.",
    ),
    Fault(
        "the service takes no more calls",
        (Stage.FUNCTION, Reason.OVERLOADED, "RESOURCE_EXHAUSTED"),
        _asking("shop.Full"),
        hint="The service has no room for another client.",
    ),
    Fault(
        "the service says that it is unavailable",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "UNAVAILABLE"),
        _asking("shop.Away"),
        hint="The service says that it is not ready: starting, stopping or overwhelmed.",
    ),
    Fault(
        "the service fails by itself",
        (Stage.FUNCTION, Reason.ASSERTION, "INTERNAL"),
        _asking("shop.Broken"),
        hint="The service itself failed at the call: look at its log.",
    ),
    Fault(
        "a service behind it is too slow for the server",
        (Stage.FUNCTION, Reason.TIMEOUT, "DEADLINE_EXCEEDED"),
        _asking("shop.Slow"),
        hint=_SILENT,
    ),
    Fault(
        "a proxy answers and the service behind it does not",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "UNAVAILABLE"),
        asking("grpc_front", lambda server: {"url": f"grpc://127.0.0.1:{server.port}"}),
        hint="The service says that it is not ready: starting, stopping or overwhelmed.",
    ),
    Fault(
        "a web server speaks HTTP/2 on the port",
        (Stage.FUNCTION, Reason.PROTOCOL, "NOT_GRPC"),
        asking("grpc_front", lambda server: {"url": f"grpc://127.0.0.1:{server.web}"}),
        hint="A web server answers: compare host and port with the service's own.",
    ),
    Fault(
        "a web server speaks HTTP/1 on the port",
        (Stage.PROTOCOL, Reason.PROTOCOL, "NO_HTTP2"),
        asking("nginx", lambda server: {"url": f"grpc://127.0.0.1:{server.port}"}),
        hint=_FOREIGN,
    ),
    Fault(
        "a web server speaks HTTP/1 over TLS on the port",
        (Stage.PROTOCOL, Reason.PROTOCOL, "NO_HTTP2"),
        asking(
            "nginx", lambda server: {"url": f"grpcs://127.0.0.1:{server.tls_port}", "tls": {"verify": False}}
        ),
        hint="gRPC needs HTTP/2, agreed upon by ALPN: switch it on, also in a proxy in between.",
    ),
    Fault(
        "the server hangs",
        (Stage.PROTOCOL, Reason.TIMEOUT, "TIMEOUT"),
        _paused,
        hint=_SILENT,
        timeout=0.5,
    ),
    tls_faults.cert_expired(_certified("expired")),
    tls_faults.cert_host_mismatch(_certified("wrong_host")),
    tls_faults.cert_unknown_issuer(asking("tls_grpc_server", lambda server: {"url": server.url()})),
    tls_faults.pin_mismatch(_certified("good", another_pin), "the certificate is not the pinned one"),
    Fault(
        "the server demands a client certificate",
        (Stage.PROTOCOL, Reason.NETWORK, "HUNG_UP"),
        _certified("good", mutual=True),
        hint="It may demand a client certificate that it trusts (tls.cert and tls.key), or what ends TLS "
        "there does not reach the service behind it.",
    ),
    tls_faults.plain_text(
        asking("grpc_server", lambda server: {"url": server.url().replace("grpc:", "grpcs:")})
    ),
    Fault(
        "plain text is spoken to a port with TLS",
        (Stage.TLS, Reason.TLS, "TLS_EXPECTED"),
        asking("tls_grpc_server", lambda server: {"url": server.url().replace("grpcs:", "grpc:")}),
        hint="Write grpcs:// instead of grpc://, or use the port without TLS.",
    ),
)
