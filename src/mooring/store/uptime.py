"""Uptime: the share of known health time in which a target worked, from its transitions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby, islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, select

from mooring.core.status import Status
from mooring.store.codes import STATUS_OF, micros
from mooring.store.schema import health, transitions

FOR_EVER = 1 << 62


class Span(NamedTuple):
    """A time in one status; both ends in microseconds since 1970."""

    start: int
    end: int
    status: Status


def uptime(conn: Connection, since: datetime, now: datetime) -> dict[int, float | None]:
    """Return every target's uptime between two times, 0 to 1; None where its health was never known.

    Unknown time is left out: pauses, and times when Mooring itself was off.
    """
    return {
        target: share(spans, micros(since), micros(now)) for target, spans in all_spans(conn, since).items()
    }


def all_spans(conn: Connection, since: datetime, target_id: int | None = None) -> dict[int, list[Span]]:
    """Return the status of every target (or of one) over the time from `since` on, in one statement.

    A change says what was before it, so that nothing before `since` has to be looked at.
    """
    later = and_(transitions.c.target_id == health.c.target_id, transitions.c.at > micros(since))
    query = (
        select(health.c.target_id, health.c.status, transitions.c.at, transitions.c.old, transitions.c.new)
        .outerjoin(transitions, later)
        .order_by(health.c.target_id, transitions.c.at, transitions.c.id)
    )
    if target_id is not None:
        query = query.where(health.c.target_id == target_id)
    by_target = groupby(conn.execute(query), key=lambda row: row[0])
    return {target: _spans(list(rows), micros(since)) for target, rows in by_target}


def share(spans: Sequence[Span], since: int, until: int) -> float | None:
    """Return the part of the known time between two times in which the status was up or degraded."""
    works = known = 0
    for span in islice(spans, bisect_right(spans, since, key=lambda span: span.end), None):
        if span.start >= until:
            break
        length = min(span.end, until) - max(span.start, since)
        if span.status is not Status.UNKNOWN:
            known += length
            works += length if span.status.works else 0
    return works / known if known else None


def _spans(rows: Sequence[Any], since: int) -> list[Span]:
    status = STATUS_OF[rows[0].status]
    changes = [row for row in rows if row.at is not None]
    spans, start = [], since
    for row in changes:
        spans.append(Span(start, row.at, STATUS_OF[row.old]))
        start, status = row.at, STATUS_OF[row.new]
    return [*spans, Span(start, FOR_EVER, status)]
