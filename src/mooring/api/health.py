"""Whether Mooring itself lives and is ready, for whatever restarts it or sends it traffic."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text
from starlette.responses import Response

from mooring.api.context import Here
from mooring.api.errors import problem
from mooring.api.guard import PUBLIC, Guarded
from mooring.api.wire import Json
from mooring.core.failure import StoreError

router = APIRouter(route_class=Guarded, tags=["server"])
STALLED = 60.0
"""Seconds without a turn of the scheduler after which it counts as stuck."""
STORE_WITHIN = 2.0


class Well(BaseModel):
    """All is well."""

    status: Literal["ok"]


@router.get("/livez", response_model=Well, openapi_extra=dict(PUBLIC))
async def live(here: Here) -> Response:
    """Tell whether this process works: 503 with the cause where it should be restarted."""
    cause = _stuck(here)
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, cause) if cause else Json({"status": "ok"})


@router.get("/readyz", response_model=Well, openapi_extra=dict(PUBLIC))
async def ready(here: Here) -> Response:
    """Tell whether requests can be served: 503 with the cause where the store cannot be used."""
    cause = _stuck(here) or await _store_fault(here)
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, cause) if cause else Json({"status": "ok"})


def _stuck(here: Here) -> str | None:
    state = here.app.monitoring
    if not state.active:
        return "monitoring is not running"
    if state.last_tick is None:
        return None
    silent = (here.app.clock.now() - state.last_tick).total_seconds()
    return f"the scheduler has not moved for {silent:.0f} s" if silent > STALLED else None


async def _store_fault(here: Here) -> str | None:
    try:
        async with asyncio.timeout(STORE_WITHIN):
            await here.app.store.read(lambda conn: conn.execute(text("SELECT 1")).scalar())
    except TimeoutError:
        return f"the store did not answer within {STORE_WITHIN:g} s"
    except StoreError as error:
        return f"the store cannot be used: {error}"
    return None
