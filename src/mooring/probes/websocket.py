"""A websocket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, SecretStr, StringConstraints, model_validator

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.dial import dial
from mooring.net.http import plain_words
from mooring.net.http_protocol import complaint, tls_expected
from mooring.net.http_request import Place
from mooring.net.inquiry import speaks_tls
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._base import Probe
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

if TYPE_CHECKING:
    from mooring.probes._websocket import Session

Token = Annotated[str, StringConstraints(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]

GOODBYE = 0.25
"""Seconds for the server to answer our close message; after that the connection is dropped."""
SHARE_OF_TIME = 0.9
"""Part of the time left for the expected message, so that others are told as that and not as silence."""
_OF_HTTP = 4000
"""By convention 4401 means what 401 means in HTTP."""
_CLOSED: dict[int, tuple[Reason, Stage]] = {
    1000: (Reason.ASSERTION, Stage.FUNCTION),
    1001: (Reason.UNAVAILABLE, Stage.FUNCTION),
    1008: (Reason.PERMISSION, Stage.PERMISSION),
    1011: (Reason.UNAVAILABLE, Stage.FUNCTION),
    1012: (Reason.UNAVAILABLE, Stage.FUNCTION),
    1013: (Reason.OVERLOADED, Stage.FUNCTION),
    1014: (Reason.UNAVAILABLE, Stage.FUNCTION),
}
_HINTS = {
    Reason.AUTH: Prose(
        "The server upgrades first and rejects the login then: compare it with the service's own."
    ),
    Reason.PERMISSION: Prose("The server upgrades first and closes then: look at login, origin and path."),
}


class WebSocket(Probe):
    """WebSocket: upgrade, stay for a moment, ping, and exchange a message where asked to."""

    kind: Literal["websocket"] = "websocket"
    schemes: ClassVar[tuple[str, ...]] = ("ws", "wss")
    extra: ClassVar[str | None] = "websocket"
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.TLS: "the certificate is trusted, in date and for this host (wss)",
        Stage.PROTOCOL: "it answers in HTTP",
        Stage.AUTH: "it accepts the login (only where one is given; 401 and close code 4401 fail here)",
        Stage.PERMISSION: "the login may connect (only where one is given; 403, 1008 and 4403 fail here)",
        Stage.FUNCTION: "it upgrades, stays open, answers a ping and sends what is expected",
    }

    url: SecretStr = Field(
        description="ws://[user:password@]host[:port]/path; the login is sent as Basic.",
        examples=["wss://shop.example/live"],
    )
    headers: Headers = Field(
        default_factory=dict,
        description="Headers to send. All but well-known harmless ones, such as Origin, are kept secret.",
    )
    token: SecretStr | None = Field(None, description="Bearer token, sent as Authorization.")
    subprotocols: tuple[Token, ...] = Field(
        (), max_length=20, description="Subprotocols to offer; the server has to take one of them."
    )
    hold: float = Field(
        0.1,
        ge=0,
        le=60,
        description="Seconds for which it has to stay open, at most half of the time left:"
        " some servers let anybody in and close right afterwards.",
    )
    send: str | None = Field(None, description="Text message to send.")
    expect: str | None = Field(None, description="Text that a message holds which comes within the timeout.")
    tls: TLSSettings = Field(default_factory=TLSSettings, description="TLS settings, for wss.")

    @model_validator(mode="after")
    def _can_be_sent(self) -> WebSocket:
        url = Url.parse(self.url.get_secret_value())
        demand_one_login(self.headers, url, self.token)
        try:
            _ = self.place
        except ValueError as error:
            raise ValueError(f"url: {error}") from None
        return self

    @cached_property
    def place(self) -> Place:
        """Where it is, without the login."""
        return Place.parse(self.url.get_secret_value(), ("ws", "wss"))

    @cached_property
    def address(self) -> str:
        return self.place.shown

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        yield from secrets_of(self._headers()[1])

    async def check(self, trail: Trail) -> Observation:
        from mooring.probes._websocket import Session

        place = self.place
        public, secret = self._headers()
        tls, plain = self.tls if place.secure else None, plain_words(place.authority)
        async with await dial(trail, place.host, place.port, tls, plain=plain) as stream:
            session = Session(stream, place, self.subprotocols)
            trail.begin(Stage.PROTOCOL, trail.monotonic())
            try:
                response = await session.upgrade((*public, *secret))
            except (EOFError, ConnectionError):
                stream.drop()  # some serve one client at a time
                if not place.secure and await speaks_tls(trail, stream.address, place.port, place.host):
                    raise tls_expected() from None
                raise
            trail.end(trail.monotonic())
            trail.note(status_code=response.status_code)
            if "Server" in response.headers:
                trail.note(server=cut(response.headers["Server"]))
            logged_in = authenticates(secret)
            if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
                raise _refused(trail, response.status_code, bytes(response.body or b""), logged_in=logged_in)
            trail.begin(Stage.FUNCTION, trail.monotonic())
            session.demand_upgrade()
            await self._use(trail, session)
            if logged_in:
                trail.passed(Stage.AUTH)
                trail.passed(Stage.PERMISSION)
            trail.end(trail.monotonic())
            await session.leave(min(GOODBYE, trail.remaining / 2))
        return Observation({"subprotocol": session.subprotocol} if self.subprotocols else {})

    def reason(self, error: Exception) -> Cause | None:
        from websockets.exceptions import WebSocketException

        if isinstance(error, WebSocketException):
            return Cause(Reason.PROTOCOL, "BAD_HANDSHAKE")
        return asked_for_tls(error, "ws")

    def _headers(self) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
        return split_headers(self.headers, Url.parse(self.url.get_secret_value()), self.token)

    async def _use(self, trail: Trail, session: Session) -> None:
        try:
            # First: what is sent to a server that has closed by now would reset its close message.
            await session.hold(min(self.hold, trail.remaining / 2))
            trail.measure(ping_seconds=await session.ping(trail.monotonic))
            if self.send is not None:
                await session.send(self.send)
            if self.expect is not None:
                await _expected(trail, session, self.expect)
        except (EOFError, ConnectionError):
            raise _closed(trail, session) from None


async def _expected(trail: Trail, session: Session, wanted: str) -> None:
    try:
        async with asyncio.timeout(trail.remaining * SHARE_OF_TIME):
            await session.expect(wanted)
    except TimeoutError:
        if not session.heard:
            raise
        raise session.unexpected(wanted) from None


def _refused(trail: Trail, status: int, body: bytes, *, logged_in: bool) -> CheckError:
    error = complaint(status, body)
    if error is None and status < HTTPStatus.BAD_REQUEST:
        text = f"the server answers {spoken(status)} and does not upgrade to a websocket"
        hint = Prose(
            "Compare the path; a proxy in between has to pass the headers Upgrade and Connection on."
        )
        error = CheckError(Reason.PROTOCOL, text, code=f"HTTP_{status}", hint=hint, stage=Stage.FUNCTION)
    if error is None:
        text = f"the server answers {spoken(status)} instead of upgrading to a websocket"
        error = refusal(status, text, logged_in=logged_in)
    trail.begin(error.cause.stage or stage_of(status), trail.monotonic())
    return error


def _closed(trail: Trail, session: Session) -> CheckError:
    """Return why the connection was closed that had to stay open, by its close code."""
    if session.fault is not None:
        return CheckError(
            Reason.PROTOCOL, f"the server breaks the protocol: {session.fault}", code="BAD_FRAME"
        )
    if session.close_code is None:
        words = Prose("the connection was cut without a close message")
        return CheckError(Reason.NETWORK, words, code="CLOSE_1006")
    code = session.close_code
    reason, stage = _meaning(code)
    said = f": {cut(session.close_reason, 200)}" if session.close_reason else ""
    trail.begin(stage, trail.monotonic())
    text = f"the server closed the connection with code {code}{said}"
    return CheckError(reason, text, code=f"CLOSE_{code}", hint=_HINTS.get(reason), stage=stage)


def _meaning(code: int) -> tuple[Reason, Stage]:
    if code in _CLOSED:
        return _CLOSED[code]
    if code < _OF_HTTP:
        return Reason.PROTOCOL, Stage.FUNCTION
    if code - _OF_HTTP not in set(HTTPStatus):
        return Reason.ASSERTION, Stage.FUNCTION
    cause = refusal(code - _OF_HTTP, "", logged_in=True).cause
    return cause.reason, cause.stage or Stage.FUNCTION
