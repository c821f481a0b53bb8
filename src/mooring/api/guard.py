"""Who may call which route: every route names a role, and what names none is for admins."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from mooring.api.errors import Refused
from mooring.core.failure import Problem

ROLE = "x-mooring-role"
"""The key of an OpenAPI operation that says who may call it."""


class Role(StrEnum):
    """What somebody may do: report pools and nothing else; look; test and edit; everything."""

    REPORTER = "reporter"
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what that one may. Who only looks may not report."""
        if needed is Role.REPORTER:
            return self is not Role.VIEWER
        return _RANK[self] >= _RANK[needed]


_RANK = {Role.REPORTER: -1, Role.VIEWER: 0, Role.OPERATOR: 1, Role.ADMIN: 2}

PUBLIC: Mapping[str, Any] = {ROLE: "public"}
REPORTER: Mapping[str, Any] = {ROLE: Role.REPORTER.value}
VIEWER: Mapping[str, Any] = {ROLE: Role.VIEWER.value}
OPERATOR: Mapping[str, Any] = {ROLE: Role.OPERATOR.value}
ADMIN: Mapping[str, Any] = {ROLE: Role.ADMIN.value}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request. `csrf` is there where the login came in a cookie."""

    name: str
    role: Role
    token_id: int | None = None
    csrf: str | None = None
    expires_at: datetime | None = None

    @property
    def by_cookie(self) -> bool:
        """Whether a browser sent the login by itself."""
        return self.csrf is not None


NOBODY = Caller("nobody", Role.VIEWER)
"""Who calls a path that the configuration has opened."""


class Guarded(APIRoute):
    """A route that asks for its role and knows its query before it reads a body."""

    @property
    def needs(self) -> Role | None:
        """The role it takes; None where anybody may call it."""
        word = (self.openapi_extra or {}).get(ROLE, Role.ADMIN.value)
        return None if word == PUBLIC[ROLE] else Role(word)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler behind both questions."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            _demand(self.needs, request)
            _demand_known_query(request, self.path_format)
            return await handle(request)

        return guarded


def _demand_known_query(request: Request, path: str) -> None:
    """Refuse what the OpenAPI document does not name: a misspelt filter would let everything through."""
    operation = request.app.openapi()["paths"].get(path, {}).get(request.method.lower())
    if operation is None:
        return
    known = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        words = f"is not known here; known are {', '.join(sorted(known)) or 'none'}"
        problems = [Problem(name[:100], words) for name in unknown]
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "The request holds mistakes.", errors=problems)


def _demand(needed: Role | None, request: Request) -> None:
    if needed is None:
        return
    caller: Caller | None = request.scope.get("caller")
    if caller is None:
        raise Refused(HTTPStatus.UNAUTHORIZED, SIGN_IN, headers=CHALLENGE)
    if not caller.role.covers(needed):
        raise Refused(
            HTTPStatus.FORBIDDEN,
            f"This takes the role {needed.value}; {caller.name} is a {caller.role.value}.",
        )


SIGN_IN = "Sign in first, or send a token: Authorization: Bearer TOKEN."
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="mooring"'}


def _caller(request: Request) -> Caller:
    caller: Caller = request.scope["caller"]
    return caller


By = Annotated[Caller, Depends(_caller)]
"""Parameter of a route: who calls."""
