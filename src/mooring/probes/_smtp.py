"""What the answers of a mail server mean, and what to do about each."""

from __future__ import annotations

import re
from typing import Any

from mooring.core.failure import Cause
from mooring.core.prose import Prose
from mooring.core.reason import Reason

_REASONS = {
    421: Reason.UNAVAILABLE,
    452: Reason.OVERLOADED,
    504: Reason.AUTH,
    530: Reason.AUTH,
    534: Reason.AUTH,
    535: Reason.AUTH,
    538: Reason.TLS,
    550: Reason.PERMISSION,
    551: Reason.NOT_FOUND,
    552: Reason.OVERLOADED,
    553: Reason.PERMISSION,
    554: Reason.PERMISSION,
    555: Reason.PROTOCOL,
}
# RFC 3463: what the code behind the code says comes before it.
_ENHANCED = (
    (re.compile(r"^[45]\.3\.4\b"), Reason.ASSERTION),
    (re.compile(r"^5\.1\.[123]\b"), Reason.NOT_FOUND),
    (re.compile(r"^[45]\.2\.2\b"), Reason.OVERLOADED),
    (re.compile(r"^[45]\.7\.\d"), Reason.PERMISSION),
)
_TOO_BIG = re.compile(r"message size|size exceeds|too (?:big|large)", re.IGNORECASE)
_NO_MAILBOX = re.compile(r"no such|unknown|not found|does not exist|no mailbox", re.IGNORECASE)
_TOO_MANY = re.compile(r"too many|limit|busy", re.IGNORECASE)
_FAILED_LOGINS = re.compile(r"fail|invalid|incorrect|reject|log ?in|authenticat", re.IGNORECASE)
_WANTS_LOGIN = re.compile(
    r"^5\.7\.57\b|not authenticated|authentication (?:is )?required|must (?:authenticate|log ?in)",
    re.IGNORECASE,
)
_GREY = re.compile(r"gr[ae]y ?-?list|try .*(?:again|later)|come back", re.IGNORECASE)
_WANTS_TLS = re.compile(r"STARTTLS|encrypt|TLS", re.IGNORECASE)

_LOGIN = Prose("The server answers and rejects the login: compare user and password with the account's.")
_HINTS = {
    421: Prose("The server is stopping or takes no more clients now: its log says which."),
    450: Prose("The mailbox is busy or greylisted: the server wants it tried again later."),
    451: Prose("The server has a fault of its own: its log says which."),
    452: Prose("The server has no room: look at its disk and its queue."),
    454: Prose("The server cannot do this now, such as ask its password store: its log says why."),
    504: Prose("The server does not know this way to log in."),
    530: Prose("Put user and password into the address, between smtp:// and the host."),
    534: Prose("The account needs another way to log in, such as an app password."),
    535: _LOGIN,
    538: Prose("The server takes a login only over TLS: use smtps:// or STARTTLS."),
    550: Prose(
        "The server refuses this address: compare it with its rules, and whether this account may use it."
    ),
    551: Prose("The mailbox is elsewhere: correct the address."),
    552: Prose("The mailbox or the server's room for it is full."),
    553: Prose("The server does not let this account use this address: allow it, or correct mail_from."),
    554: Prose(
        "The server refuses by its rules: log in, send from a known network, or let it relay for this one."
    ),
}
_LOCKED = Prose(
    "The server has seen too many rejected logins: correct user and password, and wait before the next."
)
_LATER = Prose(
    "The server does not know us yet and wants the mail sent again later (greylisting): see whether the next "
    "checks pass, or let this machine in by the server's rules."
)
_MAILBOX = Prose("There is no such mailbox: correct the address, or create it.")
_SIZE = Prose(
    "The server takes no mail of that size: raise its limit, such as message_size_limit of Postfix."
)
_STARTTLS = Prose("The server wants TLS first: set starttls to auto or required.")
_GREETING = Prose("The server turns this machine away at the door: look for it in the server's block lists.")
_NO_SMTP = -1
_FOR_NOW, _FOR_GOOD = 400, 500
_LEAVING, _LOGIN_WANTED, _TLS_WANTED, _REFUSED, _TURNED_AWAY = 421, 530, 538, 550, 554


def cause(error: Any) -> Cause | None:
    """Return what an error of aiosmtplib means; None where it is one of the network or wraps one."""
    if isinstance(error, ConnectionError | TimeoutError) and not hasattr(error, "code"):
        return None
    code = getattr(error, "code", None)
    if isinstance(code, int):
        return _of_answer(error, code)
    refused = getattr(error, "recipients", None)
    if isinstance(refused, list) and refused:
        return cause(refused[0])
    return Cause(Reason.PROTOCOL, "SMTP")


def _of_answer(error: Any, code: int) -> Cause:
    text = " ".join(str(error.message).split())
    if code == _NO_SMTP:
        return Cause(Reason.PROTOCOL, "NOT_SMTP", f"what answers is no mail server: {text}")
    reason, hint = _meaning(code, text, type(error).__name__)
    fix = 'starttls = "required"' if hint is _STARTTLS else None
    return Cause(reason, str(code), f"{code} {text}".strip(), hint, fix=fix)


def _meaning(code: int, text: str, during: str) -> tuple[Reason, Prose | None]:
    """Return the reason and what to do. One code means more than one thing, by what was asked."""
    if during == "SMTPConnectResponseError" and code == _TURNED_AWAY:
        return Reason.PERMISSION, _GREETING
    if code == _LOGIN_WANTED and _WANTS_TLS.search(text):
        return Reason.TLS, _STARTTLS
    if during == "SMTPAuthenticationError" and (rejected := _of_login(code, text)) is not None:
        return rejected
    if during in ("SMTPSenderRefused", "SMTPRecipientRefused"):
        return _of_address(code, text)
    if code == _LEAVING and _TOO_MANY.search(text):
        return Reason.OVERLOADED, _HINTS[code]
    return _by_code(code), _HINTS.get(code)


def _of_login(code: int, text: str) -> tuple[Reason, Prose] | None:
    if code >= _FOR_GOOD:
        return (Reason.TLS if code == _TLS_WANTED else Reason.AUTH), _HINTS.get(code, _LOGIN)
    return (Reason.AUTH, _LOCKED) if code == _LEAVING and _FAILED_LOGINS.search(text) else None


def _of_address(code: int, text: str) -> tuple[Reason, Prose | None]:
    if _WANTS_LOGIN.search(text):
        return Reason.AUTH, _HINTS[_LOGIN_WANTED]
    reason = next((reason for pattern, reason in _ENHANCED if pattern.search(text)), None)
    for_now = code < _FOR_GOOD and reason is Reason.PERMISSION  # a grey list, which lets it in later
    if reason is None or for_now or code == _LOGIN_WANTED:
        reason = _by_code(code)
        if code == _REFUSED and _NO_MAILBOX.search(text):
            reason = Reason.NOT_FOUND
    if reason is Reason.OVERLOADED and _TOO_BIG.search(text):
        reason = Reason.ASSERTION
    if code < _FOR_GOOD and reason is Reason.UNAVAILABLE and _GREY.search(text):
        return reason, _LATER
    hints = {Reason.NOT_FOUND: _MAILBOX, Reason.ASSERTION: _SIZE}
    return reason, hints.get(reason, _HINTS.get(code))


def _by_code(code: int) -> Reason:
    return _REASONS.get(code, Reason.UNAVAILABLE if _FOR_NOW <= code < _FOR_GOOD else Reason.PROTOCOL)
