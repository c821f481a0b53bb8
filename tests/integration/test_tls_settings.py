"""TLS settings against real servers: whom we trust, who we are, and what a refusal means."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvloop

from mooring.core.failure import CheckError
from mooring.core.reason import Reason
from mooring.core.stage import Stage, StageStatus
from mooring.net.certificate import read
from mooring.net.dial import dial
from mooring.net.faults import cause_of
from mooring.net.handshake import explain
from mooring.net.network import Network
from mooring.net.tls import UNVERIFIED, TLSContexts, TLSSettings
from mooring.net.trail import Trail
from mooring.testing.leaks import no_leaks
from tests.servers.nginx import Nginx
from tests.servers.openssl import StartOpenSSL
from tests.servers.played import playing
from tests.servers.process import binary
from tests.servers.tls import Certificate, Certificates

pytestmark = pytest.mark.integration
BOTH_LOOPS = pytest.mark.parametrize(
    "loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)


@asynccontextmanager
async def tls_server(certificate: Certificate, **changes: object) -> AsyncIterator[int]:
    """Listen with a certificate; `changes` are set on the server's SSL context. Yields the port."""
    context = certificate.server_context()
    for name, value in changes.items():
        setattr(context, name, value)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))

    async with playing(answer, tls=context) as port:
        yield port


async def refusal(
    port: int, settings: TLSSettings, host: str = "localhost"
) -> tuple[Reason, str | None, str]:
    """Return the reason, code and message with which a handshake fails."""
    async with Network() as net:
        with pytest.raises((ssl.SSLError, OSError, CheckError)) as caught:
            async with await dial(Trail(net, timeout=5), host, port, settings):
                pass
        error = caught.value
        cause = error.cause if isinstance(error, CheckError) else cause_of(error)
    assert cause is not None
    return cause.reason, cause.code, cause.message or ""


async def handshake(port: int, settings: TLSSettings, host: str = "localhost") -> Trail:
    """Connect once; return the trail of a handshake that succeeded."""
    async with Network() as net:
        trail = Trail(net, timeout=5)
        async with await dial(trail, host, port, settings):
            return trail


# Whom we trust


async def test_trusted_certificate_is_taken(certificates: Certificates) -> None:
    """With its authority as `ca` the handshake succeeds and says what it was."""
    async with tls_server(certificates.good) as port, Network() as net:
        trail = Trail(net, timeout=5)
        async with await dial(trail, "localhost", port, TLSSettings(ca=certificates.ca)) as stream:
            await stream.ask(b"hello")
            assert await stream.reader.read(100) == b"hello"
            assert stream.tls is not None
            assert stream.tls.fingerprint == certificates.good.pin
    assert [(r.stage, r.status) for r in trail.results] == [
        (Stage.DNS, StageStatus.PASSED),
        (Stage.TCP, StageStatus.PASSED),
        (Stage.TLS, StageStatus.PASSED),
    ]
    assert trail.notes["tls_version"] == "TLSv1.3"
    assert trail.warnings == []


