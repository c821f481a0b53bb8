"""The server that end-to-end tests look at; a file that needs another one overrides `running`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.mooring import Mooring
from tests.servers.process import private_folder


@pytest.fixture(scope="module")
def running() -> Iterator[Mooring]:
    """A server that watches itself alone."""
    with private_folder() as folder, Mooring(folder) as server:
        yield server


@pytest.fixture
def server(running: Mooring) -> Iterator[Mooring]:
    """That server, with nothing of an earlier test in it."""
    with running.lent() as server:
        yield server
