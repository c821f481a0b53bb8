"""The tools as pytest fixtures: `pytest_plugins = ["mooring.testing.fixtures"]` in a conftest.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager

import pytest

from mooring.testing import faults, leaks
from mooring.testing.faults import FaultProxy


@pytest.fixture(name="no_leaks")
def _no_leaks() -> Iterator[None]:
    """Fail the test where it leaves a lease of a pool, a file descriptor or a thread behind."""
    with leaks.no_leaks():
        yield


@pytest.fixture(name="no_leases")
def _no_leases() -> Iterator[None]:
    """Fail the test where it leaves a lease of a pool behind, with the line that took it; that alone."""
    with leaks.no_leaks(of=["leases"]):
        yield


@pytest.fixture(name="fault_proxy")
def _fault_proxy() -> Callable[..., AbstractAsyncContextManager[FaultProxy]]:
    """`async with fault_proxy(port, Cut(after=7)) as proxy:`."""
    return faults.fault_proxy
