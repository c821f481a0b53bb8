"""Where cron jobs and workers report in."""

from __future__ import annotations

import hashlib
import hmac
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field, SecretStr
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from mooring.api.auth import address
from mooring.api.context import Context, Here
from mooring.api.errors import Refused
from mooring.api.guard import PUBLIC, Guarded
from mooring.api.models import Answer, Request
from mooring.api.wire import Json, Responses
from mooring.core.failure import MissingError
from mooring.core.status import Status
from mooring.core.target import Target

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["push"])

Token = Annotated[str, Path(max_length=200, description="The `token` of a target of the kind push.")]


PAUSED: Responses = {
    409: {"description": "The target is paused."},
    429: {"description": "Too many unknown tokens from there."},
}


class Report(Request):
    """What a watched program says of itself."""

    status: Literal["up", "down"] = Field("up", description="down: its work has failed.")
    message: str = Field("", max_length=2000, description="What to show with it.")
    seconds: float = Field(
        0.0, ge=0, le=31_536_000, allow_inf_nan=False, description="How long its work took."
    )


class Heard(Answer):
    """The report was taken."""

    status: Status


@router.get("/push/{token}", response_model=Heard, responses=PAUSED, openapi_extra=dict(PUBLIC))
async def report_by_get(
    here: Here, request: HttpRequest, token: Token, query: Annotated[Report, Query()]
) -> Response:
    """Report in, for what can only open an address (`curl -fsS ADDRESS`). The path's token is the login."""
    return await _take(here, request, token, query)


@router.post("/push/{token}", response_model=Heard, responses=PAUSED, openapi_extra=dict(PUBLIC))
async def report_by_post(
    here: Here, request: HttpRequest, token: Token, body: Report | None = None
) -> Response:
    """Report in. The token in the path is the login; the body may be left out."""
    return await _take(here, request, token, body or Report())


async def _take(here: Context, request: HttpRequest, token: str, report: Report) -> Response:
    target = _holder(here, token)
    if target is None or target.id is None:
        here.keyring.failed(address(request.scope))
        raise MissingError("no target reports with this token")
    if not target.enabled:
        raise Refused(HTTPStatus.CONFLICT, f"{target.name} is paused; what it reports is not kept.")
    result = await here.app.monitor.report(
        target.id, ok=report.status == "up", message=report.message, seconds=report.seconds
    )
    return Json({"status": result.status.value})


def _holder(here: Context, token: str) -> Target | None:
    """Return whose token this is. Every token is compared whole, so that time tells nothing."""
    sent = hashlib.sha256(token.encode(errors="replace")).digest()
    holder = None
    for target in here.app.catalogue.targets.values():
        held = getattr(target.probe, "token", None)
        if isinstance(held, SecretStr) and getattr(target.probe, "passive", False):
            known = hashlib.sha256(held.get_secret_value().encode(errors="replace")).digest()
            holder = target if hmac.compare_digest(sent, known) else holder
    return holder
