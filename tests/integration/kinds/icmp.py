"""ICMP against the loopback; broken by a host that does not exist."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.kinds import Example

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
