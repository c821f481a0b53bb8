"""What PostgreSQL's errors mean, and what to do about each."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut

CONNECTION_LOST = "08003"
"""asyncpg's own, for a connection that ended while something was under way."""
NO_SQLSTATE = "XX000"
"""The server's own for "internal error", where asyncpg tells of none."""

_REASONS = {
    "08P01": Reason.PROTOCOL,
    "0A000": Reason.PROTOCOL,
    "25006": Reason.ASSERTION,
    "28000": Reason.AUTH,
    "28P01": Reason.AUTH,
    "3D000": Reason.NOT_FOUND,
    "3F000": Reason.NOT_FOUND,
    "42501": Reason.PERMISSION,
    "42703": Reason.NOT_FOUND,
    "42883": Reason.NOT_FOUND,
    "42P01": Reason.NOT_FOUND,
    "55P03": Reason.TIMEOUT,
    "57014": Reason.TIMEOUT,
    "57P04": Reason.NOT_FOUND,
}
_CLASSES = {
    "08": Reason.NETWORK,
    "22": Reason.ASSERTION,
    "28": Reason.AUTH,
    "42": Reason.CONFIG,  # the query's syntax: ours to correct, and no word on the server
    "53": Reason.OVERLOADED,
    "57": Reason.UNAVAILABLE,
    "58": Reason.UNAVAILABLE,
}

# Poolers have one SQLSTATE, 08P01, for whatever goes wrong while logging in.
_POOLER_AUTH = re.compile(r"no such user|password|authentication|SASL", re.IGNORECASE)
_POOLER_DATABASE = re.compile(r"no such database", re.IGNORECASE)


class Login(NamedTuple):
    """Who logs in to what, for fixes that can be pasted."""

    user: str
    database: str
    with_password: bool = True


def cause(sqlstate: str, message: str, login: Login) -> Cause:
    """Return what an error of the server means."""
    reason = _REASONS.get(sqlstate) or _CLASSES.get(sqlstate[:2], Reason.ASSERTION)
    if sqlstate == "08P01" and _POOLER_AUTH.search(message):
        reason = Reason.AUTH
    if sqlstate == "08P01" and _POOLER_DATABASE.search(message):
        reason = Reason.NOT_FOUND
    if sqlstate == "55000" and "not currently accepting connections" in message:
        reason = Reason.PERMISSION
    hint, fix = _advice(sqlstate, message, login)
    return Cause(reason, sqlstate, message, hint, fix=fix)


def _advice(sqlstate: str, message: str, login: Login) -> tuple[Prose | None, str | None]:
    """Return what to do, and what can be pasted. A word of the message gets into that only quoted."""
    if sqlstate == "28P01" and not login.with_password:
        return _NO_PASSWORD, None
    if sqlstate == "28000":
        return _on_refusal(message, login)
    if sqlstate == "42501":
        return _on_privilege(message, login)
    if sqlstate == "53300":
        return _on_limit(message, login)
    user, database = quoted(login.user), quoted(login.database)
    fixes = {
        "28P01": f"ALTER ROLE {user} PASSWORD {PLACE};",
        "3D000": f"CREATE DATABASE {database};",
        "55000": f"ALTER DATABASE {database} ALLOW_CONNECTIONS true;",
    }
    return _HINTS.get(sqlstate), fixes.get(sqlstate)


PLACE = "<new password>"
"""Stands where something has to be filled in. Unquoted: pasted as it is, it changes nothing."""
_REJECTED = Prose(
    "A line of pg_hba.conf says reject for this login: put one that allows it above that line, and have the "
    "server read it again."
)
_NO_PASSWORD = Prose(
    "The server asks for a password: put one behind the user in the address, or set password."
)
_HINTS = {
    "28P01": Prose(
        "The password is wrong, there is no such role, or its VALID UNTIL is over: the server does not "
        "tell which. Correct it here, or give the role a new one."
    ),
    "3D000": Prose("There is no such database: create it, or correct the name in the address."),
    "3F000": Prose("Create the schema or correct its name."),
    "42601": Prose("Correct the target's query: the server cannot read it."),
    "42602": Prose('Write what holds spaces or signs in quotes: public."Weird Table".'),
    "42P01": Prose("Create the table or correct its name; write the schema too: public.orders."),
    "55000": Prose("The database is set to take no connections at all: allow them."),
    "57P03": Prose("The server is starting, stopping or recovering; its log says how far it is."),
    "57P01": Prose("The server was stopped, or an administrator ended the session."),
    "25006": Prose("The server is read-only: a replica, or default_transaction_read_only is on."),
}
_SESSIONS = (
    "SELECT usename, application_name, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 "
    "ORDER BY 4 DESC;"
)


