"""How DataHub is asked: what is sent, where to, and what an answer means that is no 200."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.core.stage import Stage
from mooring.net.http import Response, fetch
from mooring.net.http_request import Place, Request
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._datahub_answer import Answer, Claims, found, json_of
from mooring.probes._http import in_our_words, refusal, spoken, stage_of

ME = """query MooringMe {
  me { corpUser { urn username } platformPrivileges { managePolicies manageIngestion } }
  appConfig { appVersion authConfig { tokenAuthEnabled } }
}"""
POLICIES = "query MooringPolicies { listPolicies(input: {start: 0, count: 1}) { total } }"
SOURCES = "query MooringSources { listIngestionSources(input: {start: 0, count: 1}) { total } }"
SEARCH = """query MooringSearch($text: String!) {
  searchAcrossEntities(input: {query: $text, start: 0, count: 1}) { total }
}"""
DOCUMENTS = (ME, POLICIES, SOURCES, SEARCH)
"""Everything that is ever sent. The tests compare it with DataHub's own schema."""

_ACCEPT = ("Accept", "application/json")
_JSON = ("Content-Type", "application/json")
_DIALLING = frozenset({Stage.DNS, Stage.TCP, Stage.TLS})
_REDIRECTS = range(HTTPStatus.MULTIPLE_CHOICES.value, HTTPStatus.BAD_REQUEST.value)
_WITH_TLS = Prose("Write the address with datahub+https://.")
MAKE_ONE = Prose("Make a new one in DataHub under Settings > Access Tokens, and put it into the address.")
_HINTS: Mapping[int, Prose] = {
    HTTPStatus.UNAUTHORIZED: Prose("Something in between asks for a login: DataHub shows /config to all."),
    HTTPStatus.NOT_FOUND: Prose(
        "GMS stands at the root of its port, in DataHub Cloud under /gms: compare the path."
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: Prose("Look at the log of GMS, and at the front end's if it is asked."),
    HTTPStatus.BAD_GATEWAY: Prose(
        "The front end or a proxy answers, and GMS behind it does not: does it run, and do DATAHUB_GMS_HOST "
        "and DATAHUB_GMS_PORT of the front end lead to it?"
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: Prose("GMS is starting or stopping: look at its log."),
    HTTPStatus.GATEWAY_TIMEOUT: Prose("The front end or a proxy answers, and GMS behind it is too slow."),
}


def rejected(trail: Trail, token: str | None) -> CheckError:
    """Return the error for a 401 to this token, or to none."""
    trail.begin(Stage.AUTH, trail.monotonic())
    claims = Claims.of(token)
    if token is None:
        return CheckError(
            Reason.AUTH,
            Prose("DataHub asks for a token, and none is given"),
            code="NO_TOKEN",
            hint=Prose("Make one in DataHub under Settings > Access Tokens, and put it into the address."),
        )
    if claims.expires is not None and claims.days_left(trail.net.clock.now()) <= 0:
        words = Prose("the token expired on {day}", day=f"{claims.expires:%Y-%m-%d}")
        return CheckError(Reason.AUTH, words, code="TOKEN_EXPIRED", hint=MAKE_ONE)
    return CheckError(
        Reason.AUTH,
        Prose("DataHub rejects the token"),
        code="TOKEN_REJECTED",
        hint=Prose(
            "It is revoked, cut short, or another DataHub's: make a new one under Settings > Access Tokens, "
            "and put it into the address."
        ),
    )


async def fetch_aside(trail: Trail, request: Request) -> Response:
    """Send a request as a part of the running stage; of its own connection only a failure is told."""
    aside = trail.aside()
    arrived = False
    try:
        response = await fetch(aside, request)
        arrived = True
    finally:
        stage = aside.failed or aside.running
        if not arrived and stage in _DIALLING:
            trail.begin(stage, trail.monotonic())
    return response


def refused(trail: Trail, response: Response) -> CheckError:
    """Return the error for an answer that is not 200, at the running stage unless 401 or 403 say another."""
    status = response.status
    hint = _HINTS.get(status)
    text = f"DataHub answers {spoken(status)}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and (said := _plain(response)):
        text += f": {said}"
    there = cut((response.header("location") or "").partition("?")[0], 200)
    if status in _REDIRECTS and there:
        hint = Prose("It points to {there}: write the address of DataHub itself.", there=there)
    known = refusal(status, text, logged_in=True, hint=hint).cause
    if stage_of(status) is not Stage.FUNCTION:
        trail.begin(stage_of(status), trail.monotonic())
    return CheckError(known.reason, text, code=known.code, hint=hint or known.hint)


def _plain(response: Response) -> str:
    kind = response.header("content-type") or ""
    return cut(" ".join(response.body.decode("utf-8", "replace").split())) if "text/plain" in kind else ""


@dataclass(frozen=True, slots=True)
class Door:
    """Where DataHub is asked. `base` is its address without a `/` at the end.

    `front_end`: GMS is asked through the front end, which answers 401 by itself to whoever shows no
    token at all, and lets any that looks like one pass.
    """

    base: Place
    token: str | None
    tls: TLSSettings
    front_end: bool = False

    def request(self, path: str, token: str | None, document: str = "", **variables: str) -> Request:
        """Return a request for this path; with a GraphQL document it is sent there."""
        place = replace(self.base, target=self.base.target.rstrip("/") + path)
        secrets = () if token is None else (("Authorization", f"Bearer {token}"),)
        if not document:
            return Request(place, "GET", (_ACCEPT,), secrets, None, self.tls)
        body = json.dumps({"query": document, "variables": variables}).encode()
        return Request(place, "POST", (_ACCEPT, _JSON), secrets, body, self.tls)

    async def send(self, trail: Trail, document: str, token: str | None, **variables: str) -> Response:
        """Send a GraphQL document with this token, or with none."""
        return await fetch_aside(trail, self.request("/api/graphql", token, document, **variables))

    async def ask(self, trail: Trail, document: str, **variables: str) -> Answer:
        """Send a GraphQL document as we are logged in. Raises CheckError for what is no GraphQL answer."""
        response = await self.send(trail, document, self.token, **variables)
        if response.status == HTTPStatus.UNAUTHORIZED:
            raise rejected(trail, self.token)
        if response.status != HTTPStatus.OK:
            raise refused(trail, response)
        return Answer.of(response)


async def identify(trail: Trail, door: Door) -> Door:
    """Find out who answers, and whether GMS is ready; pass dns, tcp, tls and protocol.

    Raises CheckError(protocol) where it is no DataHub, (unavailable) where GMS is not ready.
    """
    proxied = door.front_end
    try:
        response = await fetch(trail, door.request("/config", door.token if proxied else None))
    except CheckError as error:
        raise in_our_words(error, _WITH_TLS) from None
    trail.begin(Stage.PROTOCOL, trail.monotonic() - (trail.stages[Stage.PROTOCOL].seconds or 0))
    if proxied and response.status == HTTPStatus.UNAUTHORIZED:
        raise rejected(trail, door.token)
    if response.status != HTTPStatus.OK:
        raise refused(trail, response)
    config = json_of(response)
    if found(config, "config", "application") == "datahub-frontend":
        door = replace(door, front_end=True)
        trail.note(endpoint="front end", server_version=found(config, "config", "appVersion"))
    elif config.get("noCode") in ("true", True):
        trail.note(endpoint="GMS behind the front end" if proxied else "GMS", **_version(config))
    else:
        raise CheckError(Reason.PROTOCOL, Prose("the answer is JSON, but not DataHub's"), code="NOT_DATAHUB")
    await _demand_ready(trail, door, "/health" if proxied or not door.front_end else "/api/gms/health")
    trail.end(trail.monotonic())
    return door


def _version(config: Mapping[str, Any]) -> dict[str, object]:
    versions = config.get("versions")
    known = [found(each, "version") for each in versions.values()] if isinstance(versions, dict) else []
    return {"server_version": known[0]} if known and known[0] else {}


async def _demand_ready(trail: Trail, door: Door, path: str) -> None:
    """Raise CheckError where GMS says that it is not ready, or the front end that it does not reach it."""
    if door.front_end and door.token is None:  # nothing is passed on
        return
    response = await fetch_aside(trail, door.request(path, door.token if door.front_end else None))
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise refused(trail, response)
