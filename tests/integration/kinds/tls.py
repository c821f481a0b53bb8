"""TLS against nginx and openssl; broken by trusting nobody that it was signed by."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration.kinds import Arrangement, Example, Fault, asking
from tests.integration.over_tls import Ours, another_pin, asking_over_tls, certified, stranger, trusted
from tests.servers.nginx import Nginx
from tests.servers.openssl import StartOpenSSL
from tests.servers.tls import Certificate, Certificates

DIALS = True
_RENEW = "Renew the server's certificate."
_ISSUER = (
    "tls.ca did not issue it: set tls.ca to the certificate of the issuer that is named here, or have the "
    "server send its whole chain."
)
_NAME = "Use a host name that the certificate carries, or set tls.server_name."
_PLAIN = "Leave TLS out, or use the port where the server speaks it."
_OURS = "Set tls.cert and tls.key to a certificate that the server accepts."
_VERSIONS = "Let the server offer TLS 1.2 or 1.3: its configuration names the versions."
_PIN = "If the certificate was renewed on purpose, set tls.pin to the new SHA-256."
_LONG_KEY = "Give the server a certificate with a longer key: RSA of 2048 bits, or an elliptic curve of 256."
_NO_CIPHER = (
    "It accepts none of our ciphers: let it offer some of TLS 1.3, or of TLS 1.2 with ECDHE. "
    "Or it knows no host of that name: compare tls.server_name."
)
_DH_1024 = """\
-----BEGIN DH PARAMETERS-----
MIGHAoGBAPK3cej8ogb9RePuMBLtYRzQaUONl7qs8yhW6H7GN++4QB2cR1VnBngf
g505qkkYFKVKNuDk8YVIXWADzFMgM/ltjG6sWEE202SdMrUwmeA0zi9fxyWDr0xm
tqxUg1KjYPlHxVTYtBX8B8mRmTyOR0MPNCwmbV0dT5UBzY62fCnHAgEC
-----END DH PARAMETERS-----
"""
_ANYTHING = ("-cipher", "ALL:@SECLEVEL=0")
"""What makes openssl offer what nobody should."""


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's server, whose certificate our own authority signed."""
    server: Nginx = request.getfixturevalue("nginx")
    certificates: Certificates = request.getfixturevalue("certificates")
    url = f"tls://127.0.0.1:{server.tls_port}"
    yield Example(
        settings={"url": url, "tls": {"ca": certificates.ca}},
        broken={"url": url, "tls": {"ca": certificates.unknown_ca}},
        port=server.tls_port,
        sessions=server.sessions,
        server=server,
    )


Chosen = Callable[[Certificates], Certificate]


