"""A gRPC service."""

from __future__ import annotations

import re
from asyncio import IncompleteReadError
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, SecretStr, model_validator

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net import certificate
from mooring.net.aside import first_words, use
from mooring.net.dial import Stream, dial, shown
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._base import Probe
from mooring.probes._tls_choice import demand_use
from mooring.probes._url import Url

if TYPE_CHECKING:
    from mooring.probes._grpcio import Call, Trust

HTTPS_PORT = 443
ALPN = ("h2", "http/1.1")
"""The second is of no use to gRPC; offered, a web server takes it, and is told from a broken handshake."""
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
"""What every HTTP/2 connection begins with, and settings that set nothing (RFC 9113)."""
_FRAME = 9
_SETTINGS = 4
_KEY = re.compile(r"[0-9a-z_.-]+")
_VALUE = re.compile(r"[ -~]*")
_STATUSES = {
    "NOT_SERVING": Prose("The service says so of itself: it is starting, stopping or lacks something."),
    "UNKNOWN": Prose("The service keeps no health yet: it may be starting."),
}


class GRPC(Probe):
    """gRPC: ask the health service whether a service is serving."""

    kind: Literal["grpc"] = "grpc"
    schemes: ClassVar[tuple[str, ...]] = ("grpc", "grpcs")
    extra: ClassVar[str | None] = "grpc"
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.TLS: "the certificate is trusted (grpcs)",
        Stage.PROTOCOL: "it speaks HTTP/2, as gRPC needs",
        Stage.AUTH: "the token or metadata is accepted (only where one is given)",
        Stage.PERMISSION: "it may ask for the health of this service (only where a login is given)",
        Stage.FUNCTION: "the health service says SERVING",
    }

    url: SecretStr = Field(
        description="grpc://host:port/service.Name, or grpcs:// with TLS; without a name the whole server.",
        examples=["grpcs://orders.example:443/shop.v1.Orders"],
    )
    token: SecretStr | None = Field(None, description="Bearer token, sent as authorization.")
    metadata: dict[str, SecretStr] = Field(
        default_factory=dict, max_length=50, description="Metadata to send; all values are kept secret."
    )
    tls: TLSSettings = Field(
        default_factory=TLSSettings,
        description="Whom to trust, and who we are; for grpcs:// only. Without `verify`, or with a pin, the "
        "certificate that was shown has still to be in date: grpcio demands that by itself.",
    )

    @model_validator(mode="after")
    def _can_be_asked(self) -> GRPC:
        url = self._parts
        if not url.host or not (url.port or self._secure):
            raise ValueError("url: a grpc address names host and port: grpc://host:port/service.Name")
        if url.user is not None:
            raise ValueError("url: gRPC knows no user and password; set token or metadata")
        demand_use(self.tls, "grpcs:// instead of grpc://", secure=self._secure)
        if self.token is not None and "authorization" in self.metadata:
            raise ValueError("token: stands in metadata too, as authorization; one is enough")
        for name, value in self._metadata:
            if not _KEY.fullmatch(name) or name.startswith("grpc-") or name.endswith("-bin"):
                raise ValueError(f"metadata: {cut(name)!r} has to be lower case, not grpc-, not -bin")
            if not _VALUE.fullmatch(value):
                raise ValueError(f"metadata: the value of {name} holds what is not printable ASCII")
        return self

    @cached_property
    def _parts(self) -> Url:
        return Url.parse(self.url.get_secret_value())

    @property
    def _secure(self) -> bool:
        return self._parts.scheme == "grpcs"

    @property
    def _port(self) -> int:
        return self._parts.port or HTTPS_PORT

    @property
    def _metadata(self) -> list[tuple[str, str]]:
        pairs = [(name, value.get_secret_value()) for name, value in self.metadata.items()]
        if self.token is not None:
            pairs.append(("authorization", f"Bearer {self.token.get_secret_value()}"))
        return pairs

    @property
    def address(self) -> str:
        place, service = self._parts.authority(HTTPS_PORT), self._parts.name
        return f"{place}/{service}" if service else place

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        for _, value in self._metadata:
            yield value.rpartition(" ")[2]  # what follows a word such as Bearer

    async def check(self, trail: Trail) -> Observation:
        import grpc

        from mooring.probes._grpcio import ask, stage_of

        call = await self._greeted(trail)
        trail.begin(Stage.FUNCTION, began := trail.monotonic())
        try:
            status = await trail.in_thread(lambda: ask(call, trail.remaining))
        except grpc.RpcError as error:
            if (stage := stage_of(error)) is not Stage.FUNCTION:
                trail.begin(stage, began)
            raise
        if self._metadata:
            trail.passed(Stage.AUTH)
            trail.passed(Stage.PERMISSION)
        self._demand_serving(status)
        trail.end(trail.monotonic())
        return Observation({"health": status})

    async def _greeted(self, trail: Trail) -> Call:
        """Dial and greet, hang up, and return what grpcio has to ask at the address that answered."""
        from mooring.probes._grpcio import Call

        url, tls, hint = self._parts, self.tls if self._secure else None, use("grpcs", "grpc")
        async with await dial(trail, url.host, self._port, tls, alpn=ALPN, plain=GREETING) as stream:
            try:
                async with first_words(trail, stream, url.host, tls, hint), trail.stage(Stage.PROTOCOL):
                    await _greet(stream)
            except (ConnectionError, EOFError) as error:
                if tls is None:
                    raise
                raise _hung_up() from error
            family = "ipv6" if ":" in stream.address else "ipv4"
            return Call(
                target=f"{family}:{shown(stream.address, self._port)}",
                authority=url.authority(self._port),
                service=url.name,
                metadata=self._metadata,
                trust=None if tls is None else _trust(tls, url.host, stream),
            )

    def _demand_serving(self, status: str) -> None:
        if status == "SERVING":
            return
        if status == "SERVICE_UNKNOWN":
            raise CheckError(
                Reason.NOT_FOUND,
                f"the server knows no service {self._parts.name}",
                code=status,
                hint=Prose("Compare the name in the address with the one that the server registers."),
            )
        raise CheckError(
            Reason.UNAVAILABLE, f"the service is {status}", code=status, hint=_STATUSES.get(status)
        )

    def reason(self, error: Exception) -> Reason | Cause | None:
        from mooring.probes._grpcio import explain

        return explain(error)


