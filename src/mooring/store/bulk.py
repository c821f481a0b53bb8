"""Many rows in few statements.

sqlite3 gives up the interpreter lock around every step, and beside a busy event loop it waits up to
5 ms to get it back. One statement a row would so turn a batch of 500 into seconds; a statement of many
rows takes one step. The same text is good for PostgreSQL, where it saves round trips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table

SIZES = (256, 128, 64, 32, 16, 8, 4, 2, 1)
"""Rows a statement; few sizes, so that prepared statements are used again. 256 rows of 15 columns
stay far below SQLite's 32,766 and PostgreSQL's 65,535 parameters."""

Row = Sequence[Any]


def insert(
    conn: Connection,
    table: Table,
    rows: Iterable[Row],
    on_conflict: str = "",
    *,
    columns: tuple[str, ...] | None = None,
) -> None:
    """Insert rows whose values stand in the order of `columns`, or of all the table's.

    `on_conflict` ends the statement.
    """
    names = columns or tuple(column.name for column in table.columns)
    qmark = conn.dialect.paramstyle == "qmark"
    execute = _execute(conn)
    waiting = list(rows)
    done = 0
    while done < len(waiting):
        left = len(waiting) - done
        size = next(size for size in SIZES if size <= left)
        values = tuple(chain.from_iterable(waiting[done : done + size]))
        execute(_statement(table.name, names, size, on_conflict, qmark=qmark), values)
        done += size


def _execute(conn: Connection) -> Callable[[str, tuple[Any, ...]], Any]:
    """Return what runs a statement: SQLite's own cursor takes a tenth of SQLAlchemy's time.

    PostgreSQL keeps SQLAlchemy's way, which knows when a connection is lost.
    """
    if conn.dialect.name == "sqlite":
        return conn.connection.cursor().execute
    return conn.exec_driver_sql


def upsert(table: Table, *, unless_same: str | None = None) -> str:
    """Return the `on_conflict` that replaces a row, unless it is equal in the column `unless_same`."""
    keys = ", ".join(column.name for column in table.primary_key)
    news = ", ".join(
        f"{column.name} = excluded.{column.name}" for column in table.columns if not column.primary_key
    )
    where = f" WHERE {table.name}.{unless_same} <> excluded.{unless_same}" if unless_same else ""
    return f"ON CONFLICT ({keys}) DO UPDATE SET {news}{where}"


@lru_cache(maxsize=256)
def _statement(table: str, columns: tuple[str, ...], rows: int, on_conflict: str, *, qmark: bool) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    one = "(" + ", ".join(["?" if qmark else "%s"] * len(columns)) + ")"
    return f"INSERT INTO {table} ({names}) VALUES {', '.join([one] * rows)} {on_conflict}"  # noqa: S608 -- names of our own schema, no values
