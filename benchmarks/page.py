"""How fast the dashboard is with many targets, in a real Chromium.

    python -m benchmarks.page

The server is real and so are its commits: push targets with a day of history, whose reports go through
the engine into the store and from there over the event stream to the page. Opening begins with an empty
cache and ends when the rows are painted and the search has left one of them; a latency is the browser's
own Event Timing, from a key or a press to the next paint; a load is what came over the wire.
"""

from __future__ import annotations

import json
import math
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page

from benchmarks._serving import percentile, verdict
from mooring.core.histogram import pack
from tests.servers.chromium import browsing
from tests.servers.process import private_folder

FEW, MANY = 1000, 10_000
OPENINGS = 5
USABLE = {FEW: 1.5, MANY: 3.0}
BURST, BURSTS, REACTION = 500, 6, 0.100
FIRST_LOAD = 350_000
ROUNDS = 120
"""What 1,000 targets tell in an hour, when each is checked every 30 s."""
GROWTH = 0.10
SLOT, SLOTS = 600, 144
"""A day of roll-ups."""


class Jobs:
    """A server process of benchmarks/_jobs.py, and how it is told what to do."""

    def __init__(self, folder: Path, count: int) -> None:
        command = [sys.executable, "-m", "benchmarks._jobs", str(folder), str(count)]
        root = Path(__file__).parents[1]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, text=True)
        self.url, self.token = self._line().split()

    def begin(self, word: str, number: int) -> None:
        """Have it do something."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word} {number}\n")
        self._process.stdin.flush()

    def end(self) -> float:
        """Wait until that is done; return the seconds it took."""
        return float(self._line())

    def close(self) -> None:
        """Stop the server."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError("the server ended")
        return line


def main() -> None:
    """Measure and print."""
    with browsing() as browser:
        with serving(FEW) as jobs:
            tell_opening(browser, jobs, FEW)
            with showing(browser, jobs) as page:
                tell_burst(page, jobs)
            with showing(browser, jobs) as page:
                tell_memory(page, jobs)
        with serving(MANY) as jobs:
            tell_opening(browser, jobs, MANY)


@contextmanager
def serving(count: int) -> Iterator[Jobs]:
    """Run a server of that many targets which have a day behind them."""
    with private_folder() as folder:
        Jobs(folder, count).close()
        fill(sqlite3.connect(folder / "mooring.db"))
        jobs = Jobs(folder, count)
        try:
            yield jobs
        finally:
            jobs.close()


def fill(database: sqlite3.Connection) -> None:
    """Store the latencies of a day, so that every row has its line."""
    ids = [row[0] for row in database.execute("SELECT id FROM targets")]
    histogram, last = pack({10: 20}), int(time.time()) // SLOT
    values = (
        (SLOT, last - slot, target, 20, 0, 80_000 + slot * 100, 3000, 9000, histogram)
        for slot in range(1, SLOTS)
        for target in ids
    )
    columns = "seconds, slot, target_id, checks, failures, sum, min, max, histogram"
    database.executemany(f"INSERT INTO rollups ({columns}) VALUES (?,?,?,?,?,?,?,?,?)", values)
    database.commit()
    database.close()


def tell_opening(browser: Browser, jobs: Jobs, count: int) -> None:
    """Print how long it takes until the page can be used, and what has to be loaded for it."""
    took, sizes = zip(*(opening(browser, jobs, count) for _ in range(OPENINGS)), strict=True)
    usable, goal = statistics.median(took), USABLE[count]
    print(
        f"{count:,} targets, usable after: {usable:.2f} s (worst of {OPENINGS}: {max(took):.2f})"
        f"   goal <= {goal:g} s: {verdict(usable, goal)}"
    )
    if count == FEW:
        page, api = sizes[0]
        print(
            f"first load of the page: {page / 1e3:.0f} kB, beside {api / 1e3:.0f} kB of answers"
            f"   goal <= {FIRST_LOAD / 1e3:.0f} kB: {verdict(page, FIRST_LOAD)}"
        )


