"""`instrument(pool)`: watch a driver's pool in one line."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from weakref import WeakKeyDictionary, WeakValueDictionary

from mooring.pools.book import LONGEST_NAME
from mooring.pools.driver import Driver
from mooring.pools.environment import is_off, report_as_told
from mooring.pools.once import Once, OwnLock
from mooring.pools.rules import Rules
from mooring.pools.tracker import PoolTracker
from mooring.pools.watch import Watch, watch_of_this_process

if TYPE_CHECKING:
    from pathlib import Path

GROUP = "mooring.pools"
"""The entry points through which other packages offer adapters of their own."""
SERVICE = "MOORING_SERVICE"
"""The variable that holds a program's name."""
ADAPTERS = {
    "aiomysql": "mooring.pools.aiomysql",
    "asyncpg": "mooring.pools.asyncpg",
    "django": "mooring.pools.django",
    "psycopg_pool": "mooring.pools.psycopg_pool",
    "pymongo": "mooring.pools.pymongo",
    "redis": "mooring.pools.redis",
    "sqlalchemy": "mooring.pools.sqlalchemy",
}
"""By the package that a pool's class comes from, so that no other adapter is imported."""

log = logging.getLogger(__name__)


class Make(Protocol):
    """Makes the tracker of a driver's pool; an adapter calls it once for each pool."""

    def __call__(self, driver: Driver, part: str | None = None) -> PoolTracker:
        """Return a tracker. `part` names a pool where one object stands for several."""
        ...


class Adapter(Protocol):
    """What a module offers that knows how to instrument a driver's pools.

    It may also have `subject(obj)`: what is really instrumented, where several objects stand for one pool.
    """

    MATCHES: tuple[str, ...]
    """The classes that it takes, such as `sqlalchemy.engine.base.Engine`; of subclasses, too."""

    def instrument(self, obj: Any, make: Make) -> PoolTracker:
        """Place hooks in a pool, and return its tracker."""
        ...


def instrument(
    obj: Any,
    name: str | None = None,
    service: str | None = None,
    *,
    rules: Rules | None = None,
    watch: Watch | None = None,
    server: str | None = None,
    token: str | Path | None = None,
) -> PoolTracker:
    """Watch a driver's pool: who holds its connections, who waits, who leaks.

    Takes an engine of SQLAlchemy, `django.db.connections`, a pool of psycopg_pool, asyncpg or aiomysql,
    a client of redis-py or PyMongo, and what other packages registered in the group `mooring.pools`.
    Done again with the same object, it returns the same tracker; another name, service or rules are ignored,
    and the log says so once.
    What the driver does, returns and raises is not changed, even if Mooring breaks.

    With `DB_CONNECTION_MONITORING=false` in the environment nothing is done, and the tracker is stopped.

    Args:
        obj: the pool, or what has one.
        name: the pool's name, unique within the service; by default its database's.
        service: the program's name, under which a server sums its processes; by default
            `$MOORING_SERVICE`, or else what the program was started as.
        rules: when to alert, and what counts as held for long.
        watch: what looks after it; by default the one of this process.
        server: the address of a Mooring server, to which all that the watch looks after is reported; by
            default `$MOORING_SERVER`, or else nothing is reported.
        token: what the server knows the program by, or the Path of a file with it; by default
            `$MOORING_TOKEN`, or the file `$MOORING_TOKEN_FILE`.

    Raises:
        TypeError: for an object that no adapter knows, and for rules, a server or a token of a wrong class.
        ValueError: for a server or token that cannot be one.
    """
    adapter = _adapter_of(obj)
    if is_off(os.environ):
        return _stopped(_service(service), name)
    watch = watch or watch_of_this_process()
    instrumented = _instrumented()
    with instrumented.lock.held:  # two threads at once would place hooks twice
        if server or token:
            report_as_told(watch.report_to, server, token)
        return instrumented.tracker(obj, adapter, _Maker(name, service, rules, watch))


class _Maker(NamedTuple):
    """Makes trackers under what `instrument` was told."""

    name: str | None
    service: str | None
    rules: Rules | None
    watch: Watch

    def __call__(self, driver: Driver, part: str | None = None) -> PoolTracker:
        name = self.name or _printable(driver.database) or driver.name
        if part is not None:
            name = f"{self.name}.{part}" if self.name else _printable(part) or driver.name
        service = _service(self.service)
        name = self._unused(service, name)
        return PoolTracker(service, name, driver=driver, rules=self.rules, watch=self.watch)

    def contradicted(self, tracker: PoolTracker, later: _Maker) -> list[str]:
        """Return what was said of a tracker later, and is not what was said when it was made."""
        return [
            each
            for each in ("name", "service", "rules")
            if getattr(later, each) not in (None, getattr(self, each), getattr(tracker, each))
        ]

    def _unused(self, service: str, name: str) -> str:
        """Return the name, with a number where another pool has it: two are not to be summed."""
        taken = {tracker.name for tracker in self.watch if tracker.service == service}
        unused, number = name, 1
        while unused in taken:
            number += 1
            unused = f"{name}-{number}"
        return unused


