"""The same store tests run on SQLite and on PostgreSQL."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mooring.core.clock import SystemClock
from mooring.store import upgrade
from mooring.store.engines import store_url
from mooring.store.store import Store
from tests.servers.postgresql import PostgreSQL

TEMPLATE = "store_template"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated SQLite store, made once and copied for each test."""
    path = tmp_path_factory.mktemp("store") / "template.db"
    path.touch()
    upgrade.upgrade(store_url(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgresql_template_database(postgresql: PostgreSQL) -> str:
    """An empty, migrated database, made once and copied for each test."""
    postgresql.sql(f"CREATE DATABASE {TEMPLATE}")
    upgrade.upgrade(store_url(postgresql.url(database=TEMPLATE)))
    return TEMPLATE


@pytest.fixture
def sqlite_store_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of an empty SQLite store."""
    shutil.copy(sqlite_template, tmp_path / "mooring.db")
    return f"sqlite:///{tmp_path / 'mooring.db'}"


@pytest.fixture
def postgresql_store_url(postgresql: PostgreSQL, postgresql_template_database: str) -> Iterator[str]:
    """The address of an empty PostgreSQL store."""
    with _copied_database(postgresql, postgresql_template_database) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def url(request: pytest.FixtureRequest) -> str:
    """The address of an empty store, of either database in turn."""
    return str(request.getfixturevalue(f"{request.param}_store_url"))


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """An open store, of either database in turn."""
    store = await Store.open(url, clock=SystemClock(), migrate=False)
    yield store
    await store.close()


@pytest.fixture
def second_postgresql_store_url(postgresql: PostgreSQL, postgresql_template_database: str) -> Iterator[str]:
    """The address of another empty PostgreSQL store."""
    with _copied_database(postgresql, postgresql_template_database) as url:
        yield url


@contextmanager
def _copied_database(server: PostgreSQL, template: str) -> Iterator[str]:
    name = f"store_{secrets.token_hex(6)}"
    server.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.url(database=name)
    server.sql(f"DROP DATABASE {name} WITH (FORCE)")
