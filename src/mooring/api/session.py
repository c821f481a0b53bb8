"""Signing in and out."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from pydantic import Field, SecretStr
from starlette.requests import Request
from starlette.responses import Response

from mooring.api.auth import COOKIE, address, session_cookie
from mooring.api.context import Context, Here
from mooring.api.errors import Refused
from mooring.api.guard import CHALLENGE, PUBLIC, SIGN_IN, Caller, Guarded, Role
from mooring.api.keyring import SESSION, NewSession
from mooring.api.models import Answer
from mooring.api.models import Request as Body
from mooring.api.wire import Json, Responses
from mooring.export.json import time_json

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["session"])
_UNKNOWN: Responses = {401: {"description": "Not signed in, or with an unknown token."}}


class SignInInput(Body):
    """A token, or the one-time code of the first start."""

    token: SecretStr = Field(max_length=500)


class SessionAnswer(Answer):
    """Who is signed in. `csrf` goes into the header X-CSRF-Token of every request that changes something."""

    name: str
    role: Role
    csrf: str | None = Field(description="Null where the request came with a bearer token.")
    expires_at: datetime | None
    token_id: int | None = Field(description="The token that the session was opened with, or that was sent.")


@router.post(
    "/session",
    status_code=201,
    response_model=SessionAnswer,
    responses={**_UNKNOWN, 429: {"description": "Too many failed logins from there."}},
    openapi_extra=dict(PUBLIC),
)
async def sign_in(here: Here, request: Request, body: SignInInput) -> Json:
    """Sign in with a token, or with the one-time code of the first start: sets a cookie."""
    made = await here.keyring.sign_in(body.token.get_secret_value(), address(request.scope))
    answer = Json(_session(made.caller), HTTPStatus.CREATED)
    _set_cookie(here, request, answer, made)
    return answer


@router.get("/session", response_model=SessionAnswer, responses=_UNKNOWN, openapi_extra=dict(PUBLIC))
async def show_session(request: Request) -> Json:
    """Tell who is signed in, and the CSRF token of the session."""
    caller: Caller | None = request.scope["caller"]
    if caller is None:
        raise Refused(HTTPStatus.UNAUTHORIZED, SIGN_IN, headers=CHALLENGE)
    return Json(_session(caller))


@router.delete("/session", status_code=204, response_class=Response, openapi_extra=dict(PUBLIC))
async def sign_out(here: Here, request: Request) -> Response:
    """Sign out: the session ends at once, whoever else has its cookie."""
    answer = Response(status_code=HTTPStatus.NO_CONTENT)
    cookie = session_cookie(request.scope)
    if cookie is not None:
        await here.keyring.sign_out(cookie)
        answer.delete_cookie(COOKIE, **_cookie(here, request))
    return answer


def _session(caller: Caller) -> dict[str, Any]:
    return {
        "name": caller.name,
        "role": caller.role.value,
        "csrf": caller.csrf,
        "expires_at": time_json(caller.expires_at),
        "token_id": caller.token_id,
    }


def _set_cookie(here: Context, request: Request, answer: Response, made: NewSession) -> None:
    answer.set_cookie(COOKIE, made.cookie, max_age=int(SESSION.total_seconds()), **_cookie(here, request))


def _cookie(here: Context, request: Request) -> dict[str, Any]:
    """Return how the cookie is guarded: from scripts, other sites, other paths, plain text after TLS."""
    return {
        "path": here.base_path or "/",
        "secure": request.scope["scheme"] == "https",
        "httponly": True,
        "samesite": "strict",
    }
