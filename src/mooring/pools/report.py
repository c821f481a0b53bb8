"""What a process tells the server of its pools: one report for each service."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from mooring.core.clock import Clock
from mooring.core.pool import PoolSnapshot
from mooring.core.redact import Redactor
from mooring.core.report import Instance, PoolReport
from mooring.core.shown import Shown
from mooring.pools.picture import plain
from mooring.pools.watched import Watched

VERSION = 1
MOST_POOLS = 100
"""Pools in one report."""
LONGEST = 500
"""Characters of a text."""
LONGEST_NAME = 95
"""Characters of the name of a pool or service: the server makes one name of both."""
MOST_CONNECTIONS = 1_000_000
"""Where a driver tells of more it means that there is no limit."""
MOST_HALVINGS = 13
"""How often a report can be halved: first its details, then the number of its pools."""
_DETAILS = ("sites", "leaks", "alerts")
_NUMBERS = ("size", "idle", "limit", "least")
_HALVINGS_OF_DETAILS = 7
_MOST_DETAILS = 64
"""Of each sort in one pool."""


def this_instance(clock: Clock) -> Instance:
    """Return what tells this process from the others of its service; the id is new each time."""
    import socket

    return Instance(os.urandom(16).hex(), socket.gethostname(), os.getpid(), clock.now())


def pictures(pools: Mapping[str, Watched]) -> dict[str, PoolSnapshot]:
    """Return the pools as they stand, but for those that cannot tell."""
    told: dict[str, PoolSnapshot] = {}
    for name, tracker in pools.items():
        try:
            told[name] = tracker.snapshot()._replace(name=name)
        except Exception as error:
            tracker.broken(error)
    return told


def room(halvings: int) -> int:
    """Return how many pools a report may tell of that was halved so often."""
    return max(1, MOST_POOLS >> max(0, halvings - _HALVINGS_OF_DETAILS))


class Wording:
    """Makes what is reported fit to leave the process: no secrets, nothing that does harm, an end to it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._shown = Shown(Redactor(secrets))
        self._names: WeakKeyDictionary[Watched, tuple[str, str]] = WeakKeyDictionary()

    def packed(self, report: PoolReport, halvings: int = 0) -> bytes:
        """Return a report as compressed JSON, its details halved so often: the server found it too large."""
        import gzip

        told = plain(report)
        text = cache(self.text)  # the same few lines of code and words are told again and again
        pools = [_pool(pool, _MOST_DETAILS >> halvings, text) for pool in told["pools"]]
        body = json.dumps({"version": VERSION, **told, "pools": pools}, separators=(",", ":"))
        return gzip.compress(body.encode(), 5)

    def text(self, text: str) -> str:
        """Return what may be told of a text."""
        return self._shown.text(text, LONGEST)

    def names(self, tracker: Watched) -> tuple[str, str]:
        """Return under which service and name a tracker is told; the same for as long as it lives.

        Of two pools with one name, the second one gets a number: the server must not take them for one.
        """
        known = self._names.get(tracker)
        if known is None:
            taken = set(self._names.values())
            service, name = self._name(tracker.service), self._name(tracker.name)
            known, number = (service, name), 1
            while known in taken:
                number += 1
                known = service, f"{name[: LONGEST_NAME - 8]}-{number}"
            self._names[tracker] = known
        return known

    def forget(self, tracker: Watched) -> None:
        """Let another tracker have the name."""
        self._names.pop(tracker, None)

    def _name(self, text: str) -> str:
        return " ".join(self._shown.text(text, LONGEST_NAME).split()) or "unnamed"


def _pool(pool: Mapping[str, Any], most: int, text: Callable[[str], str]) -> dict[str, Any]:
    told = {key: _fit(value, text) for key, value in pool.items() if key != "service"}
    told["name"] = pool["name"]  # it is fit already, and what a wish names the pool by
    told |= {key: told[key][:most] for key in _DETAILS}
    return told | {key: _possible(told[key]) for key in _NUMBERS}


def _fit(value: Any, text: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return {key: _fit(each, text) for key, each in value.items()}
    if isinstance(value, list):
        return [_fit(each, text) for each in value]
    return value if not isinstance(value, float) or math.isfinite(value) else None


def _possible(number: int | None) -> int | None:
    return number if number is not None and 0 <= number <= MOST_CONNECTIONS else None
