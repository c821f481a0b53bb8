"""What the codes of MQTT 5 mean; those of 3.1.1 are translated into them."""

from __future__ import annotations

from mooring.core.failure import Cause
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.probes._mqtt import Refused

NOT_AUTHORIZED, BAD_LOGIN, UNSPECIFIED = 0x87, 0x86, 0x80
_LOGIN = Prose(
    "The broker rejects the login: compare user and password with its own; it may want a certain `client_id`."
)
_NO_LOGIN = Prose("Put user and password into the address, between the scheme and the host.")
_BUSY = Prose("The broker has no room for another client: find who leaks them, or raise its limits.")
_MOVED = Prose("Use the address that the broker names, or ask who runs it.")

_CODES = {
    0x00: (Reason.NETWORK, "DISCONNECTED", Prose("the broker hung up"), None),
    0x80: (Reason.ASSERTION, "UNSPECIFIED", Prose("unspecified error"), None),
    0x81: (Reason.PROTOCOL, "MALFORMED_PACKET", Prose("malformed packet"), None),
    0x82: (Reason.PROTOCOL, "PROTOCOL_ERROR", Prose("protocol error"), None),
    0x83: (Reason.ASSERTION, "IMPLEMENTATION_ERROR", Prose("the broker refuses this"), None),
    0x84: (
        Reason.PROTOCOL,
        "PROTOCOL_VERSION",
        Prose("the broker does not speak this version of MQTT"),
        Prose("Set `protocol` to the other one."),
    ),
    0x85: (
        Reason.AUTH,
        "CLIENT_ID_REFUSED",
        Prose("the client's identifier is not valid here"),
        Prose("Set `client_id` to one that the broker accepts."),
    ),
    BAD_LOGIN: (Reason.AUTH, "BAD_LOGIN", Prose("bad user name or password"), _LOGIN),
    NOT_AUTHORIZED: (Reason.AUTH, "NOT_AUTHORIZED", Prose("not authorised"), _LOGIN),
    0x88: (Reason.UNAVAILABLE, "SERVER_UNAVAILABLE", Prose("the broker is not available"), None),
    0x89: (Reason.OVERLOADED, "SERVER_BUSY", Prose("the broker is busy"), _BUSY),
    0x8A: (
        Reason.AUTH,
        "BANNED",
        Prose("this client is banned"),
        Prose("Have the broker's administrator lift it."),
    ),
    0x8B: (Reason.UNAVAILABLE, "SHUTTING_DOWN", Prose("the broker is shutting down"), None),
    0x8C: (Reason.AUTH, "AUTHENTICATION_METHOD", Prose("bad authentication method"), _LOGIN),
    0x8D: (Reason.NETWORK, "KEEP_ALIVE_TIMEOUT", Prose("nothing was heard of us for too long"), None),
    0x8E: (
        Reason.ASSERTION,
        "SESSION_TAKEN_OVER",
        Prose("another client with the same identifier took over"),
        Prose("Give each client an identifier of its own, or leave `client_id` out."),
    ),
    0x8F: (Reason.CONFIG, "TOPIC_FILTER", Prose("the topic is not valid here"), None),
    0x90: (Reason.CONFIG, "TOPIC_NAME", Prose("the topic is not valid here"), None),
    0x95: (Reason.ASSERTION, "PACKET_TOO_LARGE", Prose("the packet is too large"), None),
    0x97: (Reason.OVERLOADED, "QUOTA_EXCEEDED", Prose("a quota is used up"), _BUSY),
    0x9C: (Reason.ASSERTION, "USE_ANOTHER_SERVER", Prose("the broker sends us to another one"), _MOVED),
    0x9D: (Reason.ASSERTION, "SERVER_MOVED", Prose("the broker has moved"), _MOVED),
    0x9F: (Reason.OVERLOADED, "CONNECTION_RATE", Prose("connections come too fast for the broker"), _BUSY),
}


def explain(error: Exception, topic: str, *, with_login: bool) -> Cause | None:
    """Say what a refusal means, which hangs on what was asked as well."""
    if not isinstance(error, Refused):
        return None
    if error.asked in ("subscribe", "publish") and error.code in (NOT_AUTHORIZED, UNSPECIFIED):
        return _denied(error, topic)
    unknown = (Reason.ASSERTION, f"CODE_{error.code}", Prose("the broker refuses"), None)
    reason, code, words, hint = _CODES.get(error.code, unknown)
    if reason is Reason.AUTH and hint is _LOGIN and not with_login:
        code, hint = "LOGIN_REQUIRED", _NO_LOGIN
    more = error.elsewhere or str(error)
    message = Prose("{words}: {more}", words=words, more=more) if more else words
    return Cause(reason, code, message, hint)


def _denied(error: Refused, topic: str) -> Cause:
    verb = Prose("subscribe to") if error.asked == "subscribe" else Prose("publish on")
    right = "read" if error.asked == "subscribe" else "write"
    return Cause(
        Reason.PERMISSION,
        f"{error.asked.upper()}_DENIED",
        Prose("the user may not {verb} {topic}", verb=verb, topic=topic),
        Prose(
            "Allow it in the broker's access list; this line does it for Mosquitto, below the user's name."
        ),
        fix=f"topic {right} {topic}",
    )
