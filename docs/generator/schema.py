"""JSON Schema as Markdown tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

BOUNDS = (
    ("minimum", ">= {}"),
    ("exclusiveMinimum", "> {}"),
    ("maximum", "<= {}"),
    ("exclusiveMaximum", "< {}"),
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minItems", "at least {}"),
    ("maxItems", "at most {}"),
)
NAMES = {"string": "text", "boolean": "true or false", "integer": "whole number", "number": "number"}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; a bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def fields(schema: Schema, *, leave_out: Iterable[str] = ()) -> str:
    """Return the table of an object's fields: name, type, default, meaning."""
    required = set(schema.get("required", ()))
    defs = schema.get("$defs", {})
    rows = [
        [
            f"`{name}`",
            type_of(each, defs) + (" or null" if name in required and _nullable(each) else ""),
            "required" if name in required else default_of(each),
            meaning_of(each),
        ]
        for name, each in schema.get("properties", {}).items()
        if name not in set(leave_out)
    ]
    if not rows:
        return "None of its own."
    width = 4 if any(row[3] for row in rows) else 3
    return table(("key", "type", "default", "meaning")[:width], [row[:width] for row in rows])


def _nullable(schema: Schema) -> bool:
    return any(each.get("type") == "null" for each in schema.get("anyOf", ()))


def type_of(schema: Schema, defs: Schema) -> str:
    """Return a type in words, with its bounds."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        target = defs.get(name, {})
        return type_of(target, defs) if "enum" in target or "const" in target else _link(name)
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            found = [type_of(each, defs) for each in schema[word] if each.get("type") != "null"]
            return " or ".join(dict.fromkeys(found))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    return _plain(schema, defs)


def _plain(schema: Schema, defs: Schema) -> str:
    kind = schema.get("type")
    if schema.get("writeOnly") or schema.get("format") == "password":
        return "secret"
    if kind == "array":
        items = schema.get("items")
        named = f"list of {type_of(items, defs)}" if items else "list"
    elif kind == "object":
        values = schema.get("additionalProperties")
        named = f"table of {type_of(values, defs)}" if isinstance(values, dict) and values else "table"
    else:
        named = NAMES.get(str(kind), "anything")
    bounds = [text.format(_number(schema[key])) for key, text in BOUNDS if key in schema]
    return ", ".join([named, *bounds]).replace("at least 1 characters", "not empty")


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def _link(name: str) -> str:
    return f"[{name}](targets.md#tls)" if name == "TLSSettings" else f"`{name}`"


def default_of(schema: Schema) -> str:
    """Return a default as it would be written in TOML, empty where there is none to speak of."""
    value = schema.get("default")
    if value in (None, {}, [], ()):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (dict, list, tuple)):
        return f"`{json.dumps(value)}`"
    return f"`{_number(value)}`" if isinstance(value, float) else f"`{value}`"


def meaning_of(schema: Schema) -> str:
    """Return the description with examples, on one line."""
    text = " ".join(str(schema.get("description", "")).split())
    examples = ", ".join(f"`{each}`" for each in schema.get("examples", ()))
    return f"{text} Example: {examples}".strip() if examples else text
