"""What to ask over HTTP: prepared once, sent at every check."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import quote, unquote, urljoin, urlsplit

from mooring import __version__
from mooring.net.tls import TLSSettings

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
MOST_CHARACTERS = 8192
"""Characters of an address. A redirect may be as long as the headers allow; we do not follow it that far."""
SET_BY_US = frozenset({"connection", "content-length", "transfer-encoding", "upgrade"})
_UNSAFE = "!#$%&'()*+,/:;=?@[]~"
_LAST_LATIN_1 = 0xFF
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address points, without its login. `target` is what the request line says."""

    scheme: str
    host: str
    port: int
    target: str = field(repr=False)

    @classmethod
    def parse(cls, text: str, schemes: tuple[str, str] = ("http", "https")) -> Self:
        """Take an address apart. Raises ValueError that says what would be right."""
        if len(text) > MOST_CHARACTERS:
            raise ValueError(f"the address has {len(text)} characters; at most {MOST_CHARACTERS} are allowed")
        parts = urlsplit(text)
        scheme = parts.scheme.lower()
        if scheme not in schemes:
            raise ValueError(f"the address has to begin with {schemes[0]}:// or {schemes[1]}://")
        host = unquote(parts.hostname or "")
        if not host or any(ord(c) <= ord(" ") or c in "/?#@\\" for c in host):
            raise ValueError(f"the address names no host: {schemes[0]}://host/path")
        try:
            port = parts.port
        except ValueError:
            port = 0
        if port == 0:
            raise ValueError("the port has to be a number from 1 to 65535")
        target = quote(parts.path, safe=_UNSAFE) or "/"
        if parts.query:
            target += "?" + quote(parts.query, safe=_UNSAFE)
        return cls(scheme, host, port or DEFAULT_PORTS[scheme], target)

    @property
    def secure(self) -> bool:
        """Whether it is asked over TLS."""
        return self.scheme in ("https", "wss")

    @property
    def authority(self) -> str:
        """The `Host` header: a name in ASCII, and the port where it is not the scheme's own."""
        host = f"[{self.host.partition('%')[0]}]" if ":" in self.host else _ascii(self.host)
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The address without query, safe to show to anybody."""
        return f"{self.scheme}://{self.authority}{self.target.partition('?')[0]}"

    def trusts(self, other: Place) -> bool:
        """Whether what is secret here may be sent there: the same origin, or its move to https."""
        if (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port):
            return True
        upgraded = (self.scheme, self.port, other.scheme, other.port) == ("http", 80, "https", 443)
        return upgraded and self.host == other.host

    def join(self, location: str) -> Place:
        """Return where a `Location` header points from here. Raises ValueError."""
        return Place.parse(urljoin(f"{self.scheme}://{self.authority}{self.target}", location))


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `secrets` are headers that no other host may see; `tls` is used with https only."""

    place: Place
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    tls: TLSSettings = field(default_factory=TLSSettings)
    host: str = field(init=False)
    port: int = field(init=False)
    secure: bool = field(init=False)
    shown: str = field(init=False)
    data: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Read at every check, so they are worked out once.
        object.__setattr__(self, "host", self.place.host)
        object.__setattr__(self, "port", self.place.port)
        object.__setattr__(self, "secure", self.place.secure)
        object.__setattr__(self, "shown", self.place.shown)
        object.__setattr__(self, "data", self._serialized())

    def redirected(self, status: int, location: str) -> Request:
        """Return the request that a redirect asks for.

        Another host gets no secret header, no body and no client certificate. Raises ValueError
        where the address cannot be used or the body would have to go to another host.
        """
        place = self.place.join(location)
        keeps = status in (307, 308) or self.method in ("GET", "HEAD")
        request = replace(self, place=place) if keeps else replace(self, place=place, method="GET", body=None)
        if self.place.trusts(place):
            return request
        if request.body is not None:
            raise ValueError("the body would have to be sent to another host")
        tls = replace(self.tls, pin=None, cert=None, key=None, server_name=None)
        named = tuple((name, value) for name, value in self.headers if name.lower() != "host")
        return replace(request, headers=named, secrets=(), tls=tls)

    def _serialized(self) -> bytes:
        given = (*self.headers, *self.secrets)
        lines = [f"{self.method} {self.place.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in _defaults(self.place, {n.lower() for n, _ in given})]
        lines += [f"{name}: {value}" for name, value in given]
        if self.body is not None or self.method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(self.body or b'')}")
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + (self.body or b"")


def demand_headers(headers: Iterable[tuple[str, str]]) -> None:
    """Raise ValueError, showing no value, where a header cannot be sent as it is."""
    for name, value in headers:
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name[:60]!r} is no header name: letters, digits and - only")
        if name.lower() in SET_BY_US:
            raise ValueError(f"{name} is set by Mooring itself")
        if _CONTROL.search(value) or any(ord(c) > _LAST_LATIN_1 for c in value):
            raise ValueError(
                f"the value of {name} holds a line break, or a character that headers cannot carry"
            )


def _defaults(place: Place, given: set[str]) -> Iterable[tuple[str, str]]:
    ours = {
        "Host": place.authority,
        "User-Agent": f"Mooring/{__version__}",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
    }
    return ((name, value) for name, value in ours.items() if name.lower() not in given)


def _ascii(host: str) -> str:
    try:
        return host.encode("ascii").decode()
    except UnicodeEncodeError:
        return host.encode("idna").decode()
