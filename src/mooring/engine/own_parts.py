"""Mooring's own parts as targets: the first screen is never empty, and Mooring watches itself."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mooring.core.failure import InputError
from mooring.core.target import Origin, Target
from mooring.targets import TargetReader

log = logging.getLogger(__name__)

LABEL = "mooring"
SELF = "self"
PID_FILE = "mooring.pid"


def is_own(target: Target) -> bool:
    """Whether a target is one of Mooring's own parts."""
    return target.origin is Origin.FILE and target.labels.get(LABEL) == SELF


def own_parts(
    reader: TargetReader,
    taken: Collection[str],
    *,
    store_url: str,
    http_url: str | None,
    pid_file: Path | None,
) -> list[Target]:
    """Return Mooring's database, process and page as targets whose names are not taken."""
    parts = []
    for keys in _keys(store_url, http_url, pid_file):
        name = _free(keys["name"], taken)
        try:
            parts.append(
                reader.read({**keys, "name": name, "labels": {LABEL: SELF}}, origin=Origin.FILE, where=name)
            )
        except InputError as error:  # Mooring can do its work without watching this part of itself
            log.warning("%s is not watched: %s", name, error)
    return parts


def write_pid(folder: Path) -> tuple[Path | None, Callable[[], None]]:
    """Write this process's id into a file there; return it where that went well, and how to remove it."""
    path = folder.absolute() / PID_FILE
    try:
        path.write_text(f"{os.getpid()}\n")
    except OSError as error:
        log.warning("Mooring's own process is not watched: %s: %s", path, error.strerror)
        return None, lambda: None
    return path, lambda: path.unlink(missing_ok=True)


def _keys(store_url: str, http_url: str | None, pid_file: Path | None) -> Iterator[dict[str, Any]]:
    scheme, _, rest = store_url.partition("://")
    file = rest.partition("?")[0].removeprefix("/")
    if not scheme.startswith("sqlite"):
        yield {"name": "Mooring database", "kind": "postgresql", "url": f"postgresql://{rest}"}
    elif file not in ("", ":memory:"):
        path = quote(str(Path(file).absolute()))
        yield {"name": "Mooring database", "kind": "sqlite", "url": f"sqlite:///{path}"}
    if pid_file is not None and find_spec("psutil") is not None:
        yield {"name": "Mooring process", "kind": "process", "pid_file": str(pid_file)}
    if http_url is not None:
        yield {"name": "Mooring page", "kind": "http", "url": f"{http_url.rstrip('/')}/livez"}


def _free(name: str, taken: Collection[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    return free
