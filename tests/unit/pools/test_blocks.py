"""Errors that leave the block of a connection, as drivers of other versions end theirs."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from mooring.pools.blocks import Blocks
from tests.unit.pools.stepped import Pool

OLD = """
class OldError(Exception):
    pass

class Connection:
    def execute(self):
        raise OldError("no")

class Block:
    def __init__(self, release, connection):
        self.release, self.connection = release, connection

    def __enter__(self):
        return self.connection

    def __exit__(self, *exc):
        self.release(self.connection)
"""


def test_a_block_that_takes_its_error_among_others_is_seen() -> None:
    """In `__exit__(self, *exc)`, as of asyncpg 0.30, the error is in a tuple; a handled one is none."""
    pool, driver = Pool(), {"__name__": "old.pool"}
    exec(OLD, driver)  # its functions are of that module
    kind: Any = driver["OldError"]
    blocks = Blocks(pool.tracker, "old", (kind,))

    def release(connection: Any) -> None:
        error = sys.exception()
        if error is not None:
            blocks.left(error, connection, sys._getframe(1))

    block: Any = driver["Block"]
    connection: Any = driver["Connection"]()  # type: ignore[operator]
    try:
        connection.execute()
    except kind:
        with block(release, connection):
            pass
    assert pool.tracker.errors.total == 0
    with pytest.raises(kind), block(release, connection):
        connection.execute()
    assert [error.name for error in pool.tracker.errors.kept] == ["OldError"]
    assert pool.tracker.faults == 0