def serving(
    *options: str,
    certificate: Chosen = lambda certificates: certificates.good,
    ours: Ours = trusted,
    demanding: bool = False,
    version: str = "-tls1_3",
) -> Arrangement:
    """Return the arrangement of an `openssl s_server` with a certificate, and what is set for us."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        certificates: Certificates = request.getfixturevalue("certificates")
        start: StartOpenSSL = request.getfixturevalue("start_openssl")
        ca = certificates.ca if demanding else None
        with start(certificate(certificates), *options, client_ca=ca, version=version) as port:
            yield {"url": f"tls://localhost:{port}", "tls": ours(certificates)}

    return arrange


def _by_name(server: Nginx) -> Mapping[str, Any]:
    return {"url": f"tls://localhost:{server.tls_port}"}


def asking_with(ours: Ours) -> Arrangement:
    """Return the arrangement of a good nginx that is asked with these settings."""
    return asking_over_tls("nginx", _by_name, ours)


def _told(code: str) -> tuple[Stage, Reason, str]:
    return Stage.TLS, Reason.TLS, code


def _outdated(certificates: Certificates) -> Mapping[str, Any]:
    return {"ca": certificates.ca, "cert": certificates.expired.cert, "key": certificates.expired.key}


def behind_nginx(certificate: str) -> Arrangement:
    """Return the arrangement of an nginx, which sends all that stands in its file."""
    return certified("start_nginx", certificate, _by_name)


@contextmanager
def _by_address(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    with serving(certificate=lambda certificates: certificates.wrong_host)(request) as settings:
        yield {**settings, "url": settings["url"].replace("localhost", "127.0.0.1")}


@contextmanager
def _unknown_name(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    good = request.getfixturevalue("certificates").good
    second = ("-cert2", good.cert, "-key2", good.key)
    with serving("-servername", "other.example", "-servername_fatal", *second)(request) as settings:
        yield settings


@contextmanager
def _short_parameters(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    parameters: Path = request.getfixturevalue("tmp_path") / "dh.pem"
    parameters.write_text(_DH_1024)
    options = ("-cipher", "DHE+AES:@SECLEVEL=0", "-dhparam", str(parameters))
    with serving(*options, version="-tls1_2", certificate=lambda certificates: certificates.rsa)(
        request
    ) as settings:
        yield settings


@contextmanager
def _silent(_: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    with socket.create_server(("127.0.0.1", 0)) as server:  # the kernel accepts, nobody answers
        yield {"url": f"tls://127.0.0.1:{server.getsockname()[1]}"}


FAULTS = (
    Fault(
        "the certificate has expired",
        _told("CERT_EXPIRED"),
        serving(certificate=lambda certificates: certificates.expired),
        hint=_RENEW,
    ),
    Fault(
        "the certificate has expired, and is pinned",
        _told("CERT_EXPIRED"),
        serving(
            certificate=lambda certificates: certificates.expired,
            ours=lambda certificates: {"pin": certificates.expired.pin},
        ),
        hint=_RENEW,
    ),
    Fault(
        "the certificate's issuer has expired",
        _told("CERT_EXPIRED"),
        behind_nginx("of_expired_issuer"),
        hint="Have the server send the chain that its issuer offers now.",
    ),
    Fault(
        "the certificate is not valid yet",
        _told("CERT_NOT_YET_VALID"),
        serving(certificate=lambda certificates: certificates.not_yet),
        hint="Compare the clocks of this machine and the server.",
    ),
    Fault(
        "the certificate is for another host",
        _told("CERT_HOST_MISMATCH"),
        serving(certificate=lambda certificates: certificates.wrong_host),
        hint=_NAME,
    ),
    Fault(
        "the certificate is for host names and an address is dialled",
        _told("CERT_HOST_MISMATCH"),
        _by_address,
        hint=_NAME,
    ),
    Fault(
        "the certificate's issuer is unknown",
        _told("CERT_UNKNOWN_ISSUER"),
        serving(certificate=lambda certificates: certificates.unknown),
        hint=_ISSUER,
    ),
    Fault(
        "the certificate's issuer is unknown, and sent along",
        _told("CERT_UNKNOWN_ISSUER"),
        behind_nginx("with_root"),
        hint="tls.ca did not issue it: set tls.ca to the certificate of the issuer that is named here.",
    ),
    Fault(
        "the certificate is self-signed",
        _told("CERT_SELF_SIGNED"),
        serving(certificate=lambda certificates: certificates.self_signed),
        hint="Set tls.ca to that certificate, or tls.pin to its SHA-256.",
    ),
    Fault(
        "the certificate is for clients only",
        _told("CERT_PURPOSE"),
        serving(certificate=lambda certificates: certificates.for_clients),
        hint="Give the server a certificate whose extended key usage is server authentication.",
    ),
    Fault(
        "the certificate's key is too short",
        _told("WEAK_KEY"),
        serving(*_ANYTHING, certificate=lambda certificates: certificates.short_key),
        hint=_LONG_KEY,
    ),
    Fault(
        "the certificate is signed with SHA-1",
        _told("WEAK_SIGNATURE"),
        serving(*_ANYTHING, certificate=lambda certificates: certificates.sha1),
        hint="Have the certificate issued anew, signed with SHA-256 or better.",
    ),
    Fault(
        "the certificate is another than the pinned one",
        _told("PIN_MISMATCH"),
        asking_with(another_pin),
        hint=_PIN,
    ),
    Fault(
        "the server speaks TLS 1.1 at most",
        _told("TLS_VERSION"),
        serving(*_ANYTHING, version="-tls1_1"),
        hint=_VERSIONS,
    ),
    Fault(
        "server and client have no cipher in common",
        _told("HANDSHAKE_REFUSED"),
        serving("-cipher", "AES128-SHA:AES256-SHA:@SECLEVEL=0", version="-tls1_2"),
        hint=_NO_CIPHER,
    ),
    Fault(
        "the server's Diffie-Hellman key is too short",
        _told("WEAK_KEY"),
        _short_parameters,
        hint="Let the server use elliptic curves (ECDHE), or give it Diffie-Hellman parameters of 2048 bits.",
    ),
    Fault(
        "the server knows no host of that name",
        _told("UNKNOWN_HOST_NAME"),
        _unknown_name,
        hint=_NAME,
    ),
    Fault(
        "the server demands a client certificate",
        _told("CLIENT_CERT_REQUIRED"),
        serving(demanding=True),
        hint=_OURS,
    ),
    Fault(
        "the server demands a client certificate, in TLS 1.2",
        _told("CLIENT_CERT_REQUIRED"),
        serving(demanding=True, version="-tls1_2"),
        hint=_OURS,
    ),
    Fault(
        "the server does not trust our client certificate",
        _told("CLIENT_CERT_REFUSED"),
        serving(demanding=True, ours=stranger),
        hint=_OURS,
    ),
    Fault(
        "the server does not trust our client certificate, in TLS 1.2",
        _told("CLIENT_CERT_REFUSED"),
        serving(demanding=True, ours=stranger, version="-tls1_2"),
        hint=_OURS,
    ),
    Fault(
        "our client certificate has expired",
        _told("CLIENT_CERT_REFUSED"),
        serving(demanding=True, ours=_outdated),
        hint="Renew the certificate of tls.cert.",
    ),
    Fault(
        "the port speaks first, and in plain text",
        _told("PLAIN_TEXT"),
        asking("mariadb", lambda server: {"url": f"tls://127.0.0.1:{server.port}"}),
        hint=_PLAIN,
    ),
    Fault(
        "the port speaks plain HTTP",
        _told("PLAIN_TEXT"),
        asking("nginx", lambda server: {"url": f"tls://127.0.0.1:{server.port}"}),
        hint=_PLAIN,
    ),
    Fault(
        "the port wants to be asked for TLS in its own protocol first",
        (Stage.TLS, Reason.NETWORK, "HANDSHAKE_CUT"),
        asking("postgresql", lambda server: {"url": f"tls://127.0.0.1:{server.port}"}),
        hint="It may not speak TLS on that port: leave TLS out, or use the port where it does.",
    ),
    Fault(
        "the server accepts and never shakes hands",
        (Stage.TLS, Reason.TIMEOUT, "TIMEOUT"),
        _silent,
        hint="Something accepts connections and shakes no hands: it may not speak TLS on that port, or hang.",
        timeout=0.3,
    ),
    Fault(
        "the file of trusted issuers is not there",
        (Stage.TLS, Reason.CONFIG, "TLS_FILE_MISSING"),
        asking_with(lambda certificates: {"ca": f"{certificates.ca}.none"}),
        hint="It is a path on the machine where Mooring runs: correct it, or put the file there.",
    ),
    Fault(
        "our key belongs to another certificate",
        (Stage.TLS, Reason.CONFIG, "TLS_FILE_INVALID"),
        asking_with(lambda certificates: {"cert": certificates.client.cert, "key": certificates.good.key}),
        hint="It has to be PEM; a key has to belong to its certificate and to have no password.",
    ),
)
