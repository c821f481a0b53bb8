"""Leases that are not returned: which of them are leaks, and where their owners are."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeGuard

from mooring.core import histogram
from mooring.core.pool import Leak, LeakKind
from mooring.pools.awaiting import awaited_by
from mooring.pools.driver import Activity, Driver
from mooring.pools.frames import Position, living_threads, position_of, positions_of
from mooring.pools.lease import NANOSECONDS, Lease
from mooring.pools.pulse import Pulse
from mooring.pools.rules import Rules
from mooring.pools.scope import Scope, ThreadRef, name_of, words
from mooring.pools.site import Site, Sites

DEEPEST = 8
"""Lines of where an owner is now."""
DRIVERS = frozenset({"MySQLdb", "aiomysql", "mysql", "oracledb", "psycopg", "psycopg2", "pymysql"})
"""Packages in which a thread stands while it waits for its database."""
CALLERS = frozenset(
    {
        "django.db.backends.sqlite3.base",
        "django.db.backends.utils",
        "sqlalchemy.engine.cursor",
        "sqlalchemy.engine.default",
    }
)
"""Modules that call drivers, whose innermost frame it is where the driver is written in C."""
_LONG = 0.99
_IDLE_ONES = frozenset({LeakKind.SUSPECT, LeakKind.IDLE_IN_TRANSACTION})
_SLACK = 0.02
"""Seconds by which the kernel's clock, which counts in milliseconds, may differ from ours."""


class Leaks:
    """Judges the open leases of one pool, look by look."""

    def __init__(
        self, driver: Driver, sites: Sites, rules: Rules, broken: Callable[[Exception], None]
    ) -> None:
        self._driver = driver
        self._sites = sites
        self._rules = rules
        self._broken = broken
        self._pulse = Pulse()
        self._orphans: dict[Lease, float] = {}
        """Leases whose owner has ended, and when that was first seen."""
        self._usual: dict[Site, float] = {}
        """The longest that is usual for a site, worked out once in a look."""

    def look(self, leases: Sequence[Lease], now: float) -> dict[Lease, Leak]:
        """Return what is to be said of these leases; `now` is of the tracker's clock.

        To be called about once a second: that an owner has ended is told at the second look, and only
        where nothing was sent on the connection since. Code that waits for a query in a task of its
        own (`asyncio.wait_for` before Python 3.12) hands the connection on, and is no leak.
        """
        orphans, self._orphans = self._orphans, {}
        self._usual = {}
        self._pulse.feel(now)
        if not leases:
            return {}
        over = _over(leases, orphans)
        self._orphans = {lease: orphans.get(lease, now) for lease in leases if lease in over}
        kinds: dict[Lease, tuple[LeakKind, Activity]] = {}
        for lease in leases:
            try:
                kind, activity = self._kind(lease, now, self._orphans.get(lease))
            except Exception as error:  # a driver that does not tell: nothing is said of this one
                self._broken(error)
                continue
            if kind is not None:
                kinds[lease] = kind, activity
        threads = positions_of(_threads_of(kinds.keys() - over))  # after every driver was asked
        found: dict[Lease, Leak] = {}
        for lease, (kind, activity) in kinds.items():
            stack = () if lease in over else _stack_of(lease.owner(), threads)
            is_busy = kind in _IDLE_ONES and _is_thread(lease.owner()) and _is_in_driver(stack)
            where = _where(stack, self._sites)
            found[lease] = self._leak(LeakKind.BUSY if is_busy else kind, lease, now, activity, where)
        return found

    def lost(self, lease: Lease, now: float) -> Leak:
        """Return what is to be said of a lease whose connection became garbage."""
        return self._leak(LeakKind.ABANDONED, lease, now, Activity(), ())

    def _kind(self, lease: Lease, now: float, orphan: float | None) -> tuple[LeakKind | None, Activity]:
        held = now - lease.began / NANOSECONDS
        connection = lease.resource() if lease.resource is not None else None
        if lease.resource is not None and connection is None:
            return LeakKind.ABANDONED, Activity()
        long = self._is_long(lease, held)
        if orphan is None and not long:
            return None, Activity()
        activity = self._activity(lease, connection, now)
        since = 0.0 if orphan is None else now - orphan  # at the first look its socket begins to be felt
        if since > 0 and not activity.busy and not _is_within(activity.idle, since - _SLACK):
            return LeakKind.ABANDONED, activity
        return self._of_a_long_one(activity) if long else None, activity

    def _activity(self, lease: Lease, connection: Any, now: float) -> Activity:
        activity = self._driver.activity(connection) if connection is not None else Activity()
        if activity.fileno is None:
            return activity
        idle = self._pulse.idle(lease, activity.fileno, now)
        return activity if activity.busy else activity._replace(idle=idle)

    def _of_a_long_one(self, activity: Activity) -> LeakKind | None:
        if activity.busy:
            return LeakKind.BUSY
        if _is_within(activity.idle, self._rules.held):
            return None  # results are being read
        return LeakKind.IDLE_IN_TRANSACTION if activity.in_transaction else LeakKind.SUSPECT

    def _is_long(self, lease: Lease, held: float) -> bool:
        """Whether a lease was held for longer than it was declared, or than is usual for its line."""
        declared = lease.scope.hold if lease.scope is not None else None
        if declared is not None:
            return held >= declared
        if held < self._rules.held:
            return False
        if lease.site not in self._usual:
            self._usual[lease.site] = longest_usual(lease.site)
        return held >= self._rules.usual * self._usual[lease.site]

    def _leak(
        self, kind: LeakKind, lease: Lease, now: float, activity: Activity, where: tuple[str, ...]
    ) -> Leak:
        owner = lease.owner()
        return Leak(
            kind=kind,
            site=f"{lease.site.file}:{lease.site.line}",
            function=lease.site.function,
            held=now - lease.began / NANOSECONDS,
            idle=activity.idle,
            owner=_name(owner),
            operation=words(lease.operation),
            scope=name_of(lease.scope),
            now=where,
            taken=tuple([str(line) for line in getattr(lease, "stack", ())]),
        )


