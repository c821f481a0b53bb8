"""Backup and restore."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path


def copy_file(source: Path, destination: Path) -> None:
    """Copy an SQLite database, also while it is being written, as one consistent state. Blocks."""
    partial = destination.with_name(f"{destination.name}.partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_WRONLY, 0o600))
    reader = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
    writer = sqlite3.connect(partial)
    try:
        reader.backup(writer)
    finally:
        writer.close()
        reader.close()
    partial.replace(destination)
