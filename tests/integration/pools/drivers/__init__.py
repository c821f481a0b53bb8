"""What the tests of all pools for tasks need to know of a driver: the DRIVER of each file beside this one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.integration.pools.watched import Instrument

Opened = Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[Any]]


@dataclass(frozen=True)
class Awaited:
    """A driver. `opened` is a pool of one to two connections, of which `take` and `give` are the methods.

    `in_vain` asks for one for 10 ms, which raises `late`; the book hears of that `timeouts` times.
    `begin` begins a transaction and returns what ends it; `idle` is what the driver itself counts.
    """

    instrument: Instrument
    opened: Opened
    server: str
    database: str
    take: str
    give: str
    in_vain: Callable[[Any], Awaitable[Any]]
    late: type[Exception]
    timeouts: int
    sleep: Callable[[Any], Awaitable[Any]]
    begin: Callable[[Any], Awaitable[Callable[[], Awaitable[Any]]]]
    kind: type
    idle: Callable[[Any], int]
    terminates: bool = True


def found() -> Mapping[str, Awaited]:
    """Return each driver by its name."""
    names = sorted(file.stem for file in Path(__file__).parent.glob("[a-z]*.py"))
    return {name: import_module(f"{__name__}.{name}").DRIVER for name in names}
