"""Where every target stands: one small row each, and what its last result said beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from mooring.core.health import Health, Verdict
from mooring.core.result import CheckResult, TargetRef
from mooring.store import bulk, revisions
from mooring.store.codes import (
    MICROSECONDS,
    STATUS,
    STATUS_OF,
    TRIGGER,
    TRIGGER_OF,
    maybe_micros,
    maybe_moment,
    micros,
    moment,
)
from mooring.store.packing import body_of, pack_stages, said_in, unpack_stages
from mooring.store.schema import health, observations, targets

_SAVE = bulk.upsert(health)
_SAVE_BODY = bulk.upsert(observations, unless_same="body")
_NO_RESULT = (None,) * 6


def save(conn: Connection, healths: Mapping[int, Health], revision: int | None = None) -> None:
    """Store the health of targets as of a revision (without one: the current). `checking` is not kept."""
    if revision is None:
        revision = revisions.current(conn)
    bulk.insert(conn, health, [_row(key, each, revision) for key, each in healths.items()], _SAVE)
    said = [(key, body_of(each.last)) for key, each in healths.items() if each.last is not None]
    bulk.insert(conn, observations, said, _SAVE_BODY)


def load(conn: Connection) -> dict[int, Health]:
    """Return the health of every target that has one, with its streaks and its last result."""
    return after_revision(conn, -1)


def after_revision(conn: Connection, revision: int) -> dict[int, Health]:
    """Return the health of the targets that later revisions changed."""
    query = (
        select(health, observations.c.body, targets.c.name, targets.c.kind, targets.c.address)
        .join(targets, targets.c.id == health.c.target_id)
        .outerjoin(observations, observations.c.target_id == health.c.target_id)
        .where(health.c.revision > revision)
    )
    return {row.target_id: _health(row) for row in conn.execute(query)}


def _row(target_id: int, each: Health, revision: int) -> bulk.Row:
    """Return the values in the order of the table's columns."""
    confirming = each.confirming or (None, None)
    return (
        target_id,
        STATUS[each.status],
        maybe_micros(each.since),
        *confirming,
        _pack_verdicts(each.verdicts),
        maybe_micros(each.next_check_at),
        *(_NO_RESULT if each.last is None else _last(each.last)),
        revision,
    )


def _last(result: CheckResult) -> bulk.Row:
    return (
        micros(result.started_at),
        result.region,
        STATUS[result.status],
        TRIGGER[result.trigger],
        round(result.seconds * MICROSECONDS),
        pack_stages(result.stages),
    )


def _pack_verdicts(verdicts: Mapping[str, Verdict]) -> str:
    """Return one line a region; names of regions hold no control characters."""
    return "\n".join(
        f"{region}\t{STATUS[each.status]}\t{each.failures}\t{each.successes}\t{each.rejections}"
        for region, each in verdicts.items()
    )


def _unpack_verdicts(packed: str) -> dict[str, Verdict]:
    verdicts = {}
    for line in packed.split("\n") if packed else ():
        region, status, failures, successes, rejections = line.split("\t")
        verdicts[region] = Verdict(STATUS_OF[int(status)], int(failures), int(successes), int(rejections))
    return verdicts


def _health(row: Row[Any]) -> Health:
    return Health(
        status=STATUS_OF[row.status],
        since=maybe_moment(row.since),
        verdicts=_unpack_verdicts(row.verdicts),
        confirming=None if row.confirming is None else (row.confirming, row.confirming_of),
        last=None if row.last_started_at is None else _result(row),
        next_check_at=maybe_moment(row.next_check_at),
    )


def _result(row: Row[Any]) -> CheckResult:
    failure, seen = said_in(row.body)
    return CheckResult(
        target=TargetRef(row.target_id, row.name, row.kind, row.address),
        status=STATUS_OF[row.last_status],
        failure=failure,
        stages=unpack_stages(row.last_stages),
        observation=seen,
        started_at=moment(row.last_started_at),
        seconds=row.last_duration / MICROSECONDS,
        region=row.last_region,
        trigger=TRIGGER_OF[row.last_trigger],
    )
