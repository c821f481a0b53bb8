"""A PostgreSQL store whose server is stopped, frozen, restarted or says no."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from sqlalchemy import text

from mooring.core.clock import SystemClock
from mooring.core.failure import StoreError
from mooring.store import revisions, sole, targets
from mooring.store.store import Store
from tests.servers.postgresql import PASSWORD, PostgreSQL, StartPostgreSQL
from tests.servers.process import poll_until
from tests.stored import add_target

pytestmark = pytest.mark.integration
GONE = "the database server cannot be reached; check that it runs and that the store's address is right"


@pytest.fixture
def server(start_postgresql: StartPostgreSQL) -> Iterator[PostgreSQL]:
    """A server of the test's own."""
    with start_postgresql() as server:
        yield server


@pytest.fixture
async def store(server: PostgreSQL) -> AsyncIterator[Store]:
    """A store on it."""
    store = await Store.open(server.url(), clock=SystemClock(), migrate=True)
    yield store
    await store.close()


async def refused(store: Store, patience: float = 30) -> str:
    """Return how the store refuses to write, with all that a log would show of it."""
    with pytest.raises(StoreError) as caught:
        await store.write(revisions.next_revision, patience=patience)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


async def test_server_killed_and_back(store: Store, server: PostgreSQL) -> None:
    """A server that is gone is named; when it is back the same store works, nothing committed lost."""
    ref = await store.write(add_target)
    server.kill()
    assert (await refused(store)).startswith(GONE)
    with pytest.raises(StoreError):
        await store.read(targets.all_targets)
    server.start()
    assert await store.write(revisions.next_revision) == 2
    assert [each.name for each in await store.read(targets.all_targets)] == [ref.name]


async def test_server_restarted_between_two_writes(store: Store, server: PostgreSQL) -> None:
    """A restart that nobody noticed costs no error."""
    await store.write(revisions.next_revision)
    await store.read(revisions.current)
    server.stop()
    server.start()
    assert await store.write(revisions.next_revision) == 2
    assert await store.read(revisions.current) == 2


async def test_server_frozen(store: Store, server: PostgreSQL) -> None:
    """A server that hangs is given up after the patience, and used again when it goes on."""
    await store.write(revisions.next_revision)
    with server.paused():
        assert await refused(store, patience=0.2) == (
            "the database did not answer within 0.2 s; is it stopped, or overloaded?"
        )
    assert await store.write(revisions.next_revision) == 2


async def test_server_frozen_in_the_middle(store: Store, server: PostgreSQL) -> None:
    """A statement that hangs is cut, so that closing never waits for it."""
    with pytest.raises(StoreError):
        await store.write(lambda conn: conn.execute(text("SELECT pg_sleep(600)")), patience=0.2)
    assert await store.write(revisions.next_revision) == 1


async def test_server_that_only_reads(store: Store, server: PostgreSQL) -> None:
    """A server that became a standby is named."""
    server.sql("ALTER DATABASE postgres SET default_transaction_read_only = on")
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mooring'")
    assert (await refused(store)).startswith("the database server only lets us read; is it a standby?")


async def test_tables_that_were_dropped(store: Store, server: PostgreSQL) -> None:
    """Lost tables are named."""
    server.sql("DROP TABLE revision")
    assert (await refused(store)).startswith("the database has lost its tables; restore a backup")


@pytest.mark.parametrize(
    ("login", "message"),
    [
        (
            {"password": "wr0ng-s3cret"},
            "the database server rejects the password; correct it in the store's address",
        ),
        ({"database": "missing"}, "there is no such database on the server; create it with createdb"),
        ({"port": 1}, GONE),
    ],
)
async def test_server_that_says_no(server: PostgreSQL, login: dict[str, str], message: str) -> None:
    """What the server refuses when the store is opened is told with what to do, and no password."""
    with pytest.raises(StoreError) as caught:
        await Store.open(server.url(**login), clock=SystemClock(), migrate=True)
    shown = "".join(traceback.format_exception(caught.value))
    assert str(caught.value).startswith(message)
    assert PASSWORD not in shown
    assert "wr0ng-s3cret" not in shown


async def test_no_session_is_left(server: PostgreSQL) -> None:
    """A closed store leaves no session on the server's books."""
    store = await Store.open(server.url(), clock=SystemClock(), migrate=True)
    await store.write(add_target)
    await store.read(targets.all_targets)
    await store.close()
    poll_until(lambda: server.sessions() == 0, "the server's forgetting us")  # our loop stands meanwhile


async def test_writing_in_vain_while_another_watches(store: Store, server: PostgreSQL) -> None:
    """Who was replaced tries again and again, and keeps none of the connections that were refused."""
    await store.watch()
    with psycopg.connect(server.url(), autocommit=True) as other:
        while other.execute("SELECT pg_try_advisory_lock(%s)", (sole._LOCK,)).fetchone() != (True,):
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            )
        for _ in range(3):
            assert (await refused(store)).startswith("the database is watched by another Mooring already")
        assert store._writer._connections == set()
        other.execute("SELECT pg_advisory_unlock(%s)", (sole._LOCK,))
        assert await store.write(revisions.next_revision) == 1


async def test_a_statement_given_up_while_watching(store: Store) -> None:
    """What goes on in a session that was cut does not keep its own server from writing."""
    await store.watch()
    with pytest.raises(StoreError, match="did not answer within"):
        await store.write(lambda conn: conn.execute(text("SELECT pg_sleep(600)")), patience=0.2)
    assert await store.write(revisions.next_revision) == 1


async def test_lock_of_a_machine_that_vanished(store: Store) -> None:
    """The server asks a silent writer whether it is there: without power it loses its lock in 40 s."""
    await store.watch()
    asked = await store.write(
        lambda conn: [
            conn.exec_driver_sql(f"SHOW tcp_keepalives_{name}").scalar()
            for name in ("idle", "interval", "count")
        ]
    )
    assert asked == ["20", "5", "4"]
