"""What PyMongo tells of its pools while it works, and what is known from it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from types import FrameType
from typing import Any
from weakref import ref

from mooring.pools.driver import Activity, Driver, Gauges
from mooring.pools.lease import NANOSECONDS, Lease
from mooring.pools.pymongo_owners import asks_no_more
from mooring.pools.scope import here, without_limit
from mooring.pools.tracker import PoolTracker
from mooring.pools.traffic import activity_of

LARGEST = 100
"""Connections to one server that PyMongo opens where nothing else is said."""
DEEPEST = 8
"""Frames between an event and the connection that it is about."""
TIMEOUT = "timeout"


class ConnectionsClearedError(ConnectionError):
    """PyMongo gave up all connections to a server, since one broke or the server is gone. Never raised."""


class Server:
    """The pool of one server."""

    def __init__(self, limit: int | None, least: int) -> None:
        self.limit = limit
        self.least = least
        self.ready: set[int] = set()
        """Connections that are open, by PyMongo's number."""
        self.out: dict[int, Lease | None] = {}
        """Those that are out; without a lease where tracking was stopped."""


class MongoDB(Driver):
    """A client's pools. What is asked for and never came, PyMongo does not tell where a task is cancelled."""

    name = "pymongo"
    database: str | None = None

    def __init__(self) -> None:
        self.address: str | None = None
        self.servers: dict[Any, Server] = {}
        self.pools: set[ref[Any]] = set()
        self.pending: dict[int, ref[Any]] = {}
        """The tasks and threads that ask for a connection."""
        self.gave_up: Callable[[], None] | None = None

    def add(self, pool: Any) -> None:
        """Ask a pool as long as it lives. A WeakSet cannot be listed while another thread adds one."""
        self.pools.add(ref(pool, self.pools.discard))

    def gauges(self) -> Gauges:
        """Return the sums of the servers to which there are connections; without any, of one server."""
        self._settle()
        known = list(self.servers.values())
        used = [server for server in known if server.ready or server.out] or known[:1]
        size = sum(len(server.ready) for server in used)
        limits = [server.limit for server in used]
        whole = sum(limit for limit in limits if limit is not None)
        return Gauges(
            size=size,
            idle=max(0, size - sum(len(server.out) for server in used)),
            limit=whole if used and None not in limits else None,
            least=sum(server.least for server in used),
        )

    def activity(self, connection: Any) -> Activity:
        """Return whether an operation runs: one is out that long, if no cursor or session keeps it."""
        told = activity_of(connection.conn.sock.fileno()) if not connection.closed else Activity()
        kept = connection.pinned_txn or connection.pinned_cursor
        busy = told.busy if kept else bool(connection.active) or told.busy
        return Activity(busy, bool(connection.pinned_txn), told.idle)

    def forked(self) -> None:
        """Forget the connections: PyMongo makes new pools, and tells nothing of the old ones."""
        self.pools.clear()
        self.pending.clear()
        for server in self.servers.values():
            server.ready.clear()
            server.out.clear()

    def _settle(self) -> None:
        """Take out those who gave up untold: they ask no more, or no pool has anybody who asks."""
        asking = sum(pool.operation_count for weak in list(self.pools) if (pool := weak()) is not None)
        out = sum(len(server.out) for server in list(self.servers.values()))
        nobody = bool(self.pools) and asking <= out
        for key in list(self.pending):
            weak = self.pending.get(key)
            if weak is None:  # it was answered a moment ago
                continue
            if (nobody or asks_no_more(weak())) and self.pending.pop(key, None) is not None and self.gave_up:
                self.gave_up()


def guarded(note: Callable[[PoolEvents, Any], None]) -> Callable[[PoolEvents, Any], None]:
    """Keep what a listener raises from PyMongo, which would print it."""

    @wraps(note)
    def event(self: PoolEvents, told: Any) -> None:
        try:
            note(self, told)
        except Exception as error:
            if self.tracker is not None:
                self.tracker.broken(error)

    return event


