"""ICMP against the loopback; broken by a host that does not exist."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration.kinds import Example, Fault
from tests.servers.namespaces import THERE, Namespaces
from tests.servers.process import somebody_else

DIALS = False


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """Two pings to this machine."""
    demand_pings()
    yield Example(
        settings={"url": "icmp://127.0.0.1", "count": 2, "pause": 0.01},
        broken={"url": "icmp://no..name"},
    )


def demand_pings() -> None:
    """Skip the test where this process may not send pings."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP).close()
        except PermissionError:
            continue
        return
    pytest.skip("this process may not send pings: net.ipv4.ping_group_range leaves its group out")


@contextmanager
def _dropped(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    namespaces: Namespaces = request.getfixturevalue("namespaces")
    namespaces.rule("icmp type echo-request drop")
    with namespaces.inside():
        yield {"url": f"icmp://{THERE}", "count": 2, "pause": 0.01}


@contextmanager
def _unreachable(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    namespaces: Namespaces = request.getfixturevalue("namespaces")
    namespaces.route("add", "unreachable", "10.99.0.1")
    try:
        with namespaces.inside():
            yield {"url": "icmp://10.99.0.1"}
    finally:
        namespaces.route("del", "unreachable", "10.99.0.1")


@contextmanager
def _powerless(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    namespaces: Namespaces = request.getfixturevalue("namespaces")
    namespaces.pings("1 0")
    with namespaces.inside(), somebody_else():
        yield {"url": f"icmp://{THERE}"}


FAULTS = (
    Fault(
        "the name does not resolve",
        (Stage.DNS, Reason.DNS, "BADNAME"),
        lambda _: nullcontext({"url": "icmp://no..name"}),
        hint="Check the host's spelling and this machine's name server.",
    ),
    Fault(
        "the egress policy refuses the address",
        (Stage.DNS, Reason.CONFIG, "EGRESS_DENIED"),
        lambda _: nullcontext({"url": "icmp://169.254.169.254"}),
        hint="If Mooring is meant to connect there, add 169.254.169.254 to egress.allow in mooring.toml.",
    ),
    Fault(
        "the host does not answer, or a firewall drops pings",
        (Stage.PROTOCOL, Reason.TIMEOUT, "NO_REPLY"),
        _dropped,
        hint="The host is down, or a firewall drops pings: try a kind that uses a port of it.",
        timeout=0.3,
    ),
    Fault(
        "no route leads to the host",
        (Stage.PROTOCOL, Reason.NETWORK, "EHOSTUNREACH"),
        _unreachable,
        hint="Check the way there: routes, firewalls, and whatever stands in between.",
    ),
    Fault(
        "Mooring may not send pings",
        (Stage.PROTOCOL, Reason.DRIVER, "ICMP_NOT_PERMITTED"),
        _powerless,
        hint="Let every group of this machine send pings, or give the program CAP_NET_RAW.",
        fix='sysctl -w net.ipv4.ping_group_range="0 2147483647"',
    ),
)
