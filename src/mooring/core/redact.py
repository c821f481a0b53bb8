"""Keep secrets out of everything that is shown, logged or stored in the clear."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from mooring.core.prose import Prose

MASK = "***"
SHORTEST_SECRET = 3
"""Shorter secrets are masked only inside addresses: masking each "a" would hide the message."""

LONGEST_SHOWN = 80
"""Characters of what an answer is quoted by."""
SHORTEST_BEGINNING = 4
"""Shorter beginnings of a secret are not masked where a text is cut."""

_TOKEN_ALONE = ("+http", "+https", "nats")
_SCHEME = re.compile(r"[A-Za-z][\w.+:-]*")
# Looks back at one letter, not at the whole scheme: that would take minutes on a long word.
_USERINFO = re.compile(r"(?<=[\w+.-])://[^/?#\s'\"]*@")
_CUT_OFF = re.compile(r"['\"]?(?:\.{3}|…)")
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
        self._forms = sorted(forms, key=len, reverse=True)
        heads = sorted({re.escape(form[:SHORTEST_BEGINNING]) for form in forms})
        self._heads = re.compile("|".join(heads)) if heads else None
        self._reach = max(map(len, forms), default=0) + len("'...")

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
        if self._heads is None:
            return value
        if isinstance(value, str):
            return self._masked(value)
        if isinstance(value, Mapping):
            return {key: self.within(item) for key, item in value.items()}
        return [self.within(item) for item in value] if isinstance(value, (list, tuple)) else value

    def __call__(self, text: str) -> str:
        """Return the text with every secret masked; of a Prose only what was put into it."""
        if isinstance(text, Prose):
            return text.redacted(self)
        text = self._masked(text) if self._first is None else self.within(text)
        if "@" in text and "://" in text:
            text = _USERINFO.sub(f"://{MASK}@", text)
        if "=" in text:
            text = _KEY_VALUE.sub(rf"\g<key>{MASK}", text)
        if " " in text or not text.isprintable():  # else it is one word
            text = _BEARER.sub(rf"\g<word> {MASK}", text)
        return text

    @cached_property
    def _known(self) -> re.Pattern[str]:
        """What finds a secret: made when a text seems to hold one, since that takes a while."""
        return re.compile("|".join(map(re.escape, self._forms)))

    def _masked(self, text: str) -> str:
        if self._heads is None or self._heads.search(text) is None:
            return text
        return self._without_beginnings(self._known.sub(MASK, text), self._heads)

    def _without_beginnings(self, text: str, heads: re.Pattern[str]) -> str:
        """Mask what is left of a secret in which a text was cut."""
        kept, at = "", 0
        head = heads.search(text)
        while head is not None:
            start = head.start()
            dots = _CUT_OFF.search(text, start, start + self._reach)
            beginning = text[start : dots.start()] if dots else ""
            if beginning and any(form.startswith(beginning) for form in self._forms):
                kept, at = kept + text[at:start] + MASK, start + len(beginning)
            head = heads.search(text, max(at, start + 1))
        return kept + text[at:]


def cut(text: str, most: int = LONGEST_SHOWN) -> str:
    """Return the beginning of a text that may be long.

    What is cut before it is redacted is cut by this: a secret's beginning is masked before these dots.
    """
    return text if len(text) <= most else text[:most] + "..."


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
    yield from _inside_base64(raw)
    for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)


def _inside_base64(raw: bytes) -> Iterable[str]:
    """Yield what base64 holds of a secret amid other bytes, such as those of a login before it."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + raw).decode()
        alone = whole[
            -(-before * 8 // 6) : (before + len(raw)) * 8 // 6
        ]  # what its neighbours leave as it is
        yield alone
        yield alone.replace("+", "-").replace("/", "_")
