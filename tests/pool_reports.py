"""Reports of pools, as programs send them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def pool(**keys: Any) -> dict[str, Any]:
    """Return one process' part of a pool: 3 of 10 connections in use, but for what is given."""
    used = keys.get("used", 3)
    given = {
        "name": "main",
        "driver": "sqlalchemy",
        "at": datetime.now(UTC).isoformat(),
        "used": used,
        "idle": 1,
        "size": used + 1,
        "limit": 10,
        "least": 0,
        "waiting": 0,
        "peak": used,
        "totals": {"taken": 100, "returned": 97},
        "wait": {"counts": {"40": 100}},
        "use": {"counts": {"90": 97}},
        "create": {"counts": {"80": 4}},
        "sites": [site()],
        "leaks": [],
        "alerts": [],
        "address": "db.example:5432",
        "database": "shop",
        "active": True,
    }
    return {**given, **keys}


def site(**keys: Any) -> dict[str, Any]:
    """Return what one line does with a pool."""
    given = {
        "file": "/srv/shop/orders.py",
        "line": 88,
        "function": "load_orders",
        "open": 3,
        "total": 100,
        "oldest": 4.5,
        "p50": 0.01,
        "p95": 0.2,
        "scope": "GET /orders",
    }
    return {**given, **keys}


def leak(**keys: Any) -> dict[str, Any]:
    """Return a lease whose owner has ended."""
    given = {
        "kind": "abandoned",
        "site": "shop/orders.py:88",
        "function": "load_orders",
        "held": 12.0,
        "idle": 12.0,
        "owner": "Task-7",
        "operation": None,
        "scope": "GET /orders",
        "now": [],
    }
    return {**given, **keys}


def alert(**keys: Any) -> dict[str, Any]:
    """Return what a process tells of a lease that was never returned."""
    given = {
        "rule": "abandoned",
        "severity": "critical",
        "message": "1 lease was never returned: taken at shop/orders.py:88",
        "recommendation": "Return it in shop/orders.py:88, whatever happens there",
        "since": datetime.now(UTC).isoformat(),
        "value": 1,
        "limit": None,
        "suppressed": 0,
        "ended": None,
    }
    return {**given, **keys}


def report(*pools: dict[str, Any], process: str = "one", **keys: Any) -> dict[str, Any]:
    """Return the report of a process."""
    now = datetime.now(UTC).isoformat()
    given = {
        "version": 1,
        "service": "shop",
        "instance": {"id": f"process-{process}", "host": "web1", "pid": 41, "started_at": now},
        "sent_at": now,
        "interval": 30,
        "last": False,
        "pools": list(pools) or [pool()],
        "done": [],
    }
    return {**given, **keys}
