"""Takes the pictures in docs/images: `scripts/screenshots`.

A real `mooring serve` watches a real PostgreSQL and a real Redis, some of it broken; a day of roll-ups is
written behind its targets, so that the charts have something to draw.
"""

from __future__ import annotations

import math
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect

from docs.reported import fill_pool, report_pools
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.store.buckets import Bucket
from mooring.store.packing import pack_stages
from tests.servers.chromium import browsing, sign_in
from tests.servers.mooring import Mooring
from tests.servers.postgresql import PostgreSQL, new_template
from tests.servers.process import free_port, poll_until, private_folder
from tests.servers.redis import Redis

IMAGES = Path(__file__).with_name("images")
LARGEST = 200_000
"""Bytes of a picture."""
HOUR, DAY = 3600, 86_400
MICROSECONDS = 1_000_000
PASSWORD = "kept-in-a-vault"
TOKEN = "token-of-the-invoices"
ENVIRONMENT = """# the shop's settings
DATABASE_URL=postgresql://app:{password}@db.shop.example:5432/orders
CACHE_URL=redis://:{password}@cache.shop.example:6379/0
SEARCH_URL=https://search.shop.example/health
MAIL=smtp
LOG_LEVEL=info
"""


@dataclass(frozen=True)
class Scene:
    """The server and what it watches."""

    mooring: Mooring
    postgresql: PostgreSQL
    redis: Redis

    def id(self, name: str) -> int:
        """Return a target's id."""
        return int(self.row(name)["id"])

    def row(self, name: str) -> dict[str, Any]:
        """Return a target's row of the overview."""
        with self.mooring.client() as client:
            rows: list[dict[str, Any]] = client.get("/api/v1/overview").json()["targets"]
        return next(row for row in rows if row["name"] == name)


def main() -> None:
    """Take them all."""
    IMAGES.mkdir(exist_ok=True)
    with scene() as shop, browsing() as browser:
        for theme in ("light", "dark"):
            with window(browser, shop, "/", color_scheme=theme) as page:
                take(page, f"overview-{theme}")
        with window(browser, shop, f"/targets/{shop.id('orders')}", height=1000) as page:
            take(page, "target")
        with window(browser, shop, "/pools") as page:
            take(page, "pools")
        with window(browser, shop, f"/pools/{shop.id('shop/orders')}?window=24h", height=1180) as page:
            expect(page.get_by_role("slider")).to_be_visible()
            take(page, "pool")
        with window(browser, shop, "/add") as page:
            add(page, shop)
            take(page, "add")
        with window(browser, shop, "/import") as page:
            paste(page)
            take(page, "import")
        with window(browser, shop, "/", width=375, height=760) as page:
            take(page, "narrow")


def add(page: Page, shop: Scene) -> None:
    """Paste an address, and test before saving."""
    page.get_by_label("Paste an address").fill(shop.postgresql.url("app", "an-old-password"))
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_role("region", name="Test", exact=True)).to_contain_text("28P01")
    page.evaluate("window.scrollTo(0, 0)")


def paste(page: Page) -> None:
    """Paste an environment file."""
    page.get_by_label("Paste or drop it here").fill(ENVIRONMENT.format(password=PASSWORD))
    page.get_by_role("button", name="Find addresses").click()
    expect(page.get_by_role("region", name="Found addresses")).to_be_visible()


def take(page: Page, name: str) -> None:
    """Take a picture once nothing moves."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_label("Loading")).to_have_count(0)
    page.wait_for_function("() => document.getAnimations().every((each) => each.playState !== 'running')")
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    size = path.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{path} has {size:,} bytes, more than {LARGEST:,}")
    print(f"{path.relative_to(IMAGES.parents[1])}: {size / 1000:.0f} kB")


@contextmanager
def window(
    browser: Browser, shop: Scene, path: str, *, width: int = 1280, height: int = 800, **options: Any
) -> Iterator[Page]:
    """Open a page, signed in."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion="reduce", **options
    )
    page = context.new_page()
    sign_in(page, shop.mooring)
    page.goto(f"{shop.mooring.url}{path}")
    yield page
    context.close()


