"""What was found so far: results, roll-ups with uptime, changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from mooring.api.context import Here
from mooring.api.guard import VIEWER, Guarded
from mooring.api.models import Answer, Page, Request, ResultAnswer, TransitionAnswer
from mooring.api.targets import TargetId
from mooring.api.wire import Json, bad_cursor, cursor, place
from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.core.status import Status
from mooring.export.json import result_json, seconds_json, time_json, transition_json
from mooring.store import history
from mooring.store import results as result_rows
from mooring.store import transitions as transition_rows
from mooring.store.history import HistoryBucket
from mooring.store.transitions import StoredTransition

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["history"])

Cursor = Annotated[str | None, Field(max_length=200, description="`next` of the part before.")]
Limit = Annotated[int, Field(ge=1, le=1000)]


class PageQuery(Request):
    """A part of a list, newest first."""

    cursor: Cursor = None
    limit: Limit = 100


class ResultsQuery(PageQuery):
    """A part of a target's results, newest first."""

    status: Status | None = None
    reason: Reason | None = None


class HistoryQuery(Request):
    """How far back."""

    window: Literal["1h", "24h", "7d", "30d", "90d", "365d"] = "24h"


class BucketAnswer(Answer):
    """One step. Latencies are seconds of the checks that passed, null where none did."""

    start: datetime
    count: int
    failures: int
    min: float | None
    mean: float | None
    max: float | None
    p50: float | None
    p95: float | None
    uptime: float | None = Field(description="0 to 1; null where health was unknown.")
    stages: dict[Stage, float] = Field(
        description="Mean seconds of each stage that was timed, of the checks that passed."
    )


class HistoryAnswer(Answer):
    """A target's past. Every step is there, also the empty ones."""

    window: str
    since: datetime
    until: datetime
    step: float = Field(description="Seconds of a step.")
    uptime: float | None = Field(description="0 to 1, of the time in which health was known.")
    buckets: list[BucketAnswer]


@router.get("/targets/{target_id:int}/results", response_model=Page[ResultAnswer], openapi_extra=dict(VIEWER))
async def list_results(here: Here, target_id: TargetId, query: Annotated[ResultsQuery, Query()]) -> Json:
    """List a target's results, newest first, as long as they are kept one by one."""
    here.app.catalogue.get(target_id)
    before = _moment(query.cursor)
    found = await here.app.store.read(
        lambda conn: result_rows.recent(conn, target_id, before, query.limit + 1, query.status, query.reason)
    )
    shown = found[: query.limit]
    more = cursor(time_json(shown[-1].started_at)) if len(found) > len(shown) else None
    return Json({"items": [result_json(each) for each in shown], "next": more})


@router.get(
    "/targets/{target_id:int}/transitions",
    response_model=Page[TransitionAnswer],
    openapi_extra=dict(VIEWER),
)
async def list_transitions_of(here: Here, target_id: TargetId, query: Annotated[PageQuery, Query()]) -> Json:
    """List the changes of one target's health, newest first."""
    here.app.catalogue.get(target_id)
    before = _number(query.cursor)
    found = await here.app.store.read(
        lambda conn: transition_rows.of_target(conn, target_id, before, query.limit + 1)
    )
    return _changes(found, query.limit)


@router.get("/transitions", response_model=Page[TransitionAnswer], openapi_extra=dict(VIEWER))
async def list_transitions(here: Here, query: Annotated[PageQuery, Query()]) -> Json:
    """List the changes of all targets' health, newest first."""
    before = _number(query.cursor)
    found = await here.app.store.read(lambda conn: transition_rows.latest(conn, before, query.limit + 1))
    return _changes(found, query.limit)


@router.get("/targets/{target_id:int}/history", response_model=HistoryAnswer, openapi_extra=dict(VIEWER))
async def show_history(here: Here, target_id: TargetId, query: Annotated[HistoryQuery, Query()]) -> Json:
    """Show a target's past in steps: checks, failures, latencies, uptime."""
    here.app.catalogue.get(target_id)
    now = here.app.clock.now()
    past = await here.app.store.read(lambda conn: history.window(conn, target_id, query.window, now))
    return Json(
        {
            "window": past.name,
            "since": time_json(past.since),
            "until": time_json(past.until),
            "step": past.step,
            "uptime": past.uptime,
            "buckets": [_bucket(each) for each in past.buckets],
        }
    )


def _bucket(each: HistoryBucket) -> dict[str, Any]:
    return {
        "start": time_json(each.start),
        "count": each.count,
        "failures": each.failures,
        **{name: seconds_json(getattr(each, name)) for name in ("min", "mean", "max", "p50", "p95")},
        "uptime": each.uptime,
        "stages": {stage.value: seconds_json(seconds) for stage, seconds in each.stages.items()},
    }


def _changes(found: Sequence[StoredTransition], limit: int) -> Json:
    shown = found[:limit]
    more = cursor(shown[-1].id) if len(found) > len(shown) else None
    return Json({"items": [transition_json(each.transition) for each in shown], "next": more})


def _number(word: str | None) -> int | None:
    at: Any = place(word)
    if at is None or (isinstance(at, int) and not isinstance(at, bool) and 0 <= at < 2**63):
        return at
    raise bad_cursor()


def _moment(word: str | None) -> datetime | None:
    at: Any = place(word)
    if at is None:
        return None
    try:
        moment = datetime.fromisoformat(at)
        moment.astimezone()
    except (TypeError, ValueError, OverflowError):
        raise bad_cursor() from None
    if moment.tzinfo is None:
        raise bad_cursor()
    return moment
