"""Where reports go, and as whom."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

_WORD = re.compile(r"[\x21-\x7e]+")
_PRINTABLE = re.compile(r"[\x21-\x7e]*")
_SCHEMES = {"http": 80, "https": 443}


class Address(NamedTuple):
    """Where a server is."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """`host:port` as a Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _SCHEMES[self._scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        """Return what people gave."""
        return f"{self._scheme}://{self.authority}{self.path}"

    @property
    def _scheme(self) -> str:
        return "https" if self.secure else "http"


def address_of(server: str) -> Address:
    """Return where a server is. Raises ValueError or TypeError, which repeat no login."""
    told = (
        "server: give an address such as https://mooring.example.com:9000, with its base path if it has one"
    )
    if not isinstance(server, str):
        raise TypeError(f"{told}, as text; this is of the class {type(server).__name__}")
    try:
        parts = urlsplit(server.strip())
        port = parts.port
    except ValueError:
        raise ValueError(told) from None
    if "@" in parts.netloc:
        raise ValueError("server: leave the login out of the address, and give a token")
    if parts.scheme not in _SCHEMES or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(told)
    try:
        host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode()
    except UnicodeError:
        raise ValueError(told) from None
    if not _PRINTABLE.fullmatch(parts.path) or not _PRINTABLE.fullmatch(host):
        raise ValueError(told)
    return Address(parts.scheme == "https", host, port or _SCHEMES[parts.scheme], parts.path.rstrip("/"))


class Token:
    """What a server knows a reporter by; a Path is read anew each time, since it may be replaced.

    A relative one is that of the folder in which the program is now: it may go to another one.
    """

    __slots__ = ("_source",)

    def __init__(self, source: str | Path) -> None:
        if not isinstance(source, str | Path):
            given = type(source).__name__
            raise TypeError(f"token: give it as text, or the Path of its file; this is of the class {given}")
        self._source = source.absolute() if isinstance(source, Path) else source.strip()
        if not isinstance(source, Path):
            self.reveal()

    def reveal(self) -> str:
        """Return the token itself. Raises ValueError where it is none, OSError where it cannot be read."""
        source = self._source
        text = _read(source) if isinstance(source, Path) else source
        if not _WORD.fullmatch(text):
            where = f"the file {source}" if isinstance(source, Path) else "what was given"
            raise ValueError(f"token: {where} is no token; it is one word, as the server printed it")
        return text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and self._source == other._source

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "Token(***)"


def _read(file: Path) -> str:
    """Return what stands in a file; nothing where that is no text. Raises OSError."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        return ""
