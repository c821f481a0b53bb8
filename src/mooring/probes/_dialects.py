"""What is known of SQLAlchemy's dialects: where they listen, how they are installed and limited."""

from __future__ import annotations

from collections.abc import Mapping

PORTS: Mapping[str, int] = {
    "postgresql": 5432,
    "redshift": 5439,
    "cockroachdb": 26257,
    "mysql": 3306,
    "mariadb": 3306,
    "oracle": 1521,
    "mssql": 1433,
    "vertica": 5433,
    "exa": 8563,
    "monetdb": 50000,
    "firebird": 3050,
}
"""Where a dialect's server listens, if its address names no port. Others are left to their driver."""

POSTGRESQL = frozenset({"postgresql", "redshift", "cockroachdb"})
"""Dialects whose errors are PostgreSQL's."""
MYSQL = frozenset({"mysql", "mariadb"})
LIBPQ = frozenset({"psycopg", "psycopg2"})
"""Drivers that take an address beside the name that the certificate is compared with."""
PYMYSQL = "pymysql"

HOSTED = frozenset({"trino", "presto", "databricks", "clickhouse", "clickhousedb", "hana", "crate"})
"""Dialects whose address names a host, and whose port is for their driver to know."""
NETWORKED = frozenset({*PORTS, *HOSTED, "snowflake", "bigquery"})
"""Dialects that read nothing of this machine, as far as their address does not name a file of it."""
HARMLESS = frozenset(
    {
        "sslmode",
        "ssl",
        "charset",
        "connect_timeout",
        "application_name",
        "service_name",
        "warehouse",
        "role",
        "schema",
        "catalog",
        "http_path",
        "encrypt",
        "protocol",
        "secure",
        "dataset_id",
        "location",
    }
)
"""Words behind the question mark that name no file and no other host."""

_DISTRIBUTIONS = {
    "snowflake": "snowflake-sqlalchemy",
    "bigquery": "sqlalchemy-bigquery",
    "redshift": "sqlalchemy-redshift",
    "databricks": "databricks-sqlalchemy",
    "trino": "trino[sqlalchemy]",
    "clickhouse": "clickhouse-sqlalchemy",
    "clickhousedb": "clickhouse-connect",
    "duckdb": "duckdb-engine",
    "vertica": "vertica-sqlalchemy-dialect",
    "teradatasql": "teradatasqlalchemy",
    "hana": "sqlalchemy-hana",
    "cockroachdb": "sqlalchemy-cockroachdb",
    "awsathena": "PyAthena[SQLAlchemy]",
    "exa": "sqlalchemy-exasol",
    "db2": "ibm-db-sa",
    "crate": "sqlalchemy-cratedb",
    "firebird": "sqlalchemy-firebird",
}
_DRIVERS = {"MySQLdb": "mysqlclient", "psycopg": "psycopg[binary]", "psycopg2": "psycopg2-binary"}

_LIMITS = {
    "psycopg": ("connect_timeout",),
    "psycopg2": ("connect_timeout",),
    "mysqldb": ("connect_timeout", "read_timeout", "write_timeout"),
    "pymysql": ("read_timeout", "write_timeout"),
    "pyodbc": ("timeout",),
    "pymssql": ("login_timeout", "timeout"),
    "oracledb": ("tcp_connect_timeout",),
    "snowflake": ("login_timeout", "network_timeout"),
    "pysqlite": ("timeout",),
}
_BOUNDS = {
    "postgresql": "SET statement_timeout = {milliseconds}",
    "mariadb": "SET SESSION max_statement_time = {seconds}",
    "mysql": "SET SESSION max_execution_time = {milliseconds}",
}


def distribution_of(dialect: str) -> str | None:
    """Return what brings a dialect, where that is known."""
    return _DISTRIBUTIONS.get(dialect)


def distribution_with(module: str) -> str:
    """Return what brings a driver's module."""
    root = module.partition(".")[0]
    return _DRIVERS.get(root, root.replace("_", "-"))


def limits(driver: str, seconds: int) -> dict[str, int]:
    """Return what a driver is given so that it ends by itself."""
    return dict.fromkeys(_LIMITS.get(driver, ()), seconds)


def bound(dialect: str, seconds: int) -> str | None:
    """Return the statement after which the server ends a query that nobody waits for."""
    text = _BOUNDS.get(dialect)
    return text and text.format(seconds=seconds, milliseconds=seconds * 1000)