def longest_usual(site: Site) -> float:
    """Return the seconds that 99 of 100 leases of a site are held for at the longest; 0 of none."""
    counts = {index: count for index, count in enumerate(site.used) if count}
    return (histogram.quantile(counts, _LONG) or 0.0) / NANOSECONDS


def _over(leases: Collection[Lease], known: Collection[Lease]) -> set[Lease]:
    """Return the leases whose owner has ended, or what they were taken for; `known` are those of before."""
    past = {lease for lease in leases if _is_past(lease.scope)}  # asked once: it may end meanwhile
    threads = positions_of(_threads_of(past))
    is_one_foreign = any(_is_foreign(lease.owner()) for lease in leases)
    living = living_threads() if is_one_foreign else frozenset()
    return {
        lease
        for lease in leases
        if _has_ended(lease, lease.owner(), living)
        or (lease in past and _lost_its_scope(lease, lease.owner(), threads, lease in known))
    }


def _threads_of(leases: Iterable[Lease]) -> set[int]:
    """Return the numbers of the threads that have these leases."""
    return {owner.ident for lease in leases if _is_thread(owner := lease.owner()) and owner.ident}


def _is_past(scope: Scope | None) -> bool:
    return scope is not None and scope.over and not scope.kept


def _is_foreign(owner: Any) -> bool:
    """Whether Python did not start a thread, and does not hear of its end."""
    return isinstance(owner, threading._DummyThread)  # noqa: SLF001 -- nothing else tells


def _is_thread(owner: Any) -> TypeGuard[threading.Thread]:
    """Whether an owner is a thread; gevent's and eventlet's are not of Python's class."""
    return hasattr(owner, "is_alive")


def _is_within(idle: float | None, seconds: float) -> bool:
    return idle is not None and idle < seconds


def _has_ended(lease: Lease, owner: Any, living: Collection[int]) -> bool:
    scope = lease.scope
    is_of_a_request = scope is not None and scope.owner is not None
    if scope is not None and (scope.kept or (is_of_a_request and not scope.over)):
        return False  # what a request gathers in tasks and threads is handed on to it
    if is_of_a_request and isinstance(lease.owner, ThreadRef):
        return owner is None  # pools of threads end idle ones amid a request
    if not lease.site.in_application and not isinstance(lease.owner, ThreadRef):
        return False  # a task of the driver's own took it, and handed it on
    if owner is None:
        return True
    if _is_foreign(owner):  # it says of itself that it is alive, or from Python 3.13 on raises
        return bool(living) and owner.ident not in living
    return not owner.is_alive() if _is_thread(owner) else bool(owner.done())


def _lost_its_scope(lease: Lease, owner: Any, threads: Mapping[int, Sequence[Position]], known: bool) -> bool:
    """Whether the lease was taken for a request that has ended, by what served it or by a pool's thread.

    A task that it began may outlive it, and so may a thread that still is in the code that took the
    lease; where that was once left, it is `known` from then on.
    """
    scope = lease.scope
    if known or (scope is not None and scope.owner is not None and scope.owner() is owner):
        return True
    return _is_thread(owner) and all(
        code is not lease.site.code for code, _, _ in threads.get(owner.ident or 0, ())
    )


def _stack_of(owner: Any, threads: Mapping[int, Sequence[Position]]) -> Sequence[Position]:
    """Return where an owner is, innermost first; nothing of a pool's thread that a request does not need."""
    if owner is None:
        return ()
    if _is_thread(owner):
        return threads.get(owner.ident or 0, ())
    positions = [position_of(each) for each in awaited_by(owner.get_coro())]
    return [each for each in reversed(positions) if each is not None]


def _is_in_driver(stack: Sequence[Position]) -> bool:
    """Whether a thread is in its driver's own code: it waits for a database, whatever the driver tells."""
    for _, _, name in stack:
        module = str(name or "")
        package = module.partition(".")[0]
        if package not in sys.stdlib_module_names:
            return package in DRIVERS or module in CALLERS
    return False


def _name(owner: Any) -> str:
    if _is_thread(owner):
        return f"thread {owner.name}"
    return f"task {owner.get_name()}" if owner is not None else "a task or thread that has ended"


def _where(stack: Sequence[Position], sites: Sites) -> tuple[str, ...]:
    """Return where an owner is, innermost first, without drivers' and frameworks' lines."""
    ours = [each for each in stack if sites.is_application_code(each[0], each[2])] or stack
    return tuple([f"{code.co_filename}:{line} in {code.co_qualname}" for code, line, _ in ours[:DEEPEST]])
