"""What the results of a directory mean, and what to do about each."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from mooring.core.failure import Cause
from mooring.core.prose import Prose
from mooring.core.reason import Reason

NO_SUCH_OBJECT = 32
SIZE_LIMIT = 4
_REFERRAL = 10
_OPERATIONS_ERROR = 1
_LOGIN_NEEDED = 48
_UNWILLING = 53
_INVALID_CREDENTIALS = 49
_INSUFFICIENT_ACCESS = 50
_WANT_TLS = (8, 13)

_REASONS = {
    **dict.fromkeys((1, 2, 12, 54, 82, 84), Reason.PROTOCOL),
    **dict.fromkeys((3, 85), Reason.TIMEOUT),
    **dict.fromkeys((4, 11, 51), Reason.OVERLOADED),
    **dict.fromkeys((7, 14, 19, 48, 49), Reason.AUTH),
    **dict.fromkeys((8, 13), Reason.TLS),
    **dict.fromkeys((10, 16, 17, 32, 33), Reason.NOT_FOUND),
    **dict.fromkeys((18, 21, 34), Reason.CONFIG),  # a name or filter of ours that cannot be read
    **dict.fromkeys((36, 50, 53, 123), Reason.PERMISSION),
    **dict.fromkeys((52, 80), Reason.UNAVAILABLE),
}
_HINTS = {
    4: Prose("The server cuts searches off: narrow the filter, or raise its limit for this account."),
    7: Prose("The server takes no simple bind: allow it, or use an account that may."),
    8: Prose("The server wants TLS before a login: use ldaps:// or start_tls."),
    10: Prose("This server does not hold the base DN and names another that does: use that one's address."),
    11: Prose("The search reaches a limit that an administrator set: narrow the filter, or index it."),
    13: Prose("The server wants TLS before a login: use ldaps:// or start_tls."),
    19: Prose("A policy of the server refuses the login: the account may be locked after too many failures."),
    32: Prose(
        "There is no entry of that name, or this account may not even know of it: "
        "the server does not tell which. Compare its spelling first."
    ),
    34: Prose("Write names as the directory does: cn=app,ou=services,dc=example,dc=org."),
    48: Prose(
        "The server takes no anonymous login, or this account has no password: give bind_dn and password."
    ),
    49: Prose(
        "The password is wrong or there is no such entry: the server does not tell which. "
        "Try the login by hand with ldapwhoami."
    ),
    50: Prose("The account may not search there: this rule of OpenLDAP lets it, before all others."),
    51: Prose("The server is too busy to answer now: look at its load."),
    52: Prose("The server is stopping, or a part of it is not available; its log says which."),
    53: Prose(
        "The server refuses it by a rule of its own, such as a restricted database: its log says which."
    ),
}
_NO_LOGIN_TAKEN = Prose("The server does not let this account log in: its access rules and its log say why.")
# How Active Directory begins what it says to somebody who has not logged in and asks for more.
_LOGIN_FIRST = "000004DC"
# What Active Directory says of a refused login, in hexadecimal behind "data".
_DATA = re.compile(r"\bdata ([0-9a-f]{3,4})\b")
_WINDOWS = {
    "525": Prose("Active Directory knows no such user: correct bind_dn."),
    "52e": Prose("Active Directory knows the user, and the password is wrong."),
    "530": Prose("Active Directory lets this user in at certain hours only, and this is not one of them."),
    "531": Prose(
        "Active Directory lets this user in from certain machines only, and this is not one of them."
    ),
    "532": Prose("The password has expired: set a new one."),
    "533": Prose("The account is disabled: enable it."),
    "701": Prose("The account has expired: prolong it."),
    "773": Prose("The user has to set a new password before the next login: set one."),
    "775": Prose("The account is locked after too many failures: unlock it, and find who tries it."),
}
# ldap3's own errors, most special first. Its others are told as PROTOCOL.
_CLASSES = (
    ("LDAPInvalidFilterError", Reason.CONFIG, "INVALID_FILTER"),
    ("LDAPConfigurationError", Reason.CONFIG, "MISCONFIGURED"),
    ("LDAPInvalidDnError", Reason.CONFIG, "INVALID_DN"),
    ("LDAPResponseTimeoutError", Reason.TIMEOUT, "TIMEOUT"),
    ("LDAPBindError", Reason.AUTH, "BIND"),
    ("LDAPStartTLSError", Reason.TLS, "START_TLS"),
    ("LDAPCertificateError", Reason.TLS, "CERT_INVALID"),
    ("LDAPUnknownResponseError", Reason.PROTOCOL, "NOT_LDAP"),
    ("LDAPCommunicationError", Reason.NETWORK, "CONNECTION_LOST"),
)
_FILTER = Prose("Write the filter as directories do: (&(objectClass=person)(uid=app)).")


class Login(NamedTuple):
    """Who logs in and looks at what, for fixes that can be pasted."""

    name: str
    base: str
    below: bool = False
    """Whether it looks at more than the base itself."""


def cause(error: Any, login: Login) -> Cause:
    """Return what an error of ldap3 means; it has to be an LDAPException."""
    number = getattr(error, "result", None)
    if isinstance(number, int):
        return _of_result(error, number, login)
    names = {each.__name__ for each in type(error).__mro__}
    for name, reason, code in _CLASSES:
        if name in names:
            return Cause(reason, code, hint=_FILTER if code == "INVALID_FILTER" else None)
    return Cause(Reason.PROTOCOL, "LDAP")


def _of_result(error: Any, number: int, login: Login) -> Cause:
    at_login = error.type == "bindResponse"
    reason = _REASONS.get(number, Reason.ASSERTION)
    if at_login and number in (_UNWILLING, _INSUFFICIENT_ACCESS):
        reason = Reason.AUTH
    elsewhere = error.response if number == _REFERRAL else None
    text = " ".join([*str(error.message or "").split(), *(elsewhere or ())])
    message = f"{error.description}: {text}" if text else str(error.description)
    hint = _HINTS.get(number)
    if at_login and number == _INSUFFICIENT_ACCESS:
        hint = _NO_LOGIN_TAKEN
    if number == _OPERATIONS_ERROR and text.startswith(_LOGIN_FIRST):
        reason, hint = Reason.AUTH, _HINTS[_LOGIN_NEEDED]
    data = _DATA.search(text) if number == _INVALID_CREDENTIALS else None
    if data is not None:
        hint = _WINDOWS.get(data[1], hint)
    return Cause(
        reason, str(number), message, hint, fix=None if reason is Reason.AUTH else _fix(number, login)
    )


def _fix(number: int, login: Login) -> str | None:
    if number in _WANT_TLS:
        return "start_tls = true"
    return access_rule(login) if number == _INSUFFICIENT_ACCESS else None


def access_rule(login: Login) -> str | None:
    """Return the rule of OpenLDAP that lets the account search; None where it cannot be quoted."""
    if '"' in login.base + login.name or "\\" in login.base + login.name:
        return None
    who = f'dn.exact="{login.name}"' if login.name else "anonymous"
    what = "subtree" if login.below else "base"
    return f'access to dn.{what}="{login.base}" by {who} read by * break'
