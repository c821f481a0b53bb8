"""What a second connection tells of first words that get no answer."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import uvloop

from mooring.core.failure import CheckError
from mooring.core.reason import Reason
from mooring.core.stage import Stage, StageStatus
from mooring.net.aside import first_words, use
from mooring.net.dial import dial
from mooring.net.faults import cause_of
from mooring.net.inquiry import ASIDE, is_unanswered
from mooring.net.network import Network
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from tests.servers.openssl import StartOpenSSL
from tests.servers.played import patient
from tests.servers.tls import Certificates

pytestmark = pytest.mark.integration
BOTH_LOOPS = pytest.mark.parametrize(
    "loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
Loop = Callable[[], asyncio.AbstractEventLoop]


async def _asked(trail: Trail, port: int, tls: TLSSettings | None = None) -> None:
    """Say first words and wait for an answer."""
    async with await dial(trail, "localhost", port, tls) as stream:
        words = first_words(trail, stream, "localhost", tls, use("talks", "talk"))
        async with words, trail.stage(Stage.PROTOCOL):
            await stream.ask(b"hello\r\n")
            await stream.reader.readexactly(1)


def _run(loop: Loop, port: int, tls: TLSSettings | None = None) -> tuple[Exception, Trail]:
    """Return how it fails, and the trail."""

    async def main() -> tuple[Exception, Trail]:
        async with Network() as net:
            trail = Trail(net, timeout=5)
            with pytest.raises(Exception) as caught:
                await _asked(trail, port, tls)
            return caught.value, trail

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(main())


@contextmanager
def _playing(*played: Callable[[bytes], bytes | None]) -> Iterator[int]:
    """Yield the port of a server that answers each client in turn, and hangs up; None: it only listens."""
    over = threading.Event()

    def serve() -> None:
        for answer in played:
            client, _ = listener.accept()
            with client:
                words = answer(client.recv(4096))
                if words is None:
                    over.wait()
                else:
                    client.sendall(words)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        thread.join(1)


@BOTH_LOOPS
def test_port_that_speaks_tls(loop: Loop, start_openssl: StartOpenSSL, certificates: Certificates) -> None:
    """Plain text that a TLS server hangs up on is a failure of the stage tls, and of no other."""
    with start_openssl(certificates.good) as port:
        error, trail = _run(loop, port)
    assert isinstance(error, CheckError)
    assert (error.cause.code, str(error.cause.hint)) == (
        "TLS_EXPECTED",
        "Write talks:// instead of talk://, or use the port without TLS.",
    )
    assert [(each.stage, each.status) for each in trail.results] == [
        (Stage.DNS, StageStatus.PASSED),
        (Stage.TCP, StageStatus.PASSED),
        (Stage.TLS, StageStatus.FAILED),
    ]


@BOTH_LOOPS
def test_certificate_refused_late(
    loop: Loop, start_openssl: StartOpenSSL, certificates: Certificates
) -> None:
    """A server that wants a certificate of us, which TLS 1.3 says after the handshake, is understood."""
    with start_openssl(certificates.good, client_ca=certificates.ca) as port:
        error, trail = _run(loop, port, TLSSettings(ca=certificates.ca))
    assert isinstance(error, ssl.SSLError)
    assert error.reason == "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    assert (trail.failed, Stage.PROTOCOL in trail.stages) == (Stage.TLS, False)


@BOTH_LOOPS
def test_echo_is_no_tls(loop: Loop) -> None:
    """What comes back of our own handshake proves nothing: the peer just hung up."""
    with _playing(lambda _: b"", lambda heard: heard) as port:
        error, trail = _run(loop, port)
    assert isinstance(error, EOFError | ConnectionError)
    assert trail.failed is Stage.PROTOCOL


def test_silence_aside_is_not_waited_for() -> None:
    """A second connection that nobody answers costs a check half a second at most."""
    with _playing(lambda _: b"", lambda _: None) as port:
        error, trail = _run(asyncio.new_event_loop, port)
        left = trail.remaining
    assert isinstance(error, EOFError | ConnectionError)
    assert left > 5 - ASIDE - 2


@BOTH_LOOPS
def test_port_that_shakes_no_hands_and_answers_plain_text(loop: Loop) -> None:
    """A peer that waits for more of a handshake is asked in plain text, and told as one without TLS."""

    async def main() -> Exception:
        async with Network() as net:
            with pytest.raises(ssl.SSLError) as caught:
                await dial(Trail(net, timeout=1), "localhost", port, TLSSettings(), plain=b"hello\r\n")
            return caught.value

    with (
        patient(b"hello yourself\r\n", after=b"hello\r\n") as port,
        asyncio.Runner(loop_factory=loop) as runner,
    ):
        told = cause_of(runner.run(main()))
    assert told is not None
    assert (told.reason, told.code) == (Reason.TLS, "PLAIN_TEXT")


@pytest.mark.parametrize(
    "answer",
    [b"", b"\x15\x03\x03\x00\x02\x02\x46", b"HTTP/1.1 400 Bad Request\r\n\r\n"],
    ids=["nothing", "alert", "plain HTTP on a port with TLS"],
)
async def test_answer_that_proves_no_plain_text(answer: bytes) -> None:
    """What a port with TLS answers to plain text does not make a handshake that was cut its lack."""
    with _playing(lambda _: b"", lambda _: answer) as port:
        async with Network() as net:
            with pytest.raises((CheckError, ssl.SSLError)) as caught:
                await dial(Trail(net, timeout=5), "127.0.0.1", port, TLSSettings(), plain=b"hello\r\n")
    assert is_unanswered(caught.value)
