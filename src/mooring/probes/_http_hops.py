"""One request as far as its redirects lead."""

from __future__ import annotations

from collections.abc import Awaitable
from http import HTTPStatus

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.core.stage import Stage
from mooring.net.egress import EGRESS_DENIED
from mooring.net.http import Response, fetch
from mooring.net.http_request import Request
from mooring.net.trail import Trail
from mooring.probes._cookies import Jar

MOST_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BAD_REDIRECT = Prose("Correct where the server redirects to, or give the address of the place meant.")
OF_ONE_HOP = (Stage.DNS, Stage.TCP, Stage.TLS, Stage.PROTOCOL)


def send(trail: Trail, request: Request, limit: int, jar: Jar | None = None) -> Awaitable[Response]:
    """Send one request, with the cookies that belong to it, and keep those of its answer."""
    return fetch(trail, request, limit=limit) if jar is None else _send(trail, request, limit, jar)


async def _send(trail: Trail, request: Request, limit: int, jar: Jar) -> Response:
    response = await fetch(trail, jar.dressed(request), limit=limit)
    jar.keep(request.place, response)
    trail.hide(*jar.secrets)
    return response


async def follow(
    trail: Trail, request: Request, response: Response, limit: int, jar: Jar | None = None
) -> tuple[Request, Response]:
    """Go where the answer points to. The stages told are those of the last hop."""
    for hop in range(1, MOST_REDIRECTS + 2):
        location = response.header("location")
        if response.status not in REDIRECTS or location is None:
            return request, response
        if hop > MOST_REDIRECTS:
            break
        status, request = response.status, _redirected(request, response.status, location)
        trail.note(redirects=hop, final_url=request.shown)
        passed = [trail.stages[stage] for stage in OF_ONE_HOP if stage in trail.stages]
        for stage in OF_ONE_HOP:
            trail.retract(stage)
        try:
            response = await send(trail, request, limit, jar)
        except CheckError as error:
            if error.cause.code != EGRESS_DENIED:
                raise
            # The server leads there, and nobody should allow it for that: it fails at the answer before.
            trail.retract(Stage.DNS)
            for each in passed:
                trail.restore(each)
            trail.begin(Stage.FUNCTION, trail.monotonic())
            raise _bad(status, location, "the egress policy refuses it") from None
    text = f"more than {MOST_REDIRECTS} redirects, the last one to {request.shown}"
    raise CheckError(
        Reason.ASSERTION, text, code="TOO_MANY_REDIRECTS", hint=Prose("The redirects run in circles.")
    )


def _redirected(request: Request, status: int, location: str) -> Request:
    try:
        return request.redirected(status, location)
    except ValueError as error:
        raise _bad(status, location, str(error)) from None


def _bad(status: int, location: str, why: str) -> CheckError:
    shown = cut(location.partition("?")[0], 200)
    text = f"the redirect {HTTPStatus(status).value} to {shown!r} cannot be followed: {why}"
    return CheckError(Reason.ASSERTION, text, code="BAD_REDIRECT", hint=_BAD_REDIRECT)


def came_from(first: Request, last: Request) -> str:
    """Return where a request was redirected to, in words; nothing where it was not."""
    return "" if first.place is last.place else f" (redirected to {last.shown})"
