"""`mooring kinds`: the kinds there are, and what one of them takes and proves."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any

from mooring.cli.terminal import table
from mooring.probes import Probe
from mooring.probes._registry import Kinds


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("kind", nargs="?", metavar="KIND", help="one kind, for its settings")
    parser.add_argument("--json", action="store_true", help="print JSON, the settings as JSON Schema")


def run(args: argparse.Namespace) -> int:
    """Print the list, or one kind."""
    kinds = Kinds()
    chosen = [kinds.get(args.kind)] if args.kind else list(kinds.all())
    if args.json:
        described = [kind.described() for kind in chosen]
        print(json.dumps(described[0] if args.kind else described, indent=2, ensure_ascii=False))
    elif args.kind:
        print("\n".join(_page(chosen[0])))
    else:
        rows = [[kind.kind_name(), kind.headline(), " ".join(map(_scheme, kind.schemes))] for kind in chosen]
        print("\n".join(table([["KIND", "WHAT", "ADDRESSES"], *rows])))
    return 0


def _scheme(scheme: str) -> str:
    return f"{scheme.removesuffix('*')}{'...' if scheme.endswith('*') else ''}://"


def _page(kind: type[Probe]) -> Iterator[str]:
    yield kind.headline()
    yield ""
    yield f"addresses  {' '.join(map(_scheme, kind.schemes)) or 'none; give its settings'}"
    told = {"interval": kind.defaults.interval, "timeout": kind.defaults.timeout}
    own = [f"{name} {value:g} s" for name, value in told.items() if value is not None]
    yield f"defaults   {', '.join(own) or 'those of [defaults]'}"
    if kind.extra:
        yield f"driver     pip install 'mooring[{kind.extra}]'"
    if kind.local:
        yield "local      reads this machine: only from the configuration file, or by an admin"
    if kind.passive:
        yield "passive    is not asked, but reports to a running server"
    yield from ("", "What each stage proves:")
    yield from (
        f"  {line}"
        for line in table([[stage.value, text] for stage, text in kind.proves.items()] or [["-", ""]])
    )
    yield from ("", "Settings:")
    yield from (f"  {line}" for line in table(list(_settings(kind.model_json_schema()))))


def _settings(schema: Mapping[str, Any]) -> Iterator[list[str]]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        if name != "kind":
            default = "required" if name in required else _default(field)
            yield [name, _type(field, schema.get("$defs", {})), default, field.get("description", "")]


def _default(field: Mapping[str, Any]) -> str:
    value = field.get("default")
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _type(field: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    """Return a JSON Schema type in a word or two."""
    if "$ref" in field:
        return _type(defs.get(field["$ref"].rpartition("/")[2], {}), defs)
    if "enum" in field:
        return "|".join(map(str, field["enum"]))
    if "anyOf" in field:
        return " or ".join(
            dict.fromkeys(_type(each, defs) for each in field["anyOf"] if each.get("type") != "null")
        )
    kind = str(field.get("type", "any"))
    if kind == "array":
        return f"list of {_type(field.get('items', {}), defs)}"
    return {"string": "secret text" if field.get("writeOnly") else "text", "object": "table"}.get(kind, kind)
