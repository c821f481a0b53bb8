"""What programs report in the pictures: a pool that leaks, one that is nearly full, some that are well."""

from __future__ import annotations

import math
import random
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from mooring.core.histogram import index_of
from tests.pool_reports import alert, leak, pool, report, site
from tests.servers.mooring import Mooring

DAY, SLOT, EVERY = 86_400, 600, 60
MICROSECONDS = 1_000_000
WORKERS = 4
LIMIT = 10
LEAKS = "/srv/shop/invoices.py"


def report_pools(mooring: Mooring, address: str) -> None:
    """Report the pools of three services, from four processes of the first; all have run for a day."""
    began = {"started_at": (datetime.now(UTC) - timedelta(seconds=DAY)).isoformat()}
    with mooring.client() as client:
        for each in _reports(address):
            given = {**each, "instance": {**each["instance"], **began}, "interval": 3600}
            answer = client.post("/api/v1/pools/report", json=given)
            assert answer.status_code == 200, answer.text


def fill_pool(database: sqlite3.Connection) -> None:
    """Write a day behind the pool that leaks: busy by day, and fuller and fuller since half an hour."""
    found = database.execute("SELECT id FROM targets WHERE name = 'shop/orders'").fetchone()
    now, dice = int(time.time()), random.Random(7)
    rows, limit = [], WORKERS * LIMIT
    for at in range(now - DAY, now, EVERY):
        calm = 4 + 16 * (1 + math.sin(at % DAY / DAY * 2 * math.pi - 1.5)) / 2
        leaked = max(0, 24 - (now - at) // 90)
        used = min(limit, int(calm * 0.6 + leaked + dice.random() * 5))
        waiting = dice.randrange(1, 9) if used > 0.9 * limit else 0
        row = (WORKERS, used, used, limit, limit, used / limit, waiting, 60 * used, waiting // 8, 0)
        rows.append((at // SLOT, found[0], at * MICROSECONDS, *row))
    database.executemany(f"INSERT OR IGNORE INTO pool_samples VALUES ({','.join('?' * 13)})", rows)
    database.commit()


def _reports(address: str) -> Iterator[dict[str, Any]]:
    for number in range(WORKERS):
        one = _worker(number, address)
        instance = {**report()["instance"], "id": f"shop-{number:08}", "host": f"web{number // 2 + 1}"}
        yield report(one, instance={**instance, "pid": 4101 + number % 2})
    calm = [
        pool(name="sessions", driver="redis", limit=50, used=6, peak=19, address=None, sites=[]),
        pool(name="reports", driver="asyncpg", limit=20, used=2, peak=11, address=address, sites=[]),
    ]
    yield report(*calm, process="accounts", service="accounts")
    nearly = pool(
        name="ledger", driver="psycopg", used=17, limit=20, peak=20, sites=[_export()], address=address
    )
    yield report(nearly, process="billing", service="billing")


def _export() -> dict[str, Any]:
    names = {
        "file": "/srv/billing/export.py",
        "line": 51,
        "function": "write_rows",
        "scope": "export of the night",
    }
    return site(**names, open=15, oldest=212.0, p50=1.4, p95=96.0)


def _worker(number: int, address: str) -> dict[str, Any]:
    """Return one process' part of the pool that leaks."""
    lost = {"site": "shop/invoices.py:88", "function": "render", "scope": "GET /invoices/{id}"}
    taken = ["shop/invoices.py:88 in render", "shop/invoices.py:31 in show", "shop/routes.py:12 in invoice"]
    stock = {"site": "shop/stock.py:40", "function": "reserve", "scope": "POST /cart", "owner": "Task-812"}
    waits = leak(
        **stock,
        kind="suspect",
        held=64.0,
        idle=63.0,
        taken=["shop/stock.py:40 in reserve", "shop/cart.py:19 in add"],
        now=["shop/stock.py:57 in ask_supplier", "shop/stock.py:44 in reserve"],
    )
    gone = [
        leak(**lost, held=1500.0 - 240 * each, idle=1500.0 - 240 * each, taken=taken) for each in range(6)
    ]
    told = alert(
        value=6,
        message="6 leases were never returned: taken at shop/invoices.py:88",
        recommendation="Return it in shop/invoices.py:88, whatever happens there.",
    )
    sites = [
        site(file=LEAKS, function="render", scope="GET /invoices/{id}", open=6, oldest=1500.0, total=812),
        site(file="/srv/shop/stock.py", line=40, function="reserve", scope="POST /cart", open=2, p95=0.9),
        site(file="/srv/shop/orders.py", line=23, function="listed", scope="GET /orders", open=1, p95=0.03),
    ]
    counted = {"taken": 41_200 + number, "returned": 41_190, "timeouts": 2, "errors": number % 2}
    leaks = [*gone, waits] if number == 0 else gone
    used = LIMIT - 1 + number % 2
    return pool(
        name="orders",
        used=used,
        idle=LIMIT - used,
        size=LIMIT,
        waiting=2,
        peak=LIMIT,
        limit=LIMIT,
        totals=counted,
        sites=sites,
        leaks=leaks,
        alerts=[told],
        address=address,
        wait=_times(0.0004, 0.018),
        use=_times(0.012, 0.34),
        create=_times(0.009, 0.011),
    )


def _times(usual: float, slow: float) -> dict[str, Any]:
    """Return how long something took: the usual time, and for 1 of 10 a long one."""
    return {"counts": {str(index_of(int(usual * 1e9))): 900, str(index_of(int(slow * 1e9))): 100}}
