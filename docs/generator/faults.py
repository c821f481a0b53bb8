"""The page of faults: what is told of each, as the tests prove it on real servers."""

from __future__ import annotations

from collections.abc import Sequence

from docs.generator.schema import table
from tests.integration.entries import FAULTS, STAND_INS
from tests.integration.kinds import Fault

INTRODUCTION = """
# Faults

What goes wrong, and what Mooring says of it: the [stage, the reason](reasons.md) and a stable code, then
what to do. Each line is a test, which brings the fault about on a real server and demands exactly this;
where a stand-in had to do, it says so. A line to be pasted stands last, with the names of the test in it.

Of every kind that connects by itself: nothing listens on the port (`tcp`, `refused`, `ECONNREFUSED`), the
host's name is no name (`dns`, `dns`, `BADNAME`), nothing is answered (`timeout`, at the stage that waits).
"""


def faults() -> str:
    """Return the page of all faults."""
    known = {kind: rows for kind, rows in FAULTS.items() if rows}
    return "\n\n".join([INTRODUCTION.strip(), *[_kind(kind, rows) for kind, rows in known.items()]])


def _kind(kind: str, rows: Sequence[Fault]) -> str:
    header = ("what is wrong", "stage", "reason", "code", "what to do")
    parts = [f"## {kind}", STAND_INS.get(kind, ""), table(header, map(_row, rows))]
    return "\n\n".join(part for part in parts if part)


def _row(fault: Fault) -> list[str]:
    stage, reason, code = fault.told
    remedy = f"{fault.hint or ''} {f'`{fault.fix}`' if fault.fix else ''}".strip()
    return [fault.what, f"`{stage}`" if stage else "", f"`{reason}`", f"`{code}`", remedy]
