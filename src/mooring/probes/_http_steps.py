"""Requests before the one that a check is about: log in, keep what is answered, go on with it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, SecretStr, StringConstraints

from mooring.core.prose import Prose
from mooring.core.redact import cut
from mooring.core.stage import Stage
from mooring.net.http_request import Place
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes import _expect as expect
from mooring.probes._base import looks_secret
from mooring.probes._cookies import Jar
from mooring.probes._graphql import GraphQL
from mooring.probes._http import Headers, demand_one_login, secrets_of
from mooring.probes._http_answer import Codes, demand_graphql, type_of, unexpected
from mooring.probes._http_draft import Draft, draft
from mooring.probes._http_hops import OF_ONE_HOP, REDIRECTS, came_from, follow, send
from mooring.probes._saved import demand_place, taken
from mooring.probes._url import Url

MOST = 20
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
SavedName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=60)]
SavedPlace = Annotated[str, AfterValidator(demand_place)]


class Step(BaseModel):
    """A request before the one that the check is about."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str = Field(
        description="A path on the same host, or a whole address. It is shown, so it holds no secret.",
        examples=["/login"],
    )
    method: Method | None = Field(None, description="HTTP method; left out, POST where there is a body.")
    headers: Headers = Field(
        default_factory=dict, description="Headers of this request. Those of the main one are not sent here."
    )
    token: SecretStr | None = Field(None, description="Bearer token, sent as Authorization.")
    body: SecretStr | None = Field(
        None, description="Body to send, as UTF-8; JSON is sent as application/json. Kept secret."
    )
    graphql: GraphQL | None = Field(None, description="A GraphQL question instead of a body.")
    save: dict[SavedName, SavedPlace] = Field(
        default_factory=dict,
        description="What of the answer is kept, and under which name {{name}} uses it later: a dotted "
        "path in its JSON, header:NAME, cookie:NAME, or regex:PATTERN with a group. Kept secret.",
        examples=[{"token": "access_token"}],
    )
    expect_status: Codes = Field(
        ("200-399",), min_length=1, description='Status codes that are right: 200, "2xx", "200-399".'
    )
    expect_json: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="What the answer's JSON holds, as in expect_json of the main request.",
    )

    def draft(self, base: Place, tls: TLSSettings) -> Draft:
        """Return what is to be asked, seen from the main request. Raises ValueError."""
        whole = "://" in self.url.partition("?")[0]
        if not whole and not self.url.startswith("/"):
            raise ValueError("url: has to be a path that begins with /, or a whole address")
        url = self.url if whole else f"{base.scheme}://{base.authority}{self.url}"
        parsed = Url.parse(url)
        if parsed.user is not None:
            raise ValueError("url: holds a login, and is shown: put it into headers, token or body")
        if any(looks_secret(key) and value and "{{" not in value for key, value in parsed.query.items()):
            raise ValueError("url: holds a secret in its query, and is shown: put it into headers or body")
        if self.body is not None and self.graphql is not None:
            raise ValueError("graphql: is a body of its own; leave out body")
        demand_one_login(self.headers, parsed, self.token)
        if not base.trusts(Place.parse(url)):
            tls = replace(tls, pin=None, cert=None, key=None, server_name=None)
        method = self.method or ("GET" if self.body is None else "POST")
        return draft(url, method, self.headers, self.token, self.body, self.graphql, tls)


def prepared(steps: Sequence[Step], base: Place, tls: TLSSettings) -> tuple[Draft, ...]:
    """Return what each step asks for. Raises ValueError that begins with the setting."""
    drafts = []
    known: set[str] = set()
    for index, step in enumerate(steps):
        try:
            made = step.draft(base, tls)
            demand_saved(made, known)
        except ValueError as error:
            raise ValueError(f"steps.{index}.{_led(str(error))}") from None
        drafts.append(made)
        known |= step.save.keys()
    return tuple(drafts)


def demand_saved(made: Draft, known: Collection[str]) -> None:
    """Raise ValueError, beginning with the setting, where a request needs what no step before has saved."""
    for name, setting in made.names.items():
        if name not in known:
            have = f"saved so far: {', '.join(sorted(known))}" if known else "nothing is saved so far"
            raise ValueError(f"{setting}: {{{{{name}}}}} is saved by no step before it; {have}")


def saved_by(steps: Sequence[Step]) -> frozenset[str]:
    """Return the names that the main request can use."""
    return frozenset(name for step in steps for name in step.save)


def secrets_in(drafts: Sequence[Draft]) -> Iterator[str]:
    """Yield the secrets of some requests that do not stand in their settings by themselves."""
    for each in drafts:
        yield from secrets_of(each.secret)
        yield from each.secrets()


class Walk:
    """The steps of one check, and what they leave to the request after them."""

    def __init__(self, trail: Trail, *, limit: int, redirects: bool) -> None:
        self.jar = Jar(trail.net.clock)
        self.saved: dict[str, str] = {}
        self._trail = trail
        self._limit = limit
        self._redirects = redirects

    async def through(self, steps: Sequence[Step], drafts: Sequence[Draft], last: Draft) -> None:
        """Take every step. What is raised says, by the trail, which one it was."""
        requests = (*drafts, last)
        for number, step in enumerate(steps, 1):
            self._trail.part = _part(number, requests)
            await self._take(number, step, drafts[number - 1])
        self._trail.part = _part(len(requests), requests)

    async def _take(self, number: int, step: Step, draft: Draft) -> None:
        trail = self._trail
        began = trail.monotonic()
        first = request = draft.filled(self.saved)
        response = await send(trail, request, self._limit, self.jar)
        if response.status in REDIRECTS and self._redirects:
            request, response = await follow(trail, request, response, self._limit, self.jar)
        note = came_from(first, request)
        demand_graphql(trail, response, note, asked=step.graphql is not None)
        if response.status not in expect.status_codes(step.expect_status):
            logs_in = draft.logged_in or draft.body is not None
            raise unexpected(trail, response, step.expect_status, note, logged_in=logs_in)
        if step.expect_json:
            expect.demand_json(response.plain_body(), step.expect_json, type_of(response), note)
        for name, where in step.save.items():
            self.saved[name] = taken(response, self.jar.named(first.place, request.place), where)
            trail.hide(self.saved[name])
        trail.end(trail.monotonic())
        trail.measure(**{f"step_{number}_seconds": trail.monotonic() - began})
        for stage in (*OF_ONE_HOP, Stage.FUNCTION):  # what is told in the end is of the main request
            trail.retract(stage)


def _part(number: int, requests: Sequence[Draft]) -> Prose:
    at = requests[number - 1]
    return Prose(
        "step {number} of {all}, {method} {path}",
        number=number,
        all=len(requests),
        method=at.method,
        path=cut(at.path),
    )


def _led(text: str) -> str:
    """Return what is wrong with a step, beginning with its setting; that of an address says none."""
    return text if text.partition(":")[0].isidentifier() else f"url: {text}"
