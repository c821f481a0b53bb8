"""The page of what watches pools: classes, alerts, rules, events, variables, measures."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from enum import StrEnum

from docs.generator.schema import table
from mooring.core.histogram import lowest
from mooring.core.pool import LeakKind, PoolRule
from mooring.pools import environment
from mooring.pools.events import ALERT, ENDED, LEAK, OF_RULE, RETURNED_LATE
from mooring.pools.instrument import ADAPTERS, GROUP, SERVICE
from mooring.pools.opentelemetry import DROPPED, MEASURES, TIMES
from mooring.pools.rules import Rules

INTRODUCTION = """
# Pools

What `mooring.pools` tells of the pools inside a program. [How to use it](../how-to/watch-pools.md).
"""
RULES = """
When to alert, such as `mooring.instrument(engine, rules=mooring.pools.Rules(held=30))`. Shares are of the
limit, times are seconds.
"""
CALLBACKS = """
`tracker.on(event, callback)` calls back from the thread that watches. What a callback raises is counted and
goes no further. It has to return soon: until then nothing is found, and a fork, or a tracker that is closed,
waits for it up to a second. With `key=` the first callback of that key is taken, and no other.
"""
EXAMPLE = 81
TIMES_IN_STATS = """
`wait`, `use` and `create` of `tracker.stats()`, and of `tracker.export_json(path)`, hold under `counts` how
many times fell into each bucket, by its number; a bucket that is not there is empty. Bucket `n`, from 4 on,
begins at `(4 + n % 4) * 2 ** (n // 4 - 1)` nanoseconds and ends where the next one begins:
`{{"counts": {{"{example}": 1}}}}` is one time of {low:.2f} to {high:.2f} ms. Four buckets on
the time is twice as long. To add up processes, add their counts. `p50`, `p95` and `oldest` of each of the
`sites` are seconds.
"""
EVENTS: Mapping[str, tuple[str, str]] = {
    ALERT: ("PoolAlert", "Every new alert, beside the event of its rule."),
    ENDED: ("PoolAlert", "An alert is over; `ended` says when."),
    LEAK: (
        "Leak",
        "A lease is found not to be returned, or its connection was garbage: once for each class.",
    ),
    RETURNED_LATE: ("Leak", "A lease that was told came back after all."),
}
VARIABLES: Mapping[str, str] = {
    environment.SERVER: "The address of the Mooring server to which pools are reported. Without it none is.",
    environment.TOKEN: "The token for that, of the role `reporter`.",
    environment.TOKEN_FILE: "The file that holds it; it is read for each report.",
    SERVICE: "The program's name, where the code gives none.",
    environment.INTERVAL: "Milliseconds until the first reports; then the server's answer says.",
    environment.MONITORING: f"One of {', '.join(f'`{each}`' for each in sorted(environment.NO))}: no pool is "
    "watched and nothing is reported.",
}


def pools() -> str:
    """Return the page of pools."""
    adapters = ", ".join(f"`{name}`" for name in sorted(ADAPTERS))
    return "\n\n".join(
        [
            INTRODUCTION.strip(),
            "## Drivers",
            f"`mooring.instrument` knows those of {adapters}. Others come by the entry point `{GROUP}`.",
            "## Classes of leaks",
            table(("class", "meaning"), _members(LeakKind)),
            "## Alerts",
            table(("rule", "meaning"), _members(PoolRule)),
            "## Rules",
            RULES.strip(),
            table(("rule", "default", "meaning"), _rules()),
            "## Events",
            CALLBACKS.strip(),
            table(("event", "with", "when"), _events()),
            "## Times",
            _times(),
            "## Environment",
            table(("variable", "meaning"), [[f"`{name}`", text] for name, text in VARIABLES.items()]),
            "## OpenTelemetry",
            table(("measure", "instrument", "unit", "meaning"), _measures()),
        ]
    )


def _times() -> str:
    low, high = (lowest(EXAMPLE + more) / 1e6 for more in (0, 1))
    return TIMES_IN_STATS.strip().format(example=EXAMPLE, low=low, high=high)


def _members(kind: type[StrEnum]) -> Iterator[list[str]]:
    told = _docstrings(kind)
    for each in kind:
        yield [f"`{each.value}`", told[each.name]]


def _rules() -> Iterator[list[str]]:
    told = _docstrings(Rules)
    for name, value in Rules()._asdict().items():
        yield [f"`{name}`", f"`{value:g}`", told[name]]


def _events() -> Iterator[list[str]]:
    for name, (what, when) in EVENTS.items():
        yield [f"`{name}`", what, when]
    for rule, name in OF_RULE.items():
        yield [f"`{name}`", "PoolAlert", f"A new alert `{rule.value}`."]


def _measures() -> Iterator[list[str]]:
    for name, text in TIMES.values():
        yield [f"`{name}`", "histogram", "`s`", text]
    for kind, name, unit, text in (*(each[:-1] for each in MEASURES), DROPPED):
        yield [f"`{name}`", kind.replace("_", " "), f"`{unit}`", text]


def _docstrings(described: type) -> dict[str, str]:
    """Return what stands beneath each field of a class: Python itself does not keep it."""
    [body] = ast.parse(textwrap.dedent(inspect.getsource(described))).body
    told: dict[str, str] = {}
    name = None
    for each in body.body if isinstance(body, ast.ClassDef) else ():
        target = each.target if isinstance(each, ast.AnnAssign) else None
        if isinstance(each, ast.Assign):
            target = each.targets[0]  # type: ignore[assignment]  # of an enumeration it is a name, too
        if isinstance(target, ast.Name):
            name = target.id
        elif name and isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
            told[name] = " ".join(str(each.value.value).split())
    return told
