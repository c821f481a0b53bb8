"""What SQLAlchemy's pools have: entries, each with a connection or without."""

from __future__ import annotations

import gc
from typing import Any
from weakref import ref

from mooring.pools import session
from mooring.pools.driver import Activity, Driver, Gauges

_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "oracle": 1521, "mssql": 1433}


class Entries(Driver):
    """One engine's pool. Counts the pool's entries, whose class does not matter then."""

    name = "sqlalchemy"

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.address = _address(engine.url)
        self.database: str | None = engine.url.database
        self._entries: set[ref[Any]] = set()
        """Weakly: a pool may become garbage."""

    def opened(self, entry: Any) -> None:
        """Count an entry: it was connected. Whatever becomes garbage is counted no more."""
        self._entries.add(ref(entry, self._entries.discard))

    def closed(self, entry: Any) -> None:
        """Count an entry no more."""
        self._entries.discard(ref(entry))

    def gauges(self) -> Gauges:
        """Count the entries that have a connection, and tell the limit of a QueuePool."""
        entries = [entry for entry in self._living() if entry.dbapi_connection is not None]
        pool = self._engine.pool
        overflow = getattr(pool, "_max_overflow", -1)  # there is no public name of it
        kept = pool.size() if hasattr(pool, "_max_overflow") else 0
        return Gauges(
            size=len(entries),
            idle=sum(not entry.in_use for entry in entries),
            limit=kept + overflow if overflow >= 0 else None,
            least=0,
            most_idle=kept or None,
        )

    def activity(self, connection: Any) -> Activity:
        """Return what the driver's own connection tells, and what SQLAlchemy's side of asyncio does."""
        told = session.activity(connection.driver_connection)
        mutex = getattr(connection.dbapi_connection, "_execute_mutex", None)  # held while a statement runs
        return told._replace(busy=True, idle=0.0) if mutex is not None and mutex.locked() else told

    def forked(self) -> None:
        """Forget the entries that are out: they are the parent's."""
        for entry in self._living():
            if entry.in_use:
                self.closed(entry)

    def _living(self) -> list[Any]:
        known = list(self._entries)  # amid a comprehension or a tuple a collection may end an entry
        return [entry for weak in known if (entry := weak()) is not None]


def entries_of(pool: Any) -> list[Any]:
    """Return what a pool connected so far. Of what is out it knows but the number; the interpreter knows.

    That takes a tenth of a second where there are millions of objects, so not for a pool that is new.
    """
    from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

    if isinstance(pool, QueuePool) and 0 < pool.size() == -pool.overflow():  # it has no size without a limit
        return []
    return [each for each in gc.get_referrers(pool) if isinstance(each, ConnectionPoolEntry)]


def _address(url: Any) -> str | None:
    if not url.host:
        return None
    port = url.port or _PORTS.get(url.get_backend_name())
    return f"{url.host}:{port}" if port else str(url.host)