@BOTH_LOOPS
def test_wrong_certificates_are_told_apart(
    certificates: Certificates, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """Each says what is wrong with it and what it says of itself, on both loops, by one connection."""
    day = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    issuer = read(ssl.PEM_cert_to_DER_cert(Path(certificates.unknown_ca).read_text()))
    assert issuer is not None
    names, untrusted = (
        "localhost, 127.0.0.1, ::1",
        "the certificate is of another issuer than those of tls.ca",
    )
    tomorrow, pin = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}", certificates.self_signed.pin
    mistakes = [
        (
            "expired",
            "localhost",
            "CERT_EXPIRED",
            f"the certificate expired on {day}, 1 day ago; it is for {names}",
        ),
        (
            "wrong_host",
            "localhost",
            "CERT_HOST_MISMATCH",
            "host name mismatch, certificate is not valid for 'localhost'; it is for other.example",
        ),
        (
            "wrong_host",
            "127.0.0.1",
            "CERT_HOST_MISMATCH",
            "IP address mismatch, certificate is not valid for '127.0.0.1'; it is for other.example",
        ),
        (
            "unknown",
            "localhost",
            "CERT_UNKNOWN_ISSUER",
            f"{untrusted}; its issuer is {issuer.subject}",
        ),
        (
            "of_expired_issuer",
            "localhost",
            "CERT_EXPIRED",
            f"the certificate of its issuer, expired-issuer, expired on {day}",
        ),
        (
            "self_signed",
            "localhost",
            "CERT_SELF_SIGNED",
            f"the certificate is self-signed and not trusted here; it is for localhost, its SHA-256 is {pin}",
        ),
        (
            "not_yet",
            "localhost",
            "CERT_NOT_YET_VALID",
            f"the certificate is not valid yet; it begins on {tomorrow}",
        ),
        (
            "with_root",
            "localhost",
            "CERT_UNKNOWN_ISSUER",
            f"{untrusted}; its issuer is {issuer.subject}",
        ),
    ]

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the server's broken handshakes
        for name, host, code, message in mistakes:
            async with tls_server(getattr(certificates, name)) as port:
                told = await refusal(port, TLSSettings(ca=certificates.ca), host)
                assert told == (Reason.TLS, code, message)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


def test_driver_that_blocks_is_told_the_same(nginx: Nginx, certificates: Certificates) -> None:
    """A handshake in a thread, by a context for an address that we dialled, says as much."""
    context = TLSContexts().named(TLSSettings(ca=certificates.ca), "other.example")
    with (
        socket.create_connection(("127.0.0.1", nginx.tls_port)) as sock,
        pytest.raises(ssl.SSLCertVerificationError) as caught,
    ):
        context.wrap_socket(sock)
    assert explain(caught.value).message == (
        "host name mismatch, certificate is not valid for 'other.example'; "
        "it is for localhost, 127.0.0.1, ::1"
    )


def test_error_without_certificates_is_still_told() -> None:
    """Where nobody left what the peer showed, the verdict alone is told; unknown ones in OpenSSL's words."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = 10, "certificate has expired"
    assert explain(error).message == "the certificate has expired"
    error.verify_code, error.verify_message = 23, "certificate revoked"
    cause = explain(error)
    assert (cause.code, cause.message) == ("CERT_INVALID", "certificate revoked")


async def test_self_signed_certificate_can_be_trusted(certificates: Certificates) -> None:
    """A certificate that signed itself is trusted where `ca` is that certificate."""
    made = certificates.self_signed
    async with tls_server(made) as port:
        assert (await handshake(port, TLSSettings(ca=made.cert))).warnings == []


async def test_server_name_stands_in_for_the_host(certificates: Certificates) -> None:
    """With `server_name` the certificate is judged by that name, whatever host was dialled."""
    named = TLSSettings(ca=certificates.ca, server_name="other.example")
    async with tls_server(certificates.wrong_host) as port:
        assert (await handshake(port, named, "127.0.0.1")).warnings == []


async def test_chain_alone_can_be_verified(certificates: Certificates) -> None:
    """With verify = "ca" a check takes another host's certificate, and still no unknown or expired one."""
    chain = TLSSettings(ca=certificates.ca, verify="ca")
    async with tls_server(certificates.wrong_host) as port:
        assert (await handshake(port, chain)).warnings == []
    async with tls_server(certificates.unknown) as port:
        assert (await refusal(port, chain))[1] == "CERT_UNKNOWN_ISSUER"
    async with tls_server(certificates.expired) as port:
        assert (await refusal(port, chain))[1] == "CERT_EXPIRED"


async def test_verification_that_is_off_leaves_a_standing_warning(certificates: Certificates) -> None:
    """With verify = false a check takes anything, and says so every time."""
    async with tls_server(certificates.unknown) as port:
        for _ in range(2):
            trail = await handshake(port, TLSSettings(verify=False))
            assert trail.warnings == [UNVERIFIED]
            assert (trail.results[-1].stage, trail.results[-1].status) == (Stage.TLS, StageStatus.WARNING)


