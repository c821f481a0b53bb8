"""The page of mooring.toml and of the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, SecretStr

from docs.generator.schema import fields, table
from mooring.config import ENVIRONMENT
from mooring.core.target import Schedule
from mooring.environment import IN_MILLISECONDS
from mooring.net.egress import GROUPS
from mooring.settings import EgressSettings, PoolSettings, ServerSettings, StoreSettings
from mooring.targets import ScheduleKeys

INTRODUCTION = """
# Configuration

`mooring.toml`, or a folder of `.toml` files, named with `-c`. Command line stands above environment,
environment above file, file above defaults. Unknown keys are refused. `mooring config check` shows the
effective settings, with secrets hidden, or every mistake at once.

Values may refer to what stands elsewhere: `${VARIABLE}` is replaced from the environment (a missing one is
a mistake, `$${` is a plain `${`), and a value that begins with `file:///` by what that file holds.
"""
DEFAULTS = "When targets are tested where neither they nor their kind say otherwise. Times are seconds."
TARGETS = """
## [[targets]]

One table per target: the [keys of a target](targets.md) and the settings of its [kind](kinds.md). Such a
target belongs to the file: the API shows it and refuses to edit it.

```toml
[[targets]]
name = "orders"
url = "${ORDERS_DATABASE_URL}"
interval = 60
labels = { team = "shop" }
```
"""
SECTIONS: Mapping[str, type[BaseModel]] = {
    "server": ServerSettings,
    "store": StoreSettings,
    "egress": EgressSettings,
    "pools": PoolSettings,
}


def configuration() -> str:
    """Return the page of the configuration."""
    parts = [INTRODUCTION.strip()]
    for name, section in SECTIONS.items():
        parts += [f"## [{name}]", (section.__doc__ or "").strip(), fields(_section(section))]
    groups = [[f"`{name}`", ", ".join(f"`{each}`" for each in networks)] for name, networks in GROUPS.items()]
    parts.append(table(("group of [egress]", "networks"), groups))
    parts += ["## [defaults]", DEFAULTS, fields(_defaults())]
    parts.append(TARGETS.strip())
    parts += [
        "## Environment",
        table(("variable", "key"), [[f"`{v}`", _key(v, k)] for v, k in ENVIRONMENT.items()]),
    ]
    return "\n\n".join(parts)


def _key(variable: str, key: str) -> str:
    return f"`{key}`, in milliseconds" if variable in IN_MILLISECONDS else f"`{key}`"


def _section(section: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a section; a default that is a secret by its type is no secret."""
    schema = section.model_json_schema()
    for name, field in section.model_fields.items():
        if isinstance(field.default, SecretStr):
            schema["properties"][name]["default"] = field.default.get_secret_value()
    return schema


def _defaults() -> dict[str, Any]:
    """Return the schema of [defaults] with the values that hold where it is left out."""
    schema = ScheduleKeys.model_json_schema()
    values = asdict(Schedule())
    properties = {key: {**each, "default": values[key]} for key, each in schema["properties"].items()}
    return {**schema, "properties": properties}
