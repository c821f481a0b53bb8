"""Certificates for every test that needs TLS, good and bad, from certificate authorities of our own."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.servers.process import binary, private_folder

HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Certificate:
    """Paths of a certificate (with its chain) and of its key."""

    cert: str
    key: str

    @property
    def pin(self) -> str:
        """The SHA-256 of the certificate, as `tls.pin` takes it."""
        first = Path(self.cert).read_text().partition("-----END CERTIFICATE-----")
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first[0] + first[1])).hexdigest()

    def server_context(self, client_ca: str | None = None) -> ssl.SSLContext:
        """Return a context for a server; with `client_ca` it demands a certificate of that authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        if client_ca is not None:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


class Certificates:
    """`ca` is what a client should trust. Each certificate is wrong in at most one way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA()
        self._other = trustme.CA()
        self.ca = str(folder / "ca.pem")
        self.unknown_ca = str(folder / "unknown-ca.pem")
        self._ca.cert_pem.write_to_path(self.ca)
        self._other.cert_pem.write_to_path(self.unknown_ca)

    @cached_property
    def good(self) -> Certificate:
        """For localhost and the loopback addresses, valid for years."""
        return self._issue("good")

    @cached_property
    def expired(self) -> Certificate:
        """Ended yesterday."""
        return self._issue("expired", lasts=timedelta(days=-1))

    @cached_property
    def expiring(self) -> Certificate:
        """Ends in five days."""
        return self._issue("expiring", lasts=timedelta(days=5, hours=1))

    @cached_property
    def wrong_host(self) -> Certificate:
        """For other.example only."""
        return self._issue("wrong-host", hosts=("other.example",))

    @cached_property
    def unknown(self) -> Certificate:
        """Of an authority that `ca` knows nothing of."""
        return self._issue("unknown", ca=self._other)

    @cached_property
    def client(self) -> Certificate:
        """Of a client, `mooring`, by the trusted authority."""
        return self._issue("client", hosts=("mooring",))

    @cached_property
    def unknown_client(self) -> Certificate:
        """Of a client, by the authority that nobody trusts."""
        return self._issue("unknown-client", hosts=("mooring",), ca=self._other)

    @cached_property
    def not_yet(self) -> Certificate:
        """Begins tomorrow."""
        return self._issue("not-yet", begins=timedelta(days=1))

    @cached_property
    def with_root(self) -> Certificate:
        """Of an authority that `ca` knows nothing of, with the certificate of that authority behind it."""
        made = self._issue("with-root", ca=self._other)
        self._other.cert_pem.write_to_path(made.cert, append=True)
        return made

    @cached_property
    def self_signed(self) -> Certificate:
        """Signed by nobody but itself."""
        return self._sign("self-signed", ec.generate_private_key(ec.SECP256R1()), itself=True)

    @cached_property
    def short_key(self) -> Certificate:
        """With a key of 1024 bits."""
        return self._sign("short-key", rsa.generate_private_key(65537, 1024))

    @cached_property
    def rsa(self) -> Certificate:
        """With an RSA key of 2048 bits: the others' are elliptic curves."""
        return self._sign("rsa", rsa.generate_private_key(65537, 2048))

    @cached_property
    def sha1(self) -> Certificate:
        """Signed as one did 20 years ago."""
        made = Certificate(str(self._folder / "sha1.pem"), str(self._folder / "sha1.key"))
        signing = self._folder / "ca.key"
        self._ca.private_key_pem.write_to_path(signing)
        command = [
            binary("openssl", "openssl"),
            "req",
            "-x509",
            "-sha1",
            "-CA",
            self.ca,
            "-CAkey",
            str(signing),
        ]
        command += ["-newkey", "rsa:2048", "-nodes", "-keyout", made.key, "-out", made.cert]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "30"]
        subprocess.run(command, check=True, capture_output=True)
        return made

    @cached_property
    def for_clients(self) -> Certificate:
        """Whose extended key usage allows no server."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._sign("for-clients", key, usage=ExtendedKeyUsageOID.CLIENT_AUTH)

    @cached_property
    def of_expired_issuer(self) -> Certificate:
        """Good itself, by an authority below `ca` whose certificate ended yesterday."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self._sign("expired-issuer", key, lasts=timedelta(days=-1), names=())
        made = self._sign("of-expired-issuer", ec.generate_private_key(ec.SECP256R1()), by=issuer)
        with Path(made.cert).open("a") as file:
            file.write(Path(issuer.cert).read_text())
        return made

    def _sign(
        self,
        name: str,
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
        *,
        itself: bool = False,
        by: Certificate | None = None,
        lasts: timedelta = timedelta(days=700),
        names: tuple[str, ...] = ("localhost",),
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
    ) -> Certificate:
        """Make what trustme does not. Without `names` it is an authority."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0] if names else name)])
        signer, signing = self._authority(by)
        if itself:
            signer, signing = subject, key
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder(signer, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + lasts)
            .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
            builder = builder.add_extension(alternatives, critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        made = Certificate(str(self._folder / f"{name}.pem"), str(self._folder / f"{name}.key"))
        signed = builder.sign(signing, hashes.SHA256())
        Path(made.cert).write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        Path(made.key).write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        return made

    def _authority(self, by: Certificate | None) -> tuple[x509.Name, Any]:
        """Return the name and the key of who signs."""
        cert = self._ca.cert_pem.bytes() if by is None else Path(by.cert).read_bytes()
        key = self._ca.private_key_pem.bytes() if by is None else Path(by.key).read_bytes()
        return x509.load_pem_x509_certificate(cert).subject, serialization.load_pem_private_key(key, None)

    def _issue(
        self,
        name: str,
        *,
        hosts: tuple[str, ...] = HOSTS,
        ca: trustme.CA | None = None,
        begins: timedelta = timedelta(days=-30),
        lasts: timedelta = timedelta(days=700),
    ) -> Certificate:
        now = datetime.now(UTC)
        made = (ca or self._ca).issue_cert(
            *hosts, common_name=hosts[0], not_before=now + begins, not_after=now + lasts
        )
        certificate = Certificate(str(self._folder / f"{name}.pem"), str(self._folder / f"{name}.key"))
        for index, part in enumerate(made.cert_chain_pems):
            part.write_to_path(certificate.cert, append=index > 0)
        key = Path(certificate.key)
        key.touch(mode=0o600)  # PostgreSQL refuses a key that others can read
        made.private_key_pem.write_to_path(key)
        return certificate


@pytest.fixture(scope="session")
def certificates() -> Iterator[Certificates]:
    """Certificates that last for the session."""
    with private_folder() as folder:
        yield Certificates(folder)