class PoolEvents:
    """Hears the events of a client's pools. Counts connections at once, and leases once it has a tracker."""

    def __init__(self, driver: MongoDB) -> None:
        self.driver = driver
        self.tracker: PoolTracker | None = None
        """The book of the leases; None until the client is instrumented."""

    def note_in(self, tracker: PoolTracker) -> None:
        """Note leases from now on."""
        self.tracker = tracker
        self.driver.gave_up = tracker.gave_up

    def adopt(self, pool: Any) -> None:
        """Take over a pool that was there before; what is out of it is known once it comes back."""
        options = pool.opts
        server = self._made(pool.address, options.max_pool_size, options.min_pool_size)
        server.ready.update(connection.id for connection in list(pool.conns))
        self.driver.add(pool)

    @guarded
    def pool_created(self, event: Any) -> None:
        """Note a pool. PyMongo tells the settings that differ from its own."""
        options = event.options or {}
        self._made(event.address, options.get("maxPoolSize", LARGEST), options.get("minPoolSize", 0))

    @guarded
    def pool_ready(self, event: Any) -> None:
        """Note nothing."""

    @guarded
    def pool_cleared(self, event: Any) -> None:
        """Note that a session broke."""
        if self.tracker is not None:
            self.tracker.record_error(
                ConnectionsClearedError(f"the connections to {address_of(event.address)} were given up")
            )

    @guarded
    def pool_closed(self, event: Any) -> None:
        """Forget a server that is gone, once nothing of it is out."""
        server = self.driver.servers.get(event.address)
        if server is not None and not server.out:
            del self.driver.servers[event.address]

    @guarded
    def connection_created(self, event: Any) -> None:
        """Note nothing: it is not open yet."""

    @guarded
    def connection_ready(self, event: Any) -> None:
        """Count a connection that was opened."""
        self._server(event).ready.add(event.connection_id)
        if self.tracker is not None:
            self.tracker.created(event.duration)

    @guarded
    def connection_closed(self, event: Any) -> None:
        """Count one that was closed, if it was ever open."""
        ready = self._server(event).ready
        if event.connection_id in ready:
            ready.discard(event.connection_id)
            if self.tracker is not None:
                self.tracker.closed()

    @guarded
    def connection_check_out_started(self, event: Any) -> None:  # noqa: ARG002 -- the listener's
        """Note who asks. One task or thread asks for one at a time, so an older question was given up."""
        tracker = self.tracker
        if tracker is None or not tracker.active:
            return
        owner = here()
        if self.driver.pending.pop(id(owner), None) is not None:
            tracker.gave_up()
        tracker.ask()
        self.driver.pending[id(owner)] = ref(owner)

    @guarded
    def connection_check_out_failed(self, event: Any) -> None:
        """Note that none came."""
        if self.driver.pending.pop(id(here()), None) is not None and self.tracker is not None:
            self.tracker.gave_up(timed_out=event.reason == TIMEOUT)

    @guarded
    def connection_checked_out(self, event: Any) -> None:
        """Note a checkout, at the line of the application."""
        server, tracker = self._server(event), self.tracker
        server.out[event.connection_id] = None
        asked = self.driver.pending.pop(id(here()), None)
        if tracker is None or not tracker.active:
            return
        frame = sys._getframe(1)  # noqa: SLF001 -- inspect's way costs ten times as much
        connection = connection_of(event, frame)
        if connection is not None and (pool := connection.pool_ref()) is not None:
            self.driver.add(pool)
        lease = tracker.track(
            connection=None if connection is None else ref(connection),
            asked=None if asked is None else int((tracker.clock.monotonic() - event.duration) * NANOSECONDS),
            frame=tracker.sites.application(frame),
        )
        if connection is None:  # nothing tells whether an operation runs
            lease.scope = without_limit()
        server.out[event.connection_id] = lease

    @guarded
    def connection_checked_in(self, event: Any) -> None:
        """Note a return. A connection that was out before the client was watched is open, too."""
        server = self._server(event)
        server.ready.add(event.connection_id)
        lease = server.out.pop(event.connection_id, None)
        if lease is not None and self.tracker is not None:
            self.tracker.release(lease)

    def _server(self, event: Any) -> Server:
        return self.driver.servers.get(event.address) or self._made(event.address, LARGEST, 0)

    def _made(self, address: Any, limit: Any, least: int | None) -> Server:
        limited = isinstance(limit, int) and limit > 0  # 0 and infinity are no limit
        server = self.driver.servers[address] = Server(limit if limited else None, least or 0)
        self.driver.address = self.driver.address or address_of(address)
        return server


def connection_of(event: Any, frame: FrameType | None) -> Any:
    """Return PyMongo's connection, which the event does not have: it is a variable of who told it."""
    for _ in range(DEEPEST):
        if frame is None:
            return None
        if "conn" in frame.f_code.co_varnames or "conn" in frame.f_code.co_cellvars:
            found: Any = frame.f_locals.get("conn")
            if getattr(found, "id", None) == event.connection_id and found.address == event.address:
                return found
        frame = frame.f_back
    return None


def address_of(address: Any) -> str:
    """Return `host:port`, or the path of a socket."""
    host, port = address
    return f"{host}:{port}" if port is not None else str(host)
