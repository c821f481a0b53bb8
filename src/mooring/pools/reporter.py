"""Tells a server of this process's pools, from a thread of its own."""

from __future__ import annotations

import atexit
import logging
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from random import random as any_share
from threading import Event, Thread, current_thread

from mooring.core.clock import Clock, SystemClock
from mooring.core.pool import PoolSnapshot
from mooring.core.report import PoolReport
from mooring.pools.absence import Absence
from mooring.pools.delivery import OK, TIMEOUT, Answer, Delivery, Undelivered, ready
from mooring.pools.line import Line, bounded
from mooring.pools.lines import Lines
from mooring.pools.report import MOST_HALVINGS, MOST_POOLS, Wording, pictures, this_instance
from mooring.pools.watched import Watched, Watching

INTERVAL = 30.0
"""Seconds between two reports, until the server says otherwise."""
FAREWELL = 2.0
"""Seconds that a process waits at its end for its last report."""

_TOO_LARGE = 413
_LATER = frozenset({408, 425, 429})
"""What says to come again later, besides 5xx."""
_REFUSALS = range(300, 500)

log = logging.getLogger(__name__)


class Reporter:
    """Sends the newest state of all trackers of a watch, one report for each service.

    Nothing waits for it but the end of the process, for at most two seconds. While the server is away
    nothing is kept but what closed trackers had to say last, and the log has one warning. Counts are totals,
    so that nothing is lost.

    A process that ends in the normal way sends a last report, as gunicorn's workers do on SIGTERM; those of
    uvicorn are killed by it in the end, and send theirs where `PoolsMiddleware` sees the lifespan end. One
    that is killed (SIGKILL, `os._exit`, SIGTERM without a handler) does not: the server takes it out of the
    totals after two and a half intervals of silence.

    Args:
        server: the server's address, with its base path.
        token: what the server knows us by; a Path is the file that holds it, and is read each time.
        interval: seconds between two reports, from 1 to 300; the server's answer may change it.
        watch: whose trackers are reported.
        ca: the file of the authority that the server's certificate is of; by default the system's.
        threaded: whether to begin a thread; else `round` is called by a test.
        clock, random: for tests.

    Raises:
        ValueError: for an address or a token that cannot be one.
    """

    def __init__(
        self,
        server: str,
        token: str | Path,
        *,
        interval: float = INTERVAL,
        watch: Watching,
        ca: str | Path | None = None,
        threaded: bool = True,
        clock: Clock | None = None,
        random: Callable[[], float] = any_share,
    ) -> None:
        self._delivery = Delivery(server, token, ca)
        self.interval = bounded(interval)
        self._watch = watch
        self._clock = clock or SystemClock()
        self._random = random
        self._absence = Absence(random)
        self._words = Wording([token] if isinstance(token, str) else [])
        self._lines = Lines(self._words)
        self._closed = self._retired = False
        self._sequence = 0
        self._thread: Thread | None = None
        self._begin()
        if threaded:
            self._start()

    def __repr__(self) -> str:
        return f"<Reporter to {self._delivery.address} each {self.interval:g} s>"

    def goes_to(self, server: str, token: str | Path) -> bool:
        """Whether this is a reporter to that server with that token."""
        other = Delivery(server, token)
        return (other.address, other.token) == (self._delivery.address, self._delivery.token)

    def leave(self, tracker: Watched) -> None:
        """Report for the last time of a tracker that is closed. Does not wait; never raises."""
        try:
            self._left.append((tracker, tracker.snapshot()))
            self._wake.set()
        except Exception as error:
            tracker.broken(error)

    def hurry(self) -> None:
        """See whether something was found that a server is to hear of soon. Does not wait."""
        self._wake.set()

    def retire(self) -> None:
        """Report no more, and say so where something was reported. Does not wait."""
        self._closed = self._retired = True
        self._end(FAREWELL)

    def close(self, within: float = FAREWELL) -> None:
        """Send the last reports, and wait for them so many seconds at most."""
        self._closed = True
        self._end(within)
        thread = self._thread
        if thread is not None and thread.is_alive() and thread is not current_thread():
            thread.join(within)

    def farewell(self, within: float = FAREWELL) -> None:
        """Report as `close` does, while the process may live on: then its next report takes it back."""
        self._end(within)
        if self._thread is not None and self._thread.is_alive():
            self._said.wait(within)

    def forked(self) -> None:
        """Begin anew in a child process: with an id and a thread of its own."""
        if self._closed:
            return
        self._lines.forked()
        self._begin()
        if self._thread is None:
            return
        self._start()
        util = sys.modules.get("multiprocessing.util")
        if util is not None:  # its children end without what atexit knows, and clear what is registered here
            util.register_after_fork(self, lambda own: util.Finalize(own, own.close, exitpriority=1))

    def round(self) -> float:
        """Report what is due, and return the seconds until the next time."""
        living = self._lines.living(() if self._retired else self._watch)
        now = self._clock.monotonic()
        while self._left:
            self._lines.leave(*self._left.popleft(), now)
        for line in self._lines:
            pools = living.get(line.service, {})
            line.hear(pools.values(), now, self._random)
            if self._lines.is_over(line, pools):
                continue
            if self._is_due(line, now) and not self._tell(line, pools):
                break
        due = max(self._lines.due(now + self.interval), self._absence.until)
        return max(0.0, due - self._clock.monotonic())

    def _begin(self) -> None:
        self._instance = this_instance(self._clock)
        self._left: deque[tuple[Watched, PoolSnapshot]] = deque(maxlen=MOST_POOLS)
        """What closed trackers had to say last, and the thread has not seen yet."""
        self._wake, self._said = Event(), Event()
        self._farewell: float | None = None
        """Until when the last reports may take, once the process ends."""
        self._absence.try_now()

    def _start(self) -> None:
        try:
            self._thread = Thread(target=self._run, args=(self._wake,), name="mooring-reports", daemon=True)
            self._thread.start()
        except RuntimeError:  # there are too many, or the process ends
            log.warning("pools are not reported: no thread can be started")
            return
        atexit.unregister(self.close)
        atexit.register(self.close)

    def _run(self, wake: Event) -> None:
        with self._watch.looking:  # a fork amid an import would leave the module locked in the child for ever
            ready()
        delay = min(1.0, self.interval) * self._random()  # workers that begin together do not report together
        while True:
            wake.wait(delay)
            wake.clear()
            ends = self._farewell is not None
            try:
                delay = self.round()
            except Exception as error:
                delay = self.interval
                log.warning("pools were not reported: %s in Mooring itself", type(error).__name__)
            if ends:
                self._farewell = None
                self._said.set()
                if self._closed:
                    return

    def _end(self, within: float) -> None:
        if self._closed:
            atexit.unregister(self.close)
        self._said.clear()
        self._farewell = self._clock.monotonic() + within
        self._wake.set()

    def _is_due(self, line: Line, now: float) -> bool:
        if self._farewell is not None:
            return line.trouble is None
        return now >= line.due and now >= self._absence.until

    def _tell(self, line: Line, pools: dict[str, Watched]) -> bool:
        """Report of one service; all of it where the process ends. False where the server is away."""
        if self._farewell is not None:
            line.turn.clear()  # what was told a moment ago has counted since
        while self._report(line, pools):
            if self._farewell is None or line.due > self._clock.monotonic():
                return True
        line.turn.clear()
        return False

    def _report(self, line: Line, pools: dict[str, Watched]) -> bool:
        """Send one report of a service. False where the server is away, for the others as well."""
        names, goes_on = line.part(pools, self.interval)
        leaving = {name: line.leaving[name] for name in names if name in line.leaving}
        with self._watch.looking:
            told = {**leaving, **pictures({name: pools[name] for name in names if name in pools})}
        last = not goes_on and (self._farewell is not None or not pools)
        self._sequence += 1
        report = PoolReport(
            service=line.service,
            instance=self._instance,
            sent_at=self._clock.now(),
            interval=self.interval,
            last=last,
            pools=tuple(told.values()),
            done=tuple(line.done),
            sequence=self._sequence,
        )
        try:
            answer = self._delivery.post(self._words.packed(report, line.halvings), self._time())
        except Undelivered as error:
            self._is_away(str(error))
            return False
        if answer.status == OK and isinstance(answer.json(), dict):
            self._accepted(line, answer.json(), names if goes_on else ())
            line.knows(leaving, report.done)
            line.carry_out(answer.json().get("wishes"), pools)
            line.over = last
            return True
        return self._declined(line, answer)

    def _time(self) -> float:
        if self._farewell is None:
            return TIMEOUT
        return min(TIMEOUT, max(0.0, self._farewell - self._clock.monotonic()))

    def _accepted(self, line: Line, answer: dict[str, object], part: Sequence[str]) -> None:
        """Take a yes; `part`: the pools that were told where others are left."""
        if self._absence.told or (line.trouble is not None and not part):
            # As loud as what it takes back: at a lower level many a program would show the bad news alone.
            log.warning("pools of %s are reported to %s again", line.service, self._delivery.address)
        self._absence.is_over()
        wanted = answer.get("interval")
        if isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
            self.interval = bounded(wanted)
        now = self._clock.monotonic()
        if part:
            line.goes_on(part, now)
        else:
            line.is_told(self.interval, now)

    def _declined(self, line: Line, answer: Answer) -> bool:
        """Take an answer other than yes. False where it says that the server is away."""
        if (status := answer.status) == _TOO_LARGE and line.halvings < MOST_HALVINGS:
            line.halvings += 1
            line.due = self._clock.monotonic()
            return True
        if status not in _LATER and status in _REFUSALS:
            self._is_refused(line, answer)
            return True
        problem = "what answers there is no Mooring server" if status == OK else f"it answers {status}"
        self._is_away(problem, answer.retry_after)
        return False

    def _is_away(self, problem: str, retry_after: float | None = None) -> None:
        if not self._absence.told and self._farewell is None:
            self._absence.told = True
            log.warning(
                "pools cannot be reported to %s: %s; trying again, the program itself is not affected",
                self._delivery.address,
                self._words.text(problem),
            )
        self._absence.goes_on(self._clock.monotonic(), self.interval, retry_after)

    def _is_refused(self, line: Line, answer: Answer) -> None:
        self._absence.is_over()
        if line.refused(answer, self._clock.monotonic(), self._random()):
            log.error("%s: %s", self._delivery.address, self._words.text(line.trouble or ""))
