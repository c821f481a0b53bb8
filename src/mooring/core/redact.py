"""Keep secrets out of everything that is shown, logged or stored in the clear."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST_SECRET = 3
"""Shorter secrets are masked only inside addresses: masking each "a" would hide the message."""

_USERINFO = re.compile(r"(?P<scheme>[a-zA-Z][\w+.-]*://)[^/?#\s'\"]*@")
_BEARER = re.compile(r"(?i)\b(?P<word>bearer|basic)\s+[\w.~+/=-]{4,}")


class Redactor:
    """Replaces known secrets, and whatever looks like a login in an address, by `***`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, text: str) -> str:
        """Return the text with every secret masked."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        if "://" in text:
            text = _USERINFO.sub(rf"\g<scheme>{MASK}@", text)
        return _BEARER.sub(rf"\g<word> {MASK}", text)


def _forms(secret: str) -> Iterable[str]:
    """Yield the spellings in which a secret may turn up in a message."""
    if len(secret) < SHORTEST_SECRET:
        return
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield repr(secret)[1:-1]
    yield base64.b64encode(secret.encode()).decode()
