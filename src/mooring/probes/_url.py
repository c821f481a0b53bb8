"""Addresses as people write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

MOST_CHARACTERS = 4096
HIGHEST_PORT = 65535
FRAMEWORKS = ("jdbc:", "db+", "sqla+")
"""What JDBC, and Celery for its results and its broker, put before an address. It says nothing more."""
SEPARATOR = ","
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_BAD_PORT = (
    f"the port has to be a number from 1 to {HIGHEST_PORT}; "
    "a password with / ? # or @ has to be percent-encoded"
)
_BAD_HOST = (
    "the host cannot be read; an IPv6 address stands in brackets, "
    "and / ? # @ in a password are percent-encoded"
)


@dataclass(frozen=True, slots=True)
class Url:
    """The parts of an address, percent-decoded. `host` has no brackets; `path` keeps its leading `/`.

    Where several hosts are listed, as MongoDB's addresses do, `host` is the list with its ports.
    """

    scheme: str
    host: str = ""
    port: int | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    path: str = ""
    query: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take an address apart. Raises ValueError that says what would be right and shows no secret."""
        if len(text) > MOST_CHARACTERS:
            raise ValueError(f"the address has {len(text)} characters; at most {MOST_CHARACTERS} are allowed")
        if any(c <= " " or c == "\x7f" for c in text):
            raise ValueError("the address holds a space or a control character; write it as %20 or the like")
        for prefix in FRAMEWORKS:
            text = text.removeprefix(prefix)
        scheme, separator, _ = text.partition("://")
        if not separator or not _SCHEME.fullmatch(scheme):
            raise ValueError("an address begins with its kind, for example postgresql://host/database")
        try:
            parts = urlsplit(text)
            listed = parts.netloc.rpartition("@")[2]
            several = SEPARATOR in listed
            port = None if several else parts.port
        except ValueError as error:
            raise ValueError(_said(error)) from None
        host = unquote(listed.lower() if several else parts.hostname or "")
        if port == 0:
            raise ValueError(_BAD_PORT)
        if not host.isprintable() or any(c in host for c in "/?#@\\"):
            raise ValueError(_BAD_HOST)
        return cls(
            scheme=scheme.lower(),
            host=host,
            port=port,
            user=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else unquote(parts.password),
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        )

    @property
    def name(self) -> str:
        """The path without slashes around it: a database, a virtual host, a number."""
        return self.path.strip("/")

    def authority(self, default_port: int | None = None) -> str:
        """Return `host:port`, never a login."""
        if SEPARATOR in self.host:
            return self.host
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = self.port if self.port is not None else default_port
        return host if port is None else f"{host}:{port}"


def _said(error: ValueError) -> str:
    """Return what a mistake is about, in our words: those of urlsplit may quote a part of a password."""
    return _BAD_PORT if str(error).lower().startswith("port") else _BAD_HOST
