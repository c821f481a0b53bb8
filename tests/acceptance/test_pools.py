"""The how-to on pools as a newcomer follows it: its own commands, a shop that leaks, and who says so."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.pages import DOCS, SHELL, blocks
from tests.servers.chromium import PATIENCE, OpenPage
from tests.servers.mooring import Mooring, StartMooring
from tests.servers.postgresql import PostgreSQL, StartPostgreSQL
from tests.servers.process import ServerProcess, binary, poll_until
from tests.sources import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PAGE = DOCS / "how-to" / "watch-pools.md"
REPORTS = 8
"""Fewer than one process has connections: the kernel may give all requests to one."""
INTERVAL = {"METRICS_COLLECTION_INTERVAL": "1000"}
"""So that the test need not wait for half a minute; the page does not say so."""


def commands(word: str) -> list[str]:
    """Return the page's commands in which a word stands."""
    lines = [line for language, text in blocks(PAGE) if language in SHELL for line in text.splitlines()]
    return [line.removeprefix("$ ") for line in lines if word in line]


def only(word: str) -> str:
    """Return the page's one command in which a word stands."""
    [command] = commands(word)
    return command


def leaking_line() -> int:
    """Return the line of the example at which the route takes its connection."""
    lines = (ROOT / "examples" / "orders.py").read_text().splitlines()
    return 1 + lines.index("    database = await engine.connect()")


