"""The OpenAPI document, completed with what routes cannot know, and the page that lists it."""

from __future__ import annotations

import re
from html import escape
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

import mooring
from mooring.api.errors import MEDIA_TYPE, ProblemAnswer
from mooring.api.guard import PUBLIC, ROLE
from mooring.api.overview import RowsEvent, StateEvent

_SCHEMA = {"$ref": "#/components/schemas/ProblemAnswer"}
_DESCRIPTION = """\
Mooring tests real connections, remembers, and tells. Times are UTC, durations are seconds.

Send a token as `Authorization: Bearer TOKEN`, or sign in at `POST /api/v1/session` and send the cookie, and
the header `X-CSRF-Token` with every change. `x-mooring-role` says which role an operation takes.
Errors are `application/problem+json`. Lists answer `items` and `next`; pass `next` on as `cursor`.
"""
_SECURITY_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token made by `mooring token create`."},
    "session": {"type": "apiKey", "in": "cookie", "name": "mooring_session"},
}


def document(api: FastAPI, base_path: str) -> dict[str, Any]:
    """Return the OpenAPI document: routes, and on each the errors and logins that all share."""
    made = get_openapi(
        title="Mooring",
        version=mooring.__version__,
        summary="Whether every connection you depend on really works.",
        description=_DESCRIPTION,
        routes=api.routes,
        servers=[{"url": base_path or "/"}],
    )
    parts = made["components"]
    parts["securitySchemes"] = _SECURITY_SCHEMES
    parts["schemas"]["ProblemAnswer"] = ProblemAnswer.model_json_schema(
        ref_template="#/components/schemas/{model}"
    )
    parts["schemas"]["FieldProblem"] = parts["schemas"]["ProblemAnswer"].pop("$defs")["FieldProblem"]
    for event in (StateEvent, RowsEvent):  # of a stream, to which OpenAPI has no words
        schema = event.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
        known = schema.pop("$defs")
        parts["schemas"] |= {event.__name__: schema, **known, **parts["schemas"]}
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own shape, which is never sent
        parts["schemas"].pop(name, None)
    for item in made["paths"].values():
        for operation in item.values():
            _complete(operation)
    return made


def _complete(operation: dict[str, Any]) -> None:
    """Declare the logins and the errors of one operation."""
    guarded = operation[ROLE] != PUBLIC[ROLE]
    operation["security"] = [{"token": []}, {"session": []}] if guarded else []
    operation["responses"].pop("422", None)  # FastAPI's own; said anew below
    for status in _statuses(operation, guarded=guarded):
        said = {"description": status.phrase, "content": {MEDIA_TYPE: {"schema": _SCHEMA}}}
        operation["responses"].setdefault(str(status.value), said)
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _statuses(operation: dict[str, Any], *, guarded: bool) -> list[HTTPStatus]:
    statuses = [HTTPStatus.MISDIRECTED_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY]
    statuses.append(HTTPStatus.SERVICE_UNAVAILABLE)
    if guarded:
        statuses += [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS]
    if "requestBody" in operation:
        statuses += [HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE]
        statuses.append(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if any(each["in"] == "path" for each in operation.get("parameters", ())):
        statuses.append(HTTPStatus.NOT_FOUND)
    return statuses


def listing(made: dict[str, Any], base_path: str) -> str:
    """Return a page that lists every operation. It loads nothing, from nowhere."""
    rows = [
        f"<tr><td><code>{method.upper()}</code></td><td><code>{escape(path)}</code></td>"
        f"<td>{escape(operation[ROLE])}</td><td>{_html(operation['description'].splitlines()[0])}</td></tr>"
        for path, item in made["paths"].items()
        for method, operation in item.items()
    ]
    intro = (
        f'<p>The whole of it, for programs: <a href="{escape(base_path)}/openapi.json">openapi.json</a>.</p>'
    )
    head = "<tr><th>Method</th><th>Path</th><th>Role</th><th>What it does</th></tr>"
    text = "".join(f"<p>{_html(part)}</p>" for part in _DESCRIPTION.split("\n\n"))
    return f"<h1>Mooring's API</h1>{text}{intro}<table>{head}{''.join(rows)}</table>"


def _html(text: str) -> str:
    """Return Markdown of the little kind that is used here, words in backticks, as HTML."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
