"""Read what a check shows of a certificate: whose it is, from whom, until when.

OpenSSL verifies; this only reads, so that an expired or foreign certificate can be described too.
The standard library shows certificates only once they are verified, and an X.509 library would
bring 40 ms of imports to every start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address

_COMMON_NAME = b"\x55\x04\x03"
_ORGANIZATION = b"\x55\x04\x0a"
_SUBJECT_ALT_NAME = b"\x55\x1d\x11"
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_SEQUENCE, _OCTETS = 0x30, 0x04
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
_ENCODINGS = {0x1C: "utf-32-be", 0x1E: "utf-16-be"}
LONG_FORM = 0x80
MOST_NAMES = 100
LONGEST_TEXT = 253


@dataclass(frozen=True, slots=True)
class Certificate:
    """The parts of a certificate that people ask for. `names` are those a client may verify."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime


def read(der: bytes) -> Certificate | None:
    """Return what a DER certificate says, or None where it cannot be read."""
    try:
        return _certificate(der)
    except (ValueError, IndexError):
        return None


def _certificate(der: bytes) -> Certificate:
    outer = _content(der, _SEQUENCE)
    fields = [part for part in _parts(_content(outer, _SEQUENCE)) if part[0] != _VERSION]
    _serial, _algorithm, (_, issuer), (_, validity), (_, subject), *rest = fields
    not_before, not_after = (_time(tag, content) for tag, content in _parts(validity))
    extensions = next((content for tag, content in rest if tag == _EXTENSIONS), b"")
    names = tuple(_alternative_names(extensions))[:MOST_NAMES] if extensions else ()
    return Certificate(_shown(subject), _shown(issuer), names, not_before, not_after)


def _parts(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the tag and the content of each element. Raises ValueError where one is cut short."""
    at = 0
    while at < len(der):
        tag, length = der[at], der[at + 1]
        at += 2
        if length >= LONG_FORM:
            size = length - LONG_FORM
            length = int.from_bytes(der[at : at + size], "big")
            at += size
        if at + length > len(der):
            raise ValueError("the element is cut short")
        yield tag, der[at : at + length]
        at += length


def _content(der: bytes, wanted: int) -> bytes:
    tag, content = next(_parts(der), (None, b""))
    if tag != wanted:
        raise ValueError("another element than expected")
    return content


def _time(tag: int, content: bytes) -> datetime:
    text = content.decode("ascii")
    if tag == _UTC_TIME:  # RFC 5280 4.1.2.5.1: two digits of a year mean 1950 to 2049
        text = ("20" if text < "50" else "19") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("not a time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _shown(name: bytes) -> str:
    """Return the common name of a distinguished name, else its organization."""
    found: dict[bytes, str] = {}
    for _, group in _parts(name):
        for _, pair in _parts(group):
            (_, kind), (tag, value) = _parts(pair)
            found.setdefault(kind, _text(tag, value))
    return found.get(_COMMON_NAME) or found.get(_ORGANIZATION) or ""


def _text(tag: int, value: bytes) -> str:
    text = value.decode(_ENCODINGS.get(tag, "utf-8"), errors="replace")[:LONGEST_TEXT]
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def _alternative_names(extensions: bytes) -> Iterator[str]:
    for _, extension in _parts(_content(extensions, _SEQUENCE)):
        (_, kind), *rest = _parts(extension)
        if kind != _SUBJECT_ALT_NAME:
            continue
        octets = next((content for tag, content in rest if tag == _OCTETS), b"")
        for tag, content in _parts(_content(octets, _SEQUENCE)):
            if tag == _DNS_NAME:
                yield _text(tag, content)
            elif tag == _IP_ADDRESS:
                yield str(ip_address(content))
