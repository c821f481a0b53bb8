"""The line of the application that a lease is told by."""

from __future__ import annotations

import asyncio
import gc
import sys
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any
from weakref import ref

import pytest

from mooring.pools import PoolTracker, Watch, site
from mooring.pools.lease import Lease
from mooring.pools.site import MOST_SITES, Sites
from tests.unit.pools.stepped import here


@pytest.fixture
def tracker() -> PoolTracker:
    """A tracker that nothing watches."""
    return PoolTracker("shop", watch=Watch(threaded=False))


def line(lease: Lease) -> str:
    """Return where a lease was taken."""
    return f"{lease.site.file}:{lease.site.line}"


def test_lambda_and_comprehension_have_their_lines(tracker: PoolTracker) -> None:
    """What is taken in a lambda or a comprehension is told by its line."""
    take = lambda: tracker.track()  # noqa: E731, PLW0108 -- what is tested
    assert line(take()) == here(1)
    leases = [tracker.track() for _ in range(3)]
    assert {line(lease) for lease in leases} == {here(1)}
    assert len({lease.site for lease in leases}) == 1


def test_call_over_several_lines_is_told_by_its_first(tracker: PoolTracker) -> None:
    """A call that is written over several lines is where it begins."""
    lease = tracker.track(
        "a long one",
    )
    assert line(lease) == here(3)


def test_two_calls_of_one_line_are_two_sites_of_one_place(tracker: PoolTracker) -> None:
    """Each call has counts of its own; both are told by the same line."""
    first, second = tracker.track(), tracker.track()
    assert first.site is not second.site
    assert line(first) == line(second) == here(2)


def test_code_that_was_executed_has_its_own_line(tracker: PoolTracker) -> None:
    """Code from a text is told by the name it was compiled under, again and again, after it is gone."""
    for number in range(1, 50):
        found: dict[str, Any] = {"tracker": tracker}
        source = "\n" * number + "lease = tracker.track()"
        exec(compile(source, f"<job {number}>", "exec"), found)
        assert line(found["lease"]) == f"<job {number}>:{number + 1}"
        tracker.release(found.pop("lease"))
        gc.collect(0)  # a whole one takes half a second after some thousand tests
    assert sorted(site.total for site in tracker.snapshot().sites) == [1] * 20
    assert tracker.taken == 49


async def test_coroutines_and_generators_have_their_lines(tracker: PoolTracker) -> None:
    """So do coroutines and asynchronous generators."""

    async def gives() -> Any:
        yield tracker.track()

    async def takes() -> Lease:
        await asyncio.sleep(0)
        return tracker.track()

    assert line(await takes()) == here(2)
    async for lease in gives():
        assert line(lease) == here(8)


def test_more_than_a_thousand_lines_are_counted_together(tracker: PoolTracker) -> None:
    """From a thousand lines on what is new is counted as the rest; no lease is lost, no memory grows."""
    for number in range(MOST_SITES + 500):
        found: dict[str, Any] = {"tracker": tracker}
        exec(compile("lease = tracker.track()", f"<job {number}>", "exec"), found)
        tracker.release(found["lease"])
    assert len(tracker.sites.known) == MOST_SITES
    assert tracker.taken == MOST_SITES + 500
    assert sum(tracker.sites.rest.used) == 500
    assert (tracker.sites.rest.file, tracker.sites.rest.line, tracker.sites.rest.function) == ("", 0, "")
    assert len(tracker.snapshot().sites) == 20


def frame_of(module: str, file: str, back: FrameType | None = None) -> FrameType:
    """Return a frame of a function that a module of this name has in this file; `back` called it."""
    found: dict[str, Any] = {"__name__": module, "sys": sys}
    exec(compile("def called(inner):\n    return inner()\n", file, "exec"), found)
    frame: FrameType = found["called"](lambda: sys._getframe(1))
    return frame


@pytest.mark.parametrize(
    ("module", "file", "is_application"),
    [
        ("shop.orders", "/srv/shop/orders.py", True),
        ("__main__", "/srv/shop/main.py", True),
        ("databases.core", "/srv/venv/lib/python3.11/site-packages/databases/core.py", True),
        ("sqlalchemy.pool.base", "/srv/venv/lib/python3.11/site-packages/sqlalchemy/pool/base.py", False),
        ("asyncpg.pool", "/srv/asyncpg/pool.py", False),
        ("mooring.pools.tracker", "/srv/mooring/pools/tracker.py", False),
        ("contextlib", sys.modules["contextlib"].__file__ or "", False),
        ("contextlib", "base_library.zip/contextlib.py", False),
        ("shop.orders", "shop/orders.py", True),
        ("django_redis.cache", "/srv/venv/lib/python3.11/site-packages/django_redis/cache.py", False),
        ("importlib._bootstrap", "<frozen importlib._bootstrap>", False),
    ],
)
def test_drivers_and_frameworks_are_told_from_the_application(
    module: str, file: str, is_application: bool
) -> None:
    """A line of a driver, a framework or the standard library tells nobody anything."""
    assert Sites().is_application(frame_of(module, file)) is is_application


def test_application_is_the_innermost_frame_of_it() -> None:
    """From a driver's frame outwards the first line of the application's is the site."""
    frame = driver()(sites_of(Sites()))
    assert frame.f_code.co_name == "test_application_is_the_innermost_frame_of_it"


def driver() -> Any:
    """Return a function of a driver's that calls what it is given."""
    found: dict[str, Any] = {"__name__": "asyncpg.pool"}
    exec(compile("def acquire(then):\n    return then()\n", "/srv/asyncpg/pool.py", "exec"), found)
    return found["acquire"]


def sites_of(sites: Sites) -> Any:
    """Return what finds the application's frame as a driver's hook does."""
    hook: dict[str, Any] = {"__name__": "mooring.pools.hook", "sys": sys, "sites": sites}
    exec(compile("def hook():\n    return sites.application(sys._getframe(1))\n", "hook.py", "exec"), hook)
    return hook["hook"]


def test_no_application_at_all_is_the_given_frame() -> None:
    """Where no line of the application's is to be seen the driver's own has to do, and is known as that."""
    sites = Sites()
    with ThreadPoolExecutor(1) as threads:
        frame = threads.submit(driver(), sites_of(sites)).result()
    assert (frame.f_code.co_filename, frame.f_code.co_name) == ("/srv/asyncpg/pool.py", "acquire")
    assert sites.application(None) is None
    assert sites.add(frame).in_application is False


def test_application_is_found_across_greenlets() -> None:
    """A driver in a greenlet, as under SQLAlchemy's asyncio side, is called by its parent's line."""
    greenlet = pytest.importorskip("greenlet")
    hook, frames = sites_of(Sites()), []

    def application() -> None:
        frames.append(greenlet.greenlet(driver()).switch(hook))

    application()
    assert frames[0].f_code.co_qualname.endswith("application")


def test_what_is_known_of_code_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that make code without end do not make the table of it grow without end."""
    monkeypatch.setattr(site, "MOST_CODES", 100)
    sites = Sites()
    for number in range(250):
        assert sites.is_application(frame_of("shop", f"<job {number}>"))
    assert len(sites._ours) <= 100


def test_lease_keeps_no_frame_alive(tracker: PoolTracker) -> None:
    """Neither the lease nor its site keeps the variables of the application alive."""

    class Big:
        pass

    def takes() -> tuple[Lease, ref[Big]]:
        big = Big()
        return tracker.track(), ref(big)

    _, big = takes()
    gc.collect()
    assert big() is None