def opening(browser: Browser, jobs: Jobs, count: int) -> tuple[float, tuple[int, int]]:
    """Open the page with nothing in the cache; return the seconds, and the bytes of page and answers."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = signed_in(context.new_page(), jobs)
    sizes = Sizes(context.new_cdp_session(page))
    page.goto(jobs.url, wait_until="commit")
    page.wait_for_function(ROWS, arg=count + 1, polling="raf")
    page.keyboard.press("/")
    page.keyboard.insert_text(f"{count // 2:05}")
    page.wait_for_function(ROWS, arg=2, polling="raf")
    seconds = page.evaluate("performance.now() / 1000")
    context.close()
    return seconds, (sizes.page, sizes.api)


ROWS = """(wanted) => {
    const table = document.querySelector('[role=grid]')
    const drawn = document.querySelectorAll('[role=row] a').length
    return Number(table?.getAttribute('aria-rowcount')) === wanted && drawn > 0
}"""
"""Whether the list has this many rows, and those in sight are drawn."""


class Sizes:
    """Counts what comes over the wire."""

    def __init__(self, session: CDPSession) -> None:
        self.page = self.api = 0
        self._urls: dict[str, str] = {}
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.loadingFinished", self._loaded)
        session.send("Network.enable")

    def _asked(self, event: dict[str, object]) -> None:
        request = event["request"]
        assert isinstance(request, dict)
        self._urls[str(event["requestId"])] = str(request["url"])

    def _loaded(self, event: dict[str, object]) -> None:
        size = int(str(event["encodedDataLength"]).split(".")[0])
        if "/api/" in self._urls.get(str(event["requestId"]), ""):
            self.api += size
        else:
            self.page += size


def signed_in(page: Page, jobs: Jobs) -> Page:
    """Sign in."""
    answer = page.request.post(f"{jobs.url}/api/v1/session", data={"token": jobs.token})
    assert answer.status == 201, answer.text()
    return page


@contextmanager
def showing(browser: Browser, jobs: Jobs) -> Iterator[Page]:
    """Show the overview."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = signed_in(context.new_page(), jobs)
    page.goto(jobs.url)
    page.wait_for_function(ROWS, arg=FEW + 1)
    yield page
    context.close()


def tell_burst(page: Page, jobs: Jobs) -> None:
    """Print how soon the page answers to keys and presses while 500 statuses change in a second."""
    page.evaluate(WATCH)
    took = []
    for _ in range(BURSTS):
        jobs.begin("change", BURST)
        interact(page)
        took.append(jobs.end())
    page.wait_for_timeout(500)
    latencies = page.evaluate("[...window.latencies.values()]")
    unseen = page.evaluate("performance.interactionCount") - len(latencies)
    p95 = percentile([*latencies, *[SHORTEST] * max(0, unseen)], 0.95) / 1e3
    print(
        f"{BURST} changes in {statistics.median(took):.1f} s, interaction latency p95: {p95 * 1e3:.0f} ms"
        f" of {len(latencies) + unseen} (worst {max(latencies, default=0):.0f})"
        f"   goal <= {REACTION * 1e3:.0f} ms: {verdict(p95, REACTION)}"
    )


SHORTEST = 16
"""Milliseconds: what is quicker, the browser does not tell one by one."""
WATCH = f"""() => {{
    window.latencies = new Map()
    new PerformanceObserver((list) => {{
        for (const {{ interactionId, duration }} of list.getEntries()) {{
            if (interactionId === 0) continue
            const known = window.latencies.get(interactionId) ?? 0
            window.latencies.set(interactionId, Math.max(known, duration))
        }}
    }}).observe({{ type: 'event', durationThreshold: {SHORTEST} }})
}}"""


def interact(page: Page) -> None:
    """Type, and press buttons, for about as long as a burst lasts."""
    page.get_by_role("searchbox").click()
    for letter in "shop":
        page.keyboard.press(letter, delay=20)
    for _ in "shop":
        page.keyboard.press("Backspace", delay=20)
    down = page.get_by_role("group", name="Filter by status").get_by_role("button", name="Down")
    down.click()
    down.click()


def tell_memory(page: Page, jobs: Jobs) -> None:
    """Print how much more memory the page holds after an hour's events than before."""
    feed(jobs, ROUNDS // 2)  # what is made once, and what is kept up to a bound, is there by then
    before = heap(page)
    feed(jobs, ROUNDS)
    after = heap(page)
    growth = after / before - 1
    print(
        f"page memory, {before / 1e6:.1f} MB, after {ROUNDS * FEW:,} results more: {after / 1e6:.1f} MB,"
        f" {growth:+.1%}   goal <= {GROWTH:+.0%}: {verdict(growth, GROWTH)}"
    )


def feed(jobs: Jobs, rounds: int) -> None:
    """Let all targets report that many times, and some change their status between."""
    for _ in range(math.ceil(rounds / 10)):
        jobs.begin("steady", 10)
        jobs.end()
        jobs.begin("change", BURST)
        jobs.end()


def heap(page: Page) -> int:
    """Return the bytes of the page's objects that are still in use.

    Without what V8 compiles: it goes on optimising functions for hours, and drops code under pressure.
    """
    page.wait_for_timeout(3000)  # toasts and what is under way
    session = page.context.new_cdp_session(page)
    chunks: list[str] = []
    session.on("HeapProfiler.addHeapSnapshotChunk", lambda event: chunks.append(event["chunk"]))
    session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    session.detach()
    taken = json.loads("".join(chunks))
    fields, nodes = taken["snapshot"]["meta"]["node_fields"], taken["nodes"]
    code = taken["snapshot"]["meta"]["node_types"][0].index("code")
    kinds, sizes = fields.index("type"), fields.index("self_size")
    each = range(0, len(nodes), len(fields))
    return sum(nodes[at + sizes] for at in each if nodes[at + kinds] != code)


if __name__ == "__main__":
    main()
