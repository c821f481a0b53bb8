"""Uptime: the share of known health time in which a target worked, from its transitions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    select,
)

from mooring.core.status import Status
from mooring.store.codes import STATUS, STATUS_OF, micros
from mooring.store.schema import health, transitions

FOR_EVER = 1 << 62


class Span(NamedTuple):
    """A time in one status; both ends in microseconds since 1970."""

    start: int
    end: int
    status: Status


def uptime(conn: Connection, since: datetime, now: datetime) -> dict[int, float | None]:
    """Return every target's uptime between two times, 0 to 1; None where its health was never known.

    Unknown time is left out: pauses, and times when Mooring itself was off. One statement, and a row
    for each target, however often they changed.
    """
    begin, end = micros(since), micros(now)
    shares: dict[int, float | None] = {}
    for target, status, works_gained, known_gained in conn.execute(_GAINED, {"since": begin, "now": end}):
        known = _lasted(status in _KNOWN, known_gained, end - begin)
        works = min(_lasted(status in _WORKS, works_gained, end - begin), known)
        shares[target] = works / known if known else None
    return shares


def _lasted(now: bool, gained: int, length: int) -> int:
    """Return how long something was so, from whether it is now and what changes gained.

    A change at a time `t` after the beginning that makes it so gains `t`, for which it was not so; one
    that ends it loses as much.
    """
    return min(max((length if now else 0) - gained, 0), length)


def _gained() -> Select[Any]:
    since, now = bindparam("since", type_=BigInteger), bindparam("now", type_=BigInteger)
    at = case((transitions.c.at < now, transitions.c.at), else_=now) - since

    def gained(statuses: frozenset[int]) -> ColumnElement[int]:
        became = case((transitions.c.new.in_(statuses), 1), else_=0)
        was = case((transitions.c.old.in_(statuses), 1), else_=0)
        return cast(func.coalesce(func.sum(at * (became - was)), 0), BigInteger)

    later = and_(transitions.c.target_id == health.c.target_id, transitions.c.at > since)
    return (
        select(health.c.target_id, health.c.status, gained(_WORKS), gained(_KNOWN))
        .outerjoin(transitions, later)
        .group_by(health.c.target_id, health.c.status)
    )


_WORKS = frozenset(STATUS[status] for status in Status if status.works)
_KNOWN = frozenset(STATUS[status] for status in Status if status is not Status.UNKNOWN)
_GAINED = _gained()


def spans_of(conn: Connection, target_id: int, since: datetime) -> list[Span]:
    """Return a target's status over the time from `since` on; nothing of one that was never checked.

    A change says what was before it, so that nothing before `since` has to be looked at.
    """
    later = and_(transitions.c.target_id == health.c.target_id, transitions.c.at > micros(since))
    rows = conn.execute(
        select(health.c.status, transitions.c.at, transitions.c.old, transitions.c.new)
        .outerjoin(transitions, later)
        .where(health.c.target_id == target_id)
        .order_by(transitions.c.at, transitions.c.id)
    ).all()
    return _spans(rows, micros(since)) if rows else []


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
