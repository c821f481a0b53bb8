"""Dialling in stages, and what each failure means."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import uvloop

from mooring.core.failure import CheckError
from mooring.core.reason import Reason
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.net.dial import Stream, dial, reach
from mooring.net.faults import cause_of
from mooring.net.network import Network
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.testing.faults import BlackHole, Refuse, fault_proxy
from mooring.testing.leaks import no_leaks
from tests.servers.nameserver import NameServer
from tests.servers.played import saying

pytestmark = pytest.mark.integration
BOTH_LOOPS = pytest.mark.parametrize(
    "loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)


@contextmanager
def listening(host: str = "127.0.0.1") -> Iterator[int]:
    """A port that the kernel accepts on."""
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as server:
        yield server.getsockname()[1]


@BOTH_LOOPS
def test_dead_address_gives_way_to_the_living(
    loop: Callable[[], asyncio.AbstractEventLoop], name_server: NameServer
) -> None:
    """Where ::1 refuses and 127.0.0.1 accepts the connection stands, and details tell which it was."""
    name_server.records["both.example", "A"] = ["127.0.0.1"]
    name_server.records["both.example", "AAAA"] = ["::1"]

    async def main(port: int) -> None:
        async with Network(nameservers=(name_server.address,)) as net:
            assert set(await net.addresses("both.example")) == {"::1", "127.0.0.1"}
            (await dial(Trail(net, timeout=5), "both.example", port)).drop()  # what a loop makes once
            async with no_leaks():
                trail = Trail(net, timeout=5)
                async with await dial(trail, "both.example", port) as stream:
                    assert stream.address == "127.0.0.1"
            assert trail.notes == {"address": f"127.0.0.1:{port}"}
            assert [result.stage for result in trail.results] == [Stage.DNS, Stage.TCP]

    with listening() as port, asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main(port))


async def test_dropping_address_gives_way_to_the_living(name_server: NameServer) -> None:
    """An address that answers nothing is passed over after a quarter of a second."""
    name_server.records["both.example", "A"] = ["127.0.0.1", "127.0.0.2"]
    async with fault_proxy(1, BlackHole()) as dead, Network(nameservers=(name_server.address,)) as net:
        with socket.create_server(("127.0.0.2", dead.port)):
            stream = await dial(Trail(net, timeout=5), "both.example", dead.port)
            stream.drop()
    assert stream.address == "127.0.0.2"


async def test_reached_address_is_the_one_that_answered(name_server: NameServer) -> None:
    """A driver is pointed at the address that answered, and what found it out has hung up."""
    name_server.records["both.example", "A"] = ["127.0.0.1"]
    name_server.records["both.example", "AAAA"] = ["::1"]
    with listening() as port:
        async with Network(nameservers=(name_server.address,)) as net:
            trail = Trail(net, timeout=5)
            await reach(trail, "both.example", port)  # what a loop makes once
            async with no_leaks():
                assert await reach(trail, "both.example", port) == "127.0.0.1"


async def test_ipv6_address_is_noted_in_brackets() -> None:
    """The details show an IPv6 address as people write it."""
    with listening("::1") as port:
        async with Network() as net:
            trail = Trail(net, timeout=5)
            async with await dial(trail, "::1", port):
                assert trail.notes == {"address": f"[::1]:{port}"}


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["::1"], ["::1", "127.0.0.1"]])
async def test_refused_port_is_refused_at_every_address(addresses: list[str], refusing_port: int) -> None:
    """One or several addresses that refuse are told as refused."""
    async with Network() as net:
        with pytest.raises(OSError) as caught:
            await net.connect(addresses, refusing_port)
    cause = cause_of(caught.value)
    assert cause is not None
    assert (cause.reason, cause.code) == (Reason.REFUSED, "ECONNREFUSED")
    assert cause.message == "the connection was refused: nothing listens there"


@pytest.mark.parametrize("order", [1, -1])
async def test_address_that_answers_tells_more_than_one_without_a_route(
    order: int, refusing_port: int
) -> None:
    """An IPv6 address without a route beside an IPv4 one that refuses is refused, in any order."""
    async with Network() as net:
        with pytest.raises(ConnectionRefusedError):
            await net.connect(["ff02::1%lo", "127.0.0.1"][::order], refusing_port)


async def test_unknown_zone_is_our_mistake() -> None:
    """A zone that is no interface of this machine is told as such."""
    async with Network() as net:
        with pytest.raises(CheckError) as caught:
            await net.connect(["fe80::1%nope0"], 1)
    assert (caught.value.cause.reason, caught.value.cause.code) == (Reason.CONFIG, "NO_INTERFACE")
    assert str(caught.value) == "this machine has no network interface 'nope0'"


async def test_refused_port_fails_at_tcp() -> None:
    """The stage that fails is named, and those before it have passed."""
    async with Network() as net, fault_proxy(1, Refuse()) as proxy:
        trail = Trail(net, timeout=5)
        with pytest.raises(ConnectionRefusedError):
            await dial(trail, "localhost", proxy.port)
    assert trail.failed is Stage.TCP
    assert [(result.stage, result.status) for result in trail.results] == [
        (Stage.DNS, StageStatus.PASSED),
        (Stage.TCP, StageStatus.FAILED),
    ]


@BOTH_LOOPS
def test_deadline_in_tcp_leaves_nothing(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """A SYN that nobody answers is given up at the deadline, without a socket left, on both loops."""

    async def main() -> None:
        async with fault_proxy(1, BlackHole()) as proxy, Network() as net, no_leaks():
            trail = Trail(net, timeout=0.1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await dial(trail, "127.0.0.1", proxy.port)
            assert trail.failed is Stage.TCP

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


async def test_stream_over_a_socket_that_is_gone_leaves_nothing() -> None:
    """A connection that ends between connecting and reading is an error, and its socket is closed."""
    async with no_leaks():
        sock = socket.socket()
        sock.setblocking(False)
        with pytest.raises(OSError) as caught:
            await Stream.over(sock)
        assert caught.value.errno == errno.ENOTCONN


# What standard errors mean


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (TimeoutError(), Reason.TIMEOUT, "TIMEOUT"),
        (TimeoutError(errno.ETIMEDOUT, "timed out"), Reason.TIMEOUT, "ETIMEDOUT"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), Reason.REFUSED, "ECONNREFUSED"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), Reason.NETWORK, "ECONNRESET"),
        (ConnectionResetError(), Reason.NETWORK, "CONNECTION_LOST"),
        (BrokenPipeError(errno.EPIPE, "pipe"), Reason.NETWORK, "EPIPE"),
        (PermissionError(errno.EACCES, "prohibited"), Reason.NETWORK, "EACCES"),
        (OSError(errno.EHOSTUNREACH, "no route"), Reason.NETWORK, "EHOSTUNREACH"),
        (OSError(errno.ENETUNREACH, "no net"), Reason.NETWORK, "ENETUNREACH"),
        (OSError(errno.EMFILE, "too many"), Reason.INTERNAL, "EMFILE"),
        (OSError(errno.EBADMSG, "odd"), Reason.NETWORK, "EBADMSG"),
        (asyncio.IncompleteReadError(b"", 4), Reason.NETWORK, "EOF"),
        (EOFError(), Reason.NETWORK, "EOF"),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), Reason.DNS, "NXDOMAIN"),
        (socket.gaierror(socket.EAI_AGAIN, "later"), Reason.DNS, "TIMEOUT"),
        (ssl.SSLEOFError(8, "EOF occurred"), Reason.NETWORK, "HANDSHAKE_CUT"),
        (ssl.SSLError(1, "odd"), Reason.TLS, "TLS"),
    ],
)
def test_standard_error_has_its_reason(error: Exception, reason: Reason, code: str) -> None:
    """All of them are told apart, though gaierror, SSLError and TimeoutError are OSError too."""
    cause = cause_of(error)
    assert cause is not None
    assert (cause.reason, cause.code) == (reason, code)


@pytest.mark.parametrize("error", [ValueError("x"), OSError("without a number"), KeyError("x")])
def test_other_errors_are_left_to_others(error: Exception) -> None:
    """What the standard library does not explain is no standard error."""
    assert cause_of(error) is None


# The trail


async def test_trail_tells_stages_as_they_begin_and_end() -> None:
    """Each stage is told when it begins and once it ends, and the first that fails is remembered."""
    told: list[Stage | StageResult] = []
    async with Network() as net:
        trail = Trail(net, timeout=5, on_stage=told.append)
        async with trail.stage("dns"):
            assert trail.running is Stage.DNS
        with pytest.raises(KeyError):
            async with trail.stage(Stage.TCP):
                raise KeyError
        with pytest.raises(ValueError, match="late"):
            async with trail.stage(Stage.TLS):
                raise ValueError("late")
    assert [each if isinstance(each, Stage) else each[:2] for each in told] == [
        Stage.DNS,
        (Stage.DNS, StageStatus.PASSED),
        Stage.TCP,
        (Stage.TCP, StageStatus.FAILED),
        Stage.TLS,
        (Stage.TLS, StageStatus.FAILED),
    ]
    assert all(each.seconds is not None for each in told if isinstance(each, StageResult))
    assert (trail.failed, trail.running) == (Stage.TCP, None)


async def test_warning_stays_on_its_stage() -> None:
    """A stage that is warned about while it runs, or afterwards, ends as a warning; a failure beats it."""
    async with Network() as net:
        trail = Trail(net, timeout=5)
        async with trail.stage(Stage.TLS):
            trail.warn("old", Stage.TLS)
        async with trail.stage(Stage.AUTH):
            pass
        trail.warn("weak", Stage.AUTH)
        trail.warn("weak", Stage.AUTH)
        span = trail.stage(Stage.FUNCTION)
        await span.__aenter__()
        trail.warn("slow", Stage.FUNCTION)
        await span.__aexit__(KeyError, KeyError(), None)
    assert [result.status for result in trail.results] == [
        StageStatus.WARNING,
        StageStatus.WARNING,
        StageStatus.FAILED,
    ]
    assert trail.warnings == ["old", "weak", "slow"]


@BOTH_LOOPS
def test_what_was_said_before_the_handshake_is_not_read_as_encrypted(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Whoever stands in between could put answers behind a consent to TLS (CVE-2011-0411)."""

    async def main(port: int) -> None:
        async with Network() as net:
            trail = Trail(net, timeout=5)
            async with await dial(trail, "127.0.0.1", port) as stream:
                assert await stream.reader.readexactly(3) == b"OK;"
                with pytest.raises(CheckError) as caught:
                    await stream.start_tls(trail, TLSSettings(), "127.0.0.1")
        cause = caught.value.cause
        assert (cause.reason, cause.code) == (Reason.TLS, "SAID_BEFORE_TLS")

    with saying(b"OK;and what is put behind it") as port, asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main(port))
