"""What PgBouncer's errors mean: it has one SQLSTATE for nearly all of them, so its words decide."""

from __future__ import annotations

from mooring.core.failure import Cause
from mooring.core.prose import Prose
from mooring.core.reason import Reason

NOT_ALLOWED = "not allowed"
_LOGIN = Prose(
    "The password is wrong, or the pooler knows no such user: "
    "compare with auth_file (userlist.txt) or auth_query."
)
_CLIENTS = Prose("Raise max_client_conn, or find who holds the clients: SHOW CLIENTS.")
NO_POOLER = Prose(
    "PostgreSQL itself may answer, whose kind is postgresql: use the port that PgBouncer listens on."
)
_STATS = Prose("Add {user} to stats_users in pgbouncer.ini, after those that it names already, and RELOAD.")
_ADMIN = Prose("Add {user} to admin_users in pgbouncer.ini, after those that it names already, and RELOAD.")
_WORDS = (
    ("not allowed", Reason.PERMISSION, "NOT_ALLOWED", _STATS),
    ("admin access needed", Reason.PERMISSION, "ADMIN_NEEDED", _ADMIN),
    ("no more connections allowed", Reason.OVERLOADED, "CLIENTS_FULL", _CLIENTS),
    ("too many connections", Reason.OVERLOADED, "CLIENTS_FULL", _CLIENTS),
    (
        "ssl required",
        Reason.TLS,
        "TLS_REQUIRED",
        Prose("The pooler takes no login without TLS: ask for it with sslmode=require in the address."),
    ),
    (
        "tls required",
        Reason.TLS,
        "TLS_REQUIRED",
        Prose("The pooler takes no login without TLS: ask for it with sslmode=require in the address."),
    ),
    (
        "login rejected",
        Reason.AUTH,
        "LOGIN_REJECTED",
        Prose("No line of auth_hba_file lets this user in from here: add one, and RELOAD."),
    ),
    (
        "shutting down",
        Reason.UNAVAILABLE,
        "SHUTTING_DOWN",
        Prose("PgBouncer is being stopped: start it anew."),
    ),
    ("authentication", Reason.AUTH, "LOGIN_FAILED", _LOGIN),
    ("auth failed", Reason.AUTH, "LOGIN_FAILED", _LOGIN),
    ("no such user", Reason.AUTH, "LOGIN_FAILED", _LOGIN),
    ("no such database", Reason.PROTOCOL, "NOT_PGBOUNCER", NO_POOLER),
)


def cause(sqlstate: str, message: str, user: str) -> Cause:
    """Return what an error of the pooler means; one with a SQLSTATE of PostgreSQL's own is PostgreSQL's."""
    if sqlstate in ("3D000", "42704"):
        return Cause(Reason.PROTOCOL, "NOT_PGBOUNCER", f"what answers is no PgBouncer: {message}", NO_POOLER)
    if sqlstate in ("28P01", "28000"):
        return Cause(Reason.AUTH, "LOGIN_FAILED", message, _LOGIN)
    lowered = message.lower()
    for part, reason, code, hint in _WORDS:
        if part in lowered:
            return Cause(reason, code, message, hint.filled(user=user))
    reasons = {"08": Reason.PROTOCOL, "53": Reason.OVERLOADED, "57": Reason.UNAVAILABLE}
    return Cause(reasons.get(sqlstate[:2], Reason.ASSERTION), sqlstate, message)


def quoted(name: str) -> str:
    """Return a database's name as the console takes it."""
    return '"' + name.replace('"', '""') + '"'
