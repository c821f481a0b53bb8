"""Failures after their day: the first, the last and how many, for each cause and day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from mooring.core.failure import Failure
from mooring.core.result import Observation
from mooring.store import bulk
from mooring.store.codes import EPOCH, MICROSECONDS, REASON, STAGE, moment
from mooring.store.packing import said_in
from mooring.store.results import LOCAL
from mooring.store.schema import failure_days

_DAY = 86_400 * MICROSECONDS
NO_STAGE = -1

_COUNT_ON = """ON CONFLICT (target_id, day, region, reason, stage, code) DO UPDATE SET
 times = failure_days.times + excluded.times,
 first_body = CASE WHEN excluded.first_at < failure_days.first_at
  THEN excluded.first_body ELSE failure_days.first_body END,
 last_body = CASE WHEN excluded.last_at >= failure_days.last_at
  THEN excluded.last_body ELSE failure_days.last_body END,
 first_at = CASE WHEN excluded.first_at < failure_days.first_at
  THEN excluded.first_at ELSE failure_days.first_at END,
 last_at = CASE WHEN excluded.last_at >= failure_days.last_at
  THEN excluded.last_at ELSE failure_days.last_at END"""


@dataclass(frozen=True, slots=True)
class FailureDay:
    """How often a target failed for one cause (reason, stage, code) on one day in UTC, and what it said."""

    day: date
    region: str
    count: int
    first_at: datetime
    last_at: datetime
    first: Failure
    last: Failure
    first_seen: Observation
    last_seen: Observation


def of_target(
    conn: Connection, target_id: int, before: date | None = None, limit: int = 100
) -> list[FailureDay]:
    """Return a target's failures that are older than a day, the newest day first, days before one."""
    query = select(failure_days).where(failure_days.c.target_id == target_id)
    if before is not None:
        query = query.where(failure_days.c.day < (before - EPOCH.date()).days)
    newest = query.order_by(failure_days.c.day.desc(), failure_days.c.first_at).limit(limit)
    return [_failure_day(row) for row in conn.execute(newest)]


def fold(conn: Connection, rows: Iterable[Row[Any]]) -> None:
    """Count failing raw results, with their notes' bodies, into their days. The caller deletes them."""
    days: dict[bulk.Row, list[Any]] = {}
    for row in rows:
        failure, _ = said_in(row.body)
        if failure is None:
            continue
        stage = NO_STAGE if failure.stage is None else STAGE[failure.stage]
        code = _storable(failure.code)
        key = (row.target_id, row.started_at // _DAY, row.region, REASON[failure.reason], stage, code)
        one = [1, row.started_at, row.started_at, row.body, row.body]
        so_far = days.setdefault(key, one)
        if so_far is not one:
            so_far[0] += 1
            so_far[2], so_far[4] = row.started_at, row.body
    bulk.insert(conn, failure_days, [(*key, *values) for key, values in days.items()], _COUNT_ON)


def _storable(code: str) -> str:
    """Return a code without what a database's text cannot hold; the whole one stands in the bodies."""
    return code.replace("\0", "").encode(errors="replace").decode()


def _failure_day(row: Row[Any]) -> FailureDay:
    first, first_seen = said_in(row.first_body)
    last, last_seen = said_in(row.last_body)
    if first is None or last is None:
        raise ValueError(f"the failures of target {row.target_id} on day {row.day} say nothing")
    return FailureDay(
        day=(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=row.day)).date(),
        region=row.region or LOCAL,
        count=row.times,
        first_at=moment(row.first_at),
        last_at=moment(row.last_at),
        first=first,
        last=last,
        first_seen=first_seen,
        last_seen=last_seen,
    )
