"""What PostgreSQL's errors mean, and what to do about each."""

from __future__ import annotations

import re
from typing import NamedTuple

from mooring.core.failure import Cause, CheckError
from mooring.core.reason import Reason

CONNECTION_LOST = "08003"
"""asyncpg's own, for a connection that ended while something was under way."""

MOST_SHOWN = 80

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
    """Who logs in to what, for hints that can be pasted."""

    user: str
    database: str


def cause(sqlstate: str, message: str, login: Login) -> Cause:
    """Return what an error of the server means."""
    reason = _REASONS.get(sqlstate) or _CLASSES.get(sqlstate[:2], Reason.ASSERTION)
    if sqlstate == "08P01" and _POOLER_AUTH.search(message):
        reason = Reason.AUTH
    if sqlstate == "08P01" and _POOLER_DATABASE.search(message):
        reason = Reason.NOT_FOUND
    if sqlstate == "55000" and "not currently accepting connections" in message:
        reason = Reason.PERMISSION
    return Cause(reason, sqlstate, message, _hint(sqlstate, message, login))


def _hint(sqlstate: str, message: str, login: Login) -> str | None:
    if sqlstate == "28000":
        return _hint_of_refusal(message, login)
    if sqlstate == "42501":
        return _hint_of_privilege(message, login)
    user, database = quoted(login.user), quoted(login.database)
    if sqlstate == "53300":
        if message.startswith("too many connections for role"):
            return f"The role's own limit is reached: ALTER ROLE {user} CONNECTION LIMIT -1;"
        if message.startswith("too many connections for database"):
            return f"The database's own limit is reached: ALTER DATABASE {database} CONNECTION LIMIT -1;"
        return "Look who holds the sessions in pg_stat_activity, or raise max_connections."
    return {
        "28P01": f"The password is wrong, or there is no such role (the server does not tell which), or its "
        f"VALID UNTIL is over. Set one with ALTER ROLE {user} PASSWORD '...';",
        "3D000": f"CREATE DATABASE {database}; or correct the name in the address.",
        "3F000": "Create the schema or correct its name.",
        "42601": "Correct the target's query: the server cannot read it.",
        "42602": 'Write what holds spaces or signs in quotes: public."Weird Table".',
        "42P01": "Create the table or correct its name; write the schema too: public.orders.",
        "55000": f"ALTER DATABASE {database} ALLOW_CONNECTIONS true;",
        "57P03": "The server is starting, stopping or recovering; its log says how far it is.",
        "57P01": "The server was stopped, or an administrator ended the session.",
        "25006": "The server is read-only: a replica, or default_transaction_read_only is on.",
    }.get(sqlstate)


def _hint_of_refusal(message: str, login: Login) -> str:
    user, database = quoted(login.user), quoted(login.database)
    if "not permitted to log in" in message:
        return f"ALTER ROLE {user} LOGIN;"
    if message.startswith("role ") and "does not exist" in message:
        return f"CREATE ROLE {user} LOGIN PASSWORD '...';"
    if "client certificate" in message:
        return "Set tls.cert and tls.key to a certificate that the server accepts."
    host = re.search(r'host "([^"]+)"', message)
    if host is None:
        return "Look into the server's log: it says why the login was refused."
    mask = "/128" if ":" in host[1] else "/32"
    line = f"hostssl {database} {user} {host[1]}{mask} scram-sha-256"
    if "no encryption" in message:
        plain = line.replace("hostssl", "host", 1)
        return f"If the server wants TLS, ask for it with sslmode=require; else add to pg_hba.conf: {plain}"
    return f"Add a line to pg_hba.conf and reload: {line}"


def _hint_of_privilege(message: str, login: Login) -> str:
    found = re.search(r'permission denied for (\w+(?: \w+)*?) "?([^"]+)"?$', message)
    what, name = (found[1], found[2]) if found else ("", "")
    grants = {
        "database": f"GRANT CONNECT ON DATABASE {quoted(name)} TO {quoted(login.user)};",
        "schema": f"GRANT USAGE ON SCHEMA {quoted(name)} TO {quoted(login.user)};",
        "table": f"GRANT SELECT ON {quoted(name)} TO {quoted(login.user)};",
        "view": f"GRANT SELECT ON {quoted(name)} TO {quoted(login.user)};",
        "sequence": f"GRANT USAGE ON SEQUENCE {quoted(name)} TO {quoted(login.user)};",
        "function": f"GRANT EXECUTE ON FUNCTION {name} TO {quoted(login.user)};",
    }
    return grants.get(what, f"Grant {quoted(login.user)} what it lacks.")


def foreign(answer: bytes) -> CheckError:
    """Return the failure of something that answers and is no PostgreSQL."""
    shown = answer[:MOST_SHOWN].decode(errors="replace")
    return CheckError(Reason.PROTOCOL, f"what answers is no PostgreSQL: {shown!r}", code="NOT_POSTGRESQL")


def quoted(identifier: str) -> str:
    """Return an identifier as it has to be written in SQL."""
    plain = re.fullmatch(r"[a-z_][a-z0-9_$]*", identifier)
    return identifier if plain else '"' + identifier.replace('"', '""') + '"'