class Shop(ServerProcess):
    """The example as the page starts it. Its address stands for the page's."""

    def __init__(self, newcomer: Newcomer) -> None:
        super().__init__(newcomer.mooring.folder)
        self._newcomer = newcomer

    def command(self) -> list[str]:
        exports = [each for each in commands("export") if "PATH=" not in each]
        script = "\n".join([*exports, f"exec {only('gunicorn')} --no-control-socket"])
        variables = [f"{name}={value}" for name, value in INTERVAL.items()]
        return ["env", "-C", str(self.folder), *variables, *self._newcomer.bash(script, self.port)]

    def ready(self) -> bool:
        return httpx.get(f"http://127.0.0.1:{self.port}/orders", timeout=5).json() == list(range(1, 11))

    def starts_anew(self) -> None:
        """Have gunicorn start all its processes anew."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)


@dataclass
class Newcomer:
    """Somebody at a terminal in the server's folder, where the examples are."""

    mooring: Mooring
    postgresql: PostgreSQL

    def bash(self, script: str, port: int) -> list[str]:
        """Return a command that runs what the page says, with the addresses of this test."""
        for theirs, ours in {
            "127.0.0.1:8321": f"127.0.0.1:{self.mooring.port}",
            "127.0.0.1:8000": f"127.0.0.1:{port}",
            "localhost:5432": f"127.0.0.1:{self.postgresql.port}",
        }.items():
            script = script.replace(theirs, ours)
        path = f"PATH={Path(sys.executable).parent}:{os.environ['PATH']}"
        return ["env", path, binary("bash", "bash"), "-euo", "pipefail", "-c", script]

    def types(self, command: str, port: int = 0) -> str:
        """Run one of the page's commands, and return what it printed."""
        done = subprocess.run(
            self.bash(command, port),
            cwd=self.mooring.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pool(self) -> dict[str, Any]:
        """Ask the API for the one pool; nothing while it knows none."""
        with self.mooring.client() as client:
            items = client.get("/api/v1/pools").raise_for_status().json()["items"]
        return dict(items[0]) if items else {}

    def sessions(self) -> dict[str, int]:
        """Ask the database as the page does: how many sessions are in which state."""
        rows = self.types(only("psql").replace("psql ", "psql -At ", 1)).splitlines()
        return {state: int(count) for state, _, count in (row.partition("|") for row in rows)}

    def agrees(self, used: int) -> bool:
        """Whether so many are in use and open, as the server and as the database say it."""
        pool, sessions = self.pool(), self.sessions()
        told = pool["totals"] if pool else {}
        return (
            told.get("used") == used == sessions.get("idle in transaction", 0)
            and told["size"] == sum(sessions.values())
            and told["instances"] == 4
        )


@pytest.fixture
def newcomer(start_mooring: StartMooring, start_postgresql: StartPostgreSQL) -> Iterator[Newcomer]:
    """A newcomer with a server, the role and the database of the page, a token and the examples."""
    binary("psql", "postgresql-client-15")
    with start_postgresql() as postgresql, start_mooring(environ=INTERVAL) as mooring:
        [statements] = [text for language, text in blocks(PAGE) if language == "sql"]
        for statement in statements.splitlines():
            postgresql.sql(statement)
        shutil.copytree(ROOT / "examples", mooring.folder / "examples")
        newcomer = Newcomer(mooring, postgresql)
        newcomer.types(only("token create"))
        yield newcomer


@pytest.fixture
def shop(newcomer: Newcomer) -> Iterator[Shop]:
    """The shop, which has begun its reports."""
    with Shop(newcomer) as shop:
        for command in commands("curl"):
            if ":8000" in command:
                newcomer.types(command, shop.port)
        poll_until(lambda: newcomer.agrees(REPORTS), "the server saying what the database says", within=60)
        yield shop
        shop.stop()


def test_the_route_that_leaks_is_named(newcomer: Newcomer, shop: Shop, open_page: OpenPage) -> None:
    """API and page name the route's file and line, and the use as the database does; mended, all is over."""
    poll_until(lambda: len(newcomer.pool()["leaks"]) == REPORTS, "every leak being told", within=60)
    pool = newcomer.pool()
    site = pool["sites"][0]
    # Another alert may be there: of a process that the kernel gave most of the requests.
    alert = next(each for each in pool["alerts"] if each["rule"] == "abandoned")
    assert (site["place"], site["function"]) == (f"examples/orders.py:{leaking_line()}", "report")
    assert (site["open"], site["scope"]) == (REPORTS, "GET /report")
    assert (pool["totals"]["used"], pool["totals"]["limit"]) == (REPORTS, 40)
    assert {leak["kind"] for leak in pool["leaks"]} == {"abandoned"}
    assert (alert["severity"], alert["value"]) == ("critical", REPORTS)
    assert alert["message"].startswith(f"{REPORTS} leases of {site['place']} in GET /report: never returned")
    list_of_pools, past_of_service = commands("/api/v1/pools")
    assert f'"place":"{site["place"]}"' in newcomer.types(list_of_pools, shop.port)
    past = json.loads(newcomer.types(past_of_service, shop.port))
    assert (past["service"], past["pools"], past["window"]) == ("shop", 1, "1h")

    with open_page(newcomer.mooring, "/pools") as page:
        sees_the_leak(page, site["place"])
        mend(newcomer.mooring.folder / "examples" / "orders.py")
        shop.starts_anew()
        sees_its_end(page)
    poll_until(lambda: newcomer.agrees(0), "nothing being in use", within=60)
    newcomer.types(next(each for each in commands("/report") if "seq" in each), shop.port)
    poll_until(lambda: newcomer.agrees(0), "the server saying what the database says", within=60)
    poll_until(lambda: newcomer.pool()["alerts"] == [], "the end of the alert", within=60)
    assert "Traceback" not in shop.log


def sees_the_leak(page: Page, place: str) -> None:
    """Find the pool in the list and open it: line, route and use stand on both pages."""
    row = page.get_by_role("grid", name="Pools").get_by_role("row").filter(has_text="shop/orders")
    expect(row).to_contain_text(f"{REPORTS} of 40")
    expect(row).to_contain_text(f"{REPORTS} abandoned")
    expect(row).to_contain_text(f"{REPORTS} leases of {place} in GET /report: never returned")
    row.get_by_role("link", name="shop/orders").click()
    expect(page.get_by_role("heading", level=1, name="shop/orders")).to_be_visible()
    expect(page.get_by_text(f"{REPORTS} of 40 in use")).to_be_visible()
    holder = page.get_by_role("row").filter(has_text=place)
    expect(holder).to_contain_text("in report · GET /report")
    expect(holder).to_contain_text(f"{REPORTS} of {REPORTS}")


def sees_its_end(page: Page) -> None:
    """See without a reload that nothing is held any more."""
    expect(page.get_by_text(re.compile("^0 of 40 in use"))).to_be_visible(timeout=2 * PATIENCE)
    expect(page.get_by_text("never returned")).to_have_count(0)


def mend(program: Path) -> None:
    """Put the page's route in the place of the one that leaks."""
    before, _, _ = program.read_text().partition('@app.get("/report")')
    [route] = [text for language, text in blocks(PAGE) if language == "python" and "/report" in text]
    program.write_text(before + route)
