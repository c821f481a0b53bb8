"""Connections that a program's own listener of SQLAlchemy's `connect` refuses."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import QueuePool, create_engine, event

import mooring
from mooring.pools import Watch


@pytest.mark.parametrize(("is_first", "created"), [(True, 0), (False, 2)], ids=["earlier", "later"])
def test_what_a_listener_refuses_is_created_where_it_comes_later(is_first: bool, created: int) -> None:
    """One that was there before hides the connection; one that is added later refuses one that was created.

    Neither is open or used afterwards, and nobody waits.
    """
    engine = create_engine("sqlite://", poolclass=QueuePool)

    def refuse(*_: Any) -> None:
        raise LookupError("not today")

    if is_first:
        event.listen(engine, "connect", refuse)
    tracker = mooring.instrument(engine, watch=Watch(threaded=False))
    if not is_first:
        event.listen(engine, "connect", refuse)
    for _ in range(2):
        with pytest.raises(LookupError, match="not today"):
            engine.connect()
    told = tracker.snapshot()
    assert (told.totals.created, told.totals.closed) == (created, 0)
    assert (told.size, told.used, told.waiting, tracker.faults) == (0, 0, 0, 0)
