"""The pools that programs report."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from mooring.api.context import Context, Here
from mooring.api.guard import OPERATOR, REPORTER, VIEWER, Guarded
from mooring.api.models import Page, Request
from mooring.api.pool_answers import (
    DiagnosticsAnswer,
    PoolAggregateAnswer,
    PoolAnswer,
    PoolHistoryAnswer,
    ReplyAnswer,
    ServiceHistoryAnswer,
    WantedAnswer,
)
from mooring.api.targets import TargetId
from mooring.api.wire import Json, Responses, json_bytes, json_list
from mooring.core.health import Health
from mooring.core.pool_past import PoolWindow, ServicePast
from mooring.core.pool_view import PoolView
from mooring.core.report import WishKind
from mooring.engine.pool_diagnosis import diagnosed
from mooring.engine.turns import in_turns
from mooring.export.csv import csv_text
from mooring.export.json import time_json
from mooring.export.pools import (
    BUCKET_COLUMNS,
    POOL_COLUMNS,
    bucket_json,
    comparison_json,
    finding_json,
    pool_json,
    pool_row,
    reply_json,
    wish_json,
)
from mooring.reports import ReportInput
from mooring.store import pools as pool_rows
from mooring.store.service_past import fitting, service_past

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["pools"])
_FULL: Responses = {409: {"description": "There is no room for one more pool or process."}}
_NOBODY: Responses = {409: {"description": "No process reports the pool now."}}
_AS_CSV: Responses = {
    200: {"description": "As asked for.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}
_NO_SERVICE: Responses = {404: {"description": "The service has no pool."}}
Do = Annotated[WishKind, Path(description="What the processes are to do.")]


class _Format(Request):
    format: Literal["json", "csv"] = Field("json", description="csv: a table for spreadsheets.")


class _Window(Request):
    window: Literal["1h", "24h", "7d", "fit"] = Field(
        "24h", description="How far back; fit: an hour if that holds the past, else a day."
    )


class _Past(_Window, _Format):
    """How far back, and in which form."""


class _ServicePast(_Past):
    service: str = Field(description="Whose pools are added up.")


@router.post("/pools/report", response_model=ReplyAnswer, responses=_FULL, openapi_extra=dict(REPORTER))
async def take_report(here: Here, body: ReportInput) -> Json:
    """Take what a process tells of its pools. Packed with gzip it may have 1 MB, and 4 MB when unpacked."""
    return Json(reply_json(await here.app.pools.report(body.value(here.app.clock.now()))))


@router.get("/pools", response_model=Page[PoolAnswer], responses=_AS_CSV, openapi_extra=dict(VIEWER))
async def list_pools(here: Here, query: Annotated[_Format, Query()]) -> Response:
    """List every pool by service and name, each summed over the processes that report it."""
    views = await here.app.pools.views()
    if query.format == "csv":
        return _csv(POOL_COLUMNS, [pool_row(each) async for each in in_turns(views)])
    return json_list([json_bytes(_shown(here, each)) async for each in in_turns(views)])


@router.get(
    "/pools/history",
    response_model=ServiceHistoryAnswer,
    responses={**_AS_CSV, **_NO_SERVICE},
    openapi_extra=dict(VIEWER),
)
async def show_service_history(here: Here, query: Annotated[_ServicePast, Query()]) -> Response:
    """Show the past of all pools of a service added up, in the steps of a single pool's."""
    ids, now = here.app.pools.ids_of(query.service), here.app.clock.now()
    past = await here.app.store.read(
        lambda conn: service_past(conn, ids, fitting(conn, ids, query.window, now), now)
    )
    return _in_steps(past, query.format, service=query.service, pools=len(ids))


@router.get("/pools/{target_id:int}", response_model=PoolAnswer, openapi_extra=dict(VIEWER))
async def show_pool(here: Here, target_id: TargetId) -> Json:
    """Show a pool; its id is that of its target."""
    return Json(_shown(here, here.app.pools.view(target_id)))


@router.get(
    "/pools/{target_id:int}/history",
    response_model=PoolHistoryAnswer,
    responses=_AS_CSV,
    openapi_extra=dict(VIEWER),
)
async def show_pool_history(here: Here, target_id: TargetId, query: Annotated[_Past, Query()]) -> Response:
    """Show a pool's past in steps: a minute of 1h, ten minutes of 24h, an hour of 7d."""
    return _in_steps(await _window(here, target_id, query.window), query.format)


@router.get(
    "/pools/{target_id:int}/aggregated", response_model=PoolAggregateAnswer, openapi_extra=dict(VIEWER)
)
async def show_pool_aggregate(here: Here, target_id: TargetId, query: Annotated[_Window, Query()]) -> Json:
    """Show what a pool's past adds up to."""
    past = await _window(here, target_id, query.window)
    return Json({**bucket_json(past.total), **_span(past)})


@router.get(
    "/pools/{target_id:int}/diagnostics", response_model=DiagnosticsAnswer, openapi_extra=dict(VIEWER)
)
async def diagnose_pool(here: Here, target_id: TargetId) -> Json:
    """Say what is worth knowing of a pool, with advice that names its service and its lines."""
    past = await _window(here, target_id, "24h")
    view = here.app.pools.view(target_id)
    return Json(
        {
            "findings": [finding_json(each) for each in diagnosed(view, past.total)],
            "comparison": [comparison_json(each) for each in view.comparison],
        }
    )


@router.post(
    "/pools/{target_id:int}/{do}",
    status_code=202,
    response_model=WantedAnswer,
    responses=_NOBODY,
    openapi_extra=dict(OPERATOR),
)
async def want_of_pool(here: Here, target_id: TargetId, do: Do) -> Json:
    """Have the processes of a pool forget abandoned leases, reset their counts, or start or stop tracking."""
    wish, heard_by = here.app.pools.want(target_id, do)
    return Json({"wish": wish_json(wish), "instances": heard_by}, HTTPStatus.ACCEPTED)


def _shown(here: Context, view: PoolView) -> dict[str, Any]:
    catalogue = here.app.catalogue
    target, health = catalogue.targets.get(view.id), catalogue.health.get(view.id, Health())
    return {**pool_json(view), "status": health.status.value, "enabled": target is None or target.enabled}


async def _window(here: Context, target_id: int, window: str) -> PoolWindow:
    here.app.pools.demand(target_id)
    now = here.app.clock.now()
    return await here.app.store.read(
        lambda conn: pool_rows.window(conn, target_id, fitting(conn, [target_id], window, now), now)
    )


def _in_steps(past: PoolWindow | ServicePast, form: str, **about: Any) -> Response:
    steps = [bucket_json(each) for each in past.buckets]
    if form == "csv":
        return _csv(BUCKET_COLUMNS, steps)
    return Json({**about, **_span(past), "step": past.step, "buckets": steps})


def _span(past: PoolWindow | ServicePast) -> dict[str, Any]:
    return {"window": past.name, "since": time_json(past.since), "until": time_json(past.until)}


def _csv(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> Response:
    return Response(csv_text(columns, rows), media_type="text/csv; charset=utf-8")
