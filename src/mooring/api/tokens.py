"""API tokens: list, make, revoke."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.responses import Response

from mooring.api.context import Here
from mooring.api.guard import ADMIN, Guarded, Role
from mooring.api.models import HIGHEST_ID, Answer, Page, Request
from mooring.api.wire import Json
from mooring.export.json import time_json
from mooring.store.tokens import StoredToken
from mooring.targets import Name

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["tokens"])


class TokenInput(Request):
    """A token to be made."""

    name: Name
    role: Role


class TokenAnswer(Answer):
    """A token, without its secret."""

    id: int
    name: str
    role: Role
    created_at: datetime
    last_used_at: datetime | None


class NewTokenAnswer(TokenAnswer):
    """A token just made."""

    token: str = Field(description="The secret. It is shown this once.")


@router.get("/tokens", response_model=Page[TokenAnswer], openapi_extra=dict(ADMIN))
async def list_tokens(here: Here) -> Json:
    """List the tokens, without their secrets."""
    return Json({"items": [_token(each) for each in await here.keyring.tokens()], "next": None})


@router.post("/tokens", status_code=201, response_model=NewTokenAnswer, openapi_extra=dict(ADMIN))
async def make_token(here: Here, body: TokenInput) -> Json:
    """Make a token. Its secret is in this answer and nowhere else."""
    stored, secret = await here.keyring.make(body.name, body.role)
    return Json({**_token(stored), "token": secret}, HTTPStatus.CREATED)


@router.delete(
    "/tokens/{token_id:int}",
    status_code=204,
    response_class=Response,
    responses={409: {"description": "It is the last admin's."}},
    openapi_extra=dict(ADMIN),
)
async def revoke_token(here: Here, token_id: Annotated[int, Path(ge=1, le=HIGHEST_ID)]) -> Response:
    """Revoke a token, and with it every session that was opened by it, at once."""
    await here.keyring.revoke(token_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _token(token: StoredToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "created_at": time_json(token.created_at),
        "last_used_at": time_json(token.last_used_at),
    }
