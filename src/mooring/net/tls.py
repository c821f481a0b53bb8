"""TLS settings, contexts, and what a finished handshake shows."""

from __future__ import annotations

import hashlib
import os
import re
import ssl
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.net import certificate
from mooring.net.certificate import Certificate
from mooring.net.handshake import GIVEN_CA, TellingObject, TellingSocket

DAYS_WARNING = 14
"""Days left on a certificate below which a check warns. ACME clients renew at 30, so this is late."""
UNVERIFIED = Prose("TLS verification is off: anybody in between can read and change what is sent")
MOST_CONTEXTS = 200
_FINGERPRINT = re.compile(r"(sha256:)?([0-9a-f]{2}:?){31}[0-9a-f]{2}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TLSSettings:
    """How to verify the peer, and who we are. The same for every kind."""

    # The docstring of a field is its description wherever it is asked for.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "use_attribute_docstrings": True}

    verify: bool | Literal["ca"] = True
    """Whether the certificate has to be trusted and for this host; "ca": trusted, for whatever host."""
    ca: str | None = None
    """Path, on the server, of a PEM file with the issuers that are trusted instead of the system's."""
    pin: str | None = None
    """SHA-256 of the peer's certificate, in hexadecimal, which is then trusted for itself."""
    cert: str | None = None
    """Path, on the server, of our own certificate in PEM, for peers that ask for one."""
    key: str | None = None
    """Path, on the server, of the key that belongs to it."""
    server_name: str | None = None
    """The name that the certificate has to be for, where it is not the host's."""

    def __post_init__(self) -> None:
        if self.pin is not None and not _FINGERPRINT.fullmatch(self.pin):
            raise ValueError("pin: has to be a certificate's SHA-256, 64 hexadecimal digits")
        if self.key is not None and self.cert is None:
            raise ValueError("key: is of no use without tls.cert, the certificate that it belongs to")

    @property
    def checks_chain(self) -> bool:
        """Whether the certificate's chain and dates are verified."""
        return bool(self.verify) and self.pin is None

    @property
    def checks_names(self) -> bool:
        """Whether the certificate's names are verified as well."""
        return self.verify is True and self.pin is None


@dataclass(frozen=True, slots=True)
class TLSInfo:
    """What a handshake showed of the peer."""

    version: str
    cipher: str
    fingerprint: str
    certificate: Certificate | None

    @property
    def not_after(self) -> datetime | None:
        """When the certificate expires; None where it was not read."""
        return None if self.certificate is None else self.certificate.not_after

    def days_left(self, now: datetime) -> float | None:
        """Return days until the certificate expires, negative where it has; None where it was not read."""
        return None if self.not_after is None else (self.not_after - now).total_seconds() / 86400


class TLSContexts:
    """SSL contexts by settings: making one costs about 47 ms, most of it reading the system's CAs."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[object, ...], tuple[object, ssl.SSLContext]] = OrderedDict()

    def get(self, settings: TLSSettings, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
        """Return the context for these settings. Files that changed on disk are read again.

        Raises CheckError(config) naming the file that cannot be used.
        """
        key = (settings.checks_chain, settings.checks_names, settings.ca, settings.cert, settings.key, alpn)
        files = tuple(map(_stamp, (settings.ca or _SYSTEM_CAS, settings.cert, settings.key)))
        known = self._made.get(key)
        if known is not None and known[0] == files:
            self._made.move_to_end(key)
            return known[1]
        context = _make(settings, alpn)
        self._made[key] = (files, context)
        while len(self._made) > MOST_CONTEXTS:
            self._made.popitem(last=False)
        return context

    def named(self, settings: TLSSettings, server_name: str) -> ssl.SSLContext:
        """Return a context that expects `server_name` whatever host it is asked to verify.

        For drivers that dial by themselves: they are given an address that we resolved and policed,
        and would otherwise look for that address in the certificate.
        """
        return _Named.around(self.get(settings), settings.server_name or server_name)


class _Named(ssl.SSLContext):
    """Hands the handshake to a shared context under a name of its own. Cheap: it loads no CAs."""

    _shared: ssl.SSLContext
    _name: str

    @classmethod
    def around(cls, shared: ssl.SSLContext, name: str) -> _Named:
        named = cls(ssl.PROTOCOL_TLS_CLIENT)
        named.check_hostname = shared.check_hostname
        named.verify_mode = shared.verify_mode
        named._shared, named._name = shared, name
        return named

    def wrap_bio(self, incoming: Any, outgoing: Any, server_side: bool = False, *_: Any, **__: Any) -> Any:
        return self._shared.wrap_bio(incoming, outgoing, server_side=server_side, server_hostname=self._name)

    def wrap_socket(self, sock: Any, *_: Any, **__: Any) -> Any:
        return self._shared.wrap_socket(sock, server_hostname=self._name)


_SYSTEM_CAS = ssl.get_default_verify_paths().cafile


def _stamp(path: str | None) -> tuple[int, int, int] | None:
    """Return what changes when a file does; files replaced by a rename keep neither inode nor time."""
    try:
        seen = None if path is None else os.stat(path)  # noqa: PTH116 - Path costs as much as the call
    except OSError:
        return None
    return None if seen is None else (seen.st_mtime_ns, seen.st_size, seen.st_ino)


def _make(settings: TLSSettings, alpn: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslobject_class, context.sslsocket_class = TellingObject, TellingSocket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = settings.checks_names
    if not settings.checks_chain:
        context.verify_mode = ssl.CERT_NONE
    elif settings.ca is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if settings.ca is not None:
        vars(context)[GIVEN_CA] = True
        _load("tls.ca", settings.ca, lambda: context.load_verify_locations(cafile=settings.ca))
    if settings.cert is not None:
        cert = settings.cert
        # Without a password of its own, OpenSSL would ask for one on the terminal, and wait.
        _load("tls.cert", cert, lambda: context.load_cert_chain(cert, settings.key, password=""))
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def _load(field: str, path: str, load: Callable[[], None]) -> None:
    try:
        load()
    except FileNotFoundError as error:
        raise CheckError(
            Reason.CONFIG,
            f"{field}: there is no file {path} (or the key beside it)",
            code="TLS_FILE_MISSING",
            hint=Prose("It is a path on the machine where Mooring runs: correct it, or put the file there."),
        ) from error
    except (OSError, ssl.SSLError) as error:
        raise CheckError(
            Reason.CONFIG,
            f"{field}: {path} cannot be used: {error}",
            code="TLS_FILE_INVALID",
            hint=Prose("It has to be PEM; a key has to belong to its certificate and to have no password."),
        ) from error


def info(ssl_object: ssl.SSLObject | ssl.SSLSocket) -> TLSInfo:
    """Return what the finished handshake shows."""
    der = ssl_object.getpeercert(binary_form=True) or b""
    cipher = ssl_object.cipher()
    return TLSInfo(
        version=ssl_object.version() or "",
        cipher=cipher[0] if cipher else "",
        fingerprint=hashlib.sha256(der).hexdigest() if der else "",
        certificate=certificate.read(der),
    )


def demand_pin(settings: TLSSettings, seen: TLSInfo) -> None:
    """Raise CheckError(tls) where a pin is set and the peer's certificate is another."""
    if settings.pin is None:
        return
    wanted = settings.pin.lower().removeprefix("sha256:").replace(":", "")
    if wanted != seen.fingerprint:
        raise CheckError(
            Reason.TLS,
            f"the certificate is not the pinned one: its SHA-256 is {seen.fingerprint}",
            code="PIN_MISMATCH",
            hint=Prose("If the certificate was renewed on purpose, set tls.pin to the new SHA-256."),
        )
