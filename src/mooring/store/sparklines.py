"""Spark lines: the last 24 hours of every target's latency, at a glance."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Connection,
    Text,
    bindparam,
    cast,
    func,
    select,
    union_all,
)

from mooring.store.codes import MICROSECONDS
from mooring.store.rollups import HOUR
from mooring.store.schema import SLOT, rollups

SPARKS = 24
"""Points of a spark line, an hour each."""
_SLOTS = HOUR // SLOT


def sparklines(conn: Connection, now: datetime) -> dict[int, list[float | None]]:
    """Return the mean latency, in seconds, of each of the last 24 hours for every target, the oldest first.

    One statement, with a row for each hour: a row for each hour and target would take three times as
    long to read. The running hour is as new as the last complete ten minutes.
    """
    first = int(now.timestamp()) // HOUR - SPARKS + 1
    sparks: dict[int, list[float | None]] = {}
    for hour, listed in conn.execute(_SPARKS, {"first": first, "last": first + SPARKS - 1}):
        numbers = json.loads(f"[{listed}]")
        for target, mean in zip(numbers[::2], numbers[1::2], strict=True):
            line = sparks.get(target)
            if line is None:
                line = sparks[target] = [None] * SPARKS
            line[hour - first] = mean / MICROSECONDS
    return sparks


def _sparks() -> CompoundSelect[Any]:
    """Return whole hours, then those behind them, made up of ten minutes."""
    first, last = bindparam("first", type_=BigInteger), bindparam("last", type_=BigInteger)
    passed = rollups.c.checks - rollups.c.failures
    hours = (
        select(rollups.c.slot, _listed(rollups.c.target_id, rollups.c.sum // passed))
        .where(rollups.c.seconds == HOUR, rollups.c.slot.between(first, last), passed > 0)
        .group_by(rollups.c.slot)
    )
    made = select(func.max(rollups.c.slot)).where(rollups.c.seconds == HOUR, rollups.c.slot <= last)
    unmade = func.coalesce((made.scalar_subquery() + 1) * _SLOTS, first * _SLOTS)
    hour = rollups.c.slot // _SLOTS
    tens = (
        select(
            rollups.c.target_id,
            hour.label("hour"),
            (_whole(func.sum(rollups.c.sum)) // _whole(func.sum(passed))).label("mean"),
        )
        .where(rollups.c.seconds == SLOT, rollups.c.slot >= unmade, rollups.c.slot >= first * _SLOTS)
        .where(rollups.c.slot < (last + 1) * _SLOTS, passed > 0)
        .group_by(rollups.c.target_id, hour)
        .subquery()
    )
    behind = select(tens.c.hour, _listed(tens.c.target_id, tens.c.mean)).group_by(tens.c.hour)
    return union_all(hours, behind)


def _listed(target: ColumnElement[int], mean: ColumnElement[int]) -> ColumnElement[str]:
    """Return targets and their means of one hour as one text."""
    return func.aggregate_strings(cast(target, Text) + "," + cast(mean, Text), ",")


def _whole(number: ColumnElement[Any]) -> ColumnElement[int]:
    """Return a sum as an integer: PostgreSQL makes it a decimal."""
    return cast(number, BigInteger)


_SPARKS = _sparks()
