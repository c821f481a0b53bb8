"""An HTTP service."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from functools import cached_property
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, Field, JsonValue, SecretStr, model_validator

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.http import BODY_LIMIT, Response, fetch
from mooring.net.http_request import Place, Request
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes import _expect as expect
from mooring.probes._base import Probe
from mooring.probes._form import MORE
from mooring.probes._http import (
    Headers,
    asked_for_tls,
    authenticates,
    demand_one_login,
    refusal,
    secrets_of,
    split_headers,
    spoken,
    stage_of,
)
from mooring.probes._url import Url

MOST_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OF_ONE_HOP = (Stage.DNS, Stage.TCP, Stage.TLS, Stage.PROTOCOL)
_ACCEPTED = ("200-399",)


def _codes(wanted: tuple[int | str, ...]) -> tuple[int | str, ...]:
    expect.status_codes(wanted)
    return wanted


def _pattern(pattern: str) -> str:
    expect.demand_compilable(pattern)
    return pattern


class Prepared(NamedTuple):
    """What every check of one target needs, worked out once."""

    request: Request
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
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = Field(
        "GET", description="HTTP method."
    )
    headers: Headers = Field(
        default_factory=dict,
        description="Headers to send. All but well-known harmless ones, such as Accept, are kept secret.",
    )
    token: SecretStr | None = Field(None, description="Bearer token, sent as Authorization.")
    body: SecretStr | None = Field(
        None,
        description="Body to send, as UTF-8. Kept secret: it may hold a login.",
        json_schema_extra={**MORE},
    )
    tls: TLSSettings = Field(default_factory=TLSSettings, description="TLS settings, for https.")
    follow_redirects: bool = Field(
        True, description="Follow up to 10 redirects. Logins and bodies are never sent to another host."
    )
    expect_status: Annotated[tuple[int | str, ...], AfterValidator(_codes)] = Field(
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
        url = Url.parse(self.url.get_secret_value())
        demand_one_login(self.headers, url, self.token)
        try:
            _ = self.prepared
        except ValueError as error:
            raise ValueError(f"url: {error}") from None
        return self

    @cached_property
    def prepared(self) -> Prepared:
        """The request and what is expected of its answer."""
        text = self.url.get_secret_value()
        public, secret = split_headers(self.headers, Url.parse(text), self.token)
        body = None if self.body is None else self.body.get_secret_value().encode()
        request = Request(Place.parse(text), self.method, public, secret, body, self.tls)
        asserts = bool(self.expect_headers or self.expect_body or self.expect_regex or self.expect_json)
        return Prepared(request, authenticates(secret), expect.status_codes(self.expect_status), asserts)

    @cached_property
    def address(self) -> str:
        return self.prepared.request.shown

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        yield from secrets_of(self.prepared.request.secrets)

    async def check(self, trail: Trail) -> Observation:
        prepared = self.prepared
        request = prepared.request
        response = await fetch(trail, request, limit=self.body_limit)
        if response.status in _REDIRECTS and self.follow_redirects:
            request, response = await self._follow(trail, request, response)
        trail.note(**_details(request, response))
        if response.status not in prepared.codes:
            trail.begin(stage_of(response.status), trail.monotonic())
            raise self._refusal(request, response)
        if prepared.logged_in:
            trail.passed(Stage.AUTH)
            trail.passed(Stage.PERMISSION)
        if prepared.asserts:
            self._demand_content(response, _came_from(prepared.request, request))
        trail.end(trail.monotonic())
        trail.measure(
            first_byte_seconds=response.first_byte,
            transfer_seconds=response.transfer,
            body_bytes=len(response.body),
        )
        return Observation()

    def reason(self, error: Exception) -> Cause | None:
        return asked_for_tls(error, "http")

    async def _follow(self, trail: Trail, request: Request, response: Response) -> tuple[Request, Response]:
        """Go where the answer points to. The stages told are those of the last hop."""
        for hop in range(1, MOST_REDIRECTS + 2):
            location = response.header("location")
            if response.status not in _REDIRECTS or location is None:
                return request, response
            if hop > MOST_REDIRECTS:
                break
            request = _redirected(request, response.status, location)
            trail.note(redirects=hop, final_url=request.shown)
            for stage in _OF_ONE_HOP:
                trail.retract(stage)
            response = await fetch(trail, request, limit=self.body_limit)
        text = f"more than {MOST_REDIRECTS} redirects, the last one to {request.shown}"
        raise CheckError(
            Reason.ASSERTION, text, code="TOO_MANY_REDIRECTS", hint=Prose("The redirects run in circles.")
        )

    def _refusal(self, request: Request, response: Response) -> CheckError:
        status = response.status
        wanted = ", ".join(map(str, self.expect_status))
        message = f"the server answers {spoken(status)}, expected {wanted}"
        message += _came_from(self.prepared.request, request)
        hint = None
        if status in _REDIRECTS:
            there = (response.header("location") or "").partition("?")[0][:200]
            hint = Prose("It points to {there}.", there=there) if there else Prose("It points nowhere.")
        logged_in = self.prepared.logged_in and bool(request.secrets)
        return refusal(status, message, logged_in=logged_in, hint=hint)

    def _demand_content(self, response: Response, note: str) -> None:
        for name, wanted in self.expect_headers.items():
            expect.demand_header(name, response.header(name), wanted)
        if response.cut:
            note += f" (only its first {self.body_limit} bytes were read)"
        content_type = response.header("content-type") or ""
        body = response.plain_body() if self.expect_body or self.expect_regex or self.expect_json else b""
        text = _text(body, content_type) if self.expect_body or self.expect_regex else ""
        if self.expect_body is not None:
            expect.demand_text(text, self.expect_body, note)
        if self.expect_regex is not None:
            expect.demand_pattern(text, self.expect_regex, note)
        if self.expect_json:
            expect.demand_json(body, self.expect_json, content_type, note)


def _details(request: Request, response: Response) -> dict[str, Any]:
    details: dict[str, Any] = {
        "status_code": response.status,
        "final_url": request.shown,
        "http_version": response.version,
    }
    server = response.header("server")
    if server is not None:
        details["server"] = expect.cut(server)
    if response.cut:
        details["body_cut"] = True
    return details


def _redirected(request: Request, status: int, location: str) -> Request:
    try:
        return request.redirected(status, location)
    except ValueError as error:
        shown = location.partition("?")[0][:200]
        text = f"the redirect {HTTPStatus(status).value} to {shown!r} cannot be followed: {error}"
        raise CheckError(Reason.ASSERTION, text, code="BAD_REDIRECT") from None


def _came_from(first: Request, last: Request) -> str:
    return "" if first is last else f" (redirected to {last.shown})"


def _text(body: bytes, content_type: str) -> str:
    """Return the body as text, in the character set that its header names, where that is one."""
    message = Message()
    message["content-type"] = content_type
    try:
        return body.decode(message.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", "replace")
