"""Every error that a driver exports has a reason, so that none is ever told as our own fault.

A kind's driver comes under it by `DRIVER_ERRORS` in tests/integration/kinds: the modules that hold its
errors. `UNEXPLAINED` there lists the classes that no check can meet, each with the reason why.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from itertools import product
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.engine.classify import failure_of
from mooring.net.network import Network
from mooring.net.trail import Trail
from mooring.probes import Probe
from tests.integration.entries import ENTRIES, KINDS

DRIVERS = [
    (kind, module) for kind, entry in ENTRIES.items() for module in getattr(entry, "DRIVER_ERRORS", ())
]


def errors_of(module: str) -> Iterator[type[Exception]]:
    """Yield the exception classes that a module makes public, warnings left out."""
    for name, found in list(vars(import_module(module)).items()):  # lazy ones grow
        public = inspect.isclass(found) and not name.startswith("_")
        if public and issubclass(found, Exception) and not issubclass(found, Warning):
            own = found.__module__.partition(".")[0] == module.partition(".")[0]
            if own:
                yield found


def made(error: type[Exception], kind: str) -> Exception:
    """Return an error of a class, made with as little as its constructor takes, that can be told."""
    given = getattr(ENTRIES[kind], "MADE_OF", {}).get(error.__name__)
    bare = ([value] * n for n, value in product((1, 0, 2, 3, 4, 5), ("the driver says something", None, 0)))
    for arguments in [given] if given else bare:
        with suppress(TypeError, AttributeError, ValueError, AssertionError, DeprecationWarning):
            one = error(*arguments)
            str(one)
            return one
    raise AssertionError(f"{error} cannot be made: give what it needs in MADE_OF of kinds/{kind}.py")


def probe_of(kind: str) -> Probe:
    """Return a probe of a kind with nothing set but what it cannot do without."""
    fields: dict[str, Any] = getattr(ENTRIES[kind], "BARE", None) or {"url": f"{scheme_of(kind)}://host/"}
    return KINDS.get(kind).model_validate(fields)


def scheme_of(kind: str) -> str:
    """Return the first scheme of a kind."""
    return KINDS.get(kind).schemes[0]


@pytest.mark.parametrize(("kind", "module"), DRIVERS, ids=[f"{kind}: {module}" for kind, module in DRIVERS])
async def test_every_error_of_a_driver_has_a_reason(kind: str, module: str) -> None:
    """No class that the driver exports is left to be called a fault of Mooring."""
    probe = probe_of(kind)
    excused: dict[str, str] = getattr(ENTRIES[kind], "UNEXPLAINED", {})
    async with Network() as net:
        trail = Trail(net, timeout=5)
        trail.begin(Stage.AUTH, trail.monotonic())
        reasons = {error: failure_of(made(error, kind), probe, trail).reason for error in errors_of(module)}
    unexplained = {error.__name__ for error, reason in reasons.items() if reason is Reason.INTERNAL}
    assert unexplained - excused.keys() == set()
    assert {error.__name__ for error in reasons if error.__name__ in excused} <= unexplained, "needs none"


def test_every_kind_with_a_driver_is_walked() -> None:
    """A kind that needs a package of its own says where the errors of that package are."""
    with_driver = {name for name in KINDS.names() if KINDS.get(name).extra}
    assert with_driver - {kind for kind, _ in DRIVERS} == set()
