"""Which pages there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from docs.generator.api import api
from docs.generator.commands import commands
from docs.generator.configuration import configuration
from docs.generator.faults import faults
from docs.generator.kinds import kinds, targets
from docs.generator.metrics import metrics
from docs.generator.pools import pools
from docs.generator.reasons import reasons

FOLDER = Path(__file__).parent.parent / "reference"
NOTE = "<!-- Written from the code by `make docs`: edit the code, not this page. -->"
PAGES: Mapping[str, Callable[[], str]] = {
    "api.md": api,
    "commands.md": commands,
    "configuration.md": configuration,
    "faults.md": faults,
    "kinds.md": kinds,
    "metrics.md": metrics,
    "pools.md": pools,
    "reasons.md": reasons,
    "targets.md": targets,
}


def pages() -> Iterator[tuple[Path, str]]:
    """Yield each page's path and what it has to hold."""
    for name, make in PAGES.items():
        yield FOLDER / name, f"{NOTE}\n\n{make().strip()}\n"
