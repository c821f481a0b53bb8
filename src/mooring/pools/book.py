"""What is known of one pool in one process."""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Callable, Hashable
from time import monotonic_ns
from typing import Any

from mooring.core.clock import Clock, SystemClock
from mooring.core.pool import Leak, LeakKind, PoolAlert
from mooring.pools.driver import ByHand, Driver, Gauges
from mooring.pools.errors import Errors
from mooring.pools.events import Callback, Callbacks
from mooring.pools.lease import NANOSECONDS, Lease
from mooring.pools.past import Past
from mooring.pools.rules import Rules
from mooring.pools.site import BUCKETS, Sites

MOST_FAULTS = 20
"""Faults of our own after which a tracker switches itself off."""
LONGEST_NAME = 200
STACKS_FROM = 8
"""For a pool without a limit."""
MOST_LOST = 100
"""Lost leases that are kept, the newest ones."""

log = logging.getLogger(__name__)


class Book:
    """The leases, counts and findings of one pool. `PoolTracker` writes in it on every checkout."""

    def __init__(
        self,
        service: str,
        name: str,
        *,
        max_size: int | None,
        driver: Driver | None,
        rules: Rules | None,
        clock: Clock | None,
    ) -> None:
        self.service = _name("service", service)
        self.name = _name("name", name)
        self.driver = driver or ByHand(_limit(max_size))
        self.rules = _rules(rules)
        self.clock = clock or SystemClock()
        self.sites = Sites()
        self.active = True
        self.feed: deque[tuple[str, float]] | None = None
        """Where set, takes each wait, use and create time, for an exporter that needs them one by one."""
        self.news = 0
        """Leases that were found abandoned, and critical alerts: to be told soon. Only grows."""
        self._now = monotonic_ns if clock is None else _nanoseconds_of(clock)
        self._callbacks = Callbacks(self._called_in_vain)
        self.asked = self.given_up = 0
        self.waits: list[int] = []
        self._begin()

    def _begin(self) -> None:
        """Begin an empty book."""
        self._began = self._now()
        self.open: dict[Lease, None] = {}
        self._forget_waits()
        self.creates = [0] * BUCKETS
        self.created_total = self.closed_total = self.timeouts = 0
        self.unmatched = self.forgotten = self.faults = 0
        self._excused = 0
        """Faults before the last start, and those that are not ours."""
        self.peak = 0
        """The most leases at once since the last look."""
        self.stacks_from = STACKS_FROM
        """From how many leases on it is noted which lines led to a checkout: that costs as much again."""
        self.highest = 0
        """The most that were used at once at all, as of the last look."""
        self.errors = Errors(self.clock)
        self.past = Past()
        self.sites.forget_counts()
        self._known = self.sites.known
        self.found: dict[Lease, Leak] = {}
        """The leases that are not returned, as of the last look."""
        self.alerts: tuple[PoolAlert, ...] = ()
        """The alerts that are open, as of the last look."""
        self.gone: deque[Lease] = deque(maxlen=MOST_LOST)
        """The newest leases that were lost: their connection became garbage, and is out no more."""

    def _forget_waits(self) -> None:
        """Count waits from zero. Who waits still does, whatever threads do meanwhile and whoever looks."""
        counted, none = self.waits, [0] * BUCKETS
        answered = sum(counted)  # apart: threads may switch at a call
        self.given_up += answered
        self.waits = none
        more = sum(counted) - answered
        self.given_up += more

    def on(self, event: str, callback: Callback, *, key: Hashable | None = None) -> None:
        """Call back on an event of `mooring.pools.events`, from the thread that watches.

        With a `key` only the first callback is taken that has it: to say the same again does no harm.
        It has to return soon: while it does not, nothing is found, and a fork waits for it up to a second.
        What the callback raises is counted as a fault, which does not switch tracking off. Raises ValueError
        for an unknown event, and TypeError for a coroutine function.
        """
        self._callbacks.on(event, callback, key)

    def tell(self, event: str, what: Any) -> None:
        """Call what waits for an event."""
        self._callbacks.tell(event, what)

    @property
    def used(self) -> int:
        """Connections that are out: as many as the driver says, else as many as are tracked."""
        return self.used_of(self.gauges())

    def used_of(self, gauges: Gauges) -> int:
        """Return the connections that are out, by what the driver told a moment ago."""
        if gauges.size is None or gauges.idle is None:
            return len(self.open)
        return max(0, gauges.size - gauges.idle)

    @property
    def returned(self) -> int:
        """Leases that came back."""
        return sum(sum(site.used) for site in self.sites.all())

    @property
    def taken(self) -> int:
        """Leases that were ever taken."""
        return self.returned + len(self.open) + self.forgotten

    @property
    def waiting(self) -> int:
        """Requests that have no connection yet: each that got one has its wait counted."""
        return max(0, self.asked - sum(self.waits) - self.given_up)

    @property
    def utilization(self) -> float:
        """Used connections as a share of the limit; 0 without a limit."""
        gauges = self.gauges()
        return self.used_of(gauges) / gauges.limit if gauges.limit else 0.0

    def gauges(self) -> Gauges:
        """Return what the driver tells of its pool; nothing where it fails."""
        try:
            return self.driver.gauges()
        except Exception as error:
            self.broken(error)
            return Gauges()

    def reset(self) -> None:
        """Begin an empty book: all leases and counts are forgotten. No connection is closed."""
        self._begin()

    def forked(self) -> None:
        """Begin an empty book in a child process: the leases and who waits are the parent's."""
        self.reset()
        self.asked = self.given_up = 0
        try:
            self.driver.forked()
        except Exception as error:
            self.broken(error)

    def cleanup(self) -> int:
        """Forget the abandoned leases, and return how many they were. Closes no connection."""
        abandoned = [lease for lease, leak in self.found.items() if leak.kind is LeakKind.ABANDONED]
        return sum(self.forget(lease) for lease in abandoned)

    def forget(self, lease: Lease) -> bool:
        """Take a lease out of the book, though it was not returned."""
        lease.forgotten = True
        if self.open.pop(lease, self) is self:
            return False
        self.forgotten += 1
        return True

    def stop(self) -> None:
        """Track no more leases, and find nothing. That those that are out come back is still counted."""
        self.active = False
        self.find_nothing()

    def find_nothing(self) -> None:
        """Forget what was found, since it is not seen any more whether it is so."""
        self.found, self.alerts = {}, ()

    def start(self) -> None:
        """Track leases again, also after the tracker switched itself off."""
        self._excused = self.faults
        self.active = True

    @property
    def is_off(self) -> bool:
        """Whether there were too many faults of our own."""
        return self.faults - self._excused >= MOST_FAULTS

    def _called_in_vain(self, error: BaseException) -> None:
        """Count what a callback raised: the application's own fault, or its chat's that is down."""
        self._excused += 1
        self._count(error)

    def broken(self, error: Exception) -> None:
        """Count a fault of our own, and switch off after too many. Never raises.

        What a signal's handler raises amid our code is kept, too: docs/decisions/0013-pools.md says why.
        """
        if sys.is_finalizing():  # nothing can be imported any more, and nobody is there to be told
            return
        # That a program is at the end of its memory or stack says nothing of us.
        self._excused += isinstance(error, MemoryError | RecursionError)
        self._count(error)
        if self.is_off and self.active:
            self.stop()
            log.error("tracking of %s/%s is off after %d faults", self.service, self.name, self.faults)

    def _count(self, error: BaseException) -> None:
        self.faults += 1
        if self.faults == 1:
            log.warning("a fault in the tracking of %s/%s", self.service, self.name, exc_info=error)


def _nanoseconds_of(clock: Clock) -> Callable[[], int]:
    return lambda: int(clock.monotonic() * NANOSECONDS)


def _name(what: str, value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value.strip()) <= LONGEST_NAME:
        raise ValueError(f"{what}: {value!r:.80} is no name; give 1 to {LONGEST_NAME} printable characters")
    return value


def _rules(given: object) -> Rules:
    if given is None:
        return Rules()
    if not isinstance(given, Rules):
        raise TypeError(f"rules: {given!r:.80} is no Rules; give mooring.pools.Rules(held=30) or the like")
    return given.checked()


def _limit(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"max_size: {value!r:.80} is no number of connections; give 1 or more, or None")
    return value
