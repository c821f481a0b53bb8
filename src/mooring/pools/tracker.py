"""Keeps the book of one pool's leases."""

from __future__ import annotations

import sys
from asyncio import _get_running_loop, tasks
from collections.abc import Callable, Iterable, Sequence
from threading import current_thread, local
from types import FrameType
from typing import TYPE_CHECKING, Any
from weakref import ref

from mooring.core.clock import Clock
from mooring.core.histogram import index_of
from mooring.core.pool import Leak, PoolSnapshot
from mooring.pools.book import Book
from mooring.pools.driver import Driver
from mooring.pools.inspector import Inspector
from mooring.pools.lease import NANOSECONDS, NEVER, Lease
from mooring.pools.past import Aggregate, Sample
from mooring.pools.picture import picture, plain
from mooring.pools.rules import Rules
from mooring.pools.scope import SCOPE, ThreadRef
from mooring.pools.site import Site
from mooring.pools.watch import Watch, watch_of_this_process

if TYPE_CHECKING:
    import os

task_of: Callable[[Any], Any] = (
    tasks.current_task
    if sys.version_info >= (3, 12)
    else vars(tasks)[
        "_current_tasks"
    ].get  # current_task() is written in Python there, and three times as slow
)
_scope = SCOPE.get


class _Here(local):
    """The thread that runs."""

    def __init__(self) -> None:
        self.thread = ThreadRef(current_thread())


