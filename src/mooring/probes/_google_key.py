"""The key of a Google service account."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

ACCOUNT = re.compile(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+")
"""An account's e-mail address that can be pasted into a shell."""
_NEEDED = ("client_email", "private_key", "token_uri")


def demand_key(text: str) -> dict[str, Any]:
    """Return a service account's key. Raises ValueError that says what is wrong and shows nothing of it."""
    try:
        key = json.loads(text)
    except ValueError:
        raise ValueError("is no JSON; give what the downloaded file holds, or file:///path of it") from None
    if not isinstance(key, dict) or key.get("type") != "service_account":
        raise ValueError('is no key of a service account: its "type" has to be "service_account"')
    missing = [name for name in _NEEDED if not isinstance(key.get(name), str) or not key[name]]
    if missing:
        raise ValueError(f"lacks {' and '.join(missing)}; download a new key")
    return key


def secrets_of(text: str) -> Iterator[str]:
    """Yield what is secret of a key: as it is stored, its private key, and each line of that."""
    yield text
    private = str(demand_key(text)["private_key"])
    yield private
    yield from (line for line in private.splitlines() if line and not line.startswith("-----"))