async def test_pin_is_trusted_for_itself(certificates: Certificates) -> None:
    """The pinned certificate is taken whoever signed it; any other is refused with its own fingerprint."""
    pin = certificates.unknown.pin
    spelled = ":".join(pin.upper()[at : at + 2] for at in range(0, len(pin), 2))
    async with tls_server(certificates.unknown) as port:
        for text in (pin, f"sha256:{pin}", spelled):
            assert (await handshake(port, TLSSettings(pin=text))).warnings == []
    async with tls_server(certificates.good) as port:
        reason, code, message = await refusal(port, TLSSettings(pin=pin))
        assert (reason, code) == (Reason.TLS, "PIN_MISMATCH")
        assert message == f"the certificate is not the pinned one: its SHA-256 is {certificates.good.pin}"


async def test_certificate_that_expires_soon_warns(certificates: Certificates) -> None:
    """With five days left every kind warns at its tls stage."""
    async with tls_server(certificates.expiring) as port:
        trail = await handshake(port, TLSSettings(ca=certificates.ca))
    day = datetime.now(UTC) + timedelta(days=5, hours=1)
    assert trail.warnings[0].startswith(f"the certificate expires in 5 days, on {day:%Y-%m}")
    assert trail.results[-1].status is StageStatus.WARNING


# What else a handshake can meet


