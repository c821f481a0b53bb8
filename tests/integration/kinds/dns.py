"""DNS against a name server of our own; broken by a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import dns.rcode
import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration.kinds import Arrangement, Example, Fault, asking
from tests.servers.nameserver import NameServer, silent_port
from tests.servers.process import free_port

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


_LATE = "Nothing came back in time: a firewall that drops packets, or a service that hangs."


def asking_for(**settings: Any) -> Arrangement:
    """Return the arrangement of a server that knows an address of shop.example."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        server: NameServer = request.getfixturevalue("name_server")
        server.records["shop.example", "A"] = ["192.0.2.7"]
        yield {"url": f"dns://{server.address}/shop.example", **settings}

    return arrange


def answering(rcode: dns.rcode.Rcode) -> Arrangement:
    """Return the arrangement of a server that fails in this way."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        server: NameServer = request.getfixturevalue("name_server")
        server.rcodes["shop.example"] = rcode
        yield {"url": f"dns://{server.address}/shop.example"}

    return arrange


@contextmanager
def _garbled(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    server: NameServer = request.getfixturevalue("name_server")
    server.garbled = True
    yield {"url": f"dns://{server.address}/shop.example"}


@contextmanager
def _silent(_: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    with silent_port() as port:
        yield {"url": f"dns://127.0.0.1:{port}/shop.example"}


def _fails(reason: Reason, code: str, stage: Stage = Stage.FUNCTION) -> tuple[Stage, Reason, str]:
    return stage, reason, code


FAULTS = (
    Fault(
        "the name does not exist",
        _fails(Reason.NOT_FOUND, "NXDOMAIN"),
        asking("name_server", lambda server: {"url": f"dns://{server.address}/shoop.example"}),
        hint="Correct its spelling, or add it to its zone.",
    ),
    Fault(
        "the name has no record of that type",
        _fails(Reason.NOT_FOUND, "NODATA"),
        asking_for(type="AAAA"),
        hint="Add the record to its zone, or ask for another type.",
    ),
    Fault(
        "the record holds another value",
        _fails(Reason.ASSERTION, "UNEXPECTED_ANSWER"),
        asking_for(expect=["192.0.2.9"]),
        hint="Correct the record, or wait for caches to forget the old one; else correct expect.",
    ),
    Fault(
        "the name server cannot find out",
        _fails(Reason.UNAVAILABLE, "SERVFAIL"),
        answering(dns.rcode.SERVFAIL),
        hint="It cannot reach the servers of that domain, or DNSSEC does not hold: look at its log.",
    ),
    Fault(
        "the name server does not answer us",
        _fails(Reason.PERMISSION, "REFUSED"),
        answering(dns.rcode.REFUSED),
        hint="It may serve other networks only, or only its own domains: ask another, or allow this machine.",
    ),
    Fault(
        "the name server cannot do this",
        _fails(Reason.PROTOCOL, "NOTIMP"),
        answering(dns.rcode.NOTIMP),
        hint="Something else may listen on that port: compare the address with the service's own.",
    ),
    Fault(
        "something else listens on the port",
        _fails(Reason.PROTOCOL, "NOT_DNS", Stage.PROTOCOL),
        _garbled,
        hint="Something else may listen on that port: compare the address with the service's own.",
    ),
    Fault(
        "the name server does not answer",
        _fails(Reason.TIMEOUT, "TIMEOUT", Stage.PROTOCOL),
        _silent,
        hint=_LATE,
        timeout=0.3,
    ),
    Fault(
        "no name server listens",
        _fails(Reason.REFUSED, "ECONNREFUSED", Stage.PROTOCOL),
        lambda _: nullcontext({"url": f"dns://127.0.0.1:{free_port()}/shop.example"}),
        hint="The machine is there: is the service running, and is the port right?",
    ),
    Fault(
        "the name server's own name does not resolve",
        _fails(Reason.DNS, "BADNAME", Stage.DNS),
        lambda _: nullcontext({"url": "dns://no..name/shop.example"}),
        hint="Check the host's spelling and this machine's name server.",
    ),
    Fault(
        "the egress policy refuses the name server",
        _fails(Reason.CONFIG, "EGRESS_DENIED", Stage.DNS),
        lambda _: nullcontext({"url": "dns://169.254.169.254/shop.example"}),
        hint="If Mooring is meant to connect there, add 169.254.169.254 to egress.allow in mooring.toml.",
    ),
)