def _hung_up() -> CheckError:
    """Return the error of a server that shakes hands and then leaves. That of grpcio gives no reason."""
    return CheckError(
        Reason.NETWORK,
        Prose("the server hung up right after the TLS handshake"),
        code="HUNG_UP",
        hint=Prose(
            "It may demand a client certificate that it trusts (tls.cert and tls.key), or what ends TLS "
            "there does not reach the service behind it."
        ),
    )


async def _greet(stream: Stream) -> None:
    """Begin HTTP/2 and demand an answer in it. Raises CheckError(protocol)."""
    ssl_object = stream.writer.get_extra_info("ssl_object")
    if ssl_object is not None and ssl_object.selected_alpn_protocol() != "h2":
        raise CheckError(
            Reason.PROTOCOL,
            Prose("the port speaks TLS and offers no HTTP/2 in it"),
            code="NO_HTTP2",
            hint=Prose("gRPC needs HTTP/2, agreed upon by ALPN: switch it on, also in a proxy in between."),
        )
    await stream.ask(GREETING)
    try:
        answer = await stream.reader.readexactly(_FRAME)
    except IncompleteReadError as error:
        if not error.partial:
            raise
        answer = error.partial
    if len(answer) < _FRAME or answer[3] != _SETTINGS:
        raise CheckError(
            Reason.PROTOCOL, f"what answers is no HTTP/2: it begins with {answer!r}", code="NO_HTTP2"
        )


def _trust(settings: TLSSettings, host: str, stream: Stream) -> Trust:
    """Return what has grpcio judge as our own handshake did."""
    from mooring.probes._grpcio import Trust

    shown_to_us = stream.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    name = settings.server_name or host
    if not settings.checks_names:  # any name will do: one that it carries
        read = certificate.read(shown_to_us)
        name = next(iter(read.names), name) if read else name
    return Trust.of(settings, name, shown_to_us)
