"""What looks after the pools of one process: one thread, twice a second."""

from __future__ import annotations

import logging
import os
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from threading import Event, RLock, Thread, current_thread
from typing import TYPE_CHECKING
from weakref import ref

from mooring.pools.environment import report_as_told, warn_of_nonsense
from mooring.pools.once import Once

if TYPE_CHECKING:
    from pathlib import Path

    from mooring.pools.reporter import Reporter
    from mooring.pools.watched import Watched

TICK = 0.5
"""Seconds between two looks: a lease whose owner has ended is told at the second one."""
PATIENCE = 1.0
"""Seconds that a fork, a tracker that is closed, or what begins to report waits for the end of a look."""

log = logging.getLogger(__name__)


class Watch:
    """Looks at every tracker twice a second, from a thread of its own that begins with the first of them.

    Knows its trackers weakly. After a fork the child's trackers begin anew and get a thread of their own.
    `close` ends the thread; `look` may also be called by a test. `report_to` tells a server what it sees.
    """

    def __init__(self, *, threaded: bool = True) -> None:
        self._threaded = threaded
        self._trackers: dict[ref[Watched], None] = {}
        """In the order in which they were added."""
        self._thread: Thread | None = None
        self._stop = Event()
        self._looking = RLock()
        self._reporter: Reporter | None = None
        self._also: list[Callable[[], object]] = []
        _forks().tell(self)

    def __iter__(self) -> Iterator[Watched]:
        """Yield the trackers that are alive."""
        for weak in list(self._trackers):  # amid a copy or a tuple of it a collection may add or remove one
            tracker = weak()
            if tracker is not None:
                yield tracker

    def add(self, tracker: Watched) -> None:
        """Look after one more tracker."""
        trackers = self._trackers
        trackers[ref(tracker, lambda weak: trackers.pop(weak, None))] = None
        if self._thread is None and self._threaded:
            with self._looking:
                if self._thread is None:
                    self._begin()

    def remove(self, tracker: Watched) -> None:
        """Look after it no more. Where reports are sent, it is in one for the last time."""
        weak = ref(tracker)
        was_known = self._trackers.pop(weak, weak) is None
        if not was_known or self._reporter is None:
            return
        with self._between_looks():
            self._reporter.leave(tracker)

    def report_to(
        self, server: str, token: str | Path, *, interval: float | None = None, ca: str | Path | None = None
    ) -> Reporter:
        """Report all trackers to a server, from now on; a watch has one reporter.

        Told the same again, it changes nothing; told another server or token, it reports there alone. See
        Reporter for the arguments, and for what is raised.
        """
        from mooring.pools.reporter import INTERVAL, Reporter

        with self._between_looks():  # two threads that made one each would have every pool counted twice
            former = self._reporter
            if former is not None and former.goes_to(server, token):
                return former
            reporter = self._reporter = Reporter(
                server, token, interval=interval or INTERVAL, watch=self, ca=ca, threaded=self._threaded
            )
        if former is not None:
            former.retire()
        return reporter

    def also(self, call: Callable[[], object]) -> Callable[[], None]:
        """Call something after every look, in the same thread; return what ends that."""
        self._also.append(call)
        return partial(_without, self._also, call)

    def farewell(self) -> None:
        """Send the last reports where reports are sent, and wait for them two seconds at most.

        For what knows that the process ends and that it ends without `atexit`: uvicorn lets a signal kill it.
        Should the process live on, its next report takes this one back.
        """
        if self._reporter is not None:
            self._reporter.farewell()

    def look(self) -> None:
        """Look at every tracker once."""
        has_news = False
        with self._looking:
            for tracker in self:
                known = tracker.news
                try:
                    tracker.look()
                except Exception as error:
                    tracker.broken(error)
                has_news = has_news or tracker.news > known
            for call in tuple(self._also):
                try:
                    call()
                except Exception:
                    log.warning("a fault after a look at the pools", exc_info=True)
        if has_news and self._reporter is not None:
            self._reporter.hurry()

    @property
    def looking(self) -> AbstractContextManager[object]:
        """What is held while drivers are asked: nothing forks meanwhile."""
        return self._looking

    def forks(self) -> None:
        """Wait for the end of a look before a fork: a driver's lock that it holds would be held for ever."""
        self._looking.acquire(timeout=PATIENCE)

    def goes_on(self) -> None:
        """Look again, in the parent."""
        with suppress(RuntimeError):  # where the look took too long
            self._looking.release()

    def forked(self) -> None:
        """Begin anew in a child process: the open leases are the parent's, and so was the thread."""
        self._looking = RLock()
        for tracker in self:
            tracker.forked()
        if self._thread is not None:
            self._begin()
        if self._reporter is not None:
            self._reporter.forked()

    def close(self) -> None:
        """End the thread and wait for it; where reports are sent, send the last ones first."""
        if self._reporter is not None:
            self._reporter.close()
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread.is_alive() and thread is not current_thread():
            thread.join()

    @contextmanager
    def _between_looks(self) -> Iterator[None]:
        """Keep out looks and other threads; not for ever, since a callback may never end."""
        looking = self._looking
        is_held = looking.acquire(timeout=PATIENCE)
        try:
            yield
        finally:
            if is_held:
                looking.release()

    def _begin(self) -> None:
        self._stop = Event()
        try:  # a subinterpreter may have no such thread at all
            thread = Thread(target=self._run, args=(self._stop,), name="mooring-pools", daemon=True)
            thread.start()
        except RuntimeError:  # there are too many, or the process ends
            log.warning("pools are not watched: no thread can be started", exc_info=True)
            self._thread = None
        else:
            self._thread = thread

    def _run(self, stop: Event) -> None:
        is_told = False
        while not stop.wait(TICK):
            try:
                self.look()
            except (Exception, CancelledError, SystemExit) as error:  # none of them is to end the watch
                if not is_told:
                    _tell(error)
                is_told = True


def _without(calls: list[Callable[[], object]], call: Callable[[], object]) -> None:
    if call in calls:
        calls.remove(call)


def _tell(error: BaseException) -> None:
    with suppress(Exception):  # what an application hung into its log may raise, too
        log.warning("a fault of a look at the pools; the next ones are not told", exc_info=error)


class _Forks:
    """Tells every watch of a fork, by hooks of its own alone: a hook stays for ever, a watch does not."""

    def __init__(self) -> None:
        self._watches: set[ref[Watch]] = set()
        if hasattr(os, "register_at_fork"):  # not on Windows
            os.register_at_fork(
                before=partial(self._each, Watch.forks),
                after_in_parent=partial(self._each, Watch.goes_on),
                after_in_child=partial(self._each, Watch.forked),
            )

    def tell(self, watch: Watch) -> None:
        """Tell one more watch of each fork, as long as it lives."""
        self._watches.add(ref(watch, self._watches.discard))

    def _each(self, step: Callable[[Watch], None]) -> None:
        for weak in self._watches.copy():
            watch = weak()
            if watch is None:
                continue
            try:
                step(watch)
            except Exception:
                log.warning("a fault at a fork", exc_info=True)


_forks = Once(_Forks)
"""Of a process, not of a watch: a hook at forks can never be taken back."""


@Once
def watch_of_this_process() -> Watch:
    """Return the one that trackers are given to by default, made on first use.

    It reports to the server that the environment names, if it does.
    """
    watch = Watch()
    warn_of_nonsense(os.environ)
    report_as_told(watch.report_to)
    return watch
