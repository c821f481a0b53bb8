"""Settings with secrets that a client carries to and fro and cannot open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from mooring.core.failure import InputError, Problem
from mooring.core.redact import masked

VALID = 3600
"""Seconds that an envelope can be opened."""
KEY = "found"


class Envelope:
    """Seals settings with a key that lives and dies with this server."""

    def __init__(self) -> None:
        self._fernet = Fernet(Fernet.generate_key())

    def close(self, keys: Mapping[str, Any]) -> str:
        """Return the keys sealed."""
        return self._fernet.encrypt(json.dumps(keys).encode()).decode()

    def opened(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a body over what its `found` holds. Raises InputError for one that is not ours."""
        keys = dict(body)
        word = keys.pop(KEY, None)
        if word is None:
            return keys
        try:
            held = json.loads(self._fernet.decrypt(str(word), ttl=VALID))
        except (InvalidToken, ValueError):
            words = (
                "was not given out by this server, or more than an hour ago: send the text to discover again"
            )
            raise InputError([Problem(KEY, words)]) from None
        if keys.get("url") == masked(held["url"]):
            del keys["url"]
        return {**held, **keys}