def _on_limit(message: str, login: Login) -> tuple[Prose, str]:
    if message.startswith("too many connections for role"):
        fix = f"ALTER ROLE {quoted(login.user)} CONNECTION LIMIT -1;"
        return Prose("The role's own limit is reached: find who holds its sessions, or lift the limit."), fix
    if message.startswith("too many connections for database"):
        fix = f"ALTER DATABASE {quoted(login.database)} CONNECTION LIMIT -1;"
        return Prose(
            "The database's own limit is reached: find who holds its sessions, or lift the limit."
        ), fix
    return Prose("Look who holds the sessions in pg_stat_activity, or raise max_connections."), _SESSIONS


def _on_refusal(message: str, login: Login) -> tuple[Prose, str | None]:
    user, database = quoted(login.user), quoted(login.database)
    if "not permitted to log in" in message:
        return Prose("The role exists and may not log in: allow it."), f"ALTER ROLE {user} LOGIN;"
    if message.startswith("role ") and "does not exist" in message:
        fix = f"CREATE ROLE {user} LOGIN PASSWORD {PLACE};"
        return Prose("There is no such role: create it, or correct the user in the address."), fix
    if "client certificate" in message:
        return Prose("Set tls.cert and tls.key to a certificate that the server accepts."), None
    host = _host_in(message)
    if host is None or message.startswith("pg_hba.conf rejects"):
        return _REJECTED if host else Prose(
            "Look into the server's log: it says why the login was refused."
        ), None
    line = f"{database} {user} {host} scram-sha-256"
    if "no encryption" in message:
        hint = Prose(
            "If the server wants TLS, ask for it with sslmode=require in the address; else let pg_hba.conf "
            "allow this login, and have the server read it again."
        )
        return hint, f"host {line}"
    hint = Prose(
        "No line of pg_hba.conf lets this user in from here: add one, and have the server read it again."
    )
    return hint, f"hostssl {line}"


def _host_in(message: str) -> str | None:
    """Return the one address that a message names, never a whole network, as pg_hba.conf writes it."""
    found = re.search(r'host "([^"%]+)"', message)
    try:
        return None if found is None else str(ip_network(ip_address(found[1])))
    except ValueError:
        return None


# Of one way to read it: what a server says may be long, and made to be tried in every other.
_DENIED = re.compile(r'permission denied for (\w+) "?([^"]+)"?$')


def _on_privilege(message: str, login: Login) -> tuple[Prose, str | None]:
    found = _DENIED.match(message)
    what, name = (found[1], quoted(found[2])) if found else ("", "")
    right = {
        "database": "CONNECT ON DATABASE",
        "schema": "USAGE ON SCHEMA",
        "table": "SELECT ON",
        "view": "SELECT ON",
        "sequence": "USAGE ON SEQUENCE",
        "function": "EXECUTE ON FUNCTION",
    }.get(what)
    if right is None:
        return Prose("Grant the role what it lacks."), None
    return (
        Prose("The role lacks a privilege on this {what}: grant it.", what=what),
        f"GRANT {right} {name} TO {quoted(login.user)};",
    )


def other_method(said: str) -> Cause | None:
    """Return the failure of a login that needs more than a password; None where that was not said."""
    if "gssapi" not in said and not said.startswith("unsupported"):
        return None
    wanted = "Kerberos" if "gssapi" in said else said.rpartition(": ")[2]
    return Cause(
        Reason.AUTH,
        "AUTH_METHOD",
        Prose("the server asks this user to log in by {wanted}, which Mooring cannot", wanted=wanted),
        Prose("Let pg_hba.conf ask this user for a password: scram-sha-256."),
    )


def foreign(answer: bytes) -> CheckError:
    """Return the failure of something that answers and is no PostgreSQL."""
    shown = cut(answer.decode(errors="replace"))
    return CheckError(Reason.PROTOCOL, f"what answers is no PostgreSQL: {shown!r}", code="NOT_POSTGRESQL")


def senseless() -> CheckError:
    """Return the failure of a message whose length cannot be."""
    return CheckError(Reason.PROTOCOL, Prose("an answer's length makes no sense"), code="PROTOCOL")


def quoted(identifier: str) -> str:
    """Return an identifier as it is written in SQL and pg_hba.conf.

    Plain ones too: unquoted, `user` is somebody else, `public` and `all` are everybody.
    """
    return '"' + identifier.replace('"', '""') + '"'
