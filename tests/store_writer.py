"""Writes batches to a store for ever and says which are committed; a test kills it.

    python -m tests.store_writer URL

Each batch holds results of all targets, health, and a change of each target; all of one batch carry
its number, so that a batch that is there by half can be told.
"""

from __future__ import annotations

import asyncio
import sys

from sqlalchemy import Connection

from mooring.core.clock import SystemClock
from mooring.core.health import Health
from mooring.core.result import TargetRef
from mooring.core.status import Status
from mooring.core.transition import Transition
from mooring.store import health, results, revisions, targets, transitions
from mooring.store.store import Store
from tests.stored import add_target, after, down, roll_up, up

TARGETS = 20
INTERVAL = 30


def write(conn: Connection, refs: list[TargetRef], number: int) -> None:
    """Write one batch, and whatever roll-up it makes due, in one transaction."""
    revision = revisions.next_revision(conn)
    at = after(seconds=number * INTERVAL)
    old, new = (Status.UP, Status.DOWN) if number % 2 else (Status.DOWN, Status.UP)
    batch = [down(ref, at) if number % 2 else up(ref, at) for ref in refs]
    results.append(conn, batch, revision)
    health.save(conn, {one.target.id or 0: Health(new, at, last=one) for one in batch}, revision)
    transitions.append(conn, [Transition(ref.id, old, new, at) for ref in refs], revision)
    roll_up(conn, at)


async def main(url: str) -> None:
    """Write until killed."""
    store = await Store.open(url, clock=SystemClock(), migrate=False)
    known = await store.read(targets.all_targets)
    refs = [TargetRef(each.id, each.name, each.kind, each.address) for each in known]
    if not refs:
        refs = await store.write(lambda conn: [add_target(conn, f"target {n}") for n in range(TARGETS)])
    latest = await store.read(lambda conn: transitions.latest(conn, limit=1))
    begun = latest[0].transition.at if latest else after()
    number = round((begun - after()).total_seconds() / INTERVAL)
    while True:
        number += 1
        await store.write(lambda conn, number=number: write(conn, refs, number))
        print(number, flush=True)  # noqa: T201 -- this is how the test learns what was acknowledged


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
