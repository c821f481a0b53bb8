"""An HTTP answer against what is expected of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import AfterValidator

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.core.stage import Stage
from mooring.net.http import Response
from mooring.net.http_request import Request
from mooring.net.trail import Trail
from mooring.probes import _expect as expect
from mooring.probes import _graphql as graphql
from mooring.probes._http import refusal, spoken, stage_of
from mooring.probes._http_hops import REDIRECTS

_SAYS_MORE = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
"""Status codes with which GraphQL answers a query that it does not take."""


def _codes(wanted: tuple[int | str, ...]) -> tuple[int | str, ...]:
    expect.status_codes(wanted)
    return wanted


Codes = Annotated[tuple[int | str, ...], AfterValidator(_codes)]


def details(request: Request, response: Response) -> dict[str, Any]:
    """Return what an answer says of its server."""
    found: dict[str, Any] = {
        "status_code": response.status,
        "final_url": request.shown,
        "http_version": response.version,
    }
    server = response.header("server")
    if server is not None:
        found["server"] = cut(server)
    if response.cut:
        found["body_cut"] = True
    return found


def type_of(response: Response) -> str:
    """Return what an answer says that it is, or nothing."""
    return response.header("content-type") or ""


def demand_graphql(trail: Trail, response: Response, note: str, *, asked: bool) -> None:
    """Raise CheckError where a GraphQL answer holds errors: it was asked for, or calls itself one."""
    if not asked and not type_of(response).lower().startswith(graphql.CONTENT_TYPE):
        return
    said_why = response.status in _SAYS_MORE and _has_errors(response)
    if response.status >= HTTPStatus.MULTIPLE_CHOICES and not said_why:
        return  # the status code says what is wrong
    try:
        graphql.demand_no_errors(response.plain_body(), type_of(response), note)
    except CheckError as error:
        trail.begin(error.cause.stage or Stage.FUNCTION, trail.monotonic())
        raise


def _has_errors(response: Response) -> bool:
    document = _json(response)
    return isinstance(document, dict) and bool(document.get("errors"))


def _json(response: Response) -> Any:
    try:
        return json.loads(response.plain_body())
    except (CheckError, ValueError, RecursionError):
        return None


def unexpected(
    trail: Trail,
    response: Response,
    wanted: Iterable[int | str],
    note: str,
    *,
    logged_in: bool,
    hint: Prose | None = None,
) -> CheckError:
    """Return the error for a status code that is not expected, and say at which stage that is.

    `hint` is for a rejected login.
    """
    status = response.status
    message = f"the server answers {spoken(status)}, expected {', '.join(map(str, wanted))}{note}"
    error = _oauth(response) if status == HTTPStatus.BAD_REQUEST else None
    if error is None:
        if status in REDIRECTS:
            there = cut((response.header("location") or "").partition("?")[0], 200)
            hint = Prose("It points to {there}.", there=there) if there else Prose("It points nowhere.")
        elif status != HTTPStatus.UNAUTHORIZED:
            hint = None
        error = refusal(status, message, logged_in=logged_in, hint=hint)
    trail.begin(error.cause.stage or stage_of(status), trail.monotonic())
    return error


def _oauth(response: Response) -> CheckError | None:
    """Return what an OAuth token endpoint means, which tells a rejected login with 400 (RFC 6749, 5.2)."""
    document = _json(response)
    code = document.get("error") if isinstance(document, dict) else None
    if not isinstance(code, str) or code not in _OAUTH:
        return None
    reason, stage, hint = _OAUTH[code]
    said = document.get("error_description")
    text = f"the server answers {code}" + (f": {cut(' '.join(str(said).split()), 300)}" if said else "")
    return CheckError(reason, text, code=code, hint=hint, stage=stage)


_CLIENT = Prose(
    "The server answers and rejects the client: compare its id, its secret and how they are sent."
)
_OAUTH = {
    "invalid_grant": (
        Reason.AUTH,
        Stage.AUTH,
        Prose("The server answers and rejects the login: compare user, password or key, and this clock."),
    ),
    "invalid_client": (Reason.AUTH, Stage.AUTH, _CLIENT),
    "unauthorized_client": (Reason.PERMISSION, Stage.PERMISSION, Prose("Allow this client this grant type.")),
    "invalid_scope": (Reason.PERMISSION, Stage.PERMISSION, Prose("Allow this client the scope it asks for.")),
}
