"""For all tests of reports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.report_server import ReportServer
from tests.unit.pools.desk import Desk


@pytest.fixture
def server() -> Iterator[ReportServer]:
    """A server that takes every report."""
    with ReportServer() as running:
        yield running


@pytest.fixture
def desk(server: ReportServer) -> Desk:
    """A reporter that a test runs by hand."""
    return Desk(server)
