"""The book that one process keeps of one pool's leases."""

from __future__ import annotations

import json
import logging
import sys
from asyncio import _get_running_loop, current_task
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import current_thread, local
from time import monotonic_ns
from types import FrameType
from typing import Any
from weakref import ref

from mooring.core import histogram
from mooring.core.clock import Clock, SystemClock
from mooring.core.pool import Leak, LeakKind, PoolSnapshot
from mooring.pools.driver import ByHand, Driver, Gauges
from mooring.pools.errors import Errors
from mooring.pools.events import Callback, Callbacks
from mooring.pools.inspector import Inspector
from mooring.pools.lease import NANOSECONDS, Lease
from mooring.pools.past import Aggregate, Past, Sample
from mooring.pools.picture import picture, plain
from mooring.pools.rules import Rules
from mooring.pools.scope import SCOPE
from mooring.pools.site import BUCKETS, Sites
from mooring.pools.watch import Watch, watch_of_this_process

MOST_FAULTS = 20
"""Faults of our own after which the tracker switches itself off."""

log = logging.getLogger(__name__)


class _Here(local):
    """The thread that runs."""

    def __init__(self) -> None:
        self.thread = ref(current_thread())


class PoolTracker:
    """Who holds which connection of one pool, since when and from which line.

    Safe to use from any thread and task. On the path of a checkout it takes no lock, does no input or
    output, and never raises. Counts are exact under CPython's lock; the free-threaded build is untried.
    After a fork the child begins with an empty book.

    Args:
        service: the program, such as `checkout`; a server sums its processes.
        name: the pool, unique within the service.
        max_size: how many connections there may be, where no driver tells.
        driver: what tells of the pool and its connections.
        rules: when to alert, and what counts as held for long.
        watch: what looks after it; by default the one of this process.
        clock: for tests.
    """

    def __init__(
        self,
        service: str,
        name: str = "main",
        *,
        max_size: int | None = None,
        driver: Driver | None = None,
        rules: Rules | None = None,
        watch: Watch | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.service = service
        self.name = name
        self.driver = driver or ByHand(max_size)
        self.rules = rules or Rules()
        self.clock = clock or SystemClock()
        self.sites = Sites()
        self.active = True
        self.instrumented: Any = None
        """What `mooring.instrument` hooked it into."""
        self.feed: deque[tuple[str, float]] | None = None
        """Where set, takes each wait, use and create time, for an exporter that needs them one by one."""
        self._now = monotonic_ns if clock is None else _nanoseconds_of(clock)
        self._here = _Here()
        self._callbacks = Callbacks(self.broken)
        self._begin()
        self.watch = watch or watch_of_this_process()
        self.watch.add(self)

    def _begin(self) -> None:
        """Begin an empty book."""
        self._began = self._now()
        self.open: dict[Lease, None] = {}
        self.waits, self.creates = [0] * BUCKETS, [0] * BUCKETS
        self.asked = self.answered = self.timeouts = 0
        self.created_total = self.closed_total = self.unmatched = self.forgotten = self.faults = 0
        self.peak = 0
        """The most leases at once since the last look."""
        self.errors = Errors(self.clock)
        self.past = Past()
        self.sites.forget_counts()
        self._known = self.sites.known
        self.told: dict[Lease, Leak] = {}
        """What was told of leases as leaks, so that their return is told, too."""
        self.inspector = Inspector(self)

    def ask(self) -> int:
        """Say that a connection is asked for. Give the number to `track` or to `gave_up`."""
        self.asked += 1
        return self._now()

    def track(
        self,
        operation: str | None = None,
        *,
        connection: ref[Any] | None = None,
        asked: int | None = None,
        frame: FrameType | None = None,
    ) -> Lease:
        """Note a checkout, and return its lease, which is given to `release` or used in a `with` block.

        Args:
            operation: what it is for, in the application's words.
            connection: the driver's connection, weakly.
            asked: what `ask` returned.
            frame: the frame of the application; by default the caller's.
        """
        now = self._now()
        try:
            if frame is None:
                frame = sys._getframe(1)  # noqa: SLF001 -- inspect's way costs ten times as much
            site = self._known.get(id(frame.f_code) + frame.f_lasti) or self.sites.add(frame)
            loop = _get_running_loop()
            task = None if loop is None else current_task(loop)
            owner = self._here.thread if task is None else ref(task)
            lease = Lease(self, now, site, owner, operation, connection, SCOPE.get())
            if asked is not None:
                self.answered += 1
                self._took("wait", self.waits, now - asked)
            if self.active:
                opened = self.open
                opened[lease] = None
                used = len(opened)
                if used > self.peak:  # noqa: PLR1730 -- threads may switch at a call, and here is none
                    self.peak = used
            return lease  # noqa: TRY300
        except Exception as error:
            self.broken(error)
            return Lease(self, 0, self.sites.rest, ref(self), operation, None, None)

    lease = track

    def release(self, lease: Lease) -> None:
        """Note that a lease was returned. To return it twice is counted, and does no harm."""
        try:
            held = self._now() - lease.began | 8
            del self.open[lease]
            octave = held.bit_length()
            # The bucket as core/histogram.py has it: to call it would cost as much as all the rest.
            lease.site.used[(octave << 2) - 8 + (held >> octave - 3 & 3)] += 1
            if self.feed is not None:
                self.feed.append(("use", held / NANOSECONDS))
            if self.told:
                self.inspector.returned(lease)
        except KeyError:
            if lease.began >= self._began:  # else it is of an older book, or was never in one
                self.unmatched += 1
        except Exception as error:
            self.broken(error)

    def gave_up(self, *, timed_out: bool = False) -> None:
        """Say that what was asked for did not come: the time was over, or the request was cancelled."""
        self.answered += 1
        self.timeouts += timed_out

    def created(self, seconds: float | None = None) -> None:
        """Say that the pool opened a connection, and how long that took."""
        self.created_total += 1
        if seconds is not None:
            self._took("create", self.creates, int(seconds * NANOSECONDS))

    def closed(self) -> None:
        """Say that the pool closed a connection."""
        self.closed_total += 1

    def record_error(self, error: BaseException, *, operation: str | None = None) -> None:
        """Count an error of the application; those of a login or session are counted apart."""
        try:
            self.errors.add(error, operation)
        except Exception as fault:
            self.broken(fault)

    def on(self, event: str, callback: Callback) -> None:
        """Call back on an event of `mooring.pools.events`, from the thread that watches.

        What the callback raises is counted as a fault. Raises ValueError for an unknown event.
        """
        self._callbacks.on(event, callback)

    def tell(self, event: str, what: Any) -> None:
        """Call what waits for an event."""
        self._callbacks.tell(event, what)

    @property
    def used(self) -> int:
        """Connections that are out: as many as the driver says, else as many as are tracked."""
        gauges = self.gauges()
        if gauges.size is None or gauges.idle is None:
            return len(self.open)
        return max(0, gauges.size - gauges.idle)

    @property
    def taken(self) -> int:
        """Leases that were ever taken."""
        returned = sum(sum(site.used) for site in self.sites.all())
        return returned + len(self.open) + self.forgotten

    @property
    def waiting(self) -> int:
        """Requests that have no connection yet."""
        return max(0, self.asked - self.answered)

    @property
    def utilization(self) -> float:
        """Used connections as a share of the limit; 0 without a limit."""
        limit = self.gauges().limit
        return self.used / limit if limit else 0.0

    def gauges(self) -> Gauges:
        """Return what the driver tells of its pool; nothing where it fails."""
        try:
            return self.driver.gauges()
        except Exception as error:
            self.broken(error)
            return Gauges()

    def snapshot(self) -> PoolSnapshot:
        """Return the pool as it stands."""
        return picture(self)

    def stats(self) -> dict[str, Any]:
        """Return the snapshot as a plain dictionary, fit for JSON."""
        told: dict[str, Any] = plain(picture(self))
        return {**told, "utilization": self.utilization}

    def leaks(self) -> Sequence[Leak]:
        """Return what was found of leases that are not returned, at the last look."""
        return tuple(self.inspector.leaks.values())

    def history(self) -> Sequence[Sample]:
        """Return a sample for each half minute of the last day, the oldest first."""
        return self.past.samples()

    def aggregated(self, hours: float = 24) -> Aggregate:
        """Return what the last hours add up to. Raises ValueError for no time at all."""
        return self.past.aggregated(hours, self.clock.now())

    def export_json(self, path: str | Path) -> None:
        """Write the pool as it stands, its errors and its past to a file. Raises OSError."""
        told = {
            "pool": self.stats(),
            "errors": plain(list(self.errors.kept)),
            "history": plain(list(self.history())),
        }
        Path(path).write_text(json.dumps(told, indent=2), encoding="utf-8")

    def cleanup(self) -> int:
        """Forget the abandoned leases, and return how many they were. Closes no connection."""
        abandoned = [lease for lease, leak in self.inspector.leaks.items() if leak.kind is LeakKind.ABANDONED]
        return sum(self.forget(lease) for lease in abandoned)

    def forget(self, lease: Lease) -> bool:
        """Take a lease out of the book, though it was not returned."""
        if self.open.pop(lease, self) is self:
            return False
        self.forgotten += 1
        return True

    def reset(self) -> None:
        """Begin an empty book: all leases and counts are forgotten. No connection is closed."""
        self._begin()

    def stop(self) -> None:
        """Track no more leases; those that are out are still seen when they come back."""
        self.active = False

    def start(self) -> None:
        """Track leases again, also after the tracker switched itself off."""
        self.faults = 0
        self.active = True

    def close(self) -> None:
        """Send a last report where reports are sent, and be looked after no more."""
        self.stop()
        self.watch.remove(self)

    def broken(self, error: Exception) -> None:
        """Count a fault of our own, and switch off after too many. Never raises."""
        self.faults += 1
        if self.faults == 1:
            log.warning("a fault in the tracking of %s/%s", self.service, self.name, exc_info=error)
        if self.faults >= MOST_FAULTS and self.active:
            self.active = False
            log.error("tracking of %s/%s is off after %d faults", self.service, self.name, self.faults)

    def _took(self, what: str, counts: list[int], nanoseconds: int) -> None:
        counts[histogram.index_of(nanoseconds)] += 1
        if self.feed is not None:
            self.feed.append((what, nanoseconds / NANOSECONDS))


def _nanoseconds_of(clock: Clock) -> Callable[[], int]:
    return lambda: int(clock.monotonic() * NANOSECONDS)