class PoolTracker(Book):
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

    Raises:
        ValueError: for a name that is none, a size below one, or rules that no pool can follow.
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
        super().__init__(service, name, max_size=max_size, driver=driver, rules=rules, clock=clock)
        self._here = _Here()
        self.inspector = Inspector(self)
        self.instrumented: Any = None
        """What `mooring.instrument` hooked it into."""
        self.watch = watch or watch_of_this_process()
        self.watch.add(self)

    def ask(self) -> int:
        """Say that a connection is asked for. Give the number to `track` or to `gave_up`."""
        self.asked += 1
        try:
            now = self._now  # apart: until Python 3.12 calling what an attribute holds takes twice as long
            return now()
        except Exception as error:
            self.broken(error)
            return 0

    def track(
        self,
        operation: str | None = None,
        connection: ref[Any] | None = None,
        asked: int | None = None,
        frame: FrameType | None = None,
        site: Site | None = None,
    ) -> Lease:
        """Note a checkout, and return its lease, which is given to `release` or used in a `with` block.

        Args:
            operation: what it is for, in the application's words.
            connection: the driver's connection, weakly.
            asked: what `ask` returned.
            frame: the frame of the application; by default the caller's. site: its line, if that is known.
        """
        lease = Lease()
        try:
            lease.tracker = self
            lease.operation = operation
            lease.resource = connection
            lease.scope = _scope()
            if frame is None:
                frame = sys._getframe(1)  # noqa: SLF001 -- inspect's way costs ten times as much
            lease.site = site or self._known.get(id(frame.f_code) + frame.f_lasti) or self.sites.add(frame)
            task = None if (loop := _get_running_loop()) is None else task_of(loop)
            lease.owner = self._here.thread if task is None else ref(task)
            clock = self._now
            lease.began = now = clock()
            if self.active:
                opened = self.open
                opened[lease] = None
                used = len(opened)
                if used > self.peak:  # noqa: PLR1730 -- threads may switch at a call, and here is none
                    self.peak = used
                if used >= self.stacks_from:
                    lease.stack = self.sites.stack(frame)
            else:
                lease.began = NEVER
            if asked is not None:  # the last that may fail: who asked is answered once
                if self.feed is not None:
                    self.feed.append(("wait", (now - asked) / NANOSECONDS))
                waited = now - asked | 8
                octave = waited.bit_length()  # as in release: no call
                self.waits[(octave << 2) - 8 + (waited >> octave - 3 & 3)] += 1
        except Exception as error:
            self._not_noted(lease, asked)
            self.broken(error)
        return lease

    lease = track

    def release(self, lease: Lease) -> None:
        """Note that a lease was returned. To return it twice is counted, and does no harm."""
        try:
            now = self._now
            held = now() - lease.began | 8
            del self.open[lease]
            octave = held.bit_length()
            # The bucket as core/histogram.py has it: to call it would cost as much as all the rest.
            lease.site.used[(octave << 2) - 8 + (held >> octave - 3 & 3)] += 1
            if self.feed is not None:
                self.feed.append(("use", held / NANOSECONDS))
        except KeyError:
            if (
                lease.began >= self._began and not lease.is_forgotten
            ):  # else it is of an older book, or of none
                self.unmatched += 1
        except Exception as error:
            self.broken(error)

    def gave_up(self, *, timed_out: bool = False) -> None:
        """Say that what was asked for did not come: the time was over, or the request was cancelled."""
        self.given_up += 1
        self.timeouts += timed_out

    def created(self, seconds: float | None = None) -> None:
        """Say that the pool opened a connection, and how long that took."""
        self.created_total += 1
        try:
            if seconds is not None:
                self._took("create", self.creates, int(seconds * 1e9))
        except Exception as error:
            self.broken(error)

    def closed(self) -> None:
        """Say that the pool closed a connection."""
        self.closed_total += 1

    def record_error(self, error: BaseException, *, operation: str | None = None) -> None:
        """Count an error of the application; those of a login or session are counted apart."""
        try:
            self.errors.add(error, operation)
        except Exception as fault:
            self.broken(fault)

    def lost(self, lease: Lease) -> None:
        """Note that a lease's connection became garbage, and is out no more: nobody returned it.

        That is an error, and at the next look a leak. May be called from a garbage collection.
        """
        try:
            if self.forget(lease):
                self.gone.append(lease)
                where = f"{lease.site.file}:{lease.site.line}"
                self.record_error(ResourceWarning(f"a connection was never returned: {where}"))
        except Exception as error:
            self.broken(error)

    def look(self) -> None:
        """Judge the leases and the limits, and tell what is new. The watch does so twice a second."""
        try:
            if not self.is_off:
                self.inspector.look()
        except Exception as error:
            self.broken(error)

    def snapshot(self) -> PoolSnapshot:
        """Return the pool as it stands."""
        return picture(self)

    def stats(self) -> dict[str, Any]:
        """Return the snapshot as a plain dictionary, fit for JSON."""
        told = picture(self)
        return {**plain(told), "utilization": told.utilization or 0.0}

    def leaks(self) -> Sequence[Leak]:
        """Return what was found of leases that are not returned, at the last look."""
        return tuple(self.found.values())

    def history(self) -> Sequence[Sample]:
        """Return a sample for each half minute of the last day, the oldest first."""
        return self.past.samples()

    def aggregated(self, hours: float = 24) -> Aggregate:
        """Return what the last hours add up to, at most a day. Raises ValueError for no time at all."""
        return self.past.aggregated(hours, self.inspector.sample())

    def export_json(self, path: str | os.PathLike[str]) -> None:
        """Write the pool as it stands, its errors and its past to a file. Raises OSError."""
        import json

        told = {
            "pool": self.stats(),
            "errors": plain(list(self.errors.kept)),
            "history": plain(list(self.history())),
        }
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 -- pathlib costs 3 ms at import
            json.dump(told, file, indent=2)

    def reset(self) -> None:
        super().reset()
        self.inspector = Inspector(self)

    def close(self) -> None:
        """Send a last report where reports are sent, and be looked after no more."""
        self.stop()
        self.watch.remove(self)

    def __repr__(self) -> str:
        return f"<PoolTracker {self.service}/{self.name}>"

    def _not_noted(self, lease: Lease, asked: int | None) -> None:
        lease.began = NEVER
        self.given_up += asked is not None
        self.open.pop(lease, None)

    def _took(self, what: str, counts: list[int], nanoseconds: int) -> None:
        counts[index_of(nanoseconds)] += 1
        if self.feed is not None:
            self.feed.append((what, nanoseconds / NANOSECONDS))


def trackers_of(given: Iterable[object]) -> tuple[PoolTracker, ...]:
    """Return the trackers that were given. Raises TypeError for what is none."""
    trackers = []
    for each in given:
        if not isinstance(each, PoolTracker):
            raise TypeError(f"trackers: {each!r:.80} is none; give what mooring.instrument(pool) returns")
        trackers.append(each)
    return tuple(trackers)
