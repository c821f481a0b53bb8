"""SQLite against a real file; broken by a table that is not there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.integration.kinds import Example

DIALS = False


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """A database with one row."""
    folder: Path = request.getfixturevalue("tmp_path")
    with closing(sqlite3.connect(folder / "app.db")) as connection:
        connection.executescript("CREATE TABLE jobs (id INTEGER); INSERT INTO jobs VALUES (7);")
    url = f"sqlite:///{folder / 'app.db'}"
    yield Example(
        settings={"url": url, "query": "SELECT id FROM jobs", "expect": 7, "quick_check": True},
        broken={"url": url, "query": "SELECT id FROM jbos"},
    )
