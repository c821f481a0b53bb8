"""Keep secrets out of everything that is shown, logged or stored in the clear."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from mooring.core.prose import Prose

MASK = "***"
SHORTEST_SECRET = 3
"""Shorter secrets are masked only inside addresses: masking each "a" would hide the message."""

_TOKEN_ALONE = ("+http", "+https", "nats")
_SCHEME = re.compile(r"[A-Za-z][\w.+:-]*")
_USERINFO = re.compile(r"(?P<scheme>[a-zA-Z][\w+.-]*://)[^/?#\s'\"]*@")
# Not every word after "basic": a credential holds a digit, a sign, or a capital past its first letter.
_BEARER = re.compile(r"\b(?P<word>(?i:bearer|basic))\s+(?=[\w.~+/=-]+[A-Z0-9=])[\w.~+/=-]{6,}")
_KEY_VALUE = re.compile(
    r"(?P<key>(?i:password|passwd|pwd|token|secret|api[_-]?key|access[_-]?key)\s?=\s?)"
    r"(?P<quote>['\"]?)[^\s&;,'\"]+(?P=quote)"
)


class Redactor:
    """Replaces known secrets, and whatever looks like a login or a key in an address, by `***`."""

    def __init__(self, secrets: Iterable[str] = (), first: Redactor | None = None) -> None:
        self._secrets = frozenset(secrets)
        self._first = first
        forms = {form for secret in self._secrets for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def also(self, secrets: Iterable[str]) -> Redactor:
        """Return one that masks these too. That is cheap, unless one of them holds another."""
        more = frozenset(secrets) - self._secrets
        if any(one in other or other in one for one in more for other in self._secrets):
            return Redactor(self._secrets | more)
        return Redactor(more, self)

    def within(self, value: Any) -> Any:
        """Return a value of any shape with every known secret in its texts masked."""
        if self._first is not None:
            value = self._first.within(value)
        if self._known is None:
            return value
        if isinstance(value, str):
            return self._known.sub(MASK, value)
        if isinstance(value, Mapping):
            return {key: self.within(item) for key, item in value.items()}
        return [self.within(item) for item in value] if isinstance(value, (list, tuple)) else value

    def __call__(self, text: str) -> str:
        """Return the text with every secret masked; of a Prose only what was put into it."""
        if isinstance(text, Prose):
            return text.redacted(self)
        text = self.within(text)
        if "://" in text:
            text = _USERINFO.sub(rf"\g<scheme>{MASK}@", text)
        if "=" in text:
            text = _KEY_VALUE.sub(rf"\g<key>{MASK}", text)
        return _BEARER.sub(rf"\g<word> {MASK}", text)


def masked(secret: str) -> str:
    """Return what may be shown of a secret: an address without its password and query, else `***`.

    NATS and kinds that speak HTTP take a token where others take a user: there a login of one word is hidden.
    """
    head, separator, rest = secret.partition("://")
    if not separator or not _SCHEME.fullmatch(head):  # such as JSON with an address in it
        return MASK
    try:
        parts = urlsplit(f"x://{rest}")  # whatever stands before it, such as jdbc:postgresql
        _ = parts.port
    except ValueError:  # what cannot be taken apart cannot be shown in part
        return f"{head}://{MASK}"
    login, at, host = parts.netloc.rpartition("@")
    user, colon, _ = login.partition(":")
    if user and not colon and head.lower().endswith(_TOKEN_ALONE):
        user = MASK
    return f"{head}://{user}{colon and colon + MASK}{at}{host}{parts.path}"


def _forms(secret: str) -> Iterable[str]:
    """Yield the spellings in which a secret may turn up in a message."""
    if len(secret) < SHORTEST_SECRET:
        return
    raw = secret.encode(errors="surrogatepass")
    yield secret
    yield repr(secret)[1:-1]
    yield repr(raw)[2:-1]
    yield json.dumps(secret)[1:-1]
    yield base64.b64encode(raw).decode()
    for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