def _adapter_of(obj: Any) -> Adapter:
    classes = {f"{cls.__module__}.{cls.__qualname__}" for cls in type(obj).__mro__}
    for adapter in chain(_our_adapters(classes), _their_adapters()):  # to look for theirs takes milliseconds
        if not classes.isdisjoint(adapter.MATCHES):
            return adapter
    known = [match for adapter in _every_adapter() for match in adapter.MATCHES]
    raise TypeError(
        f"cannot instrument {type(obj).__module__}.{type(obj).__qualname__}; "
        f"give one of these, or of a subclass: {', '.join(sorted(known))}. "
        "mooring.pools.PoolTracker is for pools of your own"
    )


def _our_adapters(classes: set[str]) -> Iterator[Adapter]:
    packages = {name.partition(".")[0] for name in classes}
    for package in sorted(packages & ADAPTERS.keys()):
        yield _module(ADAPTERS[package])


def _their_adapters() -> Iterator[Adapter]:
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP):
        try:
            adapter = entry.load()
            if not isinstance(adapter.MATCHES, tuple) or not callable(adapter.instrument):
                raise TypeError("MATCHES has to be a tuple, instrument a function")
            yield adapter
        except Exception:
            log.warning("the entry point %s of %s is no adapter", entry.name, GROUP, exc_info=True)


def _every_adapter() -> Iterator[Adapter]:
    yield from (_module(name) for name in ADAPTERS.values())
    yield from _their_adapters()


def _module(name: str) -> Any:
    return import_module(name)


def _stopped(service: str, name: str | None) -> PoolTracker:
    tracker = PoolTracker(service, name or "main", watch=Watch(threaded=False))
    tracker.stop()
    return tracker


def _service(given: str | None) -> str:
    return given or os.environ.get(SERVICE) or _program()


def _program() -> str:
    """Return what the program was started as, such as `worker` for `python -m worker`."""
    path = sys.argv[0] if sys.argv else ""
    stem = os.path.splitext(os.path.basename(path))[0]  # noqa: PTH119, PTH122 -- pathlib costs 3 ms at import
    if stem == "__main__":
        stem = os.path.basename(os.path.dirname(path))  # noqa: PTH119, PTH120
    return _printable(stem) or "python"


def _printable(name: str | None) -> str:
    """Return what may be a pool's name of what a driver calls its database: of a file its last part."""
    last = os.path.basename(name or "")  # noqa: PTH119
    return "".join(each for each in last if each.isprintable()).strip()[:LONGEST_NAME]


def _itself(obj: Any) -> Any:
    return obj


class _Instrumented:
    """The trackers of this process, by what they track."""

    def __init__(self) -> None:
        self.lock = OwnLock()
        self._trackers: WeakValueDictionary[int, PoolTracker] = WeakValueDictionary()
        """By the `id` of what they track, which they keep alive."""
        self._makers: WeakKeyDictionary[PoolTracker, _Maker] = WeakKeyDictionary()
        """What was said of them, until it was told that something else is ignored."""

    def tracker(self, obj: Any, adapter: Adapter, make: _Maker) -> PoolTracker:
        """Return the tracker of an object, which is instrumented if it has none yet."""
        subject = getattr(adapter, "subject", _itself)(obj)
        known = self._trackers.get(id(subject))
        if known is None or known.instrumented is not subject:
            known = self._trackers[id(subject)] = adapter.instrument(obj, make)
            known.instrumented = subject
            self._makers[known] = make
        else:
            self._tell_ignored(known, make)
        return known

    def _tell_ignored(self, known: PoolTracker, make: _Maker) -> None:
        """Say once in the log what is ignored, since the tracker is made already."""
        first = self._makers.get(known)
        ignored = [] if first is None else first.contradicted(known, make)
        if ignored:
            del self._makers[known]
            log.warning(
                "%s/%s is watched already: what a further mooring.instrument() says of %s is ignored; "
                "say it where the pool is first instrumented",
                known.service,
                known.name,
                ", ".join(ignored),
            )


_instrumented = Once(_Instrumented)