async def test_server_that_speaks_plain_text_is_told() -> None:
    """TLS against a port that answers in plain text says so."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")

    async with playing(greet) as port:
        told = await refusal(port, TLSSettings())
    assert told == (Reason.TLS, "PLAIN_TEXT", "the server answers in plain text, not TLS")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_client_certificate_is_demanded(
    start_openssl: StartOpenSSL, certificates: Certificates, version: str
) -> None:
    """A server that wants to know us is told as such, and takes ours where it trusts it."""
    trusted = TLSSettings(ca=certificates.ca)
    stranger, ours = certificates.unknown_client, certificates.client

    async def hear(port: int, settings: TLSSettings) -> None:
        async with Network() as net, asyncio.timeout(5):
            stream = await dial(Trail(net, timeout=5), "localhost", port, settings)
            async with stream:
                await stream.ask(b"hello\n")
                await stream.reader.read(1)  # in TLS 1.3 the refusal comes after the handshake

    with start_openssl(certificates.good, "-rev", client_ca=certificates.ca, version=version) as port:
        strange = replace(trusted, cert=stranger.cert, key=stranger.key)
        for settings, code in ((trusted, "CLIENT_CERT_REQUIRED"), (strange, "CLIENT_CERT_REFUSED")):
            with pytest.raises(ssl.SSLError) as caught:
                await hear(port, settings)
            cause = cause_of(caught.value)
            assert cause is not None
            assert (cause.reason, cause.code) == (Reason.TLS, code)
            assert "tls.cert" in (cause.hint or "")
        await hear(port, replace(trusted, cert=ours.cert, key=ours.key))


# Contexts


def test_contexts_are_shared_and_follow_their_files(certificates: Certificates, tmp_path: Path) -> None:
    """The same settings share a context; a file that changes is read again; names do not matter."""
    contexts = TLSContexts()
    bundle = tmp_path / "ca.pem"
    bundle.write_text(Path(certificates.ca).read_text())
    settings = TLSSettings(ca=str(bundle))
    first = contexts.get(settings)
    assert contexts.get(replace(settings, server_name="other")) is first
    assert contexts.get(settings, alpn=("h2",)) is not first
    assert contexts.get(replace(settings, verify=False)) is not first
    fresh = tmp_path / "new.pem"
    fresh.write_text(Path(certificates.unknown_ca).read_text())
    fresh.replace(bundle)
    second = contexts.get(settings)
    assert second is not first
    assert second.get_ca_certs() != first.get_ca_certs()
    assert contexts.get(settings) is second


def test_contexts_do_not_pile_up(tmp_path: Path, certificates: Certificates) -> None:
    """A thousand different settings do not keep a thousand contexts."""
    contexts = TLSContexts()
    text = Path(certificates.ca).read_text()
    for number in range(300):
        path = tmp_path / f"{number}.pem"
        path.write_text(text)
        contexts.get(TLSSettings(ca=str(path)))
    assert len(contexts._made) == 200


def test_unusable_files_are_named(certificates: Certificates, tmp_path: Path) -> None:
    """A file that is missing, no PEM, a folder, of another key or locked by a password is named."""
    good, other = certificates.good, certificates.client
    noise = tmp_path / "noise.pem"
    noise.write_text("no PEM")
    locked = tmp_path / "locked.key"
    command = [binary("openssl", "openssl"), "pkey", "-in", good.key, "-aes256", "-passout", "pass:x"]
    locked.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    mistakes = [
        (TLSSettings(ca=str(tmp_path / "none.pem")), "tls.ca", "TLS_FILE_MISSING"),
        (TLSSettings(ca=str(noise)), "tls.ca", "TLS_FILE_INVALID"),
        (TLSSettings(ca=str(tmp_path)), "tls.ca", "TLS_FILE_INVALID"),
        (TLSSettings(cert=str(tmp_path / "none.pem")), "tls.cert", "TLS_FILE_MISSING"),
        (TLSSettings(cert=good.cert, key=other.key), "tls.cert", "TLS_FILE_INVALID"),
        (TLSSettings(cert=good.cert, key=str(locked)), "tls.cert", "TLS_FILE_INVALID"),
    ]
    for settings, field, code in mistakes:
        with pytest.raises(CheckError) as caught:
            TLSContexts().get(settings)
        assert (caught.value.cause.reason, caught.value.cause.code) == (Reason.CONFIG, code)
        assert str(caught.value).startswith(f"{field}: ")


@BOTH_LOOPS
@pytest.mark.parametrize("late", [False, True], ids=["at once", "by start_tls"])
def test_named_context_checks_the_given_name(
    certificates: Certificates, loop: Callable[[], asyncio.AbstractEventLoop], late: bool
) -> None:
    """A driver that dials an address verifies the name it was given, on both loops and both ways."""

    async def connect(port: int, name: str) -> None:
        context = TLSContexts().named(TLSSettings(ca=certificates.ca), name)
        if late:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await writer.start_tls(context, server_hostname="127.0.0.1")
            finally:
                writer.transport.abort()
        else:
            _, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=context, server_hostname="127.0.0.1"
            )
            writer.transport.abort()

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the server's broken handshakes
        async with tls_server(certificates.wrong_host) as port:
            await connect(port, "other.example")
            for name in ("localhost", "127.0.0.1", "another.example"):
                with pytest.raises(ssl.SSLCertVerificationError) as caught:
                    await connect(port, name)
                assert caught.value.verify_code in (62, 64)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


@BOTH_LOOPS
def test_handshake_that_stalls_leaves_nothing(
    loop: Callable[[], asyncio.AbstractEventLoop], nginx: Nginx
) -> None:
    """A deadline inside the tls stage names it and leaves no descriptor or task, on both loops."""

    async def main() -> None:
        async with Network() as net:
            await stall(net)  # what is made once and kept, by us and by the loop
            async with no_leaks():
                await stall(net)
            async with no_leaks():
                for _ in range(20):
                    trail = Trail(net, timeout=5)
                    stream = await dial(trail, "localhost", nginx.tls_port, TLSSettings(verify=False))
                    stream.drop()

    async def stall(net: Network) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts, nobody answers
            trail = Trail(net, timeout=0.1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await dial(trail, "localhost", silent.getsockname()[1], TLSSettings(verify=False))
        assert trail.failed is Stage.TLS

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())
