"""An HTTP service."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, Field, JsonValue, SecretStr, model_validator

from mooring.core.failure import Cause
from mooring.core.prose import Prose
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.http import BODY_LIMIT, Response
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes import _expect as expect
from mooring.probes._base import Probe
from mooring.probes._form import MORE
from mooring.probes._graphql import GraphQL
from mooring.probes._http import Headers, asked_for_tls, demand_one_login
from mooring.probes._http_answer import Codes, demand_graphql, details, type_of, unexpected
from mooring.probes._http_draft import Draft, draft
from mooring.probes._http_hops import REDIRECTS, came_from, follow, send
from mooring.probes._http_steps import MOST, Method, Step, Walk, demand_saved, prepared, saved_by, secrets_in
from mooring.probes._url import Url

_ACCEPTED = ("200-399",)
_NOT_TAKEN = Prose(
    "The login before worked, and what it gave is not accepted here: compare how the service wants it sent."
)


def _pattern(pattern: str) -> str:
    expect.demand_compilable(pattern)
    return pattern


class Prepared(NamedTuple):
    """What every check of one target needs, worked out once."""

    draft: Draft
    steps: tuple[Draft, ...]
    logged_in: bool
    codes: frozenset[int]
    asserts: bool


class HTTP(Probe):
    """HTTP: send one request, follow redirects, and compare the answer with what is expected."""

    kind: Literal["http"] = "http"
    schemes: ClassVar[tuple[str, ...]] = ("http", "https")
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.TLS: "the certificate is trusted, in date and for this host (https)",
        Stage.PROTOCOL: "it answers in HTTP",
        Stage.AUTH: "it accepts the login (only where one is given; 401 and 407 fail here)",
        Stage.PERMISSION: "the login may ask for this (only where one is given; 403 fails here)",
        Stage.FUNCTION: "status, headers and body are as expected, and the body comes whole",
    }

    url: SecretStr = Field(
        description="http://[user:password@]host[:port]/path; the login is sent as Basic.",
        examples=["https://shop.example/health"],
    )
    method: Method = Field("GET", description="HTTP method; a GraphQL question is sent by POST.")
    headers: Headers = Field(
        default_factory=dict,
        description="Headers to send. All but well-known harmless ones, such as Accept, are kept secret.",
    )
    token: SecretStr | None = Field(None, description="Bearer token, sent as Authorization.")
    body: SecretStr | None = Field(
        None,
        description="Body to send, as UTF-8; JSON is sent as application/json."
        " Kept secret: it may hold a login.",
        json_schema_extra={**MORE},
    )
    graphql: GraphQL | None = Field(
        None, description="A GraphQL question instead of a body. Errors in its answer count, also with a 200."
    )
    steps: tuple[Step, ...] = Field(
        (),
        max_length=MOST,
        description="Requests to send before, such as a login. What they save is used as {{name}} in path "
        "and query, headers, token and body of those after them; cookies are kept.",
        examples=[[{"url": "/login", "body": '{"user": "app"}', "save": {"token": "access_token"}}]],
    )
    tls: TLSSettings = Field(default_factory=TLSSettings, description="TLS settings, for https.")
    follow_redirects: bool = Field(
        True, description="Follow up to 10 redirects. Logins and bodies are never sent to another host."
    )
    expect_status: Codes = Field(
        _ACCEPTED, min_length=1, description='Status codes that are right: 200, "2xx", "200-399".'
    )
    expect_headers: dict[str, str] = Field(
        default_factory=dict, description="Headers that the answer has, with a text that each of them holds."
    )
    expect_body: str | None = Field(None, min_length=1, description="Text that the body holds.")
    expect_regex: Annotated[str, AfterValidator(_pattern)] | None = Field(
        None, description="Regular expression that matches somewhere in the body."
    )
    expect_json: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="What the body's JSON holds, by dotted path, such as items.0.age: a value, or for "
        "numbers a comparison: < 5, <= 5, > 5, >= 5, != 5.",
        examples=[{"status": "ok", "items.0.age": "< 5"}],
    )
    body_limit: int = Field(
        BODY_LIMIT, ge=0, le=64 * BODY_LIMIT, description="Bytes of the body that are read; the rest is cut."
    )

    @model_validator(mode="after")
    def _can_be_sent(self) -> HTTP:
        demand_one_login(self.headers, Url.parse(self.url.get_secret_value()), self.token)
        if self.graphql is not None and self.body is not None:
            raise ValueError("graphql: is a body of its own; leave out body")
        if self.graphql is not None and "method" in self.model_fields_set and self.method != "POST":
            raise ValueError("method: a GraphQL question is sent by POST; leave it out")
        demand_saved(self.prepared.draft, saved_by(self.steps))
        return self

    @cached_property
    def prepared(self) -> Prepared:
        """The requests and what is expected of the answer. Raises ValueError that begins with a setting."""
        url = self.url.get_secret_value()
        main = draft(url, self.method, self.headers, self.token, self.body, self.graphql, self.tls)
        asserts = bool(self.expect_headers or self.expect_body or self.expect_regex or self.expect_json)
        steps = prepared(self.steps, main.fixed.place, self.tls)
        return Prepared(main, steps, main.logged_in, expect.status_codes(self.expect_status), asserts)

    @cached_property
    def address(self) -> str:
        return self.prepared.draft.shown

    @property
    def destinations(self) -> tuple[str, ...]:
        return (self.address, *[each.shown for each in self.prepared.steps])

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        yield from secrets_in((self.prepared.draft, *self.prepared.steps))

    async def check(self, trail: Trail) -> Observation:
        prepared = self.prepared
        jar, request = None, prepared.draft.fixed
        if self.steps:
            walk = Walk(trail, limit=self.body_limit, redirects=self.follow_redirects)
            await walk.through(self.steps, prepared.steps, prepared.draft)
            jar, request = walk.jar, prepared.draft.filled(walk.saved)
        first = request
        response = await send(trail, request, self.body_limit, jar)
        if response.status in REDIRECTS and self.follow_redirects:
            request, response = await follow(trail, request, response, self.body_limit, jar)
        trail.note(**details(request, response))
        note = came_from(first, request)
        demand_graphql(trail, response, note, asked=self.graphql is not None)
        sent = request if jar is None else jar.dressed(request)
        logged_in = prepared.logged_in or sent is not request
        if response.status not in prepared.codes:
            kept = logged_in and bool(sent.secrets)
            hint = _NOT_TAKEN if kept and self.steps else None
            raise unexpected(trail, response, self.expect_status, note, logged_in=kept, hint=hint)
        if logged_in:
            trail.passed(Stage.AUTH)
            trail.passed(Stage.PERMISSION)
        if prepared.asserts:
            self._demand_content(response, note)
        trail.end(trail.monotonic())
        trail.measure(
            first_byte_seconds=response.first_byte,
            transfer_seconds=response.transfer,
            body_bytes=len(response.body),
        )
        return Observation()

    def reason(self, error: Exception) -> Cause | None:
        return asked_for_tls(error, "http")

    def _demand_content(self, response: Response, note: str) -> None:
        for name, wanted in self.expect_headers.items():
            expect.demand_header(name, response.header(name), wanted)
        if response.cut:
            note += f" (only its first {self.body_limit} bytes were read)"
        content_type = type_of(response)
        body = response.plain_body() if self.expect_body or self.expect_regex or self.expect_json else b""
        text = expect.text_of(body, content_type) if self.expect_body or self.expect_regex else ""
        if self.expect_body is not None:
            expect.demand_text(text, self.expect_body, note)
        if self.expect_regex is not None:
            expect.demand_pattern(text, self.expect_regex, note)
        if self.expect_json:
            expect.demand_json(body, self.expect_json, content_type, note)
