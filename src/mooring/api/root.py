"""The first page, the API's documents: what anybody may see."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mooring.api import pages
from mooring.api.context import Here
from mooring.api.guard import PUBLIC, Caller, Guarded
from mooring.api.openapi import listing
from mooring.api.wire import Json

router = APIRouter(route_class=Guarded)


@router.get("/", include_in_schema=False, openapi_extra=dict(PUBLIC))
async def first_page(here: Here, request: Request) -> Response:
    """Say where things are."""
    caller: Caller | None = request.scope["caller"]
    return pages.home(here.base_path, caller.name if caller else None)


@router.get("/openapi.json", include_in_schema=False, openapi_extra=dict(PUBLIC))
async def openapi(request: Request) -> Json:
    """Give the OpenAPI document."""
    return Json(_document(request))


@router.get("/docs", include_in_schema=False, openapi_extra=dict(PUBLIC))
async def docs(here: Here, request: Request) -> Response:
    """List the operations on a page."""
    return pages.page("Mooring's API", listing(_document(request), here.base_path))


def _document(request: Request) -> dict[str, Any]:
    made: dict[str, Any] = request.app.openapi()
    return made
