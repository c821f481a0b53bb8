"""What a NATS server means by its refusals."""

from __future__ import annotations

import re

from mooring.core.failure import Cause
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.probes._nats import INBOX_BYTES, Refused

_REFUSALS = (
    (
        "authorization violation",
        Reason.AUTH,
        "AUTHORIZATION_VIOLATION",
        Prose("The server rejects the login: compare user and password, or the token, with its own."),
    ),
    (
        "authentication expired",
        Reason.AUTH,
        "AUTHENTICATION_EXPIRED",
        Prose("The login is known and out of date: have a new one issued."),
    ),
    ("authentication revoked", Reason.AUTH, "AUTHENTICATION_REVOKED", Prose("Have a new login issued.")),
    (
        "bearer jwt not allowed",
        Reason.AUTH,
        "BEARER_NOT_ALLOWED",
        Prose("The account takes no bearer tokens: log in by user and password, or have it allow them."),
    ),
    (
        "authentication timeout",
        Reason.TIMEOUT,
        "AUTHENTICATION_TIMEOUT",
        Prose("The login came too late for the server: look at its load, or raise authorization.timeout."),
    ),
    (
        "invalid client protocol",
        Reason.PROTOCOL,
        "CLIENT_PROTOCOL",
        Prose("The server does not take version 1 of the protocol: update it."),
    ),
    (
        "parser error",
        Reason.PROTOCOL,
        "PARSER_ERROR",
        Prose("The server cannot read what arrives: a proxy in between may change it."),
    ),
    (
        "account active connections",
        Reason.OVERLOADED,
        "ACCOUNT_CONNECTIONS",
        Prose("The account has as many connections as it may have: close some, or raise its limit."),
    ),
    (
        "maximum connections",
        Reason.OVERLOADED,
        "MAX_CONNECTIONS",
        Prose("Raise max_connections of the server, or find who leaks them."),
    ),
    ("throttling", Reason.OVERLOADED, "THROTTLED", None),
    ("maximum subscriptions", Reason.OVERLOADED, "MAX_SUBSCRIPTIONS", None),
    ("tls required", Reason.TLS, "TLS_REQUIRED", Prose("Set tls.")),
    (
        "attempted to connect to",
        Reason.PROTOCOL,
        "WRONG_PORT",
        Prose("That port is for servers among themselves: use the one for clients, mostly 4222."),
    ),
    ("server shutdown", Reason.UNAVAILABLE, "SHUTDOWN", None),
    ("stale connection", Reason.NETWORK, "STALE", None),
    ("slow consumer", Reason.OVERLOADED, "SLOW_CONSUMER", None),
)
_OUR_INBOX = re.compile(rf"\.[0-9a-f]{{{2 * INBOX_BYTES}}}$")
_DENIED = re.compile(r'permissions violation for (publish|subscription) to "(.+)"', re.IGNORECASE)


def explain(error: Exception, with_login: bool) -> Cause | None:
    """Say what the server means by a refusal."""
    if not isinstance(error, Refused):
        return None
    text = str(error)
    denied = _DENIED.search(text)
    if denied is not None:
        return _denied(denied[1].lower(), denied[2], text)
    for part, reason, code, hint in _REFUSALS:
        if part in text.lower():
            if reason is Reason.AUTH and not with_login:
                return Cause(reason, "LOGIN_REQUIRED", text, _LOGIN_REQUIRED)
            return Cause(reason, code, text, hint)
    return Cause(Reason.ASSERTION, "REFUSED", text)


_LOGIN_REQUIRED = Prose("Put user and password, or a token, into the address, between nats:// and the host.")


def _denied(what: str, subject: str, text: str) -> Cause:
    verb = "publish" if what == "publish" else "subscribe"
    return Cause(
        Reason.PERMISSION,
        f"{verb.upper()}_DENIED",
        text,
        Prose(
            "Add {subject} to {verb} in the permissions of this user.",
            subject=_OUR_INBOX.sub(".>", subject),
            verb=verb,
        ),
    )
