"""The server that end-to-end tests look at; a file that needs another one overrides `running`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.e2e.window import Window, just_come, watching_all, window_of
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


@pytest.fixture(scope="session")
def watching() -> Iterator[Mooring]:
    """A server that watches something of each status, for all that look at states."""
    with watching_all() as server:
        yield server


@pytest.fixture(scope="module")
def opened(chromium: Browser, watching: Mooring) -> Iterator[Window]:
    """One page for all states of a file."""
    with window_of(chromium, watching) as window:
        yield window


@pytest.fixture
def window(opened: Window) -> Iterator[Window]:
    """That page, with nothing of an earlier state in it."""
    with just_come(opened) as window:
        yield window
