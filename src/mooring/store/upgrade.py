"""Which migration a database stands at, and how it comes to the newest one."""

from __future__ import annotations

from contextlib import ExitStack
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, inspect, text

from mooring.core.failure import InputError, Problem
from mooring.store.copying import copy_file
from mooring.store.engines import file_of, opened
from mooring.store.errors import explained
from mooring.store.schema import HEAD, metadata
from mooring.store.sole import claim_upgrade, sole_watcher

if TYPE_CHECKING:
    from alembic.config import Config  # imported where it is used: Alembic takes long

VERSION_TABLE = "mooring_version"
_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x6D6F6F72
"""PostgreSQL's advisory lock for upgrades: two servers that start at once take turns."""


class State(Enum):
    """Where a database stands; the value is what a person is told."""

    CURRENT = "is up to date"
    EMPTY = "is an empty database; run `mooring db upgrade` to make its tables"
    BEHIND = "is a database of an older Mooring; run `mooring db upgrade`"
    NEWER = "is a database of a newer Mooring; install that version, or restore a backup of before"
    FOREIGN = "is a database with tables of something else; give Mooring one of its own"

    @property
    def advice(self) -> str:
        """What to do about it."""
        return self.value

    @property
    def migratable(self) -> bool:
        """Whether an upgrade can bring it up to date."""
        return self in (State.EMPTY, State.BEHIND)


def state(conn: Connection) -> State:
    """Return where a database stands."""
    tables = set(inspect(conn).get_table_names())
    if VERSION_TABLE not in tables:
        ours = tables if conn.dialect.name == "sqlite" else tables & metadata.tables.keys()
        return State.FOREIGN if ours else State.EMPTY
    version = conn.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 -- a constant
    if version == HEAD:
        return State.CURRENT
    if version is None:
        return State.EMPTY
    return State.BEHIND if version in _known() else State.NEWER


def migrate(conn: Connection) -> None:
    """Bring a database to the newest migration inside the caller's transaction."""
    from alembic import command

    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = _config()
    config.attributes["connection"] = conn
    command.upgrade(config, "head")


def upgrade(url: URL, *, watched: bool = False) -> State:
    """Bring the database at an address to the newest migration and return where it stood before.

    All steps are one transaction: killed in the middle, nothing has happened, and it can be run again.
    An SQLite file with data in it is copied beside itself first. Nothing is changed under a server that
    watches it; `watched`: that is the caller. Blocks. Raises InputError or StoreError.
    """
    with explained(url), opened(url) as engine, ExitStack() as stack:
        with engine.connect() as conn:
            before = state(conn)
        if before is State.CURRENT:
            return before
        if not before.migratable:
            raise InputError([Problem("store.url", before.advice)])
        path = file_of(url)
        if path is not None and before is State.BEHIND:
            if not watched:
                stack.enter_context(sole_watcher(path))
            copy_file(path, path.with_name(f"{path.name}.before-{HEAD}"))
        with engine.begin() as conn:
            if path is None and not watched:
                claim_upgrade(conn)
            migrate(conn)
    return before


def _known() -> set[str]:
    from alembic.script import ScriptDirectory

    return {each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
