"""Certificates for every test that needs TLS, good and bad, from certificate authorities of our own."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import pytest
import trustme

from tests.servers.process import private_folder

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

    def _issue(
        self,
        name: str,
        *,
        hosts: tuple[str, ...] = HOSTS,
        ca: trustme.CA | None = None,
        lasts: timedelta = timedelta(days=700),
    ) -> Certificate:
        now = datetime.now(UTC)
        made = (ca or self._ca).issue_cert(
            *hosts, common_name=hosts[0], not_before=now - timedelta(days=30), not_after=now + lasts
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
