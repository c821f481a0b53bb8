"""PyMongo's clients, of threads and of asyncio.

One tracker stands for one client, whatever servers it finds: names stay as they are when a primary changes.
The limit is that of all the servers to which it has connections, so a client that also reads from secondaries
may use up one server's pool below it; that is told by the requests that wait and the time-outs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mooring.pools.driver import Driver
from mooring.pools.pymongo_events import MongoDB, PoolEvents
from mooring.pools.tracker import PoolTracker

MATCHES = (
    "pymongo.synchronous.mongo_client.MongoClient",
    "pymongo.asynchronous.mongo_client.AsyncMongoClient",
)
_LISTENERS, _ENABLED = "_EventListeners__cmap_listeners", "_EventListeners__enabled_for_cmap"
"""PyMongo takes listeners from its constructor alone; this is where it keeps them from 4.13 to 4.20."""


def listener() -> Any:
    """Return a listener for `MongoClient(event_listeners=[...])`. `mooring.instrument(client)` then finds it.

    Needed only where `instrument` says so, and to see the connections that a client opens before it.
    """
    from pymongo.monitoring import ConnectionPoolListener

    return type("Listener", (PoolEvents, ConnectionPoolListener), {})(MongoDB())


def instrument(client: Any, make: Callable[[Driver], PoolTracker]) -> PoolTracker:
    """Watch a client's pools, by its listener of ours or one that is added.

    Raises:
        TypeError: where this version of PyMongo has no known place to add it.
    """
    ours = next((each for each in client.options.event_listeners if isinstance(each, PoolEvents)), None)
    if ours is None:
        ours = listener()
        _add(client, ours)
    tracker: PoolTracker = ours.tracker or make(ours.driver)
    ours.note_in(tracker)
    return tracker


def _add(client: Any, ours: PoolEvents) -> None:
    """Add a listener to a client that has begun, and to the pools that it has."""
    listeners = client._event_listeners  # noqa: SLF001 -- there is no public place
    known = getattr(listeners, "__dict__", {})
    if not isinstance(known.get(_LISTENERS), list) or _ENABLED not in known:
        raise TypeError(
            "cannot instrument a client of this version of PyMongo after it was made; "
            "make it with MongoClient(..., event_listeners=[mooring.pools.pymongo.listener()])"
        )
    known[_LISTENERS].append(ours)
    known[_ENABLED] = True
    topology = getattr(client, "_topology", None)
    for server in list(getattr(topology, "_servers", {}).values()):
        ours.adopt(server.pool)
        _publish(server.pool)


def _publish(pool: Any) -> None:
    """Have a pool tell its events: it decided when it was made."""
    telemetry = getattr(pool, "_telemetry", None)
    if telemetry is not None:
        telemetry._should_publish = True  # noqa: SLF001 -- there is no public place
        return
    for each in (pool, *list(pool.conns)):
        each.enabled_for_cmap = True
