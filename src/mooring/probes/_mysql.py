"""What the errors of MySQL and MariaDB mean, and what to do about each."""

from __future__ import annotations

import re
from typing import NamedTuple

from mooring.core.failure import Cause
from mooring.core.prose import Prose
from mooring.core.reason import Reason

LOST = frozenset({2002, 2003, 2006, 2013, 2055})
"""The driver's own numbers for a connection that failed; their cause says how."""

_REASONS = {
    **dict.fromkeys((1045, 1129, 1130, 1251, 1275, 1698, 1820, 1862, 2059, 3118, 3955, 4151), Reason.AUTH),
    **dict.fromkeys((1044, 1142, 1143, 1227, 1370), Reason.PERMISSION),
    **dict.fromkeys((1049, 1054, 1146, 1305), Reason.NOT_FOUND),
    **dict.fromkeys((2026, 3159), Reason.TLS),
    **dict.fromkeys((1040, 1203, 1226, 1461), Reason.OVERLOADED),
    **dict.fromkeys((1053, 1077, 1079, 1080, 1152, 1184, 1927), Reason.UNAVAILABLE),
    **dict.fromkeys((1205, 1969, 3024), Reason.TIMEOUT),
    **dict.fromkeys((1290, 1792, 1836), Reason.ASSERTION),
    **dict.fromkeys((1064, 1065, 1149), Reason.CONFIG),  # the query's syntax: no word on the server
    **dict.fromkeys((1043, 2012, 2014, 2027), Reason.PROTOCOL),
}
_NO_DATABASE_GRANT = 1044
_ACCOUNT = re.compile(r"'[^']*'@'([\w.:%/-]+)'")
_MADE_FOR = re.compile(r".*@([\w.:%/-]+)")
_HOST = re.compile(r"Host '([\w.:-]+)'")
_RIGHT = r"(?:SELECT|INSERT|UPDATE|DELETE|SHOW VIEW)"
"""What a query may lack on a table. A message that names more gives nothing to paste."""
_DENIED = re.compile(rf"({_RIGHT}(?:, {_RIGHT})*) command denied to user '[^']*'@'[^']*' for table (\S+)")
_LOOK_UP = "SELECT user, host, plugin, ssl_type FROM mysql.user WHERE user = {user};"
_LIMITS = ("MAX_QUERIES_PER_HOUR", "MAX_UPDATES_PER_HOUR", "MAX_CONNECTIONS_PER_HOUR")


class Login(NamedTuple):
    """Who logs in to what, for fixes that can be pasted."""

    user: str
    database: str
    host: str = ""
    """For which the account was made, where the server told it."""


def cause(number: int, message: str, login: Login) -> Cause:
    """Return what an error of the server means."""
    reason = _REASONS.get(number, Reason.ASSERTION)
    if number == 1045 and "(using password: NO)" in message:  # noqa: PLR2004 - the server's number
        return Cause(reason, str(number), message, _NO_PASSWORD)
    return Cause(reason, str(number), message, _HINTS.get(number), fix=_fix(number, message, login))


