"""Every error as `application/problem+json` (RFC 9457), naming the field and what would be right."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mooring.api.dashboard import wants_page
from mooring.core.failure import ConflictError, InputError, MissingError, Problem, StoreError
from mooring.core.redact import Redactor
from mooring.mistakes import words_of

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = "5"
"""Seconds after which a store that was locked or full is worth another try."""


class FieldProblem(BaseModel):
    """One mistake in a request: where it stands and what would be right."""

    field: str = Field(description="The key that is wrong, dotted where it is nested; empty: the whole.")
    message: str


class ProblemAnswer(BaseModel):
    """What every error answers (RFC 9457)."""

    type: str = Field("about:blank", description="Always about:blank: the status says what kind it is.")
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = Field(description="Every mistake found, where the request holds mistakes.")


class Refused(HTTPException):
    """A request that is turned down with this status and these words."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        errors: Iterable[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.errors = tuple(errors)


def problem(
    status: int, detail: str, errors: Iterable[Problem] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """Return the answer that tells of an error."""
    listed = [{"field": each.field, "message": each.message} for each in errors]
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": listed,
    }
    return Response(to_json(content), status, dict(headers or {}), MEDIA_TYPE)


def install(api: FastAPI) -> None:
    """Teach an application to answer errors this way."""
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(RequestValidationError, _unreadable)
    api.add_exception_handler(InputError, _input)
    api.add_exception_handler(ConflictError, _conflict)
    api.add_exception_handler(MissingError, _missing)
    api.add_exception_handler(StoreError, _store)


class Shield:
    """Answers 500 where the code failed. The traceback goes to the log, redacted, and nowhere else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            text = Redactor()("".join(traceback.format_exception(error)))
            log.error("%s %s failed:\n%s", scope["method"], _route(scope), text)  # noqa: TRY400  redacted
            if not started:
                answer = problem(500, "Mooring made a mistake; its log says which.")
                await answer(scope, receive, send)


def _route(scope: Scope) -> str:
    """Return the path as the API declares it: the requested one may hold a secret."""
    return str(getattr(scope.get("route"), "path", "(no route)"))


_UNREADABLE = (
    "The body cannot be read as JSON: it is no UTF-8, is nested too deeply, or holds too long a number."
)
"""What Starlette has no words for."""


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  what it is registered for
    errors = error.errors if isinstance(error, Refused) else ()
    detail, headers = error.detail, error.headers
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {"Allow": ", ".join(_methods(request)) or str((headers or {}).get("Allow"))}
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
        detail = f"This address takes {headers['Allow']}."
    if error.status_code == HTTPStatus.NOT_FOUND and not isinstance(error, Refused):
        path = request.url.path.removeprefix(request.scope["root_path"])
        if wants_page(request.scope, path):
            return _lost(request)
        detail = "There is nothing at this address; /docs lists what there is."
    elif error.status_code == HTTPStatus.BAD_REQUEST and not isinstance(error, Refused):
        detail = _UNREADABLE
    return problem(error.status_code, detail, errors, headers)


def _lost(request: Request) -> Response:
    """Return the dashboard's page, which says in its own words that nothing is there."""
    context = request.app.state.context
    page: Response = context.dashboard.page(context.base_path, HTTPStatus.NOT_FOUND)
    return page


def _methods(request: Request) -> list[str]:
    """Return the methods that a path takes, as the OpenAPI document says."""
    path = request.url.path.removeprefix(request.scope["root_path"]).split("/")
    paths: dict[str, Any] = request.app.openapi()["paths"]
    for template, item in sorted(paths.items(), key=lambda each: "{" in each[0]):
        parts = template.split("/")
        if len(parts) == len(path) and all(p[:1] == "{" or p == q for p, q in zip(parts, path, strict=True)):
            methods = {method.upper() for method in item} | {"OPTIONS"}
            return sorted(methods | ({"HEAD"} if "GET" in methods and "/push/" not in template else set()))
    return []


async def _unreadable(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  what it is registered for
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        reason = next(each["ctx"]["error"] for each in found if each["type"] == "json_invalid")
        return problem(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {reason}.")
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request holds mistakes.", map(_mistake, found))


def _mistake(each: Mapping[str, Any]) -> Problem:
    """Return one mistake without the value that was refused: it may be a secret."""
    field = ".".join(str(part) for part in each["loc"][1:])
    return Problem(field, _WORDS.get(each["type"]) or words_of(each))


_WORDS = {
    "extra_forbidden": "is not known here",
    "model_attributes_type": "has to be a JSON object, sent as application/json",
    "dict_type": "has to be a JSON object, sent as application/json",
}


async def _input(_: Request, error: Exception) -> Response:
    assert isinstance(error, InputError)  # noqa: S101  what it is registered for
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request holds mistakes.", error.problems)


async def _conflict(_: Request, error: Exception) -> Response:
    assert isinstance(error, ConflictError)  # noqa: S101  what it is registered for
    errors = [Problem(error.field, str(error))] if error.field is not None else []
    return problem(HTTPStatus.CONFLICT, str(error), errors)


async def _missing(_: Request, error: Exception) -> Response:
    return problem(HTTPStatus.NOT_FOUND, str(error) or "There is no such thing.")


async def _store(_: Request, error: Exception) -> Response:
    detail = f"The store cannot be used now: {Redactor()(str(error))}"
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": RETRY_AFTER})
