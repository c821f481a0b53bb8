"""One report's way to the server: one POST over one connection, within one time limit."""

from __future__ import annotations

import io
import json
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from mooring.pools.destination import Address, Token, address_of

if TYPE_CHECKING:
    import socket
    import ssl
    from pathlib import Path

PATH = "/api/v1/pools/report"
TIMEOUT = 5.0
"""Seconds for one report, from dialling to the answer's last byte; the name's look-up cannot be bounded."""
LONGEST_ANSWER = 65_536
"""Bytes of an answer that are read."""
OK = 200


def ready() -> None:
    """Import all that a delivery needs."""
    for name in ("encodings.idna", "gzip", "http.client", "selectors", "ssl"):
        import_module(name)


class Undelivered(Exception):  # noqa: N818 -- a state rather than an error
    """Why no answer came, in words; never with the token."""


class Answer(NamedTuple):
    """What the server said."""

    status: int
    body: bytes
    location: str = ""
    """Where it redirects to."""
    retry_after: float | None = None
    """Seconds that it asks to wait."""

    def json(self) -> Any:
        """Return the body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class Delivery:
    """Carries reports to one server. Follows no redirect and uses no proxy: the token goes there alone."""

    def __init__(self, server: str, token: str | Path, ca: str | Path | None = None) -> None:
        self.address = address_of(server)
        self.token = Token(token)
        self._ca = ca
        self._context: ssl.SSLContext | None = None

    def post(self, body: bytes, timeout: float = TIMEOUT) -> Answer:
        """Send a report that is compressed, and return the answer. Raises Undelivered."""
        import http.client

        try:
            return self._post(body, monotonic() + timeout)
        except http.client.RemoteDisconnected:
            problem = "it closed the connection without an answer"
        except http.client.HTTPException:
            problem = "what answers there does not speak HTTP"
        except (OSError, ValueError) as error:
            problem = _in_words(error, timeout)
        raise Undelivered(problem)

    def _post(self, body: bytes, until: float) -> Answer:
        import http.client

        address, token = self.address, self.token.reveal()
        headers = {
            "Host": address.authority,
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "Accept": "application/json",
            "User-Agent": "Mooring-pools",
            "Connection": "close",
        }
        with self._connected(until) as sock:
            connection = http.client.HTTPConnection(address.host, address.port)
            connection.sock = sock
            connection.request("POST", address.path + PATH, body, headers)
            reader: Any = _Reader(sock, until)
            response = http.client.HTTPResponse(reader, method="POST")
            response.begin()
            told = response.read(LONGEST_ANSWER + 1).replace(token.encode(), b"***")
        if len(told) > LONGEST_ANSWER:
            raise Undelivered(f"its answer has more than {LONGEST_ANSWER:,} bytes")
        after = response.getheader("Retry-After", "")
        return Answer(
            response.status,
            told,
            response.getheader("Location", "").replace(token, "***"),
            float(after) if after.isascii() and after.isdigit() else None,
        )

    def _connected(self, until: float) -> socket.socket:
        sock: socket.socket = _dialled(self.address, until)
        if not self.address.secure:
            return sock
        try:
            sock = secure = self._tls().wrap_socket(
                sock, server_hostname=self.address.host, do_handshake_on_connect=False
            )
            _shake(secure, until)
        except Exception:
            sock.close()
            self._context = None  # the authorities may be mended meanwhile
            raise
        return sock

    def _tls(self) -> ssl.SSLContext:
        """Return what verifies the server; kept, for to read all authorities takes 30 ms."""
        import ssl

        if self._context is None:
            self._context = ssl.create_default_context(cafile=self._ca)
        return self._context


class _Reader(io.RawIOBase):
    """Reads from a socket until one moment, however slowly the bytes drip."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self._until = until

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what http.client reads an answer from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._until))
        return self._sock.recv_into(buffer)


def _dialled(address: Address, until: float) -> socket.socket:
    """Return a connection to the first address that answers; none may take the time of all."""
    import socket

    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    problem: OSError = TimeoutError()
    for tried, (family, kind, protocol, _, where) in enumerate(found):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(_left(until) / (len(found) - tried))
            sock.connect(where)
            sock.settimeout(_left(until))
        except OSError as error:
            sock.close()
            problem = error
        else:
            return sock
    raise problem


def _shake(sock: ssl.SSLSocket, until: float) -> None:
    """Shake hands until one moment, however slowly the bytes drip."""
    import ssl
    from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector

    sock.settimeout(0)
    with DefaultSelector() as selector:
        selector.register(sock, EVENT_READ)
        while True:
            try:
                sock.do_handshake()
                break
            except ssl.SSLWantReadError:
                wanted = EVENT_READ
            except ssl.SSLWantWriteError:
                wanted = EVENT_WRITE
            selector.modify(sock, wanted)
            selector.select(_left(until))
    sock.settimeout(_left(until))


def _left(until: float) -> float:
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


_UNKNOWN_AUTHORITY = frozenset({18, 19, 20, 21})
"""OpenSSL's codes of certificates that are signed by themselves, or by nobody who is known (x509_vfy.h)."""
_OTHER_HOST = frozenset({62, 64})
"""A name and an IP address that the certificate is not for."""


def _in_words(error: Exception, timeout: float) -> str:
    """Return what is wrong. No text of an error that may repeat a header, and so the token."""
    import socket
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _UNKNOWN_AUTHORITY:
            advice = "; name the file of its authority in SSL_CERT_FILE"
        else:
            advice = "; use a name that it is for" if error.verify_code in _OTHER_HOST else ""
        return f"its certificate is not trusted ({error.verify_message}){advice}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason or 'SSL'}); does it speak plain http://?"
    if isinstance(error, socket.gaierror):
        return f"its name cannot be looked up ({error.strerror})"
    if isinstance(error, TimeoutError):
        return f"it did not answer within {timeout:.3g} s"
    if isinstance(error, OSError):
        file = f"{error.filename}: " if error.filename else ""
        return f"{file}{error.strerror or type(error).__name__}"
    told = str(error)
    return told if told.startswith("token: ") else f"the report could not be sent ({type(error).__name__})"
