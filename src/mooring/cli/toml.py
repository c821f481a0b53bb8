"""Values as TOML, for people to read and for `mooring` to read again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def written(section: Mapping[str, Any], *, escape: bool = False) -> Iterator[str]:
    """Yield `key = value` lines; None is left out. `escape` keeps `${` from being read as a reference."""
    return (f"{_key(key)} = {_value(value, escape)}" for key, value in section.items() if value is not None)


def _value(value: Any, escape: bool) -> str:
    if isinstance(value, Mapping):
        pairs = (f"{_key(key)} = {_value(item, escape)}" for key, item in value.items() if item is not None)
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(item, escape) for item in value)}]"
    if isinstance(value, str) and escape:
        value = value.replace("${", "$${")
    return json.dumps(value, ensure_ascii=False)  # TOML's basic strings, numbers and booleans are JSON's


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)
