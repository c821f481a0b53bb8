"""A JSON Schema as a form wants it: titles that people read, and the settings in a sensible order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MORE = {"x-more": True}
"""Extra of a setting that few need: a form shows it on demand."""
_FIRST = ("kind", "url")
_LAST = ("tls",)
_BOUNDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
_TITLES = {
    "url": "Address",
    "tls": "TLS",
    "ca": "CA",
    "cpu": "CPU",
    "json": "JSON",
    "pid": "PID",
    "graphql": "GraphQL",
}


def readable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an object, and of those in it, with titles and in order."""
    made = dict(schema)
    if "properties" in made:
        names = sorted(made["properties"], key=lambda name: (name in _LAST, name not in _FIRST))
        made["properties"] = {name: _titled(name, made["properties"][name]) for name in names}
    if "$defs" in made:
        made["$defs"] = {name: readable(each) for name, each in made["$defs"].items()}
    return made


def _titled(name: str, field: Mapping[str, Any]) -> dict[str, Any]:
    """Give a field a title, unless somebody has written one."""
    field = _spoken(field)
    if field.get("title", _pydantics(name)) != _pydantics(name):
        return field
    return {**field, "title": title_of(name)}


def _spoken(field: Mapping[str, Any]) -> dict[str, Any]:
    """Return a field with its bounds in JSON Schema's words: behind a validator Pydantic leaves its own."""
    made = {_BOUNDS.get(key, key): value for key, value in field.items()}
    if "anyOf" in made:
        made["anyOf"] = [_spoken(each) for each in made["anyOf"]]
    return made


def _pydantics(name: str) -> str:
    return name.replace("_", " ").title()


def title_of(name: str) -> str:
    """Return a setting's name as a title: `max_cpu` is "Max CPU"."""
    words = [_TITLES.get(word, word) for word in name.split("_")]
    text = " ".join(words)
    return text[:1].upper() + text[1:]
