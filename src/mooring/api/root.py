"""The dashboard and the API's documents: what anybody may see. What the dashboard shows takes a login."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mooring.api import pages
from mooring.api.context import Here
from mooring.api.errors import Refused
from mooring.api.guard import PUBLIC, Guarded
from mooring.api.openapi import listing
from mooring.api.wire import Json

router = APIRouter(route_class=Guarded)

VIEWS = (
    *("/", "/add", "/import", "/tokens", "/sign-in"),
    *("/pools", "/pools/{target}", "/targets/{target}", "/targets/{target}/edit"),
)


async def page(here: Here) -> Response:
    """Give the dashboard's page, which shows the view of its address."""
    return here.dashboard.page(here.base_path)


for view in VIEWS:
    for path in sorted({view, f"{view.rstrip('/')}/"}):  # people write a slash at its end, and none
        router.add_api_route(path, page, include_in_schema=False, openapi_extra=dict(PUBLIC))


@router.get("/assets/{name}", include_in_schema=False, openapi_extra=dict(PUBLIC))
async def asset(here: Here, request: Request, name: str) -> Response:
    """Give a file that the page asks for."""
    found = here.dashboard.asset(name, request.headers.get("accept-encoding", ""))
    if found is None:
        raise Refused(HTTPStatus.NOT_FOUND, "There is no such file; reload the page for the newest one.")
    return found


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
