"""A program with more pools than one report has room for, and a running server."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from mooring.pools import PoolTracker, Watch
from tests.servers.mooring import Mooring, StartMooring
from tests.servers.process import poll_until

pytestmark = pytest.mark.integration

MANY = 230


def pools(mooring: Mooring) -> list[dict[str, Any]]:
    """Return all pools that the server knows."""
    with mooring.client() as client:
        return list(client.get("/api/v1/pools").raise_for_status().json()["items"])


def test_every_pool_is_known_and_its_end_too(start_mooring: StartMooring) -> None:
    """The server has each of them as used, and after the program's end with all that was counted."""
    with start_mooring() as mooring:
        watch = Watch()
        trackers = [PoolTracker("shop", f"pool-{number}", watch=watch) for number in range(MANY)]
        leases = [tracker.track() for tracker in trackers]
        watch.report_to(mooring.url, mooring.folder / "mooring.token", interval=1)
        poll_until(lambda: len(pools(mooring)) == MANY, "all of the pools", within=20)
        poll_until(
            lambda: all(each["totals"]["used"] == 1 for each in pools(mooring)), "what is used", within=20
        )
        for lease in leases:
            lease.tracker.release(lease)
        watch.close()
        told = [each["totals"] for each in pools(mooring)]
        assert Counter((each["instances"], each["taken"], each["returned"]) for each in told) == {
            (0, 1, 1): MANY
        }
        assert sum(tracker.faults for tracker in trackers) == 0
