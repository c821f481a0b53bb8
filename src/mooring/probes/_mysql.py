"""What the errors of MySQL and MariaDB mean, and what to do about each."""

from __future__ import annotations

import re
from typing import NamedTuple

from mooring.core.failure import Cause
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
_ACCOUNT = re.compile(r"'([^']*)'@'([^']*)'")
_DENIED = re.compile(r"([A-Z ]+) command denied to user '[^']*'@'[^']*' for (table|column|routine) (\S+)")


class Login(NamedTuple):
    """Who logs in to what, for hints that can be pasted."""

    user: str
    database: str


def cause(number: int, message: str, login: Login) -> Cause:
    """Return what an error of the server means."""
    return Cause(_REASONS.get(number, Reason.ASSERTION), str(number), message, _hint(number, message, login))


def _hint(number: int, message: str, login: Login) -> str | None:
    account = _account(message, login)
    if number == 1142 and (denied := _DENIED.search(message)):  # noqa: PLR2004 - the server's number
        return f"GRANT {denied[1].strip()} ON {_table(denied[3], login)} TO {account};"
    database = quoted(login.database)
    return {
        1045: f"The password is wrong, there is no such account, or it demands TLS (the server does not tell "
        f"which): SHOW CREATE USER {account};",
        1044: f"GRANT SELECT ON {database}.* TO {account}; or create the database, if it is missing.",
        1049: f"CREATE DATABASE {database}; or correct the name in the address.",
        1146: "Create the table or correct its name; write the database too: shop.orders.",
        1129: "The server blocked this host after too many broken connections: mariadb-admin flush-hosts.",
        1130: f"No account may log in from this host: CREATE USER {quoted(login.user, chr(39))}@'...';",
        1040: "Look who holds the sessions with SHOW PROCESSLIST, or raise max_connections.",
        1203: "The account's own limit is reached: see max_user_connections.",
        1226: f"The account's own limit is reached: ALTER USER {account} WITH MAX_USER_CONNECTIONS 0;",
        1820: f"ALTER USER {account} IDENTIFIED BY '...';",
        1862: f"ALTER USER {account} IDENTIFIED BY '...';",
        3118: f"ALTER USER {account} ACCOUNT UNLOCK;",
        4151: f"ALTER USER {account} ACCOUNT UNLOCK;",
        1698: f"It logs in by the operating system's user: ALTER USER {account} IDENTIFIED BY '...';",
        3159: "Ask for TLS with sslmode=require in the address, or by the tls settings.",
        1290: "The server is read-only: a replica, or read_only is on.",
    }.get(number)


def _account(message: str, login: Login) -> str:
    found = _ACCOUNT.search(message)
    user, host = (found[1], found[2]) if found else (login.user, "...")
    return f"{quoted(user, chr(39))}@{quoted(host, chr(39))}"


def _table(name: str, login: Login) -> str:
    """Return the table of an error; MySQL leaves its database out."""
    name = name.strip("'`").replace("`.`", ".")
    return name if "." in name else f"{login.database}.{name}"


def quoted(identifier: str, mark: str = "`") -> str:
    """Return an identifier as it has to be written in SQL."""
    return f"{mark}{identifier.replace(mark, mark * 2)}{mark}"
