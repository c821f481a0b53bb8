"""What stands in tests/integration/kinds, for the suites and for the page of faults made from it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from mooring.core.target import Target
from mooring.probes._registry import Kinds
from mooring.targets import TargetReader
from tests.integration.kinds import Fault

_FOLDER = Path(__file__).with_name("kinds")

KINDS = Kinds()
ENTRIES: Mapping[str, ModuleType] = {
    file.stem: import_module(f"tests.integration.kinds.{file.stem}")
    for file in sorted(_FOLDER.glob("[a-z]*.py"))
}
ASKED = [name for name, entry in ENTRIES.items() if hasattr(entry, "good")]
DIALLING = [name for name, entry in ENTRIES.items() if entry.DIALS]
FAULTS: Mapping[str, tuple[Fault, ...]] = {
    name: getattr(entry, "FAULTS", ()) for name, entry in ENTRIES.items()
}
STAND_INS: Mapping[str, str] = {
    name: entry.STAND_IN for name, entry in ENTRIES.items() if hasattr(entry, "STAND_IN")
}
"""What the servers of some kinds are, where no real one can be had."""


def target_of(kind: str, settings: Mapping[str, Any], timeout: float = 10) -> Target:
    """Return a target of these settings."""
    return TargetReader(KINDS).read(
        {"name": kind, "kind": kind, "timeout": timeout, "interval": 60, **settings}
    )