PLACE = "<new password>"
"""Stands where something has to be filled in. Unquoted: pasted as it is, it changes nothing."""
_NO_PASSWORD = Prose(
    "The server asks for a password: put one behind the user in the address, or set password."
)
_EXPIRED = Prose(
    "The account's password has expired: give it a new one, by the host that the account was made for "
    "(% is any)."
)
_HINTS = {
    1045: Prose(
        "The password is wrong, there is no such account, or it demands TLS: the server does not tell "
        "which. An administrator can look what the account demands."
    ),
    1044: Prose(
        "The account has no right to this database, or there is none of that name: grant it, or create it."
    ),
    1049: Prose("There is no such database: create it, or correct the name in the address."),
    1142: Prose("The account lacks a privilege on this table: grant it."),
    1146: Prose("Create the table or correct its name; write the database too: shop.orders."),
    1054: Prose("There is no such column: correct the query, or the table."),
    1305: Prose("There is no such function or procedure: create it, or correct the query."),
    1064: Prose("Correct the target's query: the server cannot read it."),
    1227: Prose("The account lacks a privilege on the whole server: grant it the one that is named."),
    1370: Prose("The account may not run this routine: grant it EXECUTE."),
    1129: Prose(
        "The server blocked this host after too many broken connections: an administrator can unblock it."
    ),
    1130: Prose("No account may log in from this host: make one, or correct the user in the address."),
    1040: Prose("Look who holds the sessions, or raise max_connections."),
    1203: Prose("The account's own limit is reached: see max_user_connections."),
    1226: Prose(
        "The account's own limit is reached: find who holds its sessions, or lift the limit, by the host "
        "that the account was made for (% is any)."
    ),
    1820: _EXPIRED,
    1862: _EXPIRED,
    3118: Prose("The account is locked: unlock it, by the host that it was made for (% is any)."),
    4151: Prose("The account is locked: unlock it, by the host that it was made for (% is any)."),
    1698: Prose("It logs in by the operating system's user, not by a password: use another, or give it one."),
    3159: Prose("Ask for TLS with sslmode=require in the address, or by the tls settings."),
    1290: Prose("The server is read-only: a replica, or read_only is on."),
}


def _fix(number: int, message: str, login: Login) -> str | None:
    """Return what can be pasted. A word of the message gets into it only where it is what it should be."""
    account = _account(number, message, login)
    if number == 1142 and (denied := _DENIED.match(message)):  # noqa: PLR2004 - the server's number
        table = _table(denied[2], login)
        return table and f"GRANT {denied[1]} ON {table} TO {account};"
    if number == 1130 and (host := _HOST.search(message)):  # noqa: PLR2004 - the server's number
        return f"CREATE USER {_named(login.user, host[1])} IDENTIFIED BY {PLACE};"
    database = quoted(login.database)
    return {
        1045: _LOOK_UP.format(user=literal(login.user)),
        1044: f"GRANT SELECT ON {database}.* TO {account};",
        1049: f"CREATE DATABASE {database};",
        1129: "mariadb-admin flush-hosts",
        1040: "SHOW PROCESSLIST;",
        1226: f"ALTER USER {account} WITH {_limit(message)} 0;",
        1820: f"ALTER USER {account} IDENTIFIED BY {PLACE};",
        1862: f"ALTER USER {account} IDENTIFIED BY {PLACE};",
        3118: f"ALTER USER {account} ACCOUNT UNLOCK;",
        4151: f"ALTER USER {account} ACCOUNT UNLOCK;",
        1698: f"ALTER USER {account} IDENTIFIED BY {PLACE};",
    }.get(number)


def _limit(message: str) -> str:
    """Return the limit of an account that a message names."""
    return next((limit for limit in _LIMITS if f"'{limit.lower()}'" in message), "MAX_USER_CONNECTIONS")


def _account(number: int, message: str, login: Login) -> str:
    """Return the account. Most are for any host; all messages but one name that of the client."""
    found = _ACCOUNT.search(message) if number == _NO_DATABASE_GRANT else None
    return _named(login.user, login.host or (found[1] if found else "%"))


def host_of(account: str) -> str:
    """Return the host of what `CURRENT_USER()` says; nothing where that is no account."""
    found = _MADE_FOR.fullmatch(account)
    return found[1] if found else ""


def _named(user: str, host: str) -> str:
    return f"{literal(user)}@{literal(host)}"


def _table(name: str, login: Login) -> str | None:
    """Return the table of an error, None where nobody says of which database; MySQL leaves it out."""
    parts = name.strip("'`").replace("`.`", ".").split(".", 1)
    parts = parts if len(parts) > 1 else [login.database, *parts]
    return ".".join(map(quoted, parts)) if all(parts) else None


def quoted(identifier: str) -> str:
    """Return an identifier as it is written in SQL."""
    return f"`{identifier.replace('`', '``')}`"


def literal(value: str) -> str:
    """Return a text as it is written in SQL, where a backslash would take the quote behind it along."""
    inside = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{inside}'"
