"""`mooring.instrument`: which adapter takes what, names, the environment, adapters of other packages."""

from __future__ import annotations

import importlib.metadata
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine

import mooring
import mooring.pools
from mooring.pools import PoolTracker, Rules, Watch
from mooring.pools.driver import ByHand, Driver

MADE = f"{__name__}.Pool"


class Pool:
    """A pool of a driver that we do not know."""


class SubPool(Pool):
    """One that somebody made of it."""


class Theirs:
    """An adapter of another package."""

    MATCHES = (MADE,)

    @staticmethod
    def instrument(obj: Any, make: Callable[[Driver], PoolTracker]) -> PoolTracker:
        """Return a tracker and do nothing else."""
        obj.tracker = make(ByHand(7))
        return obj.tracker


class Broken:
    """An entry point whose module cannot be loaded."""

    name = "broken"

    def load(self) -> Any:
        """Fail."""
        raise ImportError("no such module")


class Working:
    """An entry point of Theirs."""

    name = "theirs"

    def load(self) -> Any:
        """Return the adapter."""
        return Theirs


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have another package installed, and one that is broken."""
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda *, group: {"mooring.pools": [Broken(), Working()]}[group]
    )


def instrument(obj: Any, *told: str | None) -> PoolTracker:
    """Instrument, with a watch that does not run."""
    return mooring.instrument(obj, *told, watch=Watch(threaded=False))


def test_it_is_exported_twice() -> None:
    """`mooring.instrument` and `mooring.pools.instrument` are the same function."""
    assert mooring.instrument is mooring.pools.instrument


def test_what_nobody_knows_is_refused_with_what_is_known() -> None:
    """The error says what was given and names the classes that can be instrumented."""
    with pytest.raises(TypeError) as caught:
        instrument(7)
    told = str(caught.value)
    assert told.startswith("cannot instrument builtins.int; give one of these, or of a subclass: ")
    assert told.endswith(". mooring.pools.PoolTracker is for pools of your own")
    for name in (
        "asyncpg.pool.Pool",
        "django.db.utils.ConnectionHandler",
        "psycopg_pool.pool.ConnectionPool",
        "sqlalchemy.engine.base.Engine",
        "sqlalchemy.ext.asyncio.engine.AsyncEngine",
    ):
        assert name in told


def test_another_package_brings_an_adapter(theirs: None, caplog: pytest.LogCaptureFixture) -> None:
    """An adapter of the entry points takes its class and subclasses; a broken one is told and skipped."""
    with caplog.at_level(logging.WARNING):
        tracker = instrument(SubPool(), "theirs", "shop")
    assert (tracker.service, tracker.name, tracker.gauges().limit) == ("shop", "theirs", 7)
    assert caplog.messages == ["the entry point broken of mooring.pools is no adapter"]


def test_other_packages_are_not_asked_for_what_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """To look for installed adapters takes milliseconds: it is not done where one of ours fits."""
    asked: list[str] = []
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group: asked.append(group) or [])
    engine = create_engine("sqlite://")
    assert instrument(engine) is instrument(engine)
    assert asked == []
    with pytest.raises(TypeError, match=r"cannot instrument .*\.Pool; give one of these"):
        instrument(Pool())
    assert asked == ["mooring.pools", "mooring.pools"]


def test_ours_goes_before_another_packages(monkeypatch: pytest.MonkeyPatch, theirs: None) -> None:
    """An adapter of another package does not take what one of ours takes."""
    monkeypatch.setattr(Theirs, "MATCHES", (MADE, "sqlalchemy.engine.base.Engine"))
    assert instrument(create_engine("sqlite://")).gauges().limit is None
    assert instrument(Pool()).gauges().limit == 7


def test_twice_is_the_same_tracker(theirs: None) -> None:
    """The same object is instrumented once, whatever else is said the second time."""
    pool = Pool()
    tracker = instrument(pool, "one")
    assert instrument(pool, "two") is tracker
    assert instrument(Pool(), "one") is not tracker
    assert tracker.name == "one"


def test_what_is_said_too_late_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Other rules, names or services of what is watched already are ignored, and the log says so once."""
    engine, watch = create_engine("sqlite://"), Watch(threaded=False)
    mooring.instrument(engine, "orders", "shop", watch=watch)
    for _ in range(2):
        mooring.instrument(engine, "other", "shop", rules=Rules(warning=0.7), watch=watch)
    assert caplog.messages == [
        (
            "shop/orders is watched already: what a further mooring.instrument() says of name, rules is "
            "ignored; say it where the pool is first instrumented"
        )
    ]


def test_what_is_said_again_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    """The same as before, or nothing, is no contradiction, also where the name got a number."""
    first, pool = create_engine("sqlite://"), create_engine("sqlite://")
    watch = Watch(threaded=False)
    given: Any = {"name": "orders", "service": "shop", "rules": Rules(warning=0.7), "watch": watch}
    mooring.instrument(first, **given)
    assert mooring.instrument(pool, **given).name == "orders-2"
    mooring.instrument(pool, **given)
    mooring.instrument(pool, "orders-2", watch=watch)
    mooring.instrument(pool, watch=watch)
    assert caplog.messages == []


def test_a_name_is_made_of_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pools are named by their database, and a second one of that name gets a number."""
    watch = Watch(threaded=False)
    monkeypatch.delenv("MOORING_SERVICE", raising=False)
    monkeypatch.setattr(sys, "argv", ["/srv/shop/worker.py"])
    engines = [
        create_engine(url) for url in ("sqlite:////srv/orders.db", "sqlite:////srv/orders.db", "sqlite://")
    ]
    trackers = [mooring.instrument(engine, watch=watch) for engine in engines]
    assert [tracker.name for tracker in trackers] == ["orders.db", "orders.db-2", "sqlalchemy"]
    assert {tracker.service for tracker in trackers} == {"worker"}


def test_the_service_is_that_of_the_environment(theirs: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """$MOORING_SERVICE names the program, unless the call does; `python -m shop` is `shop`."""
    monkeypatch.setattr(sys, "argv", ["/srv/shop/__main__.py"])
    monkeypatch.delenv("MOORING_SERVICE", raising=False)
    assert instrument(Pool()).service == "shop"
    monkeypatch.setenv("MOORING_SERVICE", "orders")
    assert instrument(Pool()).service == "orders"
    assert instrument(Pool(), None, "mine").service == "mine"


@pytest.mark.parametrize("value", ["false", "0", "no", "OFF"])
def test_the_environment_can_switch_it_off(theirs: None, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """With DB_CONNECTION_MONITORING=false nothing is hooked, the tracker is stopped, and errors stay."""
    monkeypatch.setenv("DB_CONNECTION_MONITORING", value)
    pool = Pool()
    tracker = instrument(pool)
    assert (tracker.active, vars(pool), list(tracker.watch)) == (False, {}, [tracker])
    with pytest.raises(TypeError, match=r"cannot instrument builtins\.int"):
        instrument(7)