@contextmanager
def scene() -> Iterator[Scene]:
    """Run the shop, break some of it, and wait until Mooring has seen that."""
    with ExitStack() as stack:
        enter = stack.enter_context
        folder = lambda: enter(private_folder())  # noqa: E731
        postgresql = enter(PostgreSQL(folder(), enter(new_template())))
        redis = enter(Redis(folder()))
        mooring = enter(Mooring(folder()))
        shop = Scene(mooring, postgresql, redis)
        for user in ("app", "reports"):
            postgresql.sql(f"CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'")
        for keys in targets(shop):
            with mooring.client() as client:
                answer = client.post("/api/v1/targets", json=keys)
            assert answer.status_code == 201, answer.text
        poll_until(lambda: shop.row("orders")["status"] == "up", "orders being up")
        address = urlsplit(postgresql.url("app")).netloc.rpartition("@")[2]
        report_pools(mooring, address)
        mooring.stop()
        fill(sqlite3.connect(mooring.database))
        postgresql.sql("ALTER ROLE app PASSWORD 'rotated'")
        mooring.start()
        poll_until(lambda: settled(shop), "everything being known", within=60)
        report_pools(mooring, address)
        yield shop


def settled(shop: Scene) -> bool:
    """Have all tested that is not known yet; whether all is, and has an uptime."""
    with shop.mooring.client() as client:
        client.post(f"/api/v1/push/{TOKEN}", json={"seconds": 41})
        client.post("/api/v1/targets/check-all", params={"if_older_than": 5})
        rows = client.get("/api/v1/overview").json()["targets"]
    known = all(
        row["status"] != "unknown" and row["uptime_24h"] is not None for row in rows if row["enabled"]
    )
    return known and shop.row("orders")["status"] == "down"


def targets(shop: Scene) -> Iterator[dict[str, Any]]:
    """Yield what the shop depends on."""
    url, team = shop.postgresql.url, lambda name: {"team": name, "stage": "production"}
    yield {"name": "orders", "url": url("app", PASSWORD), "labels": team("shop")}
    yield {
        "name": "reports",
        "url": url("reports", PASSWORD),
        "degraded_above": 0.002,
        "labels": team("finance"),
    }
    yield {"name": "sessions", "url": shop.redis.url(), "labels": team("shop")}
    yield {"name": "cache", "url": shop.redis.url(database=1), "labels": team("shop")}
    closed = f"http://127.0.0.1:{free_port()}/health"
    yield {"name": "search", "url": closed, "failures_before_down": 1, "labels": team("search")}
    yield {"name": "storefront", "url": f"{shop.mooring.url}/livez", "labels": team("shop")}
    yield {"name": "staging database", "url": url("app"), "enabled": False, "labels": team("shop")}
    yield {
        "name": "nightly invoices",
        "kind": "push",
        "token": TOKEN,
        "interval": DAY,
        "labels": team("finance"),
    }


STAGES = (Stage.DNS, Stage.TCP, Stage.AUTH, Stage.PERMISSION, Stage.FUNCTION)


def fill(database: sqlite3.Connection) -> None:
    """Write a month of roll-ups behind the targets, which have been there all that time.

    Pools have none: what reports without a time has no latency.
    """
    found = database.execute("SELECT id FROM targets WHERE enabled AND kind <> 'pool'")
    ids = [row[0] for row in found]
    now, dice = int(time.time()), random.Random(7)
    for seconds, days in ((600, 7), (HOUR, 30), (DAY, 30)):
        rows = []
        for target in ids:
            base = dice.uniform(2000, 14_000)
            for slot in range(now // seconds - days * DAY // seconds, now // seconds):
                hour = slot * seconds % DAY / DAY
                wave = base * (1.2 + 0.5 * math.sin(hour * 2 * math.pi)) * dice.uniform(0.85, 1.2)
                rows.append((seconds, slot, target, *bucket(wave, failed=dice.random() < 0.002).row()))
        database.executemany("INSERT OR REPLACE INTO rollups VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
    month = 30 * DAY * MICROSECONDS
    database.execute("UPDATE transitions SET at = at - ?", (month,))
    fill_pool(database)
    database.commit()
    database.close()


def bucket(duration: float, *, failed: bool) -> Bucket:
    """Return what a step of the past holds."""
    made = Bucket()
    shares = (0.03, 0.07, 0.55, 0.1, 0.25)
    stages = pack_stages(
        [
            StageResult(stage, StageStatus.PASSED, duration * share / MICROSECONDS)
            for stage, share in zip(STAGES, shares, strict=True)
        ]
    )
    for number in range(20):
        made.add(int(duration), stages, failed=failed and number == 0)
    return made


if __name__ == "__main__":
    main()
