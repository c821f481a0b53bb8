"""What the error numbers of PostgreSQL and MySQL mean: those that no test server can be made to say too."""

from __future__ import annotations

import pytest
from redis.exceptions import NoPermissionError

from mooring.core.reason import Reason
from mooring.probes import _mysql, _postgresql, _redis

PG = _postgresql.Login("shop", "orders")
MY = _mysql.Login("shop", "orders")


@pytest.mark.parametrize(
    ("sqlstate", "message", "reason"),
    [
        ("28P01", "password authentication failed", Reason.AUTH),
        ("28000", "no pg_hba.conf entry", Reason.AUTH),
        ("28999", "a new way to be refused", Reason.AUTH),
        ("3D000", "database does not exist", Reason.NOT_FOUND),
        ("3F000", "schema does not exist", Reason.NOT_FOUND),
        ("42501", "permission denied", Reason.PERMISSION),
        ("42P01", "relation does not exist", Reason.NOT_FOUND),
        ("42601", "syntax error", Reason.CONFIG),
        ("53300", "too many clients", Reason.OVERLOADED),
        ("53200", "out of memory", Reason.OVERLOADED),
        ("57P01", "terminating connection", Reason.UNAVAILABLE),
        ("57P02", "crash shutdown", Reason.UNAVAILABLE),
        ("57P03", "the database system is starting up", Reason.UNAVAILABLE),
        ("57014", "canceling statement due to statement timeout", Reason.TIMEOUT),
        ("55P03", "canceling statement due to lock timeout", Reason.TIMEOUT),
        ("25006", "cannot execute INSERT in a read-only transaction", Reason.ASSERTION),
        ("08006", "connection failure", Reason.NETWORK),
        ("08P01", "protocol violation", Reason.PROTOCOL),
        ("08P01", "SASL authentication failed", Reason.AUTH),
        ("08P01", "no such user: shop", Reason.AUTH),
        ("08P01", "no such database: orders", Reason.NOT_FOUND),
        ("22012", "division by zero", Reason.ASSERTION),
        ("58030", "could not read file", Reason.UNAVAILABLE),
    ],
)
def test_sqlstate(sqlstate: str, message: str, reason: Reason) -> None:
    """A SQLSTATE has one reason, and is the failure's code."""
    cause = _postgresql.cause(sqlstate, message, PG)
    assert (cause.reason, cause.code, cause.message) == (reason, sqlstate, message)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        *((number, Reason.AUTH) for number in (1045, 1129, 1130, 1251, 1698, 1820, 1862, 3118, 4151)),
        *((number, Reason.PERMISSION) for number in (1044, 1142, 1143, 1227, 1370)),
        *((number, Reason.NOT_FOUND) for number in (1049, 1054, 1146)),
        *((number, Reason.OVERLOADED) for number in (1040, 1203, 1226)),
        *((number, Reason.UNAVAILABLE) for number in (1053, 1927)),
        *((number, Reason.TIMEOUT) for number in (1205, 1969, 3024)),
        *((number, Reason.TLS) for number in (2026, 3159)),
        (1064, Reason.CONFIG),
        (1290, Reason.ASSERTION),
        (9999, Reason.ASSERTION),
    ],
)
def test_errno(number: int, reason: Reason) -> None:
    """An error number has one reason, and is the failure's code."""
    cause = _mysql.cause(number, "said", MY)
    assert (cause.reason, cause.code, cause.message) == (reason, str(number), "said")


def test_table_of_a_mysql_fix() -> None:
    """MySQL leaves the database out of its message, MariaDB does not: the GRANT is the same."""
    said = "SELECT command denied to user 'shop'@'10.0.0.5' for table "
    fixes = {_mysql.cause(1142, said + table, MY).fix for table in ("'orders'", "`orders`.`orders`")}
    assert fixes == {"GRANT SELECT ON `orders`.`orders` TO 'shop'@'%';"}


@pytest.mark.parametrize(
    ("number", "message", "host", "account"),
    [
        (1142, "SELECT command denied to user 'shop'@'10.0.0.5' for table 'orders'", "", "'shop'@'%'"),
        (1142, "SELECT command denied to user 'shop'@'h' for table 'orders'", "10.%", "'shop'@'10.%'"),
        (1044, "Access denied for user 'shop'@'10.%' to database 'orders'", "", "'shop'@'10.%'"),
        (3118, "Access denied for user 'shop'@'10.0.0.5'. Account is locked.", "", "'shop'@'%'"),
    ],
)
def test_account_of_a_mysql_fix(number: int, message: str, host: str, account: str) -> None:
    """An account is named by the host that it was made for, not by that of the client: no GRANT finds it."""
    fix = _mysql.cause(number, message, MY._replace(host=host)).fix
    assert fix is not None
    assert account in fix


@pytest.mark.parametrize(
    ("said", "host"),
    [("shop@%", "%"), ("a@b@10.0.0.0/255.0.0.0", "10.0.0.0/255.0.0.0"), ("shop@h'; --", ""), ("", "")],
)
def test_host_of_a_mysql_account(said: str, host: str) -> None:
    """What CURRENT_USER() says is a host at the most."""
    assert _mysql.host_of(said) == host


def test_names_in_fixes_are_quoted() -> None:
    """Fixes can be pasted, whatever a role, a database or a user is called."""
    assert _postgresql.quoted('a"b') == '"a""b"'
    assert _mysql.quoted("a`b") == "`a``b`"
    assert _mysql.literal("a'b\\") == r"'a''b\\'"


