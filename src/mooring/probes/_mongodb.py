"""What MongoDB's errors mean, and what to do about each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from mooring.core.failure import Cause
from mooring.core.prose import Prose
from mooring.core.reason import Reason

EXTERNAL = "$external"

_REASONS = {
    6: Reason.NETWORK,
    7: Reason.NETWORK,
    11: Reason.AUTH,
    13: Reason.PERMISSION,
    18: Reason.AUTH,
    26: Reason.NOT_FOUND,
    50: Reason.TIMEOUT,
    59: Reason.PROTOCOL,
    73: Reason.CONFIG,
    89: Reason.NETWORK,
    91: Reason.UNAVAILABLE,
    133: Reason.UNAVAILABLE,
    134: Reason.UNAVAILABLE,
    189: Reason.UNAVAILABLE,
    202: Reason.TIMEOUT,
    262: Reason.TIMEOUT,
    334: Reason.AUTH,
    352: Reason.PROTOCOL,
    391: Reason.AUTH,
    462: Reason.OVERLOADED,
    8000: Reason.AUTH,
    9001: Reason.NETWORK,
    10058: Reason.UNAVAILABLE,
    10107: Reason.UNAVAILABLE,
    11600: Reason.UNAVAILABLE,
    11602: Reason.UNAVAILABLE,
    13435: Reason.UNAVAILABLE,
    13436: Reason.UNAVAILABLE,
}
_ELECTION = Prose(
    "The replica set is choosing a primary, which takes some seconds; if it lasts, look at rs.status()."
)
_HINTS = {
    11: Prose("There is no such user: create it, or name the database where it was created (?authSource=)."),
    18: Prose(
        "The password is wrong, or there is no such user in that database: the server does not tell which. "
        "If the user was created in another database, name that one with ?authSource=."
    ),
    59: Prose("The server does not know a command of this check: it may be another product, or very old."),
    91: Prose("The server is being stopped: wait, or start it."),
    189: _ELECTION,
    334: Prose("The server does not take this way to log in: name another with ?authMechanism=."),
    8000: Prose("Compare user and password with Database Access in Atlas."),
    10107: _ELECTION,
    11600: Prose("The server is being stopped: wait, or start it."),
    11602: _ELECTION,
    13435: Prose("This member takes no reads: ask a primary or a secondary."),
    13436: Prose("This member is starting, recovering or rolling back: its log says how far it is."),
}
_NO_LOGIN = Prose("Put user and password into the address, between mongodb:// and the host.")


class Login(NamedTuple):
    """Who logs in, in which database the user was created, and what is read; for fixes to be pasted."""

    user: str
    source: str
    database: str


def cause(code: int | None, details: Mapping[str, object], text: str, login: Login) -> Cause:
    """Return what an error of the server means."""
    if code is None:
        return Cause(Reason.PROTOCOL, "BAD_ANSWER", text)
    name = str(details.get("codeName") or "")
    said = str(details.get("errmsg") or text)
    told = f"{name}: {said}" if name else said
    if code == UNAUTHORIZED and not login.user and login.source != EXTERNAL:
        return Cause(
            Reason.AUTH, str(code), Prose("the server demands a login and none was given"), _NO_LOGIN
        )
    hint, fix = _advice(code, login)
    return Cause(_REASONS.get(code, Reason.ASSERTION), str(code), told, hint, fix=fix)


UNAUTHORIZED = 13
_REJECTED = 18


def _advice(code: int, login: Login) -> tuple[Prose | None, str | None]:
    place = f"db.getSiblingDB({json.dumps(login.source)})"
    if code == _REJECTED and login.user:
        return _HINTS[code], f"{place}.changeUserPassword({json.dumps(login.user)}, passwordPrompt())"
    if code == UNAUTHORIZED:
        hint = Prose("The user lacks a role: let it read what this target names.")
        role = json.dumps({"role": "read", "db": login.database})
        fix = f"{place}.grantRolesToUser({json.dumps(login.user)}, [{role}])"
        return hint, fix if login.user and login.database else None
    return _HINTS.get(code), None
