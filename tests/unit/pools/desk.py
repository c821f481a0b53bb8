"""A reporter of pools that a test runs by hand, by a clock that it steps."""

from __future__ import annotations

from typing import Any

from mooring.pools import PoolTracker, Watch
from mooring.pools.reporter import Reporter
from tests.report_server import TOKEN, ReportServer
from tests.unit.pools.stepped import StepClock


class Desk:
    """A watch, its reporter and a clock."""

    def __init__(self, server: ReportServer, **options: Any) -> None:
        self.clock = StepClock()
        self.clock.seconds = 0.0
        self.watch = Watch(threaded=False)
        options = {"token": TOKEN, "random": lambda: 1.0, **options}
        self.reporter = Reporter(
            options.pop("url", server.url), watch=self.watch, threaded=False, clock=self.clock, **options
        )
        self.watch._reporter = self.reporter

    def tracker(self, service: str = "shop", name: str = "main", **options: Any) -> PoolTracker:
        return PoolTracker(service, name, watch=self.watch, clock=self.clock, **options)

    def round(self) -> float:
        """Report, step the clock to the next time, and return how long that was."""
        delay = self.reporter.round()
        self.clock.seconds += delay
        return delay