@pytest.mark.parametrize("name", ["user", "current_user", "public", "all", "replication", "+admins"])
def test_names_that_mean_something_else_unquoted(name: str) -> None:
    """A role called `user` or a database called `all` is that one, not oneself or all of them."""
    login = _postgresql.Login(name, name)
    refused = _postgresql.cause("28000", 'no pg_hba.conf entry for host "10.0.0.5", SSL on', login)
    assert refused.fix == f'hostssl "{name}" "{name}" 10.0.0.5/32 scram-sha-256'
    denied = _postgresql.cause("42501", "permission denied for table user", login)
    assert denied.fix == f'GRANT SELECT ON "user" TO "{name}";'


def test_a_user_with_a_backslash_ends_no_text() -> None:
    """MySQL takes a backslash for an escape: what stands behind the name stays inside of it."""
    fix = _mysql.cause(1820, "", _mysql.Login("a\\'; DROP DATABASE x; -- ", "orders")).fix
    assert fix == r"ALTER USER 'a\\''; DROP DATABASE x; -- '@'%' IDENTIFIED BY <new password>;"


def test_a_table_of_no_database_gives_no_mysql_fix() -> None:
    """MySQL names no database, and where the address names none either, nobody knows what to grant."""
    said = "SELECT command denied to user 'shop'@'h' for table 'orders'"
    assert _mysql.cause(1142, said, _mysql.Login("shop", "")).fix is None


@pytest.mark.parametrize(
    ("message", "fix"),
    [
        (
            "SELECT command denied to user 'shop'@'h' for table 'a;DROP/**/DATABASE/**/orders;'",
            "GRANT SELECT ON `orders`.`a;DROP/**/DATABASE/**/orders;` TO 'shop'@'%';",
        ),
        (
            "SELECT command denied to user 'root'@'h' for table 'a'",
            "GRANT SELECT ON `orders`.`a` TO 'shop'@'%';",
        ),
        (
            "SELECT command denied to user 'shop'@'h\\' for table 'a'",
            "GRANT SELECT ON `orders`.`a` TO 'shop'@'%';",
        ),
        ("ALL PRIVILEGES command denied to user 'shop'@'h' for table `mysql`.`user`", None),
        ("GRANT, SUPER command denied to user 'shop'@'h' for table `mysql`.`user`", None),
        (
            "SELECT, INSERT command denied to user 'shop'@'h' for table `shop`.`order`",
            "GRANT SELECT, INSERT ON `shop`.`order` TO 'shop'@'%';",
        ),
    ],
)
def test_a_hostile_mysql_message_gets_no_statement_of_its_own_into_a_fix(
    message: str, fix: str | None
) -> None:
    """What a server says is a name at the most: another account or statement is never pasted."""
    assert _mysql.cause(1142, message, MY).fix == fix


@pytest.mark.parametrize(
    ("sqlstate", "message", "fix"),
    [
        (
            "42501",
            "permission denied for table a; DROP TABLE b",
            'GRANT SELECT ON "a; DROP TABLE b" TO "shop";',
        ),
        (
            "42501",
            "permission denied for function f; DROP TABLE b",
            'GRANT EXECUTE ON FUNCTION "f; DROP TABLE b" TO "shop";',
        ),
        (
            "28000",
            'no pg_hba.conf entry for host "::1", no encryption',
            'host "orders" "shop" ::1/128 scram-sha-256',
        ),
        ("28000", 'no pg_hba.conf entry for host "0/0 trust #", SSL on', None),
        ("28000", 'no pg_hba.conf entry for host "0.0.0.0/0", SSL on', None),
        ("28000", 'no pg_hba.conf entry for host "fe80::1%eth0", SSL on', None),
    ],
)
def test_a_hostile_postgresql_message_gets_no_statement_of_its_own_into_a_fix(
    sqlstate: str, message: str, fix: str | None
) -> None:
    """What a server says is a quoted name or an address at the most."""
    assert _postgresql.cause(sqlstate, message, PG).fix == fix


@pytest.mark.parametrize(
    ("command", "fix"), [("info", "ACL SETUSER app +info"), ("flushall", None), ("acl|setuser", None)]
)
def test_a_hostile_redis_is_given_no_right_that_no_check_needs(command: str, fix: str | None) -> None:
    """Only the commands of a check are offered to be allowed."""
    error = NoPermissionError(f"NOPERM User app has no permissions to run the '{command}' command")
    cause = _redis.explain(error, "app")
    assert cause is not None
    assert cause.fix == fix


def test_a_password_to_be_filled_in_cannot_be_set_by_accident() -> None:
    """Pasted as it is, a statement with a place for a password is refused by the server."""
    fixes = [_postgresql.cause("28P01", "", PG).fix, _mysql.cause(1820, "", MY).fix]
    assert fixes == [
        'ALTER ROLE "shop" PASSWORD <new password>;',
        "ALTER USER 'shop'@'%' IDENTIFIED BY <new password>;",
    ]


def test_every_hint_is_a_sentence() -> None:
    """A hint makes sense without its fix: a capital, a stop, and no statement."""
    for hint in (*_mysql._HINTS.values(), *_postgresql._HINTS.values()):
        assert hint[0].isupper(), hint
        assert hint[-1] == "." or hint.endswith('Table".'), hint
        assert ";" not in hint or "; " in hint, hint
