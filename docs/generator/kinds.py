"""The pages of the kinds and of the keys that every target has."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from pydantic import TypeAdapter

from docs.generator.schema import fields, table
from mooring.net.tls import TLSSettings
from mooring.probes import Probe
from mooring.probes._registry import Kinds
from mooring.targets import TargetKeys

INTRODUCTION = """
# Kinds

How each kind of target is tested, and its settings. `mooring kinds` prints the same in a terminal, and
`GET /api/v1/kinds` gives it as JSON Schema. Beside its own settings every target has the
[keys of a target](targets.md).
"""
TARGETS = """
# The keys of a target

A target is a `[[targets]]` table of `mooring.toml`, a body of `POST /api/v1/targets`, an entry of
`mooring targets apply`: the same flat keys everywhere. They are the keys below and, beside them, the
settings of its [kind](kinds.md). Times are seconds. What is left out comes from the kind, then from
`[defaults]`.
"""
TLS = """
## TLS

The value of `tls`, the same for every kind that has it: `tls = { ca = "/etc/ssl/corp.pem" }`.
"""


def kinds() -> str:
    """Return the page of all kinds."""
    found = of_mooring(Kinds())
    rows = [[f"[{k.kind_name()}](#{k.kind_name()})", _schemes(k), k.headline()] for k in found]
    overview = table(("kind", "addresses", "what it does"), rows)
    return "\n\n".join([INTRODUCTION.strip(), overview, *map(_kind, found)])


def of_mooring(known: Kinds) -> list[type[Probe]]:
    """Return the kinds that Mooring brings along, without those of other packages."""
    return [kind for kind in known.all() if kind.__module__.partition(".")[0] == "mooring"]


def targets() -> str:
    """Return the page of the keys that every target has, and of `tls`."""
    tls = TypeAdapter(TLSSettings).json_schema()
    meaning = " ".join(inspect.cleandoc(TLSSettings.__doc__ or "").split())
    return "\n\n".join(
        [TARGETS.strip(), fields(TargetKeys.model_json_schema()), TLS.strip(), meaning, fields(tls)]
    )


def _kind(kind: type[Probe]) -> str:
    headline, _, more = inspect.cleandoc(kind.__doc__ or "").partition("\n")
    parts = [f"## {kind.kind_name()}", headline, more.strip(), "\n".join(_facts(kind))]
    if kind.proves:
        proofs = [[f"`{stage}`", text] for stage, text in kind.proves.items()]
        parts.append(table(("stage", "what it proves"), proofs))
    parts.append(fields(kind.model_json_schema(), leave_out=["kind"]))
    return "\n\n".join(part for part in parts if part)


def _schemes(kind: type[Probe]) -> str:
    return " ".join(f"`{scheme}://`" for scheme in kind.schemes)


def _facts(kind: type[Probe]) -> Iterator[str]:
    if kind.schemes:
        yield f"- Addresses: {_schemes(kind)}"
    given = kind.defaults
    own = [
        f"`{name} = {str(value).lower() if isinstance(value, bool) else format(value, 'g')}`"
        for name in ("interval", "timeout", "retry")
        if (value := getattr(given, name)) is not None
    ]
    if own:
        yield f"- Its own defaults: {', '.join(own)}"
    if kind.extra:
        yield f"- Needs a driver: `pip install 'mooring[{kind.extra}]'`"
    if kind.local:
        yield "- Reads this machine: only from the configuration file, or by an admin"
    if getattr(kind, "passive", False):
        yield "- Passive: it is not asked, it reports in"
