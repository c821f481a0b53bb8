"""grpcio behind what we dialled and verified ourselves. Imported only where the driver is needed.

grpcio dials by itself, from threads of its own; it is given the address that answered us. It verifies by
itself too, with BoringSSL, against the issuers that we verified with and, since those of this system may not
be among its own, the very certificate that we were shown a moment ago and found in order.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2

from mooring.core.failure import Cause
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.net.tls import TLSSettings

LATE = 0.1
"""Seconds after the check's deadline at which grpcio gives up: our deadline is the one that tells."""
_METHOD = "/grpc.health.v1.Health/Check"
_OPTIONS: tuple[tuple[str, int | str], ...] = (
    ("grpc.enable_http_proxy", 0),  # what the environment says must not matter
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),  # else a connection, and its back-off, is shared between checks
    ("grpc.primary_user_agent", "mooring"),
)
# How grpcio's own words begin. Those of servers and proxies may speak of connections anywhere.
_LOST = re.compile(
    r"failed to connect|socket closed|connection (reset|refused|closed)|recvmsg|sendmsg|broken pipe|goaway|"
    r"stream removed|fd shutdown|endpoint (read|write|closing|shutdown)",
    re.IGNORECASE,
)
_NO_GRPC = "http2 header with status"


@dataclass(frozen=True, slots=True)
class Call:
    """One health check: where, what, and as whom."""

    target: str
    authority: str
    service: str
    metadata: Sequence[tuple[str, str]]
    trust: Trust | None = None


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom grpcio has to trust under which name, and who we are."""

    name: str
    roots: bytes
    cert: bytes | None
    key: bytes | None

    @classmethod
    def of(cls, settings: TLSSettings, name: str, shown: bytes) -> Trust:
        """Read the files of the settings. Raises OSError; a handshake has read them already."""
        issuers = settings.ca if settings.verify and settings.pin is None else None
        roots = ssl.DER_cert_to_PEM_cert(shown).encode() + (_read(issuers) or b"")
        cert, key = _read(settings.cert), _read(settings.key)
        return cls(name, roots, cert, key or cert)  # one file may hold both


def _read(path: str | None) -> bytes | None:
    return None if path is None else Path(path).read_bytes()


def ask(call: Call, seconds: float) -> str:
    """Ask for the health of a service and return its status. Blocks; raises grpc.RpcError."""
    with _channel(call) as channel:
        check = channel.unary_unary(
            _METHOD,
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        request = health_pb2.HealthCheckRequest(service=call.service)
        answer = check(request, timeout=seconds + LATE, metadata=tuple(call.metadata))
    known = health_pb2.HealthCheckResponse.ServingStatus
    return str(known.Name(answer.status)) if answer.status in known.values() else str(answer.status)


def _channel(call: Call) -> grpc.Channel:
    trust = call.trust
    if trust is None:
        return grpc.insecure_channel(call.target, (*_OPTIONS, ("grpc.default_authority", call.authority)))
    options = (*_OPTIONS, ("grpc.ssl_target_name_override", trust.name))
    if call.authority.startswith(trust.name):  # grpcio refuses to name a host that it did not verify
        options = (*options, ("grpc.default_authority", call.authority))
    credentials = grpc.ssl_channel_credentials(trust.roots, trust.key, trust.cert)
    return grpc.secure_channel(call.target, credentials, options)


_MEANING: dict[str, tuple[Reason, Prose | None]] = {
    "UNAUTHENTICATED": (Reason.AUTH, Prose("Compare the token or metadata with what the service expects.")),
    "PERMISSION_DENIED": (
        Reason.PERMISSION,
        Prose("The login is known and may not ask for the health of this service: allow it."),
    ),
    "NOT_FOUND": (
        Reason.NOT_FOUND,
        Prose("The server keeps no health of a service of that name: compare it with the one it registers."),
    ),
    "UNIMPLEMENTED": (
        Reason.NOT_FOUND,
        Prose("Register grpc.health.v1.Health in the server; a proxy in between may not pass it on."),
    ),
    "UNAVAILABLE": (Reason.UNAVAILABLE, None),
    "RESOURCE_EXHAUSTED": (Reason.OVERLOADED, None),
    "DEADLINE_EXCEEDED": (Reason.TIMEOUT, None),
    "CANCELLED": (Reason.UNAVAILABLE, None),
    "ABORTED": (Reason.UNAVAILABLE, None),
}
_WEB = Prose("A web server answers: compare host and port with the service's own.")
_BROKEN = Prose("The service itself failed at the call: look at its log.")


def explain(error: Exception) -> Cause | None:
    """Say what an error of grpcio means."""
    if isinstance(error, grpc.FutureTimeoutError):
        return Cause(Reason.TIMEOUT, "TIMEOUT")
    if not isinstance(error, grpc.RpcError):
        return _refusal(error)
    status = error.code() if isinstance(error, grpc.Call) else None
    code = status.name if status is not None else "UNKNOWN"
    text = str(error.details() or "") if isinstance(error, grpc.Call) else str(error)
    if code in ("UNIMPLEMENTED", "UNKNOWN") and _NO_GRPC in text:
        return Cause(Reason.PROTOCOL, "NOT_GRPC", f"what answers is no gRPC: {text}", _WEB)
    if code in ("UNAVAILABLE", "INTERNAL", "UNKNOWN", "CANCELLED") and _LOST.match(text):
        return Cause(Reason.NETWORK, "CONNECTION_LOST", f"the connection was lost: {text}")
    reason, hint = _MEANING.get(code, (Reason.ASSERTION, _BROKEN))
    return Cause(reason, code, f"{code}: {text}" if text else code, hint)


def _refusal(error: Exception) -> Cause | None:
    """Return what grpcio refuses by itself: a name, metadata, an option."""
    if type(error).__module__.partition(".")[0] == "grpc":
        return Cause(Reason.CONFIG, type(error).__name__, str(error) or None)
    return None


def stage_of(error: grpc.RpcError) -> Stage:
    """Return the stage at which a call failed."""
    status = error.code() if isinstance(error, grpc.Call) else None
    return {
        grpc.StatusCode.UNAUTHENTICATED: Stage.AUTH,
        grpc.StatusCode.PERMISSION_DENIED: Stage.PERMISSION,
    }.get(status, Stage.FUNCTION)
