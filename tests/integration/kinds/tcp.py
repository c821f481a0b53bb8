"""TCP against a real server that greets: MariaDB; broken by an answer that never comes."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration.kinds import Arrangement, Example, Fault, asking, asking_played
from tests.servers.mariadb import MariaDB

DIALS = True


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's server, whose greeting names it."""
    server: MariaDB = request.getfixturevalue("mariadb")
    url = f"tcp://127.0.0.1:{server.port}"
    yield Example(
        settings={"url": url, "expect": "MariaDB"},
        broken={"url": url, "send": "no packet of MySQL\n", "expect": "no such answer"},
        port=server.port,
        sessions=server.sessions,
        server=server,
    )


_LATE = "Nothing came back in time: a firewall that drops packets, or a service that hangs."
_CUT = "The peer hung up: it may speak TLS or something else on that port, or a proxy cuts connections."
_OTHER = "Something else may listen on that port; or correct what send and expect say."


@contextmanager
def _dropping(_: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    """A port whose queue is full: the kernel drops who comes, as a firewall does."""
    with socket.socket() as listener, ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        place = listener.getsockname()
        waiting.enter_context(socket.create_connection(place))
        yield {"url": f"tcp://127.0.0.1:{place[1]}"}


def played(words: bytes, then: str, **settings: Any) -> Arrangement:
    """Return the arrangement of a server that says this to whoever connects."""
    return asking_played(
        words,
        lambda port: {"url": f"tcp://127.0.0.1:{port}", **settings},
        after=settings.get("send", "").encode(),
        then=then,
    )


def _by_nginx(**settings: Any) -> Arrangement:
    return asking("nginx", lambda server: {"url": f"tcp://127.0.0.1:{server.port}", **settings})


FAULTS = (
    Fault(
        "the answer is another",
        (Stage.FUNCTION, Reason.ASSERTION, "UNEXPECTED_ANSWER"),
        _by_nginx(send="GET / HTTP/1.0\\r\\n\\r\\n", expect="220 mail"),
        hint=_OTHER,
    ),
    Fault(
        "the greeting is another",
        (Stage.FUNCTION, Reason.ASSERTION, "UNEXPECTED_ANSWER"),
        asking("mariadb", lambda server: {"url": f"tcp://127.0.0.1:{server.port}", "expect": "220 mail"}),
        hint=_OTHER,
        timeout=0.5,
    ),
    Fault(
        "nothing is said",
        (Stage.FUNCTION, Reason.TIMEOUT, "TIMEOUT"),
        _by_nginx(expect="220"),
        hint=_LATE,
        timeout=0.3,
    ),
    Fault(
        "the connection ends before the answer is whole (played)",
        (Stage.FUNCTION, Reason.ASSERTION, "UNEXPECTED_ANSWER"),
        played(b"22", "close", expect="220"),
        hint=_OTHER,
    ),
    Fault(
        "the connection is reset (played)",
        (Stage.FUNCTION, Reason.NETWORK, "ECONNRESET"),
        played(b"", "reset", send="HELO", expect="220"),
        hint=_CUT,
    ),
    Fault(
        "a firewall drops what we send",
        (Stage.TCP, Reason.TIMEOUT, "TIMEOUT"),
        _dropping,
        hint=_LATE,
        timeout=0.3,
    ),
    Fault(
        "the egress policy refuses the address",
        (Stage.DNS, Reason.CONFIG, "EGRESS_DENIED"),
        lambda _: nullcontext({"url": "tcp://169.254.169.254:80"}),
        hint="If Mooring is meant to connect there, add 169.254.169.254 to egress.allow in mooring.toml.",
    ),
)
