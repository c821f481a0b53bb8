"""The pools that programs report."""

from __future__ import annotations

from fastapi import APIRouter

from mooring.api.context import Here
from mooring.api.guard import REPORTER, VIEWER, Guarded
from mooring.api.models import Page
from mooring.api.pool_answers import PoolAnswer, ReplyAnswer
from mooring.api.targets import TargetId
from mooring.api.wire import Json, Responses
from mooring.export.pools import pool_json, reply_json
from mooring.reports import ReportInput

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["pools"])
_FULL: Responses = {409: {"description": "There is no room for one more pool or process."}}


@router.post("/pools/report", response_model=ReplyAnswer, responses=_FULL, openapi_extra=dict(REPORTER))
async def take_report(here: Here, body: ReportInput) -> Json:
    """Take what a process tells of its pools, which may be packed with gzip: 1 MB of 4 MB."""
    return Json(reply_json(await here.app.pools.report(body.value(here.app.clock.now()))))


@router.get("/pools", response_model=Page[PoolAnswer], openapi_extra=dict(VIEWER))
async def list_pools(here: Here) -> Json:
    """List every pool by service and name, each summed over the processes that report it."""
    return Json({"items": [pool_json(each) for each in here.app.pools.views()], "next": None})


@router.get("/pools/{target_id:int}", response_model=PoolAnswer, openapi_extra=dict(VIEWER))
async def show_pool(here: Here, target_id: TargetId) -> Json:
    """Show a pool; its id is that of its target."""
    return Json(pool_json(here.app.pools.view(target_id)))
