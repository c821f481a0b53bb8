"""What failed on days past: the first, the last and how often, for each cause."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from mooring.api.context import Here
from mooring.api.guard import VIEWER, Guarded
from mooring.api.models import Answer, FailureAnswer, Page
from mooring.api.results import PageQuery
from mooring.api.targets import TargetId
from mooring.api.wire import Json, bad_cursor, cursor, place
from mooring.export.json import failure_json, time_json
from mooring.store import failures
from mooring.store.failures import FailureDay

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["history"])


class FailureDayAnswer(Answer):
    """How often a target failed for one cause (reason, stage and code) on one day in UTC."""

    day: date
    region: str
    count: int
    first_at: datetime
    last_at: datetime
    first: FailureAnswer
    last: FailureAnswer


@router.get(
    "/targets/{target_id:int}/failures", response_model=Page[FailureDayAnswer], openapi_extra=dict(VIEWER)
)
async def list_failures(here: Here, target_id: TargetId, query: Annotated[PageQuery, Query()]) -> Json:
    """List a target's failures that are older than a day, newest day first; younger ones are results.

    A day is never cut in two: a part may hold fewer than `limit`.
    """
    here.app.catalogue.get(target_id)
    before = _day(query.cursor)
    found = await here.app.store.read(
        lambda conn: failures.of_target(conn, target_id, before, query.limit + 1)
    )
    shown = _whole_days(found, query.limit)
    more = cursor(shown[-1].day.isoformat()) if len(found) > len(shown) else None
    return Json({"items": [_item(each) for each in shown], "next": more})


def _whole_days(found: list[FailureDay], limit: int) -> list[FailureDay]:
    if len(found) <= limit:
        return found
    whole = [each for each in found if each.day != found[-1].day]
    return whole or found[:limit]


def _item(each: FailureDay) -> dict[str, Any]:
    return {
        "day": each.day.isoformat(),
        "region": each.region,
        "count": each.count,
        "first_at": time_json(each.first_at),
        "last_at": time_json(each.last_at),
        "first": failure_json(each.first),
        "last": failure_json(each.last),
    }


def _day(word: str | None) -> date | None:
    at: Any = place(word)
    if at is None:
        return None
    try:
        return date.fromisoformat(at)
    except (TypeError, ValueError):
        raise bad_cursor() from None
